/**
 * What keeps somebody from trying passwords until one is right. nats-server has nothing like it.
 *
 * @module
 */
import type { Clock, Random } from "../platform/mod.ts";
import { KeyedHash } from "./keyed_hash.ts";

/** Options of {@linkcode GuessLimiter}. */
export interface GuessLimiterOptions {
  /** Tells how long ago something was. */
  readonly clock: Clock;
  /** Where the key comes from under which secrets are told apart. */
  readonly random: Random;
  /** How many secrets an address may try for one user before it has to wait; 10 when left out. */
  readonly userGuesses?: number;
  /** How many wrong secrets an address may show for all users together; 100 when left out. */
  readonly addressGuesses?: number;
  /** How long the first wait is, in milliseconds, and the longest; each one doubles; 1,000 and 60,000. */
  readonly waitMs?: number;
  /** See {@linkcode waitMs}. */
  readonly waitMaxMs?: number;
  /** After how many milliseconds without another attempt everything is forgotten; 600,000. */
  readonly forgetMs?: number;
  /** How many pairs of address and user, and how many addresses, are remembered; 8,192. */
  readonly entriesMax?: number;
}

/** An attempt that may be made. Exactly one of its methods is to be called. */
export interface Guess {
  /** The secret was right. */
  right(): void;
  /** The secret was wrong. */
  wrong(): void;
  /** It was not found out. */
  open(): void;
}

/** What is known of an address, or of a user at an address. */
interface Attempts {
  /** Guesses that count. */
  count: number;
  waitUntilMs: number;
  /** Secrets that were tried lately, by their names; the oldest first. */
  readonly tried: string[];
  /** Until when this user of this address is known to know its secret. */
  provenUntilMs: number;
  usedAtMs: number;
}

/** How long it is remembered that somebody knew a secret. */
const PROVEN_MS = 3_600_000;

const untold: Guess = { right: () => {}, wrong: () => {}, open: () => {} };

/**
 * Counts wrong secrets by address, and by user of an address. What counts are different ones: a client
 * that tries its one outdated password for ever guesses nothing, and however many clients with right
 * ones come back at once are not slowed. Who has used up its guesses must wait before the next, each time
 * twice as long as before, and whatever it shows meanwhile is refused unseen, be it right or wrong, so
 * that nothing is learnt from it. What one address does keeps no other from anything; users of a blocked
 * address who were let in from there within the hour still are. Whether a user exists makes no difference.
 *
 * It remembers a bounded number of names under a random key, no secret and no user.
 */
export class GuessLimiter {
  readonly #clock: Clock;
  readonly #hash: KeyedHash;
  readonly #userGuesses: number;
  readonly #addressGuesses: number;
  readonly #waitMs: number;
  readonly #waitMaxMs: number;
  readonly #forgetMs: number;
  readonly #users: Recent;
  readonly #addresses: Recent;

  /** Remembers nothing yet. */
  constructor(options: GuessLimiterOptions) {
    this.#clock = options.clock;
    this.#hash = new KeyedHash(options.random.bytes(8));
    this.#userGuesses = options.userGuesses ?? 10;
    this.#addressGuesses = options.addressGuesses ?? 100;
    this.#waitMs = options.waitMs ?? 1000;
    this.#waitMaxMs = options.waitMaxMs ?? 60_000;
    this.#forgetMs = options.forgetMs ?? 600_000;
    const entriesMax = options.entriesMax ?? 8192;
    this.#users = new Recent(entriesMax);
    this.#addresses = new Recent(entriesMax);
  }

  /**
   * Asks whether a secret may be looked at; null when it may not. `user` is empty for a token. An
   * `address` that is no IP address, such as that of a client within the process, is never limited.
   */
  begin(address: string, user: string, secret: string): Guess | null {
    const network = networkOf(address);
    if (network === null) return untold;
    const nowMs = this.#clock.monotonic();
    const forgetBeforeMs = nowMs - this.#forgetMs;
    const atUser = this.#users.get(this.#hash.of(network, user), nowMs, forgetBeforeMs);
    const atAddress = this.#addresses.get(network, nowMs, forgetBeforeMs);
    if (nowMs < atUser.waitUntilMs) return null;
    if (nowMs < atAddress.waitUntilMs && nowMs >= atUser.provenUntilMs) return null;
    const name = this.#hash.of(user, secret);
    if (atUser.tried.includes(name)) {
      return { right: () => this.#right(atUser), wrong: () => {}, open: () => {} };
    }
    // It counts before it is known to be wrong: many may be tried at the same time.
    atUser.tried.push(name);
    if (atUser.tried.length > this.#userGuesses) atUser.tried.shift();
    this.#count(atUser, this.#userGuesses, nowMs);
    return {
      right: () => this.#right(atUser),
      wrong: () => this.#count(atAddress, this.#addressGuesses, this.#clock.monotonic()),
      open: () => {
        const at = atUser.tried.indexOf(name);
        if (at >= 0) atUser.tried.splice(at, 1);
        if (atUser.count > 0) atUser.count--;
      },
    };
  }

  /** Forgets everything, as is due when secrets have changed. */
  clear(): void {
    this.#users.clear();
    this.#addresses.clear();
  }

  #right(atUser: Attempts): void {
    atUser.count = 0;
    atUser.waitUntilMs = 0;
    atUser.tried.length = 0;
    atUser.provenUntilMs = this.#clock.monotonic() + PROVEN_MS;
  }

  #count(record: Attempts, free: number, nowMs: number): void {
    record.count++;
    const beyond = record.count - free;
    if (beyond <= 0) return;
    const waitMs = Math.min(this.#waitMaxMs, this.#waitMs * 2 ** Math.min(beyond - 1, 30));
    record.waitUntilMs = nowMs + waitMs;
  }
}

/** A bounded number of records; the least recently used one makes room. */
class Recent {
  readonly #entriesMax: number;
  readonly #records = new Map<string, Attempts>();

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get(key: string, nowMs: number, forgetBeforeMs: number): Attempts {
    let record = this.#records.get(key);
    if (record !== undefined) this.#records.delete(key);
    if (record === undefined || record.usedAtMs < forgetBeforeMs) {
      const provenUntilMs = record?.provenUntilMs ?? 0;
      record = { count: 0, waitUntilMs: 0, tried: [], provenUntilMs, usedAtMs: nowMs };
    }
    record.usedAtMs = nowMs;
    this.#records.set(key, record);
    if (this.#records.size > this.#entriesMax) {
      for (const oldest of this.#records.keys()) {
        this.#records.delete(oldest);
        break;
      }
    }
    return record;
  }

  clear(): void {
    this.#records.clear();
  }
}

/** What one owner of addresses has: an IPv4 address, or 64 bits of an IPv6 one; null for no address. */
function networkOf(address: string): string | null {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1]!;
  if (/^\d+\.\d+\.\d+\.\d+$/.test(address)) return address;
  if (!address.includes(":")) return null;
  const [head = "", tail] = address.toLowerCase().split("%")[0]!.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...new Array<string>(missing).fill("0"), ...back];
  return groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":");
}
