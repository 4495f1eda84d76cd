/**
 * Secrets in a protocol trace.
 *
 * @module
 */
import { escapeJson } from "./escape.ts";

const redacted = "[REDACTED]";

/** The members of a CONNECT's options that let somebody in, in lower case. */
const secretMembers: ReadonlySet<string> = new Set([
  "auth_token",
  "jwt",
  "pass",
  "password",
  "seed",
  "sig",
  "token",
]);

/** An nkey seed: `S`, the kind of key, base32. */
const seed = /S[ACNOUX][A-Z2-7]{56}/g;

/**
 * The options of a CONNECT for a trace: the same JSON, compacted, with `[REDACTED]` in place of
 * every secret (pass, auth_token, jwt, sig; nkey seeds wherever they are). Of what is no JSON object
 * nothing is shown, since nothing is known of where a secret is in it. Never throws.
 */
export function redactConnect(json: string): string {
  try {
    const options: unknown = JSON.parse(json);
    if (typeof options !== "object" || options === null || Array.isArray(options)) return redacted;
    return escapeJson(JSON.stringify(options, replaceSecret).replaceAll(seed, redacted));
  } catch {
    return redacted;
  }
}

function replaceSecret(key: string, value: unknown): unknown {
  // nats-server's JSON reader takes any case, and letters that only look different, for the same.
  return secretMembers.has(key.normalize("NFKC").toLowerCase()) ? redacted : value;
}
