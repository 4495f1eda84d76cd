/**
 * Accounts: clients in different ones do not hear each other.
 *
 * @module
 */
import { inOperatorMode } from "./operator_section.ts";
import type { Credentials } from "./authorization_section.ts";
import { exchangeFields } from "./exchange_section.ts";
import { block, list, mapOrNames, optional, type Rule, scalar, withDefault } from "./fields.ts";
import { KnownAccount, knownUsers } from "./known_account.ts";
import { mappings } from "./mappings_section.ts";
import { integer, sizeOrNone } from "./number_kinds.ts";
import { permissions } from "./permissions_section.ts";
import { formatPath, type Path } from "./problem.ts";
import { publicKey } from "./public_key.ts";
import { boolean, enabled, text } from "./text_kinds.ts";
import { identityOf, user, type UserNames } from "./users_section.ts";

/** The account of clients that no other account is said for. */
export const GLOBAL_ACCOUNT = "$G";

/** The system account where no other is named. */
export const DEFAULT_SYSTEM_ACCOUNT = "$SYS";

/** A limit as nats-server keeps it: in 32 bits, negative for none. */
const limit = () => scalar(integer({ min: -1, max: 2 ** 31 - 1 }));

const limits = block({
  max_connections: optional(limit(), 100, "Most connections of clients."),
  max_subscriptions: optional(limit(), 1000, "Most subscriptions of one connection."),
  max_payload: optional(
    scalar(sizeOrNone()),
    "1MB",
    "Largest message of its clients, its headers included.",
  ),
  max_leafnodes: optional(limit(), 0, "Most leaf nodes; kept for when there are any."),
}, {
  typeName: "AccountLimitsConfig",
  doc: "What the clients of an account are held to; -1 and what is not given are without limit.",
  aliases: {
    max_conn: "max_connections",
    max_subs: "max_subscriptions",
    max_pay: "max_payload",
    max_leafs: "max_leafnodes",
  },
});

const account = block({
  users: withDefault(list(user), [], "The users whose account this is."),
  ...exchangeFields,
  mappings: optional(
    mappings,
    { "orders.*": "orders.v2.$1" },
    "Subjects that messages of the account are mapped to, by the subject they are published to.",
  ),
  default_permissions: optional(
    permissions,
    { publish: { deny: ["private.>"] } },
    "What users without permissions of their own may do.",
  ),
  limits: optional(limits, { max_connections: 100 }, "What its clients are held to."),
  jetstream: optional(
    scalar(enabled()),
    true,
    "Whether its clients may use JetStream of the other servers of the cluster, which set its limits.",
  ),
  nkey: optional(
    scalar(publicKey("account")),
    "AAI634ADHJVFQTTEQOAZE2Y7GXDBWHMJLGA7SWCPMCITDK22DFU77T2J",
    "Public key of the account.",
  ),
}, {
  typeName: "AccountConfig",
  doc: "An account: clients in different ones do not hear each other.",
  aliases: { maps: "mappings" },
  unsupportedMaps: ["jetstream"],
  unsupported: ["msg_trace", "trace_dest"],
});

/** The accounts, and which one is for the server itself. */
export const accountFields = {
  accounts: optional(
    mapOrNames(account),
    {
      A: {
        users: [{ user: "anna", password: "secret" }],
        exports: [{ service: "prices.*", accounts: ["B"] }, { stream: "orders.>" }],
      },
      B: {
        users: [{ user: "bert", password: "secret" }],
        imports: [
          { service: { account: "A", subject: "prices.*" }, to: "a.prices.$1" },
          { stream: { account: "A", subject: "orders.>" }, prefix: "a" },
        ],
        mappings: { "old.*": [{ destination: "new.$1", weight: 100 }] },
        limits: { max_connections: 100 },
      },
    },
    "Accounts by name, beside $G for the users of authorization and $SYS for the system.",
  ),
  mappings: optional(
    mappings,
    { "orders.*": [{ destination: "orders.v2.$1", weight: 100 }] },
    "Subjects that messages of $G are mapped to, by the subject they are published to.",
  ),
  system_account: optional(
    scalar(text({ expected: "the name of an account" })),
    DEFAULT_SYSTEM_ACCOUNT,
    "The account of the system, one of accounts. Default: $SYS.",
  ),
  no_system_account: withDefault(
    scalar(boolean()),
    false,
    "Have no account of the system where none is named.",
  ),
};

/** The settings that tell which accounts there are. */
export interface AccountSettings {
  /** Accounts by name. */
  readonly accounts?: Readonly<Record<string, unknown>> | undefined;
  /** The account of the system, where it is named. */
  readonly system_account?: string | undefined;
  /** Whether there is none. */
  readonly no_system_account?: boolean;
}

/** The name of the system account: `"$SYS"` unless another was named. */
export function systemAccountName(settings: AccountSettings): string {
  return settings.system_account ?? DEFAULT_SYSTEM_ACCOUNT;
}

/** Whether there is no account of the system: it was asked for so, and none is named. */
export function hasNoSystem(settings: AccountSettings): boolean {
  return settings.no_system_account === true && settings.system_account === undefined &&
    !Object.hasOwn(settings.accounts ?? {}, DEFAULT_SYSTEM_ACCOUNT);
}

/** The names of all accounts that there are: `"$G"`, those that are configured, the system account. */
export function accountNames(settings: AccountSettings): string[] {
  const configured = Object.keys(settings.accounts ?? {});
  const system = hasNoSystem(settings) ? [] : [systemAccountName(settings)];
  return [...new Set([GLOBAL_ACCOUNT, ...configured, ...system])];
}

/** The settings that the rules here compare. */
interface Accounts {
  readonly authorization: Credentials;
  readonly accounts?:
    | Readonly<Record<string, { readonly users: readonly UserNames[] }>>
    | undefined;
  readonly system_account?: string | undefined;
  readonly no_system_account?: boolean;
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
  const seen = new UserPlaces();
  seen.enter(["authorization", "users"]);
  for (const one of authorization?.users ?? []) seen.add(identityOf(one));
  const known: KnownAccount[] = [];
  for (const [name, account] of Object.entries(accounts)) {
    if (account instanceof KnownAccount) known.push(account);
    else {
      seen.enter(["accounts", name, "users"]);
      account.users.forEach((one, index) => {
        const first = seen.add(identityOf(one));
        if (first === undefined) return;
        report([["accounts", name, "users", index, one.nkey === undefined ? "user" : "nkey"]], {
          expected: "every user once, in one account",
          found: `${JSON.stringify(identityOf(one))}, which ${formatPath(first)} is already`,
        });
      });
    }
    for (const key of ["token", "user"] as const) {
      if (authorization?.[key] === undefined || account.users.length === 0) continue;
      report([["accounts", name, "users"], ["authorization", key]], {
        expected: "users of accounts or one token or user for everybody, not both",
        found: `both, with authorization.${key}`,
        hint: key === "user" ? "make the user one of authorization.users" : undefined,
      });
    }
  }
  // Those differ from each other.
  for (const { identity, name, index } of knownUsers(known, seen.identities)) {
    report([["accounts", name, "users", index]], {
      expected: "every user once, in one account",
      found: `${JSON.stringify(identity)}, which is another one already`,
    });
  }
};

/** Where users were seen first: of very many users no more than a number is kept. */
class UserPlaces {
  readonly #numbers = new Map<string, number>();
  readonly #lists: { readonly path: Path; readonly from: number }[] = [];
  #count = 0;

  /** The users that follow are of the list at `path`. */
  enter(path: Path): void {
    this.#lists.push({ path, from: this.#count });
  }

  /** Everybody that was seen. */
  get identities(): string[] {
    return [...this.#numbers.keys()];
  }

  /** Where `identity` was seen before, if it was. */
  add(identity: string | undefined): Path | undefined {
    const number = this.#count++;
    if (identity === undefined) return undefined;
    const first = this.#numbers.get(identity);
    if (first !== undefined) return this.#pathOf(first);
    this.#numbers.set(identity, number);
    return undefined;
  }

  #pathOf(number: number): Path {
    let low = 0, high = this.#lists.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#lists[middle]?.from ?? 0) <= number) low = middle;
      else high = middle - 1;
    }
    const list = this.#lists[low];
    return list === undefined ? [] : [...list.path, number - list.from];
  }
}

/** The system account is one that there is. */
export const systemAccountExists: Rule<Accounts> = (values, report, given) => {
  const { accounts = {}, system_account: name } = values;
  if (
    name === undefined || inOperatorMode(given) ||
    (given.has("accounts") && values.accounts === undefined)
  ) return;
  if (name === DEFAULT_SYSTEM_ACCOUNT || Object.hasOwn(accounts, name)) return;
  report([["system_account"]], {
    expected: `the name of one of accounts, or ${DEFAULT_SYSTEM_ACCOUNT}`,
    found: JSON.stringify(name),
  });
};

/** Whoever is asked about clients is a user, in an account. */
export const calloutFits: Rule<Accounts> = (values, report, given) => {
  const { authorization = {}, accounts = {} } = values;
  const { auth_callout: callout } = authorization;
  if (callout === undefined || inOperatorMode(given)) return;
  if (given.has("accounts") && values.accounts === undefined) return;
  const names = new Set(accountNames(values)), path = ["authorization", "auth_callout"];
  const expected = "the name of one of accounts";
  if (!names.has(callout.account)) {
    report([[...path, "account"]], { expected, found: JSON.stringify(callout.account) });
  }
  callout.allowed_accounts?.forEach((name, index) => {
    if (names.has(name)) return;
    report([[...path, "allowed_accounts", index]], { expected, found: JSON.stringify(name) });
  });
  const lists = [authorization.users ?? [], ...Object.values(accounts).map(({ users }) => users)];
  const users = new Set(lists.flatMap((list) => list.map(identityOf)));
  for (const one of [authorization.user, authorization.token]) users.add(one);
  callout.auth_users.forEach((name, index) => {
    if (users.has(name)) return;
    report([[...path, "auth_users", index]], {
      expected: "a user of authorization or of an account",
      found: "none of that name",
      hint: "the service connects as it",
    });
  });
};

/** Only what there is can have a connection of its own. */
export const clusterAccountsExist: Rule<Accounts> = (values, report, given) => {
  // Accounts of JWTs are not known here.
  if (inOperatorMode(given)) return;
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
