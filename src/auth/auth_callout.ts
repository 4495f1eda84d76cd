/**
 * The service of `auth_callout`, as the rest of this room sees it.
 *
 * @module
 */
import type { Credentials } from "./credentials.ts";
import type { Decision, PeerFacts } from "./decision.ts";
import type { AuthenticationRules } from "./rules.ts";

/** What a service is asked about. */
export interface ConfiguredQuestion {
  /** The rules by which it is asked. */
  readonly rules: AuthenticationRules;
  /** What the client has shown. */
  readonly credentials: Credentials;
  /** What else is known of the client. */
  readonly peer: PeerFacts;
  /** What the client is known by so far: a name, an nkey or `[REDACTED]` for a token; may be
   * empty. */
  readonly user: string;
}

/** Asks a service about clients. */
export interface AuthCallout {
  /** Who a client is; a service that cannot be asked or understood refuses it. */
  ask(question: ConfiguredQuestion, signal?: AbortSignal): Promise<Decision>;
}
