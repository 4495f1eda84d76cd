/**
 * What a client of the system account may ask a server about accounts, right and wrong.
 *
 * @module
 */
import {
  accountToken,
  newAccount,
  newOperator,
  newUser,
  nowSeconds,
  operatorToken,
  type Party,
  tokenOf,
  userToken,
} from "./operator_tokens.ts";

/** A request. */
export interface ClaimsRequest {
  /** What is special about it. */
  readonly name: string;
  /** Its subject. */
  readonly subject: string;
  /** Its payload. */
  readonly payload: string;
  /** Whether the words of a refusal are nats-server's, too, and not only that it is refused. */
  readonly sameWords: boolean;
}

/** An operator, its system account, and requests about others. */
export interface ClaimsWorld {
  /** Token of the operator. */
  readonly operator: string;
  /** The system account. */
  readonly system: Party;
  /** Its token. */
  readonly systemToken: string;
  /** Public key of the account that the first requests are about. */
  readonly account: string;
  /** The requests, in their order. */
  readonly requests: readonly ClaimsRequest[];
}

/** Makes a world with new keys. */
export function claimsWorld(): ClaimsWorld {
  const operator = newOperator(), other = newOperator(), system = newAccount();
  const a = newAccount(), b = newAccount(), unknown = newAccount(), user = newUser();
  const systemToken = accountToken(system, operator, {}, { name: "SYS" });
  const requests: ClaimsRequest[] = [];
  const add = (name: string, subject: string, payload = "", sameWords = true) =>
    requests.push({ name, subject: `$SYS.${subject}`, payload, sameWords });
  const ofAccount = ({ key }: Party, what: string) => `REQ.ACCOUNT.${key}.CLAIMS.${what}`;
  const tokenOfA = accountToken(a, operator);
  const remove = (accounts: unknown, signer = operator, sub = signer.key) =>
    tokenOf({ sub, nats: { accounts, type: "generic", version: 2 } }, signer);
  add("new account", "REQ.CLAIMS.UPDATE", tokenOfA);
  add("the same again", "REQ.CLAIMS.UPDATE", tokenOfA);
  add("rubbish", "REQ.CLAIMS.UPDATE", "rubbish", false);
  add("nothing", "REQ.CLAIMS.UPDATE", "", false);
  add("token of a user", "REQ.CLAIMS.UPDATE", userToken(user, a), false);
  add("another account", ofAccount(b, "UPDATE"), tokenOfA);
  add("by name", ofAccount(b, "UPDATE"), accountToken(b, operator));
  add(
    "by name, the old way",
    `ACCOUNT.${b.key}.CLAIMS.UPDATE`,
    accountToken(b, operator, { tags: ["x"] }),
  );
  add("by name, nothing", ofAccount(b, "UPDATE"), "", false);
  add("the system's", ofAccount(system, "UPDATE"), accountToken(system, operator, { tags: ["x"] }));
  const broken = { imports: [{ subject: "a..b", account: b.key, type: "stream", name: "x" }] };
  add("with problems", "REQ.CLAIMS.UPDATE", accountToken(a, operator, broken), false);
  add("look up", ofAccount(a, "LOOKUP"));
  add("look up what is not there", ofAccount(unknown, "LOOKUP"));
  add("list", "REQ.CLAIMS.LIST");
  add("delete by a stranger", "REQ.CLAIMS.DELETE", remove([b.key], other));
  add("delete, not self signed", "REQ.CLAIMS.DELETE", remove([b.key], operator, user.key));
  add("delete, no list", "REQ.CLAIMS.DELETE", remove("x"));
  add("delete, no keys", "REQ.CLAIMS.DELETE", remove(["x"]));
  add("delete the system's", "REQ.CLAIMS.DELETE", remove([system.key]));
  add("delete rubbish", "REQ.CLAIMS.DELETE", "rubbish", false);
  add("delete two, one not there", "REQ.CLAIMS.DELETE", remove([b.key, unknown.key]));
  add("look up what was deleted", ofAccount(b, "LOOKUP"));
  add("list what is left", "REQ.CLAIMS.LIST");
  const soon = accountToken(a, operator, {}, { exp: nowSeconds() - 10 });
  add("out of date", "REQ.CLAIMS.UPDATE", soon);
  add("list without what is out of date", "REQ.CLAIMS.LIST");
  return {
    operator: operatorToken(operator, { system_account: system.key }),
    system,
    systemToken,
    account: a.key,
    requests,
  };
}
