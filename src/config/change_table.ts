/**
 * What becomes of every setting when it is changed while the server runs.
 *
 * @module
 */

/**
 * What a change of a setting leads to: it takes effect at once (`applied`); it would with a restart
 * of the server, and until then nothing of the new configuration is (`restart`); or it is none that
 * may be made to a server, whose clients and peers were let in under the old one (`refused`).
 */
export type Effect = "applied" | "restart" | "refused";

/** The part of a broker that carries a change out. */
export type ChangePart =
  | "log"
  | "clients"
  | "info"
  | "files"
  | "cluster"
  | "access"
  | "accounts"
  | "tls";

/** What becomes of a setting. */
export interface ChangeRule {
  /** The setting, as {@link Change.setting} names it; with `.**` behind it, everything below it too. */
  readonly setting: string;
  /** What its change leads to. */
  readonly effect: Effect;
  /** Who carries it out, where somebody does. */
  readonly part?: ChangePart;
  /** How it takes effect, or why it does not. */
  readonly note: string;
  /** What nats-server calls it when it refuses to change it. */
  readonly field?: string;
}

const bound = "where the server listens is decided when it starts";
const sized = "what is in memory was made for it";
const identity = "other servers and tools know this one by it";
const atOnce = "at once";
const written = "with the next line";
const accounts = "clients of an account that goes are closed";
const ofAccount = "at once, for the clients of the account too that are connected";
const others = "clients that showed another are closed";
const rights = "at once; subscriptions that are not allowed any more end";
const operator = "every client and every account is trusted because of it";
const dialled = "at once, for every route";
const anew = "routes are made anew";

function applied(part: ChangePart, note: string, settings: readonly string[]): ChangeRule[] {
  return settings.map((setting) => ({ setting, effect: "applied", part, note }));
}

function restart(note: string, settings: Readonly<Record<string, string>>): ChangeRule[] {
  return Object.entries(settings).map(([setting, field]) => ({
    setting,
    effect: "restart",
    note,
    field,
  }));
}

/** Every setting, once. There is no default: a setting that is not here is a mistake of ours. */
export const changeTable: readonly ChangeRule[] = [
  ...restart(identity, { server_name: "ServerName" }),
  ...restart(bound, { host: "Host", port: "Port" }),
  ...applied("info", "clients and servers are told", ["client_advertise"]),
  ...applied("info", atOnce, ["server_tags", "server_metadata.*"]),
  ...applied("clients", "surplus clients are closed, the last that came first", [
    "max_connections",
  ]),
  ...applied("clients", "for subscriptions that are made from then on", [
    "max_subscriptions",
    "max_sub_tokens",
  ]),
  ...applied("clients", "at once; clients are told by INFO", ["max_payload"]),
  ...applied("clients", "for connections that are made from then on", ["max_control_line"]),
  ...restart(sized, { max_pending: "MaxPending" }),
  ...applied("clients", atOnce, ["write_deadline", "no_fast_producer_stall"]),
  ...restart("clients have been promised or denied headers", {
    no_header_support: "NoHeaderSupport",
  }),
  ...applied("clients", "with the next PING of each client", ["ping_interval", "ping_max"]),

  ...applied("access", others, [
    "authorization.token",
    "authorization.user",
    "authorization.password",
  ]),
  ...applied("access", "clients of users that are gone are closed", ["authorization.users[]"]),
  ...applied("access", others, [
    "authorization.users[].user",
    "authorization.users[].password",
    "authorization.users[].nkey",
  ]),
  ...applied("access", rights, [
    "authorization.users[].permissions.**",
    "authorization.default_permissions.**",
  ]),
  ...applied("access", "clients that connect in another way are closed", [
    "authorization.users[].allowed_connection_types",
  ]),
  {
    setting: "authorization.auth_callout.**",
    effect: "restart",
    note: "the service has decided about clients that are connected",
    field: "AuthCallout",
  },
  ...applied("access", "for connections that are made from then on", ["authorization.timeout"]),
  {
    setting: "no_auth_user",
    effect: "refused",
    note: "clients that showed nothing were let in as somebody else, or not asked",
    field: "NoAuthUser",
  },
  ...applied("accounts", accounts, ["accounts.*"]),
  ...applied("access", "clients of users that are gone are closed", ["accounts.*.users[]"]),
  ...applied("access", others, [
    "accounts.*.users[].user",
    "accounts.*.users[].password",
    "accounts.*.users[].nkey",
  ]),
  ...applied("access", rights, ["accounts.*.users[].permissions.**"]),
  ...applied("access", "clients that connect in another way are closed", [
    "accounts.*.users[].allowed_connection_types",
  ]),
  ...applied("accounts", rights, ["accounts.*.default_permissions.**"]),
  ...applied("accounts", ofAccount, [
    "accounts.*.exports",
    "accounts.*.imports",
    "accounts.*.mappings.*",
    "accounts.*.jetstream",
    "mappings.*",
  ]),
  ...applied(
    "accounts",
    "at once; who has more subscriptions than that is closed, and who came last where there are too many",
    [
      "accounts.*.limits.**",
    ],
  ),
  ...restart("other servers and accounts know this one by it", { "accounts.*.nkey": "Accounts" }),
  {
    setting: "system_account",
    effect: "refused",
    note: "other servers were told of it when they connected",
    field: "SystemAccount",
  },
  {
    setting: "no_system_account",
    effect: "refused",
    note: "other servers were told of it when they connected",
    field: "NoSystemAccount",
  },
  ...Object.entries({ operator: "TrustedOperators", trusted_keys: "TrustedKeys" })
    .map(([setting, field]) =>
      ({ setting, effect: "refused", note: operator, field }) satisfies ChangeRule
    ),
  ...restart("accounts were looked up there", {
    "resolver.**": "AccountResolver",
    "resolver_pinned_accounts": "resolverPinnedAccounts",
    "resolver_preload.*": "resolverPreloads",
  }),
  ...restart("clients were let in by it", { default_sentinel: "DefaultSentinel" }),

  ...applied("tls", "for connections that are made from then on", [
    "tls",
    "tls.**",
    "allow_non_tls",
    "cluster.tls",
    "cluster.tls.**",
  ]),

  {
    setting: "cluster",
    effect: "restart",
    note: "a cluster is joined or left when the server starts",
    field: "cluster host",
  },
  ...applied("cluster", anew, ["cluster.name"]),
  ...restart(bound, { "cluster.host": "cluster host", "cluster.port": "cluster port" }),
  ...applied("cluster", "the other servers are told", [
    "cluster.advertise",
    "cluster.no_advertise",
  ]),
  ...applied("cluster", "new ones are dialled, connections to removed ones are closed", [
    "cluster.routes",
  ]),
  ...applied("cluster", dialled, ["cluster.connect_retries"]),
  ...applied("cluster", "for addresses that are learnt of from then on", [
    "cluster.connect_backoff",
  ]),
  ...applied("cluster", anew, [
    "cluster.pool_size",
    "cluster.accounts",
    "cluster.compression.mode",
    "cluster.compression.rtt_thresholds",
  ]),
  ...applied("cluster", "routes are made anew, where they show other credentials not at all", [
    "cluster.authorization.user",
    "cluster.authorization.password",
  ]),
  ...applied("cluster", "for routes that are made from then on", ["cluster.authorization.timeout"]),
  ...applied("cluster", anew, ["cluster.permissions.**"]),
  ...applied("cluster", dialled, [
    "cluster.ping_interval",
    "cluster.ping_max",
    "cluster.write_deadline",
  ]),

  ...applied("log", "at once, for connected clients too", ["debug", "trace", "trace_verbose"]),
  ...applied("log", written, [
    "max_traced_msg_len",
    "logtime",
    "logtime_utc",
    "log_file",
    "log_size_limit",
    "log_max_num",
    "log.format",
    "log.level",
    "log.levels.*",
  ]),

  ...applied("files", "the new one is written, the old pid file stays, an old ports file goes", [
    "pid_file",
    "ports_file_dir",
  ]),
  ...applied("info", atOnce, ["reload_on_change"]),
  ...applied("info", "with the next lame duck mode", [
    "lame_duck_duration",
    "lame_duck_grace_period",
  ]),
];

const rules = new Map(changeTable.map((rule) => [rule.setting, rule]));

/** The rule for a setting, its own or that of the nearest block with `.**`; none by mistake only. */
export function ruleFor(setting: string): ChangeRule | undefined {
  let rule = rules.get(setting);
  for (let at = setting; rule === undefined; at = at.slice(0, at.lastIndexOf("."))) {
    rule = rules.get(`${at}.**`);
    if (!at.includes(".")) break;
  }
  return rule;
}
