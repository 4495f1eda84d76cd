/**
 * TLS for clients and for routes.
 *
 * @module
 */
import {
  block,
  type Fields,
  list,
  optional,
  required,
  type Rule,
  scalar,
  withDefault,
} from "./fields.ts";
import { type Kind, Refusal } from "./kind.ts";
import { duration, integer } from "./number_kinds.ts";
import { boolean, choice, text } from "./text_kinds.ts";
import { formatDuration, parseDuration } from "./units.ts";

/** How long a handshake may take when nothing, or 0, is said: nats-server's own default. */
const defaultTimeout_ms = 2000;
/** How long `handshake_first: auto` waits for the first byte: nats-server's own default. */
const autoDelay_ms = 50;
/** What nats-server gives on top of the handshake's time for credentials. */
const authenticationExtra_ms = 1000, defaultAuthentication_ms = 2000;

const filePath = text({ expected: "a path" });

/**
 * Whether the handshake comes before INFO: no, always, or where the client begins with it in so many
 * milliseconds.
 */
function handshakeFirst(): Kind<boolean | string, boolean | number> {
  const expected = `true, false, auto or a duration such as "100ms"`;
  return {
    inputType: "boolean | string",
    outputType: "boolean | number",
    outputNote: "Milliseconds where it is a number.",
    json: { type: ["boolean", "string"] },
    read: (input) => {
      switch (typeof input === "string" ? input.toLowerCase() : input) {
        case true:
        case "true":
        case "on":
        case "yes":
          return true;
        case false:
        case "false":
        case "off":
        case "no":
          return false;
        case "auto":
        case "auto_fallback":
          return autoDelay_ms;
      }
      // As in nats-server a number without a unit is none.
      if (typeof input !== "string" || /^[+\d.]*$/.test(input)) return new Refusal(expected);
      const delay_ms = parseDuration(input);
      return delay_ms === undefined || delay_ms > 3_600_000 ? new Refusal(expected) : delay_ms;
    },
    format: (value) => typeof value === "boolean" ? String(value) : formatDuration(value),
  };
}

/** SHA-256 of a public key in hex. */
function keyHash(): Kind<string, string> {
  return {
    inputType: "string",
    outputType: "string",
    json: { type: "string", pattern: "^[0-9A-Fa-f]{64}$" },
    read: (input) =>
      typeof input === "string" && /^[0-9a-f]{64}$/i.test(input)
        ? input.toLowerCase()
        : new Refusal("64 hex digits: the SHA-256 of a DER-encoded SubjectPublicKeyInfo"),
    format: (value) => `"${value}"`,
  };
}

const tlsFields = {
  cert_file: required(
    scalar(filePath),
    "File with the certificate and those between it and its authority, PEM. Read again when it changes.",
    "/etc/denats/cert.pem",
  ),
  key_file: required(
    scalar(filePath),
    "File with its private key, PEM, without a passphrase.",
    "/etc/denats/key.pem",
  ),
  ca_file: optional(
    scalar(filePath),
    "/etc/denats/ca.pem",
    "File with the authorities that certificates of others are verified against, PEM.",
  ),
  verify: withDefault(
    scalar(boolean()),
    false,
    "Whether clients must show a certificate. Other servers always must.",
  ),
  verify_and_map: withDefault(
    scalar(boolean()),
    false,
    "The same, and the user is whoever the certificate names.",
  ),
  timeout: withDefault(
    scalar(duration({ min: 0 })),
    "2s",
    "How long a handshake may take; 0 is the default.",
  ),
  handshake_first: withDefault(
    scalar(handshakeFirst()),
    false,
    "Whether the handshake comes before INFO: true, false, or auto for where a client begins with " +
      "it within 50ms (or another duration). Between servers it always does.",
  ),
  pinned_certs: withDefault(
    list(scalar(keyHash())),
    [],
    "SHA-256 of the public keys (SubjectPublicKeyInfo, DER) that are let in, in hex; any if empty.",
  ),
  min_version: withDefault(
    scalar(choice(["1.2", "1.3"])),
    "1.2",
    "The oldest version of TLS that is spoken, in quotes.",
  ),
  connection_rate_limit: withDefault(
    scalar(integer({ min: 0, max: 2 ** 31 - 1 })),
    0,
    "How many handshakes with clients may begin in a second; 0 is without limit.",
  ),
  insecure: withDefault(
    scalar(boolean()),
    false,
    "Believe every server that this one connects to. Not for anything but tests.",
  ),
} satisfies Fields;

const aliases = { first: "handshake_first", immediate: "handshake_first", certificates: "certs" };

/** What the runtime's TLS lets nobody choose, and what nats-server has for other systems. */
const unsupported = [
  "allow_insecure_cipher_suites",
  "ca_certs_match",
  "cert_match",
  "cert_match_by",
  "cert_match_skip_invalid",
  "cert_store",
  "certs",
  "cipher_suites",
  "curve_preferences",
  "ocsp_peer",
];

/** The settings that {@link authorityExists} compares. */
interface Verifying {
  readonly ca_file?: string | undefined;
  readonly verify: boolean;
  readonly verify_and_map: boolean;
}

const authorityExpected = {
  expected: "a ca_file where certificates of others are verified",
  found: "none",
  hint: "anybody can get a certificate of the authorities that a system comes with",
};

/** A certificate of an authority that is open to everybody says nothing about who may connect. */
const authorityExists: Rule<Verifying> = ({ verify, verify_and_map: map }, report, given) => {
  if (given.has("ca_file") || !(verify || map)) return;
  report([[map ? "verify_and_map" : "verify"]], authorityExpected);
};

const alwaysAuthority: Rule<unknown> = (_values, report, given) => {
  if (!given.has("ca_file")) report([["ca_file"]], authorityExpected);
};

const clientTls = block(tlsFields, {
  typeName: "TlsConfig",
  doc: "TLS for clients.",
  aliases,
  unsupported,
  refused: {
    verify_cert_and_check_known_urls: "verify_cert_and_check_known_urls is for clusters only",
  },
  rules: [authorityExists],
});

/** TLS between the servers of a cluster. */
export const clusterTls = block({
  ...tlsFields,
  verify_cert_and_check_known_urls: withDefault(
    scalar(boolean()),
    false,
    "Let in only servers whose certificate has a DNS name that one of the routes has.",
  ),
}, {
  typeName: "ClusterTlsConfig",
  doc: "TLS between the servers of a cluster; all of them have it, or none.",
  aliases,
  unsupported,
  rules: [alwaysAuthority],
});

/** TLS for clients; none when it is not given. */
export const tlsTopFields = {
  tls: optional(
    clientTls,
    undefined,
    "TLS for clients. Without this block there is none.",
  ),
  allow_non_tls: withDefault(
    scalar(boolean()),
    false,
    "Whether clients may leave TLS out where there is a tls block.",
  ),
};

/** The settings that {@link resolveTls} completes. */
interface Resolvable {
  readonly timeout: number;
  readonly verify: boolean;
  readonly verify_and_map: boolean;
}

/** The setting `tls` with nothing left to be looked up elsewhere. */
export function resolveTls<Tls extends Resolvable>(
  tls: Tls | undefined,
): { readonly tls?: Tls | undefined } {
  if (tls === undefined) return {};
  return {
    tls: Object.freeze({
      ...tls,
      timeout: timeoutOf(tls),
      verify: tls.verify || tls.verify_and_map,
    }),
  };
}

function timeoutOf({ timeout }: Pick<Resolvable, "timeout">): number {
  return timeout === 0 ? defaultTimeout_ms : timeout;
}

/** How long credentials may take where that is not said. As in nats-server, with TLS a little longer. */
export function authenticationTimeout(
  given: number | undefined,
  tls: { readonly timeout: number } | undefined,
): number {
  if (given !== undefined) return given;
  return tls === undefined ? defaultAuthentication_ms : timeoutOf(tls) + authenticationExtra_ms;
}
