/**
 * JSON Web Tokens as NATS has them: `header.claims.signature`, each part in base64url without padding,
 * signed by the Ed25519 key that the claim `iss` names as an nkey.
 *
 * @module
 */
import { decodeNkey, type NkeyKind } from "../protocol/mod.ts";
import { isSignedBy } from "./signature.ts";

/** What a token says. Times are in seconds since 1970. */
export interface JwtClaims<N extends NatsClaims = NatsClaims> {
  /** Public key of who signed it. */
  readonly iss: string;
  /** What it is about, in most types a public key. */
  readonly sub: string;
  /** Id of the token. */
  readonly jti?: string | undefined;
  /** When it was issued. */
  readonly iat?: number | undefined;
  /** When it ends. */
  readonly exp?: number | undefined;
  /** When it begins. */
  readonly nbf?: number | undefined;
  /** Who it is for. */
  readonly aud?: string | undefined;
  /** A name for people. */
  readonly name?: string | undefined;
  /** What NATS adds; not checked here but for what {@linkcode NatsClaims} names. */
  readonly nats: N;
}

/** What NATS adds to claims; the other fields depend on the type and are whatever was written. */
export interface NatsClaims {
  /** Such as `"user"` or `"account"`; `"generic"` where none was written. */
  readonly type: string;
  /** 1 or 2; 0 where generic claims have none. */
  readonly version: number;
  readonly [field: string]: unknown;
}

/** A token that is none, that is not signed by its issuer, or that is not of the type wanted. */
export class JwtError extends Error {
  /** Always `"JwtError"`. */
  override readonly name = "JwtError";
}

/** What is asked of a token besides its form and signature. */
export interface JwtExpectation {
  /** The type of its claims. */
  readonly type: string;
  /** Longest token that is looked at, in characters; {@linkcode JWT_LENGTH_MAX} when left out. */
  readonly lengthMax?: number | undefined;
}

/** Who signs a token. */
export interface JwtSigner {
  /** Its public nkey. */
  readonly id: string;
  /** Its private Ed25519 key. */
  readonly signingKey: CryptoKey;
}

/** Longest token that is looked at unless another length is asked for: 1 MiB, as an account's may be. */
export const JWT_LENGTH_MAX = 1 << 20;

const ALGORITHM = "ed25519-nkey", OLD_ALGORITHM = "ed25519";

/** The newest version of claims that is understood. */
const VERSION = 2;

/** Whose keys may sign tokens of a type; everybody's where a type is not among them. */
const ISSUERS: ReadonlyMap<string, readonly NkeyKind[]> = new Map<string, readonly NkeyKind[]>([
  ["operator", ["operator"]],
  ["account", ["operator", "account"]],
  ["user", ["account"]],
  ["activation", ["account", "operator"]],
  ["authorization_request", ["server"]],
  ["authorization_response", ["account"]],
]);

const encoder = new TextEncoder(), decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * What a token says, after its form, its signature and who may have signed it were checked. That its
 * times allow it now is for {@linkcode jwtTimeProblem} to say; whether its issuer is to be trusted is
 * not known here.
 *
 * @throws {JwtError} when it is to be refused; the message holds nothing of the token.
 */
export async function readJwt<N extends NatsClaims = NatsClaims>(
  token: string,
  expectation: JwtExpectation,
): Promise<JwtClaims<N>> {
  const { claims, signed, signature } = parse(token, expectation.lengthMax ?? JWT_LENGTH_MAX);
  const { type } = claims.nats;
  if (type !== expectation.type) {
    throw new JwtError(`the JWT is not of type ${expectation.type}`);
  }
  const issuer = decodeNkey(claims.iss);
  const issuers = ISSUERS.get(type);
  if (issuer === null) throw new JwtError("the JWT's issuer is not an nkey");
  if (issuers !== undefined && !issuers.includes(issuer.kind)) {
    throw new JwtError(`a JWT of type ${type} is not signed by a key of kind ${issuer.kind}`);
  }
  if (!await isSignedBy(claims.iss, encoder.encode(signed), signature)) {
    throw new JwtError("the JWT is not signed by its issuer");
  }
  return claims as JwtClaims<N>;
}

/**
 * Why a token does not hold at `nowMs`, wall-clock milliseconds; null when it does. As in nats-server the
 * second of `exp` is still one of the token's, and an `exp` of 0 is none.
 */
export function jwtTimeProblem(claims: JwtClaims, nowMs: number): string | null {
  const nowS = Math.floor(nowMs / 1000);
  if (claims.exp !== undefined && claims.exp > 0 && nowS > claims.exp) return "the JWT has expired";
  if (claims.nbf !== undefined && claims.nbf > nowS) return "the JWT is not valid yet";
  return null;
}

/** Claims to be signed; `iss` and `jti` are added. */
export type UnsignedClaims = Omit<JwtClaims, "iss" | "jti">;

/** The token of some claims. */
export async function signJwt(claims: UnsignedClaims, signer: JwtSigner): Promise<string> {
  const unnamed = JSON.stringify({ ...claims, iss: signer.id });
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(unnamed));
  const header = encodePart(JSON.stringify({ typ: "JWT", alg: ALGORITHM }));
  const body = encodePart(
    JSON.stringify({ jti: base64url(new Uint8Array(digest)), ...claims, iss: signer.id }),
  );
  const signed = `${header}.${body}`;
  const signature = await crypto.subtle.sign("Ed25519", signer.signingKey, encoder.encode(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}

/** Whether a text looks like a token, as nats-server tells it from sealed bytes. */
export function looksLikeJwt(text: string): boolean {
  return text.startsWith("eyJ");
}

interface Parsed {
  readonly claims: JwtClaims;
  /** The part of the token that the signature is of. */
  readonly signed: string;
  readonly signature: Uint8Array<ArrayBuffer>;
}

function parse(token: string, lengthMax: number): Parsed {
  if (token.length > lengthMax) {
    throw new JwtError(`the JWT is longer than ${lengthMax} characters`);
  }
  const parts = token.split(".", 4);
  if (parts.length !== 3) throw new JwtError("a JWT has three parts");
  const [head, body, tail] = parts as [string, string, string];
  const { typ, alg } = decodeObject(head, "header");
  if (typeof typ !== "string" || typ.toUpperCase() !== "JWT") {
    throw new JwtError("the JWT's header has another type than JWT");
  }
  // No other algorithm is believed, "none" least.
  const algorithm = typeof alg === "string" ? alg.toLowerCase() : "";
  if (algorithm !== ALGORITHM && algorithm !== OLD_ALGORITHM) {
    throw new JwtError(`the JWT's algorithm is not ${ALGORITHM}`);
  }
  const claims = checkClaims(decodeObject(body, "claims"));
  const { version } = claims.nats;
  // Tokens of version 1 were signed without their headers.
  const bodyOnly = version === 1 || (version === 0 && algorithm === OLD_ALGORITHM);
  return {
    claims,
    signed: bodyOnly ? body : `${head}.${body}`,
    signature: decodePart(tail, "signature"),
  };
}

function checkClaims(raw: Readonly<Record<string, unknown>>): JwtClaims {
  for (const field of ["jti", "aud", "name"] as const) {
    if (raw[field] !== undefined && typeof raw[field] !== "string") {
      throw new JwtError(`the JWT's claim ${field} is not a text`);
    }
  }
  for (const field of ["iss", "sub"] as const) {
    if (typeof raw[field] !== "string" || raw[field] === "") {
      throw new JwtError(`the JWT has no claim ${field}`);
    }
  }
  for (const field of ["iat", "exp", "nbf"] as const) {
    if (raw[field] !== undefined && !Number.isSafeInteger(raw[field])) {
      throw new JwtError(`the JWT's claim ${field} is not a whole number`);
    }
  }
  const nats = raw.nats ?? {};
  if (!isObject(nats)) throw new JwtError("the JWT's claim nats is not an object");
  // Version 1 had the type beside `nats`; generic claims may have neither type nor version.
  const old = raw.type !== undefined;
  const type = (old ? raw.type : nats.type) ?? "generic";
  const version = old ? 1 : nats.version ?? 0;
  if (typeof type !== "string" || type === "") throw new JwtError("the JWT's type is not a text");
  if (typeof version !== "number" || ![0, 1, VERSION].includes(version)) {
    throw new JwtError(`the JWT's version is not ${VERSION} or before`);
  }
  if (version === 0 && ISSUERS.has(type)) throw new JwtError("the JWT has no version");
  return { ...raw, nats: { ...nats, type, version } } as unknown as JwtClaims;
}

function decodeObject(part: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(decodePart(part, what)));
  } catch (error) {
    if (error instanceof JwtError) throw error;
    throw new JwtError(`the JWT's ${what} is not JSON`);
  }
  if (!isObject(value)) throw new JwtError(`the JWT's ${what} is not an object`);
  return value;
}

/** One part has one text: what decodes to the same bytes but is written otherwise is refused. */
function decodePart(part: string, what: string): Uint8Array<ArrayBuffer> {
  const problem = () => new JwtError(`the JWT's ${what} is not base64url`);
  // Decoding would skip white space.
  if (!/^[\w-]+$/.test(part)) throw problem();
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.fromBase64(part, { alphabet: "base64url" });
  } catch {
    throw problem();
  }
  if (base64url(bytes) !== part) throw problem();
  return bytes;
}

function encodePart(text: string): string {
  return base64url(encoder.encode(text));
}

function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
