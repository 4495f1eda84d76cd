/**
 * Users that are to be let in and users that are not, in one world of operator, accounts and keys.
 *
 * @module
 */
import {
  accountToken,
  type Fields,
  newAccount,
  newOperator,
  newUser,
  nowSeconds,
  operatorToken,
  type Party,
  unlimitedAccount,
  unlimitedUser,
  userToken,
} from "./operator_tokens.ts";

/** What a client shows. */
export interface OperatorCase {
  /** What is special about it. */
  readonly name: string;
  /** Whether it is let in. */
  readonly admitted: boolean;
  /** Its token; empty for none. */
  readonly jwt: string;
  /** Who signs the nonce; null for nobody. */
  readonly signer: Party | null;
  /** A word of the reason for its refusal. */
  readonly reason?: string;
}

/** A server's settings and the clients that come to it. */
export interface OperatorWorld {
  /** Token of the operator. */
  readonly operator: string;
  /** Tokens of the accounts by key. */
  readonly preload: Readonly<Record<string, string>>;
  /** Public key of the system account. */
  readonly systemAccount: string;
  /** The clients. */
  readonly cases: readonly OperatorCase[];
}

/** Makes a world with new keys. */
export function operatorWorld(): OperatorWorld {
  const now = nowSeconds();
  const operator = newOperator(), operatorSigner = newOperator(), stranger = newOperator();
  const system = newAccount();
  const preload: Record<string, string> = {};
  const account = (nats: Fields = {}, claims: Fields = {}, signer = operator) => {
    const party = newAccount();
    preload[party.key] = accountToken(party, signer, nats, claims);
    return party;
  };
  preload[system.key] = accountToken(system, operator, {}, { name: "SYS" });
  const user = newUser(), other = newUser(), revoked = newUser();
  const signingKey = newAccount(), scopedKey = newAccount(), oddKey = newAccount();
  const bearerKey = newAccount(), strangeKey = newAccount(), stationKey = newAccount();
  const scope = (party: Party, template: Fields) => ({
    kind: "user_scope",
    key: party.key,
    role: "r",
    template,
  });
  const plain = account({
    signing_keys: [
      signingKey.key,
      scope(scopedKey, { pub: { allow: ["{{name()}}.>"] }, sub: { allow: ["in.{{tag(team)}}"] } }),
      scope(oddKey, { pub: { deny: ["{{tag(none)}}"] } }),
      scope(bearerKey, { bearer_token: true }),
      scope(strangeKey, { sub: { allow: ["{{weather()}}"] } }),
      scope(stationKey, { allowed_connection_types: ["WEBSOCKET"] }),
    ],
    revocations: { [revoked.key]: now - 100 },
  });
  const all: Fields = { "*": now - 1000 };
  const revokesAll = account({ revocations: all });
  const noBearer = account({ limits: { ...unlimitedAccount, disallow_bearer: true } });
  const expired = account({}, { exp: now - 10 });
  const early = account({}, { nbf: now + 1000 });
  const byStranger = account({}, {}, stranger);
  const bySelf = newAccount();
  preload[bySelf.key] = accountToken(bySelf, bySelf);
  const bySigner = account({}, {}, operatorSigner);
  const unknown = newAccount();
  const badImport = account({
    imports: [{ name: "i", subject: "a..b", account: plain.key, type: "stream" }],
  });
  const tooMany = account({
    exports: [{ name: "e", subject: "a", type: "stream" }],
    limits: { ...unlimitedAccount, exports: 0 },
  });
  const badMapping = account({
    mappings: { a: [{ subject: "b", weight: 60 }, { subject: "c", weight: 60 }] },
  });

  const cases: OperatorCase[] = [];
  const add = (
    name: string,
    admitted: boolean,
    jwt: string,
    signer: Party | null = user,
    reason?: string,
  ) => cases.push({ name, admitted, jwt, signer, ...(reason === undefined ? {} : { reason }) });
  /** A user of the plain account. */
  const of = (nats: Fields, claims: Fields = {}, signer = plain) =>
    userToken(user, signer, nats, claims);
  const unlimited = (nats: Fields, claims: Fields = {}) =>
    of({ ...unlimitedUser, ...nats }, claims);
  const forAccount = (nats: Fields, signer: Party, claims: Fields = {}) =>
    userToken(user, signer, { ...nats, issuer_account: plain.key }, claims);

  add("good", true, unlimited({}));
  add("good until later", true, unlimited({}, { exp: now + 1000, nbf: now - 10 }));
  add("no token", false, "", user, "no JWT");
  add("no token, no signature", false, "", null, "no JWT");
  add("signature missing", false, unlimited({}), null, "missing");
  add("signed by another user", false, unlimited({}), other, "wrong");
  add("expired", false, unlimited({}, { exp: now - 10 }), user, "expired");
  add("not yet", false, unlimited({}, { nbf: now + 1000 }), user, "not yet");
  add("of an account nobody knows", false, userToken(user, unknown), user, "account");
  add("account by another operator", false, userToken(user, byStranger), user, "trusted");
  add("account signed by itself", false, userToken(user, bySelf), user, "trusted");
  add("account signed by a key of the operator", true, userToken(user, bySigner));
  add("account expired", false, userToken(user, expired), user, "expired");
  add("account not yet", false, userToken(user, early), user, "not yet");
  add("account with a broken import", false, userToken(user, badImport), user, "problems");
  add("account with too many exports", false, userToken(user, tooMany), user, "problems");
  add("account with too heavy mappings", false, userToken(user, badMapping), user, "problems");
  add("by a signing key", true, forAccount(unlimitedUser, signingKey));
  add("by a signing key, no issuer_account", false, userToken(user, signingKey), user, "account");
  add(
    "by a key that is not one of the account",
    false,
    forAccount(unlimitedUser, unknown),
    user,
    "key of its account",
  );
  add("by the account, issuer_account too", true, forAccount(unlimitedUser, plain));
  add("scoped", true, forAccount({ tags: ["team:red"] }, scopedKey));
  add("scoped without its tag", true, forAccount({}, scopedKey));
  add("scoped with limits", false, forAccount(unlimitedUser, scopedKey), user, "so does it");
  add(
    "scoped with empty permissions",
    false,
    forAccount({ pub: { allow: [] } }, scopedKey),
    user,
    "so does it",
  );
  add("scoped with empty objects", true, forAccount({ pub: {}, sub: {} }, scopedKey));
  add(
    "scoped with zeros",
    true,
    forAccount({ subs: 0, bearer_token: false, src: null }, scopedKey),
  );
  add("scoped with an empty src", false, forAccount({ src: [] }, scopedKey), user, "so does it");
  add("scoped, deny becomes no subject", false, forAccount({}, oddKey), user, "no subject");
  add("scoped, template unknown", false, forAccount({}, strangeKey), user, "weather");
  add("scoped bearer", true, forAccount({}, bearerKey), null);
  add("scoped, for WebSocket only", false, forAccount({}, stationKey), user, "STANDARD");
  add("bearer", true, unlimited({ bearer_token: true }), null);
  add(
    "bearer where there may be none",
    false,
    userToken(user, noBearer, { ...unlimitedUser, bearer_token: true }),
    null,
    "bearer",
  );
  add("signed where there may be no bearer", true, userToken(user, noBearer));
  add(
    "revoked",
    false,
    userToken(revoked, plain, unlimitedUser, { iat: now - 200 }),
    revoked,
    "revoked",
  );
  add(
    "revoked in the second it was issued",
    false,
    userToken(revoked, plain, unlimitedUser, { iat: now - 100 }),
    revoked,
    "revoked",
  );
  add("issued after the revocation", true, userToken(revoked, plain, unlimitedUser), revoked);
  add(
    "all revoked",
    false,
    userToken(user, revokesAll, unlimitedUser, { iat: now - 1000 }),
    user,
    "revoked",
  );
  add("all revoked, later", true, userToken(user, revokesAll, unlimitedUser, { iat: now - 999 }));
  add("src here", true, unlimited({ src: ["10.0.0.0/8", "127.0.0.0/8"] }));
  add("src in one text", true, unlimited({ src: "10.0.0.0/8, 127.0.0.1/32" }));
  add("src elsewhere", false, unlimited({ src: ["10.0.0.0/8"] }), user, "from 127.0.0.1");
  add("src of IPv6", false, unlimited({ src: ["::/0"] }), user, "from 127.0.0.1");
  add("src of no network", false, unlimited({ src: ["127.0.0.1"] }), user, "network");
  add("all day", true, unlimited({ times: [{ start: "00:00:00", end: "23:59:59" }] }));
  // A zone in which it is noon, so that an hour before and after are the same day.
  const offset = 12 - new Date(now * 1000).getUTCHours();
  const zone = offset < 0 ? `Etc/GMT+${-offset}` : `Etc/GMT-${offset}`;
  const at = (seconds: number) =>
    new Date((now + offset * 3600 + seconds) * 1000).toISOString().slice(11, 19);
  const range = (from: number, to: number) => ({ start: at(from), end: at(to) });
  const noon = (...times: Fields[]) => unlimited({ times, times_location: zone });
  add("in time", true, noon(range(-3600, 3600)));
  add("in the second of two times", true, noon(range(3600, 7200), range(-3600, 3600)));
  add("in time around midnight", true, noon(range(-3600, -7200)));
  add("in time before midnight comes", true, noon(range(7200, 3600)));
  add("out of time", false, noon(range(3600, 7200)), user, "times");
  add("out of time around midnight", false, noon(range(3600, -3600)), user, "times");
  add("time of no day", false, noon({ start: "25:00:00", end: "26:00:00" }), user, "time of day");
  add("time without end", false, noon({ start: "00:00:00" }), user, "time of day");
  add("zone of nowhere", false, unlimited({ times_location: "Mars/Base" }), user, "time zone");
  add("standard", true, unlimited({ allowed_connection_types: ["STANDARD"] }));
  add("standard in small letters", true, unlimited({ allowed_connection_types: ["standard"] }));
  add(
    "standard or something new",
    true,
    unlimited({ allowed_connection_types: ["X", "STANDARD"] }),
  );
  add(
    "something new only",
    false,
    unlimited({ allowed_connection_types: ["X"] }),
    user,
    "STANDARD",
  );
  add("MQTT only", false, unlimited({ allowed_connection_types: ["MQTT"] }), user, "STANDARD");
  add("proxy wanted", false, unlimited({ proxy_required: true }), user, "proxy");
  add("permissions", true, unlimited({ pub: { allow: ["a.>"], deny: ["a.b"] }, sub: {} }));
  add("queue permission", true, unlimited({ sub: { allow: ["a q"] } }));
  add("queue permission to publish", false, unlimited({ pub: { allow: ["a q"] } }), user, "queue");
  add(
    "permission without tokens",
    false,
    unlimited({ pub: { deny: ["a..b"] } }),
    user,
    "empty token",
  );
  add("permission of three", false, unlimited({ sub: { deny: ["a b c"] } }), user, "spaces");
  add("responses", true, unlimited({ resp: { max: 1, ttl: 1_000_000_000 } }));
  add("limits of another type", false, unlimited({ subs: "many" }), user, "number");
  add("permissions of another type", false, unlimited({ pub: ["a"] }), user, "object");
  add("unknown fields", true, unlimited({ weather: { nice: true } }, { more: [1] }));
  add("token of an account", false, preload[plain.key]!, user, "type");
  add("token of the operator", false, operatorToken(operator), user, "type");
  add("no version", false, unlimited({ version: 0 }), user, "version");
  add("version 3", false, unlimited({ version: 3 }), user, "version");
  add("broken signature", false, `${unlimited({}).slice(0, -6)}AAAAAA`, user, "signed");
  add("two parts", false, unlimited({}).split(".").slice(0, 2).join("."), user, "three parts");
  add("issuer_account of another type", false, unlimited({ issuer_account: 7 }), user, "text");
  add("of the system", true, userToken(user, system));
  return {
    operator: operatorToken(operator, {
      signing_keys: [operatorSigner.key],
      system_account: system.key,
    }),
    preload,
    systemAccount: system.key,
    cases,
  };
}
