/**
 * Who a client is, from what its CONNECT says.
 *
 * @module
 */
import type { AuthCallout } from "./auth_callout.ts";
import { CredentialCheck } from "./credential_check.ts";
import type { AuthenticatorConfig, Credentials } from "./credentials.ts";
import { type Decision, type Identity, type PeerFacts, Refusal } from "./decision.ts";
import type { GuessLimiter } from "./guess_limiter.ts";
import type { OperatorAuthenticator } from "./operator.ts";
import type { PasswordVerifier } from "./password_verifier.ts";
import { AuthenticationRules, shownName } from "./rules.ts";
import { isSame } from "./same.ts";
import { anybody, stranger } from "./user_table.ts";

/** Decides about the clients of a server that has an operator. */
export type OperatorAuthority = Pick<OperatorAuthenticator, "authenticate" | "evictionOf">;

/** What an {@linkcode Authenticator} may be given besides its configuration. */
export interface AuthenticatorParts {
  /** Slows those down who guess; nobody does when it is left out. */
  readonly limiter?: GuessLimiter | undefined;
  /** Asks the service of `auth_callout`; without it, whoever is to be asked about is refused. */
  readonly callout?: AuthCallout | undefined;
}

/**
 * Decides who may connect. In the order of nats-server: the operator's users where there is an operator;
 * else users with nkeys, users by certificate or by name, the token, the one user; and at last the
 * service of `auth_callout`.
 */
export class Authenticator {
  readonly #verifier: PasswordVerifier;
  readonly #parts: AuthenticatorParts;
  #rules: AuthenticationRules;
  #operator: OperatorAuthority | null;

  /** `verifier` stays the caller's to close, and is not used before {@linkcode authenticate}. */
  constructor(
    config: AuthenticatorConfig,
    verifier: PasswordVerifier,
    parts: AuthenticatorParts = {},
    operator: OperatorAuthority | null = null,
  ) {
    this.#verifier = verifier;
    this.#parts = parts;
    this.#operator = operator;
    this.#rules = new AuthenticationRules(config);
  }

  /**
   * Decides by another configuration from now on, checks that are under way included. Cannot fail, so
   * that the configuration before can be had back in the same way. Takes as long as there are users in
   * lists that are not the same objects as before.
   */
  update(config: AuthenticatorConfig, operator: OperatorAuthority | null = null): void {
    this.#rules = new AuthenticationRules(config, this.#rules);
    this.#operator = operator;
    this.#parts.limiter?.clear();
  }

  /**
   * Whether a client is asked for credentials: INFO's `auth_required`. As in nats-server that is so even
   * if it is let in without them because only the system account has users; {@linkcode anonymous} tells.
   */
  get required(): boolean {
    if (this.#operator !== null) return true;
    const { nobody, noAuthUser } = this.#rules;
    return nobody === null ? noAuthUser === null : nobody === stranger;
  }

  /** Whether there is anybody to be told from others, even if nobody has to show who it is. */
  get configured(): boolean {
    return this.#operator !== null || this.#rules.nobody !== anybody;
  }

  /** Whether clients are to be sent a nonce, because somebody may have to sign it. */
  get nonceRequired(): boolean {
    return this.#operator !== null || this.#rules.users.keyed > 0;
  }

  /**
   * Who a client is that shows no credentials, or sends no CONNECT at all; null refuses it. Where a
   * service is to be asked it must send CONNECT.
   */
  anonymous(peer?: PeerFacts): Identity | null {
    if (this.#operator !== null) return null;
    const rules = this.#rules, { nobody } = rules;
    if (nobody !== null) return rules.refers(nobody, {}) ? null : nobody;
    const entry = rules.noAuthUser;
    if (entry === null || !entry.allows(peer?.connectionType ?? "STANDARD")) return null;
    const identity = entry.identity("nothing");
    return rules.refers(identity, {}) ? null : identity;
  }

  /**
   * Who a client is. Answers at once unless a bcrypt hash, a signature or a service has to do with it.
   * Where a hash is configured, whoever is refused has waited for one bcrypt check, known or not, so that
   * the time does not tell which users exist. Credentials that are shown where none are needed by anybody
   * are ignored.
   *
   * The promise rejects with `signal`'s reason when it is aborted, and as
   * {@linkcode PasswordVerifier.verify} does; all of these refuse the client.
   */
  authenticate(
    credentials: Credentials,
    peer: PeerFacts,
    signal?: AbortSignal,
  ): Decision | Promise<Decision> {
    return this.#authenticate(credentials, peer, signal, this.#parts.limiter);
  }

  /**
   * Whether a client that was let in as `identity` would be let in by the configuration as it is now. The
   * very same object means that nothing has changed for it; another one says who it is from now on, and
   * possibly in another account. It is answered at once, and cheaply, where what concerns the user was
   * not changed, or only its permissions; else what the client has shown is checked again.
   */
  reconsider(
    identity: Identity,
    credentials: Credentials,
    peer: PeerFacts,
    signal?: AbortSignal,
  ): Decision | Promise<Decision> {
    if (this.#operator !== null && identity.jwt !== undefined) {
      const eviction = this.#operator.evictionOf(identity);
      if (eviction === null) return identity;
      const { reason, text } = eviction;
      return new Refusal(reason, { account: identity.account, ...(text !== null && { text }) });
    }
    const now = this.#operator === null ? this.#rules.still(identity, credentials, peer) : null;
    if (now !== null) return isSame(now, identity) ? identity : now;
    return this.#authenticate(credentials, peer, signal, undefined);
  }

  #authenticate(
    credentials: Credentials,
    peer: PeerFacts,
    signal: AbortSignal | undefined,
    limiter: GuessLimiter | undefined,
  ): Decision | Promise<Decision> {
    const rules = this.#rules, operator = this.#operator;
    const decision = operator !== null
      ? operator.authenticate(credentials, peer, signal)
      : this.#decide(rules, credentials, peer, signal, limiter);
    if (!(decision instanceof Promise)) return decision;
    return decision.then((made) => {
      const same = this.#rules === rules && this.#operator === operator;
      // What was decided by a configuration that is no more must not outlive it.
      return same || made instanceof Refusal
        ? made
        : this.reconsider(made, credentials, peer, signal);
    });
  }

  #decide(
    rules: AuthenticationRules,
    credentials: Credentials,
    peer: PeerFacts,
    signal: AbortSignal | undefined,
    limiter: GuessLimiter | undefined,
  ): Decision | Promise<Decision> {
    const check = new CredentialCheck(rules, this.#verifier, credentials, peer, signal, limiter);
    const decision = check.decide();
    if (rules.config.auth_callout === undefined) return decision;
    const refer = (made: Decision): Decision | Promise<Decision> => {
      if (!rules.refers(made, credentials)) return made;
      const { callout } = this.#parts;
      if (callout === undefined) return new Refusal("there is nobody to ask the service");
      return callout.ask({ rules, credentials, peer, user: shownName(credentials, made) }, signal);
    };
    return decision instanceof Promise ? decision.then(refer) : refer(decision);
  }
}
