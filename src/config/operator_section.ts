/**
 * Operator mode: accounts and users that are known from JWTs.
 *
 * @module
 */
import {
  block,
  type Given,
  listOrOne,
  map,
  optional,
  orForm,
  required,
  type Rule,
  scalar,
} from "./fields.ts";
import type { ShortForm } from "./shape.ts";
import { type Kind, quoteText, Refusal } from "./kind.ts";
import { duration, integer } from "./number_kinds.ts";
import { formatPath, type Path } from "./problem.ts";
import { isPublicKey, publicKey } from "./public_key.ts";
import { boolean, text, word } from "./text_kinds.ts";

/** The kinds of resolvers. */
const resolverTypes = ["memory", "url", "full", "cache"] as const;

/** How a resolver is written in a text: `MEMORY`, or `URL(http://...)`. */
const inWords: ShortForm<string> = {
  inputType: "string",
  json: { type: "string", pattern: "^\\s*([Mm][Ee][Mm]|[Uu][Rr][Ll]\\s*\\()" },
  expected: "MEMORY, URL(http://...) or a map (type, dir, ...)",
  expand: (value) => {
    if (typeof value !== "string") return undefined;
    if (/^\s*mem(?:ory)?\s*$/i.test(value)) return { type: "memory" };
    const url = /^\s*url\s*\(\s*"?([^\s"]*)"?\s*\)\s*$/i.exec(value)?.[1];
    return url === undefined ? undefined : { type: "url", url };
  },
};

/** Where accounts are asked for over HTTP. */
function httpUrl(): Kind<string, string> {
  return {
    ...text({ expected: "" }),
    read: (input) =>
      typeof input === "string" && /^https?:\/\/[^\s/]/i.test(input) && URL.canParse(input)
        ? input
        : new Refusal("a URL such as http://localhost:9090/jwt/v1/accounts/"),
    mask: (url) => quoteText(url.replace(/\/\/[^/@\s]*@/g, "//***@")),
  };
}

interface Resolver {
  readonly type: (typeof resolverTypes)[number];
  readonly url?: string | undefined;
  readonly dir?: string | undefined;
  readonly allow_delete?: boolean | undefined;
  readonly hard_delete?: boolean | undefined;
  readonly limit?: number | undefined;
  readonly ttl?: number | undefined;
  readonly interval?: number | undefined;
  readonly timeout?: number | undefined;
}

/** Which settings a resolver of each type has besides its type. */
const settingsOf: Readonly<Record<Resolver["type"], readonly (keyof Resolver)[]>> = {
  memory: [],
  url: ["url"],
  full: ["dir", "allow_delete", "hard_delete", "limit", "interval", "timeout"],
  cache: ["dir", "limit", "ttl", "timeout"],
};

const settingsFit: Rule<Resolver> = ({ type, ...values }, report, given) => {
  if (type === undefined) return;
  const own = new Set<PropertyKey>(settingsOf[type]);
  for (const [key, value] of Object.entries(values)) {
    if (own.has(key) || value === undefined || value === false) continue;
    report([[key]], {
      expected: `a setting of resolvers of type ${type}`,
      found: `${key}, which they do not have`,
    });
  }
  for (const key of ["dir", "url"] as const) {
    if (!own.has(key) || given.has(key)) continue;
    report([[key]], {
      expected: key === "dir" ? "a folder for the JWTs of accounts" : "a URL",
      found: "nothing",
    });
  }
  if (values.hard_delete === true && values.allow_delete !== true && type === "full") {
    report([["hard_delete"], ["allow_delete"]], {
      expected: "allow_delete beside it",
      found: "hard_delete alone",
    });
  }
};

const resolver = orForm(
  block({
    type: required(
      scalar(word(resolverTypes, { mem: "memory" })),
      "memory (of resolver_preload), url, full (all accounts, in a folder) or cache (some of them).",
    ),
    url: optional(
      scalar(httpUrl()),
      "http://localhost:9090/jwt/v1/accounts/",
      "Where JWTs of accounts are got, with the account's key behind it.",
    ),
    dir: optional(
      scalar(text({ expected: "a path" })),
      "./jwt",
      "Folder of the JWTs of accounts.",
    ),
    allow_delete: optional(
      scalar(boolean()),
      false,
      "Whether accounts may be deleted by a message; their files are kept under another name.",
    ),
    hard_delete: optional(
      scalar(boolean()),
      false,
      "Whether the files of deleted accounts are deleted too.",
    ),
    limit: optional(
      scalar(integer({ min: 0 })),
      1000,
      "How many accounts the folder may hold.",
    ),
    ttl: optional(
      scalar(duration({ min: 0 })),
      "1h",
      "How long a cache keeps an account that nobody asks for.",
    ),
    interval: optional(
      scalar(duration({ min: 0 })),
      "2m",
      "How often servers compare their accounts.",
    ),
    timeout: optional(
      scalar(duration({ min: 0 })),
      "1.9s",
      "How long other servers may take to answer for an account.",
    ),
  }, {
    typeName: "ResolverConfig",
    doc: "Where the JWTs of accounts are found.",
    rules: [settingsFit],
  }),
  inWords,
);

/** Operators, and where the accounts below them are found. */
export const operatorFields = {
  operator: optional(
    listOrOne(scalar(text({ expected: "a path or a JWT" }))),
    ["./operator.jwt"],
    "JWTs of operators, or the files that they are in: accounts and users are then known from JWTs.",
  ),
  trusted_keys: optional(
    listOrOne(scalar(publicKey("operator"))),
    ["OAE2IDW7365Y3BB4TIUTRZCU7LDQTF7O6AARKIJZ4EHMVZA7RAWOEY25"],
    "Public keys of operators, instead of their JWTs.",
  ),
  resolver: optional(
    resolver,
    { type: "full", dir: "./jwt", allow_delete: true, interval: "2m", limit: 1000 },
    "Where the JWTs of accounts are found.",
  ),
  resolver_preload: optional(
    map(scalar(text({ expected: "the JWT of an account" }))),
    { AAI634ADHJVFQTTEQOAZE2Y7GXDBWHMJLGA7SWCPMCITDK22DFU77T2J: "eyJ0eXAiOiJKV1QiLCJhbGciOi..." },
    "JWTs of accounts by the account's public key, which the resolver has from the start.",
  ),
  resolver_pinned_accounts: optional(
    listOrOne(scalar(publicKey("account"))),
    ["AAI634ADHJVFQTTEQOAZE2Y7GXDBWHMJLGA7SWCPMCITDK22DFU77T2J"],
    "The accounts whose users may connect here; those of all accounts where it is not given.",
  ),
  default_sentinel: optional(
    scalar({ ...text({ expected: "the JWT of a user" }), secret: true }),
    "eyJ0eXAiOiJKV1QiLCJhbGciOi...",
    "JWT of a bearer that a client is taken for when it shows none, for callouts of accounts.",
  ),
};

/** Whether accounts are known from JWTs. */
export function inOperatorMode(given: Given): boolean {
  return given.has("operator") || given.has("trusted_keys");
}

/** The settings that {@link operatorStandsAlone} compares. */
interface OperatorMode {
  readonly authorization: {
    readonly users?: readonly unknown[] | undefined;
    readonly auth_callout?: unknown;
  };
  readonly resolver?: Resolver | undefined;
  readonly system_account?: string | undefined;
}

/** What JWTs say is not said in the configuration too. */
export const operatorStandsAlone: Rule<OperatorMode> = (values, report, given) => {
  const { authorization, resolver, system_account: system } = values;
  if (given.has("operator")) {
    const { users, auth_callout: callout } = authorization ?? {};
    const others: Path[] = [
      ...["accounts", "mappings", "no_auth_user", "trusted_keys"]
        .filter((key) => given.has(key)).map((key) => [key]),
      ...(users === undefined ? [] : [["authorization", "users"]]),
      ...(callout === undefined ? [] : [["authorization", "auth_callout"]]),
    ];
    for (const path of others) {
      report([path, ["operator"]], {
        expected: "no such setting beside operator, whose JWTs say it",
        found: formatPath(path),
      });
    }
  } else if (given.has("default_sentinel")) {
    report([["default_sentinel"]], { expected: "an operator beside it", found: "none" });
  }
  if (inOperatorMode(given) && system !== undefined && !isPublicKey(system, "account")) {
    report([["system_account"]], {
      expected: "the public key of an account, as JWTs have it",
      found: JSON.stringify(system),
    });
  }
  if (given.has("resolver_preload") && resolver?.type === "url") {
    report([["resolver_preload"], ["resolver"]], {
      expected: "a resolver that keeps what is given to it",
      found: "a URL",
    });
  }
};

/** Other names of keys of operator mode. */
export const operatorAliases = {
  operators: "operator",
  root: "operator",
  roots: "operator",
  root_operator: "operator",
  root_operators: "operator",
  account_resolver: "resolver",
  accounts_resolver: "resolver",
  trusted: "trusted_keys",
};
