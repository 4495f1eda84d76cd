/**
 * What all claims have in common, whatever they are about.
 *
 * @module
 */
import { ClaimsError, ClaimsReader } from "./claims_reader.ts";

/** What a token is about. */
export type ClaimsKind = "operator" | "account" | "user" | "activation";

/** The claims that every token makes. */
export interface CommonClaims {
  /** 1 or 2. */
  readonly version: number;
  /** Id of the token; empty where it has none. */
  readonly id: string;
  /** Public key of who signed it. */
  readonly issuer: string;
  /** Public key of who it is about. */
  readonly subject: string;
  /** Name of who it is about; may be empty. */
  readonly name: string;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /** Seconds since 1970 up to which it holds; 0 for ever. */
  readonly expiresAt: number;
  /** Seconds since 1970 from which it holds; 0 from ever. */
  readonly notBefore: number;
  /** Tags, as they are. */
  readonly tags: readonly string[];
  /** For whom it is; empty where it does not say. */
  readonly audience: string;
}

/** Claims on their way to be understood. */
export interface ClaimsSource {
  /** The whole of the claims. */
  readonly root: ClaimsReader;
  /** What is under `nats`. */
  readonly nats: ClaimsReader;
  /** What all have in common. */
  readonly common: CommonClaims;
}

/** Seconds of 1970 that a number of milliseconds is in. */
export function secondsOf(ms: number): number {
  return Math.floor(ms / 1000);
}

/**
 * Why claims do not hold at a time, in words; null when they do. As in nats-server the second that is
 * named as the last one is still good.
 *
 * @param nowSeconds Whole seconds since 1970.
 */
export function outOfDate(claims: CommonClaims, nowSeconds: number): string | null {
  if (claims.expiresAt > 0 && nowSeconds > claims.expiresAt) return "it has expired";
  if (claims.notBefore > 0 && nowSeconds < claims.notBefore) return "it is not yet valid";
  return null;
}

/** Whether a list of revocations, keys or `*` to seconds, covers what was issued then. */
export function isRevoked(
  revocations: Readonly<Record<string, number>> | undefined,
  key: string,
  issuedAt: number,
): boolean {
  if (revocations === undefined) return false;
  const covers = (name: string) =>
    Object.hasOwn(revocations, name) && revocations[name]! >= issuedAt;
  return covers(key) || covers("*");
}

/**
 * Opens claims that must be about `kind`.
 *
 * @param payload What {@linkcode readJwt} found.
 * @throws {ClaimsError} when they are about something else, or broken.
 */
export function openClaims(payload: unknown, kind: ClaimsKind): ClaimsSource {
  const root = new ClaimsReader(payload);
  const nats = root.object("nats");
  if (nats.text("type") !== kind) throw new ClaimsError(`it is not of type ${kind}`);
  const version = nats.integer("version");
  const common = {
    version,
    id: root.text("jti"),
    issuer: root.text("iss"),
    subject: root.text("sub"),
    name: root.text("name"),
    issuedAt: root.integer("iat"),
    expiresAt: root.integer("exp"),
    notBefore: root.integer("nbf"),
    // Version 1 had outside of `nats` what it did not call NATS' own.
    tags: (version === 1 ? root : nats).texts("tags") ?? [],
    audience: root.text("aud"),
  };
  return { root, nats, common };
}

/** The account for which a signing key signed; empty where the signer signed for itself. */
export function issuerAccountOf({ root, nats, common }: ClaimsSource): string {
  return (common.version === 1 ? root : nats).text("issuer_account");
}
