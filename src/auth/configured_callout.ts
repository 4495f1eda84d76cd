/**
 * The service of `auth_callout` in a configuration.
 *
 * @module
 */
import { GLOBAL_ACCOUNT, type UserLimits } from "../config/mod.ts";
import type { Clock } from "../platform/mod.ts";
import type { AuthCallout, ConfiguredQuestion } from "./auth_callout.ts";
import type { Answer, CalloutClient } from "./callout_client.ts";
import { secondsOf } from "./claims.ts";
import { type Decision, type Identity, type PeerFacts, Refusal } from "./decision.ts";
import { type AuthenticationRules, isAnswer } from "./rules.ts";
import {
  checkClaims,
  checkConnectionType,
  checkSource,
  deciding,
  endOfStay,
  readUser,
  refused,
} from "./user_checks.ts";
import { withDenial } from "./user_table.ts";
import { permissionSettings } from "./user_settings.ts";

/** Asks the service that a configuration names. */
export class ConfiguredCallout implements AuthCallout {
  readonly #client: CalloutClient;
  readonly #clock: Clock;

  /** Asks by `client`. */
  constructor(client: CalloutClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** See {@link AuthCallout}. */
  async ask(question: ConfiguredQuestion, signal?: AbortSignal): Promise<Decision> {
    const { rules, credentials, peer, user } = question;
    const settings = rules.config.auth_callout!;
    const answer = await this.#client.ask({
      account: settings.account ?? GLOBAL_ACCOUNT,
      subject: settings.issuer,
      xkey: settings.xkey ?? "",
      credentials,
      peer,
      user,
    }, signal);
    if (answer instanceof Refusal) return answer;
    return await deciding(() => this.#admit(answer, rules, peer, user));
  }

  /** Who the client is by the token of a user in the answer. Only the issuer itself may sign either. */
  async #admit(
    answer: Answer,
    rules: AuthenticationRules,
    peer: PeerFacts,
    shown: string,
  ): Promise<Identity> {
    const { issuer } = rules.config.auth_callout!, nowMs = this.#clock.now();
    if (answer.issuer !== issuer) throw refused("the callout's answer is not signed by its issuer");
    const user = await readUser(answer.token);
    if (user.issuer !== issuer) throw refused("the callout's user is not signed by its issuer");
    if (user.isIssuedForAccount || answer.issuerAccount !== "") {
      throw refused("the callout's answer is signed for an account, which needs an operator");
    }
    if (user.subject !== answer.userKey) throw refused("the callout's answer has another user");
    const { audience: account, settings, name } = user;
    if (!rules.hasAccount(account)) {
      throw refused(`the callout's answer is for an account that does not exist`, account);
    }
    const inAccount = { ...user, account };
    checkClaims(inAccount, secondsOf(nowMs));
    checkSource(inAccount, settings, peer);
    checkConnectionType(inAccount, settings, peer);
    const expiresAtMs = endOfStay(inAccount, settings, nowMs);
    // The defaults of an account are for the users of its list, as in nats-server.
    const permissions = withDenial(permissionSettings(settings), account, rules.denial);
    const limits = limitsOf(settings.limits);
    const identity: Identity = {
      user: name || shown || null,
      account,
      ...(permissions && { permissions }),
      ...(limits && { limits }),
      ...(expiresAtMs !== null && { expiresAtMs, expiry: "user" as const }),
    };
    isAnswer(identity, rules.serviceOrigin(account));
    return identity;
  }
}

/** Without what is 0: tokens that say nothing of limits are to have none, as with nats-server. */
function limitsOf({ subscriptions, payload, data }: UserLimits): UserLimits | undefined {
  if (!subscriptions && !payload && !data) return undefined;
  return {
    ...(subscriptions && { subscriptions }),
    ...(payload && { payload }),
    ...(data && { data }),
  };
}
