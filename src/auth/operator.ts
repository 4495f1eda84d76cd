/**
 * Who a client is in operator mode: its JWT, the account that signed it, and the operator above.
 *
 * @module
 */
import type { PermissionSettings, UserLimits } from "../config/mod.ts";
import type { Clock } from "../platform/mod.ts";
import { ERROR_TEXT } from "../protocol/mod.ts";
import type { AccountClaims, ExternalAuthorization } from "./account_claims.ts";
import { AccountLookupError } from "./account_resolver.ts";
import { isRevoked, secondsOf } from "./claims.ts";
import { AUTH_CALLOUT_SUBJECT, type Credentials } from "./credentials.ts";
import { type Decision, type Identity, type PeerFacts, Refusal } from "./decision.ts";
import type { OperatorAccounts } from "./operator_accounts.ts";
import { fillTemplate, TemplateError } from "./scope_template.ts";
import { isNonceSigned } from "./signature.ts";
import type { TrustedOperators } from "./trusted_operators.ts";
import {
  checkClaims,
  checkConnectionType,
  checkSource,
  deciding,
  endOfStay,
  readUser,
  refuse,
  Refused,
  refused,
} from "./user_checks.ts";
import type { UserClaims } from "./user_claims.ts";
import { permissionSettings, type UserSettings } from "./user_settings.ts";

/** A user who was found good, and about whom somebody else is asked. */
export interface OperatorQuestion {
  /** What the client showed. */
  readonly credentials: Credentials;
  /** The client. */
  readonly peer: PeerFacts;
  /** Public key of the account that asks, and in which the question is asked. */
  readonly account: string;
  /** How it wants that done. */
  readonly authorization: ExternalAuthorization;
  /** Gives the question up. */
  readonly signal: AbortSignal | undefined;
}

/** Asks a callout service; {@linkcode OperatorAuthenticator.admitAnswer} judges the user it answers with. */
export type OperatorCallout = (question: OperatorQuestion) => Promise<Decision>;

/** What {@linkcode OperatorAuthenticator} needs. */
export interface OperatorAuthenticatorOptions {
  /** Whom to trust. */
  readonly operators: TrustedOperators;
  /** The accounts. */
  readonly accounts: OperatorAccounts;
  /** The time. */
  readonly clock: Clock;
  /** Asks about users of accounts that want it; without it they are refused. */
  readonly callout?: OperatorCallout | undefined;
}

/** Somebody who must leave. */
export interface Eviction {
  /** Text of the -ERR; null where nothing is said. */
  readonly text: string | null;
  /** In words, for the log. */
  readonly reason: string;
}

/** What of a user's token decides whether it may stay, when its account changes. */
interface Basis {
  readonly bearer: boolean;
  /** The key that signed for the account; null where the account did itself. */
  readonly signer: string | null;
  /** The template of that key, as text; null where it has none. */
  readonly template: string | null;
  /** Whether it may do what its account says of those whose tokens say nothing. */
  readonly usesDefaults: boolean;
}

/** Decides who may connect, by JWTs. */
export class OperatorAuthenticator {
  readonly #operators: TrustedOperators;
  readonly #accounts: OperatorAccounts;
  readonly #clock: Clock;
  #callout: OperatorCallout | undefined;
  /** By what an identity tells of its token, which is one object wherever the identity is copied to. */
  readonly #bases = new WeakMap<object, Basis>();

  /** `accounts` stays the caller's to close. */
  constructor(options: OperatorAuthenticatorOptions) {
    this.#operators = options.operators;
    this.#accounts = options.accounts;
    this.#clock = options.clock;
    this.#callout = options.callout;
  }

  /** From now on users of accounts that want it are asked about by `callout`. */
  askBy(callout: OperatorCallout): void {
    this.#callout = callout;
  }

  /**
   * Who a client is. Takes as long as the lookup of its account, which has a deadline.
   *
   * The promise rejects with `signal`'s reason when it is aborted.
   */
  async authenticate(
    credentials: Credentials,
    peer: PeerFacts,
    signal?: AbortSignal,
  ): Promise<Decision> {
    return await deciding(async () => {
      const { token, user } = await this.#userOf(credentials.jwt ?? "");
      const account = await this.#accountOf(user.account, signal);
      const settings = this.#settingsOf(user, account);
      this.#mayConnect(user, settings, account, peer);
      if (!settings.bearer) await checkSignature(user.subject, peer.nonce, credentials.sig ?? "");
      const identity = this.#admit(user, settings, account, peer, token);
      return await this.#askOthers(identity, account, { credentials, peer, signal });
    });
  }

  /**
   * Who a client is that a callout service answered for with the token of a user. That the answer is for
   * the user that was asked for is the caller's to check.
   *
   * @param calloutAccount Public key of the account that was asked.
   */
  async admitAnswer(
    answer: string,
    calloutAccount: string,
    peer: PeerFacts,
    signal?: AbortSignal,
  ): Promise<Decision> {
    return await deciding(async () => {
      const user = await readUser(answer);
      checkClaims(user, secondsOf(this.#clock.now()));
      const allowed = this.#accounts.authorizationOf(calloutAccount)?.allowedAccounts ?? [];
      const isAllowed = user.account === calloutAccount || allowed.includes("*") ||
        allowed.includes(user.account);
      if (!isAllowed) refuse("the callout's answer is for an account that it may not use", user);
      const account = await this.#accountOf(user.account, signal);
      const settings = this.#settingsOf(user, account);
      return this.#admit(user, settings, account, peer, answer);
    });
  }

  /**
   * Why somebody who was let in must leave, after {@linkcode OperatorAccounts.onChanged} told of its
   * account; null when it may stay.
   */
  evictionOf(identity: Identity): Eviction | null {
    const account = this.#accounts.current(identity.account);
    if (account === undefined) return null;
    if (account === null) {
      return { text: ERROR_TEXT.accountExpired, reason: "the account has expired" };
    }
    const { publicKey, jwt } = identity;
    if (jwt === undefined) return null;
    const basis = this.#bases.get(jwt);
    if (basis?.bearer && account.disallowBearer) {
      return { text: ERROR_TEXT.authorization, reason: "the account allows no bearer any more" };
    }
    if (publicKey !== undefined && isRevoked(account.revocations, publicKey, jwt.issuedAt)) {
      return { text: ERROR_TEXT.userRevoked, reason: "the user was revoked" };
    }
    if (basis === undefined || basis.signer === null) return null;
    const template = this.#accounts.signerOf(account, basis.signer);
    if (template === undefined) {
      return { text: null, reason: "the key that signed it is not the account's any more" };
    }
    return textOf(template) === basis.template
      ? null
      : { text: null, reason: "what users of the key that signed it may do has changed" };
  }

  /**
   * Who somebody is who may stay, by what its account says now: the very same where nothing has changed
   * for it.
   */
  revised(identity: Identity): Identity {
    const account = this.#accounts.current(identity.account);
    const basis = identity.jwt && this.#bases.get(identity.jwt);
    if (!account || !basis?.usesDefaults) return identity;
    const permissions = permissionsOf(undefined, account);
    const isSame = JSON.stringify(permissions) === JSON.stringify(identity.permissions);
    return isSame ? identity : { ...identity, permissions };
  }

  /** The user that a client shows, or is taken for. */
  async #userOf(jwt: string): Promise<{ token: string; user: UserClaims }> {
    const sentinel = this.#operators.defaultSentinel;
    let token = jwt;
    let user: UserClaims;
    try {
      if (token === "") refuse("no JWT was shown");
      user = await readUser(token);
    } catch (error) {
      if (sentinel === null || !(error instanceof Refused)) throw error;
      token = sentinel;
      user = await readUser(token);
    }
    checkClaims(user, secondsOf(this.#clock.now()));
    if (user.settings.proxyRequired) refuse("the user must come through a trusted proxy", user);
    return { token, user };
  }

  async #accountOf(account: string, signal: AbortSignal | undefined): Promise<AccountClaims> {
    const pinned = this.#operators.pinnedAccounts;
    if (pinned !== null && !pinned.has(account)) {
      throw refused("its account is not one of resolver_pinned_accounts", account);
    }
    try {
      return await this.#accounts.claimsOf(account, signal);
    } catch (error) {
      if (!(error instanceof AccountLookupError)) throw error;
      throw refused(`its account cannot be used: ${error.message}`, account);
    }
  }

  /** What a user may do: its own settings, or those of the key that signed. */
  #settingsOf(user: UserClaims, account: AccountClaims): UserSettings {
    const template = this.#accounts.signerOf(account, user.issuer);
    if (template === undefined) refuse("it is not signed by a key of its account", user);
    if (template === null) return user.settings;
    if (!user.isScoped) {
      refuse("the key that signed it says what its users may do, and so does it itself", user);
    }
    try {
      return fillTemplate(template, {
        name: user.name,
        subject: user.subject,
        tags: user.tags,
        accountName: account.name,
        accountSubject: account.subject,
        accountTags: account.tags,
      });
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      return refuse(error.message, user);
    }
  }

  /** What is asked before it has to be proven who somebody is. */
  #mayConnect(
    user: UserClaims,
    settings: UserSettings,
    account: AccountClaims,
    peer: PeerFacts,
  ): void {
    if (settings.proxyRequired) refuse("the user must come through a trusted proxy", user);
    if (settings.bearer && account.disallowBearer) refuse("its account allows no bearers", user);
    checkConnectionType(user, settings, peer);
  }

  #admit(
    user: UserClaims,
    settings: UserSettings,
    account: AccountClaims,
    peer: PeerFacts,
    token: string,
  ): Identity {
    if (isRevoked(account.revocations, user.subject, user.issuedAt)) {
      refuse("the user was revoked", user);
    }
    checkSource(user, settings, peer);
    checkConnectionType(user, settings, peer);
    const jwt = {
      token,
      issuerKey: user.issuer,
      name: user.name,
      accountName: account.name,
      tags: user.tags,
      issuedAt: user.issuedAt,
    };
    const own = permissionSettings(settings);
    this.#bases.set(jwt, {
      bearer: settings.bearer,
      signer: user.isIssuedForAccount ? user.issuer : null,
      template: textOf(this.#accounts.signerOf(account, user.issuer) ?? null),
      usesDefaults: own === undefined,
    });
    const permissions = permissionsOf(own, account);
    const expiresAtMs = endOfStay(user, settings, this.#clock.now());
    return {
      user: user.subject,
      account: account.subject,
      ...(permissions && { permissions }),
      limits: tightest(settings.limits),
      ...(expiresAtMs !== null && { expiresAtMs, expiry: "user" as const }),
      publicKey: user.subject,
      jwt,
    };
  }

  async #askOthers(
    identity: Identity,
    account: AccountClaims,
    question: Pick<OperatorQuestion, "credentials" | "peer" | "signal">,
  ): Promise<Decision> {
    const { authorization } = account;
    if (authorization === null || authorization.authUsers.includes(identity.publicKey!)) {
      return identity;
    }
    if (this.#callout === undefined) {
      return new Refusal("its account wants a callout, and there is none", {
        account: account.subject,
      });
    }
    return await this.#callout({ ...question, account: account.subject, authorization });
  }
}

async function checkSignature(key: string, nonce: string | null, sig: string): Promise<void> {
  if (sig === "") refuse("the signature of the nonce is missing");
  if (nonce === null || !await isNonceSigned(key, nonce, sig)) {
    refuse("the signature of the nonce is wrong");
  }
}

/** A user's own, or else those of its account; absent where nothing is said. */
function permissionsOf(
  own: PermissionSettings | undefined,
  account: AccountClaims,
): PermissionSettings | undefined {
  const said = own ?? account.definition.default_permissions;
  if (account.authorization === null) return said;
  const base = said ?? {};
  const deny = [...base.publish?.deny ?? [], AUTH_CALLOUT_SUBJECT];
  return { ...base, publish: { ...base.publish, deny } };
}

function tightest(limits: UserLimits): UserLimits | undefined {
  return Object.keys(limits).length === 0 ? undefined : limits;
}

function textOf(template: UserSettings | null): string | null {
  return template === null ? null : JSON.stringify(template);
}
