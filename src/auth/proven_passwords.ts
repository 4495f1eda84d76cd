/**
 * Passwords that were right lately, without keeping any.
 *
 * @module
 */
import type { Clock } from "../platform/mod.ts";

/** Options of {@linkcode ProvenPasswords}. */
export interface ProvenPasswordsOptions {
  /** Tells when a proof is too old. */
  readonly clock: Clock;
  /** How many proofs are remembered, 1 or more; the least recently used one makes room. */
  readonly entriesMax: number;
  /** How long after the check a proof holds, in milliseconds, however often it is used. */
  readonly keptMs: number;
}

const encoder = new TextEncoder();

/**
 * A bounded memory of which password was found to match which bcrypt hash. What it keeps are digests by
 * HMAC-SHA-256 under a random key that is made by the first digest and never leaves this object.
 */
export class ProvenPasswords {
  readonly #clock: Clock;
  readonly #entriesMax: number;
  readonly #keptMs: number;
  /** When a digest stops to hold, by the monotonic clock; the least recently used is the first. */
  readonly #expiresAtMs = new Map<string, number>();
  #key: Promise<CryptoKey> | null = null;

  /** Remembers nothing yet. */
  constructor({ clock, entriesMax, keptMs }: ProvenPasswordsOptions) {
    this.#clock = clock;
    this.#entriesMax = entriesMax;
    this.#keptMs = keptMs;
  }

  /** The name of this password with this hash, in base64; another object gives it another one. */
  async digest(password: string, hash: string): Promise<string> {
    this.#key ??= crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    // JSON, because plain concatenation would let two pairs look the same.
    const pair = encoder.encode(JSON.stringify([hash, password]));
    return new Uint8Array(await crypto.subtle.sign("HMAC", await this.#key, pair)).toBase64();
  }

  /** Whether what the digest names was proven, and not too long ago. */
  has(digest: string): boolean {
    const expiresAtMs = this.#expiresAtMs.get(digest);
    if (expiresAtMs === undefined) return false;
    this.#expiresAtMs.delete(digest);
    if (expiresAtMs <= this.#clock.monotonic()) return false;
    this.#expiresAtMs.set(digest, expiresAtMs);
    return true;
  }

  /** Remembers that the password of this digest was right just now. */
  add(digest: string): void {
    this.#expiresAtMs.delete(digest);
    this.#expiresAtMs.set(digest, this.#clock.monotonic() + this.#keptMs);
    if (this.#expiresAtMs.size <= this.#entriesMax) return;
    for (const oldest of this.#expiresAtMs.keys()) {
      this.#expiresAtMs.delete(oldest);
      break;
    }
  }

  /** Forgets everything, the key included. */
  clear(): void {
    this.#expiresAtMs.clear();
    this.#key = null;
  }
}
