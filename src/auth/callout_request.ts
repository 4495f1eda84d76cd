/**
 * What a service of `auth_callout` is told of a client: a token of type `authorization_request`.
 *
 * @module
 */
import type { Credentials } from "./credentials.ts";
import type { PeerFacts } from "./decision.ts";
import type { UnsignedClaims } from "./jwt.ts";
import { isNkey } from "../protocol/mod.ts";

/** What a service is told of the server. */
export interface CalloutServer {
  /** Its id, `N...`. */
  readonly id: string;
  /** Its name. */
  readonly name: string;
  /** Where it listens, as INFO has it. */
  readonly host: string;
  /** The version of nats-server that it behaves like. */
  readonly version: string;
  /** Name of its cluster, if any. */
  readonly cluster?: string | undefined;
  /** Its tags. */
  readonly tags?: readonly string[] | undefined;
}

/** What a service is told. */
export interface CalloutFacts {
  /** Who is asking. */
  readonly server: CalloutServer;
  /** The curve key of the server, where answers may be sealed for it; else null. */
  readonly xkey: string | null;
  /** Public key that stands for the user in this question and its answer only. */
  readonly userKey: string;
  /** `sub` of the question. */
  readonly subject: string;
  /** What the client has shown. */
  readonly credentials: Credentials;
  /** What else is known of the client. */
  readonly peer: PeerFacts;
  /** What it is known by: an nkey, a name or `[REDACTED]` for a token; empty for nothing. */
  readonly user: string;
  /** When it is asked, in wall-clock milliseconds. */
  readonly nowMs: number;
  /** How long the answer may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** The audience of all questions. */
const AUDIENCE = "nats-authorization-request";

/** The claims of the question. */
export function calloutClaims(facts: CalloutFacts): UnsignedClaims {
  const { server, xkey, userKey, subject, nowMs, timeoutMs, peer } = facts;
  const { tls, certificate } = peer;
  return {
    aud: AUDIENCE,
    sub: subject,
    iat: Math.floor(nowMs / 1000),
    exp: Math.floor((nowMs + timeoutMs) / 1000),
    nats: {
      server_id: {
        name: server.name,
        host: server.host,
        id: server.id,
        version: server.version,
        ...(server.cluster && { cluster: server.cluster }),
        ...(server.tags !== undefined && server.tags.length > 0 && { tags: server.tags }),
        ...(xkey !== null && { xkey }),
      },
      user_nkey: userKey,
      client_info: clientInfo(facts),
      connect_opts: connectOptions(facts),
      ...(tls !== null && {
        client_tls: {
          version: tls.version.replace(/^TLSv/, ""),
          cipher: tls.cipher,
          ...(certificate !== null && { verified_chains: [certificate.chain.map(pem)] }),
        },
      }),
      type: "authorization_request",
      version: 2,
    },
  };
}

function clientInfo({ peer, credentials: { name, sig }, user }: CalloutFacts) {
  return {
    host: peer.hostname,
    id: peer.id,
    ...(user && { user }),
    ...(name && { name }),
    kind: "Client",
    type: "nats",
    ...(sig && peer.nonce !== null && { nonce: peer.nonce }),
  };
}

/** Whoever was found by a certificate, or taken for a user, is said to have named it. */
function connectOptions({ credentials, user: known }: CalloutFacts) {
  const { user, pass, auth_token, nkey, jwt, sig, name, lang, version, protocol } = credentials;
  const isNamed = Boolean(user || nkey || auth_token || jwt);
  const found = isNamed || !known ? {} : isNkey(known, "user") ? { nkey: known } : { user: known };
  return {
    ...(jwt && { jwt }),
    ...(nkey && { nkey }),
    ...(sig && { sig }),
    ...(auth_token && { auth_token }),
    ...(user && { user }),
    ...(pass && { pass }),
    ...found,
    ...(name && { name }),
    ...(lang && { lang }),
    ...(version && { version }),
    protocol: protocol ?? 0,
  };
}

/** Lines of at most 64 characters (RFC 7468). */
function pem(der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
