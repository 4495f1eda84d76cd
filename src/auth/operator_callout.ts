/**
 * The services that accounts name in operator mode.
 *
 * @module
 */
import type { CalloutClient } from "./callout_client.ts";
import { type Decision, Refusal } from "./decision.ts";
import { JwtError, readJwt } from "./jwt.ts";
import type { OperatorAuthenticator, OperatorCallout } from "./operator.ts";
import type { OperatorAccounts } from "./operator_accounts.ts";

/** What {@linkcode operatorCallout} needs. */
export interface OperatorCalloutOptions {
  /** Asks. */
  readonly client: CalloutClient;
  /** The accounts. */
  readonly accounts: OperatorAccounts;
  /** Judges the users that services answer with. */
  readonly authenticator: Pick<OperatorAuthenticator, "admitAnswer">;
}

/** Asks the service of the account that a client has shown the token of a user of. */
export function operatorCallout(options: OperatorCalloutOptions): OperatorCallout {
  const { client, accounts, authenticator } = options;
  return async ({ credentials, peer, account, authorization, signal }): Promise<Decision> => {
    const refuse = (reason: string) => new Refusal(reason, { account });
    const shown = credentials.nkey || credentials.user || await subjectOf(credentials.jwt ?? "");
    const answer = await client.ask({
      account,
      subject: account,
      xkey: authorization.xkey,
      credentials,
      peer,
      user: shown,
    }, signal);
    if (answer instanceof Refusal) return answer;
    // Whoever could seal it is the service.
    if (!answer.isSealed) {
      const claims = accounts.current(account) ?? null;
      if (claims === null || accounts.signerOf(claims, answer.issuer) === undefined) {
        return refuse("the callout's answer is not signed by a key of its account");
      }
    }
    if (answer.issuerAccount !== "" && answer.issuerAccount !== account) {
      return refuse("the callout's answer is signed for another account");
    }
    let subject: string, name: string;
    try {
      const user = await readJwt(answer.token, { type: "user" });
      subject = user.sub;
      name = user.name ?? "";
    } catch (error) {
      if (!(error instanceof JwtError)) throw error;
      return refuse(`the callout's user cannot be used: ${error.message}`);
    }
    if (subject !== answer.userKey) return refuse("the callout's answer has another user");
    const decision = await authenticator.admitAnswer(answer.token, account, peer, signal);
    if (decision instanceof Refusal) return decision;
    return { ...decision, user: name || shown || decision.user };
  };
}

/** Who a client has shown that it is, by a token that was found good. */
async function subjectOf(token: string): Promise<string> {
  try {
    return (await readJwt(token, { type: "user" })).sub;
  } catch (error) {
    if (!(error instanceof JwtError)) throw error;
    // It was taken for the sentinel.
    return "";
  }
}
