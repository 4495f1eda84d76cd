/**
 * Who may connect.
 *
 * @module
 */
import {
  alwaysPresent,
  block,
  listOfSome,
  optional,
  required,
  type Rule,
  scalar,
  withLateDefault,
} from "./fields.ts";
import { duration } from "./number_kinds.ts";
import { password, token, userName } from "./text_kinds.ts";

const credentialAliases = { username: "user", pass: "password" };

/** One of several users. */
export const user = block({
  user: required(scalar(userName()), "Name of the user."),
  password: optional(
    scalar(password()),
    "secret",
    "Password, in the clear or as a bcrypt hash. Without one only an empty password is accepted.",
  ),
}, {
  typeName: "UserConfig",
  doc: "A user that may connect.",
  aliases: credentialAliases,
  unsupported: [
    "nkey",
    "permission",
    "permissions",
    "authorization",
    "allowed_connection_types",
    "connection_types",
    "clients",
    "proxy_required",
    "account",
  ],
});

/** The settings that rules on credentials compare. */
export interface Credentials {
  /** The one token. */
  readonly token?: string | undefined;
  /** The one user. */
  readonly user?: string | undefined;
  /** Its password. */
  readonly password?: string | undefined;
  /** Several users. */
  readonly users?: readonly { readonly user: string }[] | undefined;
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
  users.forEach(({ user }, index) => {
    const first = seen.get(user);
    if (first === undefined) {
      seen.set(user, index);
      return;
    }
    report([["users", index, "user"]], {
      expected: "every user once",
      found: `${JSON.stringify(user)}, which users[${first}] is already`,
    });
  });
};

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
    [{ user: "alice", password: "secret" }],
    "The users that may connect.",
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
  aliases: credentialAliases,
  unsupported: [
    "default_permission",
    "default_permissions",
    "permissions",
    "auth_callout",
    "auth_hook",
    "proxy_required",
    "nkeys",
  ],
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
    | Readonly<Record<string, { readonly users: readonly { readonly user: string }[] }>>
    | undefined;
  readonly no_auth_user?: string | undefined;
}

/** A client cannot be taken for somebody who is not configured. */
export const noAuthUserExists: Rule<NoAuthUser> = (values, report, given) => {
  const { authorization, accounts, no_auth_user: name } = values;
  if (authorization === undefined || name === undefined) return;
  if (accounts === undefined && given.has("accounts")) return;
  const lists = Object.values(accounts ?? {}).map((account) => account.users);
  const users = [...authorization.users ?? [], ...lists.flat()];
  if (users.some(({ user }) => user === name)) return;
  report([["no_auth_user"]], {
    expected: "the name of a user of authorization.users or of an account",
    found: JSON.stringify(name),
  });
};
