/**
 * Accounts: clients in different ones do not hear each other.
 *
 * @module
 */
import { type Credentials, user } from "./authorization_section.ts";
import { block, list, map, optional, type Rule, scalar, withDefault } from "./fields.ts";
import { formatPath } from "./problem.ts";
import { text } from "./text_kinds.ts";

/** The account of clients that no other account is said for. */
export const GLOBAL_ACCOUNT = "$G";

/** The system account where no other is named. */
export const DEFAULT_SYSTEM_ACCOUNT = "$SYS";

const account = block({
  users: withDefault(list(user), [], "The users whose account this is."),
}, {
  typeName: "AccountConfig",
  doc: "An account: clients in different ones do not hear each other.",
  unsupported: [
    "default_permissions",
    "exports",
    "imports",
    "jetstream",
    "limits",
    "mappings",
    "maps",
    "msg_trace",
    "nkey",
    "trace_dest",
  ],
});

/** The accounts, and which one is for the server itself. */
export const accountFields = {
  accounts: optional(
    map(account),
    { A: { users: [{ user: "anna", password: "secret" }] } },
    "Accounts by name, beside $G for the users of authorization and $SYS for the system.",
  ),
  system_account: optional(
    scalar(text({ expected: "the name of an account" })),
    DEFAULT_SYSTEM_ACCOUNT,
    "The account of the system, one of accounts. Default: $SYS.",
  ),
};

/** The settings that tell which accounts there are. */
export interface AccountSettings {
  /** Accounts by name. */
  readonly accounts?: Readonly<Record<string, unknown>> | undefined;
  /** The account of the system, where it is named. */
  readonly system_account?: string | undefined;
}

/** The name of the system account: `"$SYS"` unless another was named. */
export function systemAccountName(settings: AccountSettings): string {
  return settings.system_account ?? DEFAULT_SYSTEM_ACCOUNT;
}

/** The names of all accounts that there are: `"$G"`, those that are configured, the system account. */
export function accountNames(settings: AccountSettings): string[] {
  const configured = Object.keys(settings.accounts ?? {});
  return [...new Set([GLOBAL_ACCOUNT, ...configured, systemAccountName(settings)])];
}

/** The settings that the rules here compare. */
interface Accounts {
  readonly authorization: Credentials;
  readonly accounts?:
    | Readonly<Record<string, { readonly users: readonly { readonly user: string }[] }>>
    | undefined;
  readonly system_account?: string | undefined;
  readonly cluster?: { readonly accounts: readonly string[] } | undefined;
}

/** Routes send names of accounts as words of a line. */
export const accountsHaveNames: Rule<Accounts> = ({ accounts = {} }, report) => {
  for (const name of Object.keys(accounts)) {
    if (name === GLOBAL_ACCOUNT) {
      report([["accounts", name]], {
        expected: `another name than ${GLOBAL_ACCOUNT}, which is reserved`,
        found: "an account of that name",
        hint: "the users of authorization are in it",
      });
    } else if (!/^\S+$/.test(name)) {
      report([["accounts", name]], {
        expected: "a name without spaces",
        found: name === "" ? "an empty one" : "one with spaces",
      });
    }
  }
};

/** Who shows a name is in one account, and one kind of credentials is looked at. */
export const accountUsersDiffer: Rule<Accounts> = (values, report) => {
  const { authorization, accounts = {} } = values;
  const seen = new Map<string, string>();
  authorization?.users?.forEach(({ user }, index) =>
    seen.set(user, `authorization.users[${index}]`)
  );
  for (const [name, { users }] of Object.entries(accounts)) {
    users.forEach(({ user }, index) => {
      const first = seen.get(user);
      if (first === undefined) seen.set(user, formatPath(["accounts", name, "users", index]));
      else {
        report([["accounts", name, "users", index, "user"]], {
          expected: "every user once, in one account",
          found: `${JSON.stringify(user)}, which ${first} is already`,
        });
      }
    });
    if (users.length === 0) continue;
    for (const key of ["token", "user"] as const) {
      if (authorization?.[key] === undefined) continue;
      report([["accounts", name, "users"], ["authorization", key]], {
        expected: "users of accounts or one token or user for everybody, not both",
        found: `both, with authorization.${key}`,
        hint: key === "user" ? "make the user one of authorization.users" : undefined,
      });
    }
  }
};

/** The system account is one that there is. */
export const systemAccountExists: Rule<Accounts> = (values, report, given) => {
  const { accounts = {}, system_account: name } = values;
  if (name === undefined || (given.has("accounts") && values.accounts === undefined)) return;
  if (name === DEFAULT_SYSTEM_ACCOUNT || Object.hasOwn(accounts, name)) return;
  report([["system_account"]], {
    expected: `the name of one of accounts, or ${DEFAULT_SYSTEM_ACCOUNT}`,
    found: JSON.stringify(name),
  });
};

/** Only what there is can have a connection of its own. */
export const clusterAccountsExist: Rule<Accounts> = (values, report, given) => {
  const unsure = (key: "accounts" | "system_account") =>
    given.has(key) && values[key] === undefined;
  if (unsure("accounts") || unsure("system_account")) return;
  const names = new Set(accountNames(values));
  values.cluster?.accounts.forEach((name, index) => {
    if (names.has(name)) return;
    report([["cluster", "accounts", index]], {
      expected: "the name of an account",
      found: JSON.stringify(name),
      hint: `there are ${[...names].slice(0, 10).join(", ")}${names.size > 10 ? ", ..." : ""}`,
    });
  });
};
