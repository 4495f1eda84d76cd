/**
 * Operators, accounts and users with tokens, made by the official libraries or by hand.
 *
 * @module
 */
import { createAccount, createOperator, createUser, type KeyPair } from "@nats-io/nkeys";

/** Claims under `nats`, or beside it. */
export type Fields = Readonly<Record<string, unknown>>;

/** A key pair and its public key. */
export interface Party {
  /** Public key. */
  readonly key: string;
  /** The pair. */
  readonly pair: KeyPair;
}

/** No limits, as tools write them. */
export const unlimitedAccount: Fields = {
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  conn: -1,
  leaf: -1,
};

/** No limits of a user, as tools write them. */
export const unlimitedUser: Fields = { subs: -1, data: -1, payload: -1 };

/** A new operator's key. */
export function newOperator(): Party {
  return partyOf(createOperator());
}

/** A new account's key. */
export function newAccount(): Party {
  return partyOf(createAccount());
}

/** A new user's key. */
export function newUser(): Party {
  return partyOf(createUser());
}

/** A token of any claims, as they are, signed by `signer`. */
export function tokenOf(claims: Fields, signer: Party, header: Fields = {}): string {
  const text = (value: unknown) => base64url(new TextEncoder().encode(JSON.stringify(value)));
  const signed = `${text({ typ: "JWT", alg: "ed25519-nkey", ...header })}.${
    text({ iss: signer.key, iat: nowSeconds(), ...claims })
  }`;
  return `${signed}.${base64url(signer.pair.sign(new TextEncoder().encode(signed)))}`;
}

/** The token of an operator that signs itself. */
export function operatorToken(operator: Party, nats: Fields = {}, claims: Fields = {}): string {
  return tokenOf({
    jti: randomId(),
    name: "op",
    sub: operator.key,
    ...claims,
    nats: { type: "operator", version: 2, ...nats },
  }, operator);
}

/** The token of an account without limits. */
export function accountToken(
  account: Party,
  signer: Party,
  nats: Fields = {},
  claims: Fields = {},
): string {
  return tokenOf({
    jti: randomId(),
    name: "acme",
    sub: account.key,
    ...claims,
    nats: { type: "account", version: 2, limits: unlimitedAccount, ...nats },
  }, signer);
}

/** The token of a user without limits. */
export function userToken(
  user: Party,
  signer: Party,
  nats: Fields = unlimitedUser,
  claims: Fields = {},
): string {
  return tokenOf({
    jti: randomId(),
    name: "alice",
    sub: user.key,
    ...claims,
    nats: { type: "user", version: 2, ...nats },
  }, signer);
}

/** The token by which `exporter` lets `importer` have a subject. */
export function activationToken(
  importer: Party,
  signer: Party,
  nats: Fields,
  claims: Fields = {},
): string {
  return tokenOf({
    jti: randomId(),
    sub: importer.key,
    ...claims,
    nats: { type: "activation", version: 2, ...nats },
  }, signer);
}

/** The signature of a nonce as CONNECT has it. */
export function signNonce(party: Party, nonce: string): string {
  return base64url(party.pair.sign(new TextEncoder().encode(nonce)));
}

/** Whole seconds since 1970. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

function partyOf(pair: KeyPair): Party {
  return { key: pair.getPublicKey(), pair };
}

function randomId(): string {
  return crypto.randomUUID().replaceAll("-", "").toUpperCase();
}

function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
