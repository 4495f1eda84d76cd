/**
 * Who may connect.
 *
 * @module
 */
import type { OutputOf } from "./checking.ts";
import {
  alwaysPresent,
  block,
  list,
  listOfSome,
  optional,
  required,
  type Rule,
  scalar,
  withDefault,
  withLateDefault,
} from "./fields.ts";
import { duration } from "./number_kinds.ts";
import { permissions } from "./permissions_section.ts";
import { publicKey } from "./public_key.ts";
import { password, text, token, userName } from "./text_kinds.ts";
import { credentialAliases, identityOf, user, type UserNames } from "./users_section.ts";

/** The settings that rules on credentials compare. */
export interface Credentials {
  /** The one token. */
  readonly token?: string | undefined;
  /** The one user. */
  readonly user?: string | undefined;
  /** Its password. */
  readonly password?: string | undefined;
  /** Several users. */
  readonly users?: readonly UserNames[] | undefined;
  /** Who is asked about clients. */
  readonly auth_callout?: OutputOf<typeof callout> | undefined;
}

const oneKindOfCredentials: Rule<Credentials> = (_values, report, given) => {
  const expected = "only one of a token, a user and a list of users";
  if (given.has("token") && given.has("user")) {
    report([["token"], ["user"]], { expected, found: "token and user" });
  }
  if (given.has("token") && given.has("users")) {
    report([["token"], ["users"]], { expected, found: "token and users" });
  }
  if (given.has("user") && given.has("users")) {
    report([["user"], ["users"]], {
      expected,
      found: "user and users",
      hint: "make the user one of the list",
    });
  }
};

/** Nobody would be asked for the password otherwise. */
export const passwordHasUser: Rule<Credentials> = (_values, report, given) => {
  if (!given.has("password") || given.has("user")) return;
  report([["password"]], {
    expected: "a user beside the password",
    found: "a password alone",
    hint: "without a user nobody would be asked for it",
  });
};

const usersDiffer: Rule<Credentials> = ({ users = [] }, report) => {
  const seen = new Map<string, number>();
  users.forEach((one, index) => {
    const identity = identityOf(one);
    if (identity === undefined) return;
    const first = seen.get(identity);
    if (first === undefined) {
      seen.set(identity, index);
      return;
    }
    report([["users", index, one.nkey === undefined ? "user" : "nkey"]], {
      expected: "every user once",
      found: `${JSON.stringify(identity)}, which users[${first}] is already`,
    });
  });
};

const callout = block({
  issuer: required(
    scalar(publicKey("account")),
    "Public key of an account, with which the answers of the service are signed.",
  ),
  account: withDefault(
    scalar(text({ expected: "the name of an account" })),
    "$G",
    "The account of the service.",
  ),
  auth_users: required(
    listOfSome(
      scalar(text({ expected: "the name or the nkey of a user" })),
      "the name or the nkey of at least one user",
    ),
    "Users that the service itself connects as: they are not asked about.",
  ),
  allowed_accounts: optional(
    list(scalar(text({ expected: "the name of an account" }))),
    ["A"],
    "The accounts whose users it is asked about; those of all where it is not given.",
  ),
  xkey: optional(
    scalar(publicKey("curve")),
    "XAJNURAG7BF5VG6V7IPCANSPDJ5ONQQKUTW3XCMXL7VWLU5FSMGC347F",
    "Public curve key of the service: what it is asked is encrypted with it.",
  ),
}, {
  typeName: "AuthCalloutConfig",
  doc: "A service that is asked about every client that connects.",
  aliases: { acc: "account", users: "auth_users", key: "xkey" },
});

const authorization = block({
  token: optional(
    scalar(token()),
    "secret",
    "Token that every client must show, in the clear or as a bcrypt hash.",
  ),
  user: optional(
    scalar(userName()),
    "alice",
    "Name that every client must show, where one user is enough.",
  ),
  password: optional(
    scalar(password()),
    "secret",
    "Password of that user, in the clear or as a bcrypt hash.",
  ),
  users: optional(
    listOfSome(user, "at least one user"),
    [{ user: "alice", password: "secret", permissions: { publish: { allow: ["orders.>"] } } }],
    "The users that may connect.",
  ),
  default_permissions: optional(
    permissions,
    { subscribe: { deny: ["private.>"] } },
    "What users without permissions of their own may do.",
  ),
  auth_callout: optional(
    callout,
    {
      issuer: "ADYXB2UKO2ZYSZICMX2URCFQ6ALA3CZC6C5ONTMQV5ZVWYHOICLU3E2B",
      account: "AUTH",
      auth_users: ["auth"],
    },
    "A service that is asked about every client that connects.",
  ),
  timeout: withLateDefault(
    scalar(duration({ min: 1 })),
    "2s",
    "How long a client may take to show who it is. With TLS the default is a second more than " +
      "tls.timeout.",
  ),
}, {
  typeName: "AuthorizationConfig",
  doc: "Who may connect: anybody, unless a token, a user or a list of users is given.",
  aliases: {
    ...credentialAliases,
    default_permission: "default_permissions",
    permissions: "default_permissions",
    auth_hook: "auth_callout",
  },
  unsupported: ["proxy_required"],
  harmless: { proxy_required: ["false"] },
  rules: [oneKindOfCredentials, passwordHasUser, usersDiffer],
});

/** Who may connect. */
export const authorizationFields = {
  authorization: alwaysPresent(authorization, {}),
  no_auth_user: optional(
    scalar(userName()),
    "alice",
    "The user that a client is taken for when it shows nothing.",
  ),
};

/** The settings that {@link noAuthUserExists} compares. */
interface NoAuthUser {
  readonly authorization: Credentials;
  readonly accounts?:
    | Readonly<Record<string, { readonly users: readonly UserNames[] }>>
    | undefined;
  readonly no_auth_user?: string | undefined;
}

/** A client cannot be taken for somebody who is not configured. */
export const noAuthUserExists: Rule<NoAuthUser> = (values, report, given) => {
  const { authorization, accounts, no_auth_user: name } = values;
  if (authorization === undefined || name === undefined) return;
  if (accounts === undefined && given.has("accounts")) return;
  if (given.has("operator")) return;
  const lists = Object.values(accounts ?? {}).map((account) => account.users);
  const isNamed = (users: readonly UserNames[] = []) =>
    users.some((one) => identityOf(one) === name);
  if (isNamed(authorization.users) || lists.some(isNamed)) return;
  report([["no_auth_user"]], {
    expected: "the name of a user of authorization.users or of an account",
    found: JSON.stringify(name),
  });
};
