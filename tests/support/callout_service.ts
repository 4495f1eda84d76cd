/**
 * A service of `auth_callout` as its users write one: an official client that answers questions.
 *
 * @module
 */
import { createAccount, fromPublic, type KeyPair } from "@nats-io/nkeys";
import type { NatsConnection } from "@nats-io/nats-core";

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** Claims of a token. */
export type Claims = Record<string, unknown> & { nats: Record<string, unknown> };

/** A token of claims; `iss` is `signer`. */
export function signClaims(signer: KeyPair, claims: Record<string, unknown>): string {
  const part = (text: string | Uint8Array) =>
    (typeof text === "string" ? encoder.encode(text) : text)
      .toBase64({ alphabet: "base64url", omitPadding: true });
  const head = part(JSON.stringify({ typ: "JWT", alg: "ed25519-nkey" }));
  const body = part(JSON.stringify({ jti: "id", iat: 1, iss: signer.getPublicKey(), ...claims }));
  return `${head}.${body}.${part(signer.sign(encoder.encode(`${head}.${body}`)))}`;
}

/**
 * The claims of a token.
 *
 * @throws {Error} when its issuer has not signed it.
 */
export function openClaims(token: string): Claims {
  const [head, body, signature] = token.split(".") as [string, string, string];
  const bytes = (text: string) => Uint8Array.fromBase64(text, { alphabet: "base64url" });
  const claims = JSON.parse(decoder.decode(bytes(body)));
  if (!fromPublic(claims.iss).verify(encoder.encode(`${head}.${body}`), bytes(signature))) {
    throw new Error("not signed by its issuer");
  }
  return claims;
}

/** What a service is asked, and with which keys it may answer. */
export interface Asked {
  /** The claims of the question. */
  readonly claims: Claims;
  /** Its `nats`. */
  readonly user: string;
  /** The key of the user that the question is about. */
  readonly userKey: string;
  /** The id of the server that asks. */
  readonly server: string;
  /** The account whose key the server expects. */
  readonly issuer: KeyPair;
  /** The token of a user with what is given besides the usual. */
  userToken(claims?: Record<string, unknown>, nats?: Record<string, unknown>): string;
  /** The token of an answer with what is given besides the usual. */
  answer(nats: Record<string, unknown>, claims?: Record<string, unknown>): string;
}

/** The usual settings of a user without restrictions. */
export const UNRESTRICTED = { subs: -1, data: -1, payload: -1 };

/** What is there to ask. */
export function askedOf(text: string, issuer: KeyPair): Asked {
  const claims = openClaims(text);
  const { user_nkey, server_id, connect_opts } = claims.nats as {
    user_nkey: string;
    server_id: { id: string };
    connect_opts: { user?: string };
  };
  return {
    claims,
    user: connect_opts.user ?? "",
    userKey: user_nkey,
    server: server_id.id,
    issuer,
    userToken: (more = {}, nats = {}) =>
      signClaims(issuer, {
        sub: user_nkey,
        aud: "APP",
        ...more,
        nats: { type: "user", version: 2, ...UNRESTRICTED, ...nats },
      }),
    answer: (nats, more = {}) =>
      signClaims(issuer, {
        sub: user_nkey,
        aud: server_id.id,
        ...more,
        nats: { type: "authorization_response", version: 2, ...nats },
      }),
  };
}

/**
 * Answers questions until the client is closed. `reply` returns what to answer: text, bytes, or null to
 * stay silent.
 */
export function serveCallout(
  client: NatsConnection,
  issuer: KeyPair,
  reply: (asked: Asked) => string | Uint8Array | null,
  curve?: KeyPair & {
    seal(input: Uint8Array, recipient: string): Uint8Array;
    open(input: Uint8Array, sender: string): Uint8Array | null;
  },
): { readonly problems: unknown[] } {
  const problems: unknown[] = [];
  client.subscribe("$SYS.REQ.USER.AUTH", {
    callback: (error, message) => {
      try {
        if (error !== null) throw error;
        const xkey = message.headers?.get("Nats-Server-Xkey") ?? "";
        const data = curve === undefined ? message.data : curve.open(message.data, xkey);
        if (data === null) throw new Error("the question is not sealed for this service");
        const answer = reply(askedOf(decoder.decode(data), issuer));
        if (answer === null) return;
        const bytes = typeof answer === "string" ? encoder.encode(answer) : answer;
        message.respond(curve === undefined ? bytes : curve.seal(bytes, xkey));
      } catch (problem) {
        problems.push(problem);
      }
    },
  });
  return { problems };
}

/** An account that may issue answers. */
export function createIssuer(): KeyPair {
  return createAccount();
}
