/**
 * The flags of the command: one table, from which they are read and explained.
 *
 * @module
 */
import { Refusal } from "./kind.ts";
import type { Path } from "./problem.ts";
import { readClusterUrl } from "./route_url.ts";

/** What the command is asked to do. */
export type Mode = "run" | "help" | "version" | "check" | "print config" | "json schema" | "signal";

/** A setting and the text that a flag has for it; `undefined` takes the file's away. */
export type FlagSetting = readonly [path: Path, value: string | undefined];

/** One flag. */
export interface Flag {
  /** The name that it is rewritten to, without dashes. */
  readonly name: string;
  /** Its other names. */
  readonly also?: readonly string[];
  /** What its value is called; a flag without one is a switch. */
  readonly value?: string;
  /** What it does, in one line; absent when it is not supported yet. */
  readonly help?: string;
  /** The settings that its value overrides. */
  readonly sets?: readonly Path[];
  /** The settings that its value is taken apart into, where it is more than one. */
  readonly reads?: (value: string) => readonly FlagSetting[] | Refusal;
  /** What it asks for instead of running a broker. */
  readonly mode?: Mode;
}

/** Flags under a heading. */
export interface FlagGroup {
  /** The heading. */
  readonly title: string;
  /** The flags. */
  readonly flags: readonly Flag[];
}

/** The flags that denats has: nats-server's names where it has one. */
export const flagGroups: readonly FlagGroup[] = [
  {
    title: "Server Options",
    flags: [
      {
        name: "addr",
        also: ["a", "net"],
        value: "host",
        help: "Bind to host address (default: 0.0.0.0)",
        sets: [["host"]],
      },
      {
        name: "port",
        also: ["p"],
        value: "port",
        help: "Use port for clients, -1 for a random one (default: 4222)",
        sets: [["port"]],
      },
      {
        name: "name",
        also: ["n", "server_name"],
        value: "name",
        help: "Server name (default: the server id)",
        sets: [["server_name"]],
      },
      {
        name: "pid",
        also: ["P"],
        value: "file",
        help: "File to store PID",
        sets: [["pid_file"]],
      },
      { name: "config", also: ["c"], value: "file", help: "Configuration file: .conf, or YAML" },
      {
        name: "ignore-unsupported",
        help: "Only warn of what the file has and denats does not support yet",
      },
      {
        name: "signal",
        also: ["sl"],
        value: "signal[=pid]",
        help: "Signal a server: ldm, quit, reload, reopen, stop, term",
      },
      { name: "t", help: "Test configuration and exit", mode: "check" },
      {
        name: "print-config",
        help: "Print the effective configuration, secrets masked, and exit",
        mode: "print config",
      },
      {
        name: "json-schema",
        help: "Print the JSON Schema of the configuration file and exit",
        mode: "json schema",
      },
      {
        name: "client_advertise",
        value: "host:port",
        help: "Address that clients are told to connect to",
        sets: [["client_advertise"]],
      },
      {
        name: "ports_file_dir",
        value: "dir",
        help: "Create a ports file in this folder (nats-server_<pid>.ports)",
        sets: [["ports_file_dir"]],
      },
    ],
  },
  {
    title: "Logging Options",
    flags: [
      {
        name: "log",
        also: ["l"],
        value: "file",
        help: "File to redirect log output",
        sets: [["log_file"]],
      },
      {
        name: "logtime",
        also: ["T"],
        help: "Timestamp log entries (default: true)",
        sets: [["logtime"]],
      },
      {
        name: "logtime_utc",
        help: "Timestamps in UTC instead of local time",
        sets: [["logtime_utc"]],
      },
      { name: "debug", also: ["D"], help: "Enable debugging output", sets: [["debug"]] },
      { name: "trace", also: ["V"], help: "Trace the raw protocol", sets: [["trace"]] },
      {
        name: "VV",
        help: "Verbose trace (traces system account as well)",
        sets: [["trace"], ["trace_verbose"]],
      },
      { name: "DV", help: "Debug and trace", sets: [["debug"], ["trace"]] },
      {
        name: "DVV",
        help: "Debug and verbose trace (traces system account as well)",
        sets: [["debug"], ["trace"], ["trace_verbose"]],
      },
      {
        name: "log_size_limit",
        value: "limit",
        help: "Log file size limit (default: none)",
        sets: [["log_size_limit"]],
      },
      {
        name: "max_traced_msg_len",
        value: "len",
        help: "Maximum printable length for traced messages (default: unlimited)",
        sets: [["max_traced_msg_len"]],
      },
    ],
  },
  {
    title: "Authorization Options",
    flags: [
      {
        name: "user",
        value: "user",
        help: "User required for connections",
        sets: [["authorization", "user"]],
      },
      {
        name: "pass",
        value: "password",
        help: "Password required for connections",
        sets: [["authorization", "password"]],
      },
      {
        name: "auth",
        value: "token",
        help: "Authorization token required for connections",
        sets: [["authorization", "token"]],
      },
    ],
  },
  {
    title: "TLS Options",
    flags: [
      {
        name: "tls",
        help: "Require TLS of clients; needs --tlscert and --tlskey",
        reads: tlsSettings,
      },
      {
        name: "tlscert",
        value: "file",
        help: "Server certificate file",
        sets: [["tls", "cert_file"]],
      },
      {
        name: "tlskey",
        value: "file",
        help: "Private key of the server certificate",
        sets: [["tls", "key_file"]],
      },
      {
        name: "tlsverify",
        help: "Require and verify certificates of clients; needs --tlscacert",
        sets: [["tls", "verify"]],
      },
      {
        name: "tlscacert",
        value: "file",
        help: "Authorities that certificates of clients are verified against",
        sets: [["tls", "ca_file"]],
      },
    ],
  },
  {
    title: "Cluster Options",
    flags: [
      {
        name: "cluster",
        also: ["cluster_listen"],
        value: "url",
        help: "Listen for routes at nats://[user:pass@]host:port",
        reads: clusterSettings,
      },
      {
        name: "routes",
        value: "urls",
        help: "Servers to connect to, with commas between; needs a cluster",
        sets: [["cluster", "routes"]],
      },
      {
        name: "cluster_name",
        value: "name",
        help: "Cluster name (default: the servers agree on one)",
        sets: [["cluster", "name"]],
      },
      {
        name: "cluster_advertise",
        value: "host:port",
        help: "Address that other servers are told to connect to",
        sets: [["cluster", "advertise"]],
      },
      {
        name: "no_advertise",
        help: "Do not tell clients of the cluster this server's addresses",
        sets: [["cluster", "no_advertise"]],
      },
      {
        name: "connect_retries",
        value: "number",
        help: "Tries to connect again to servers learnt of (default: 0)",
        sets: [["cluster", "connect_retries"]],
      },
    ],
  },
  {
    title: "Common Options",
    flags: [
      { name: "help", also: ["h"], help: "Show this message", mode: "help" },
      { name: "version", also: ["v"], help: "Show version", mode: "version" },
    ],
  },
];

/** As in nats-server, the credentials of the URL replace the file's, even where it has none. */
function clusterSettings(value: string): readonly FlagSetting[] | Refusal {
  const url = readClusterUrl(value);
  if (url instanceof Refusal) return url;
  return [
    [["cluster", "listen"], undefined],
    [["cluster", "host"], url.host],
    [["cluster", "port"], String(url.port)],
    [["cluster", "authorization", "user"], url.user],
    [["cluster", "authorization", "password"], url.password],
  ];
}

/** Whether there is TLS: its settings are those of the other flags. */
function tlsSettings(value: string): readonly FlagSetting[] {
  return value === "true" ? [[["tls"], undefined]] : [[["tls", "verify"], value]];
}

/** Flags of nats-server that denats does not have yet; they are refused by name. */
const unsupportedFlags: readonly Flag[] = [
  { name: "http_port", also: ["m"], value: "port" },
  { name: "https_port", also: ["ms"], value: "port" },
  { name: "syslog", also: ["s"] },
  { name: "remote_syslog", also: ["r"], value: "addr" },
  { name: "jetstream", also: ["js"] },
  { name: "store_dir", also: ["sd"], value: "dir" },
  { name: "help_tls" },
  { name: "profile", value: "port" },
];

/** Every flag, the unsupported ones included, by every name it has. */
export const flagsByName: ReadonlyMap<string, Flag> = new Map(
  [...flagGroups.flatMap((group) => group.flags), ...unsupportedFlags].flatMap((flag) =>
    [flag.name, ...flag.also ?? []].map((name) => [name, flag] as const)
  ),
);

/** A flag's name with its dashes: one before one or two letters or capitals, two before a word. */
export function dashed(name: string): string {
  return /^(?:..?|[A-Z]+)$/.test(name) ? `-${name}` : `--${name}`;
}

/** A command beside running a server, as the help names it. */
export interface CommandHelp {
  /** The word that asks for it. */
  readonly name: string;
  /** What follows the word. */
  readonly usage: string;
  /** What it does, in one line. */
  readonly help: string;
}

/** What `--help` prints. */
export function helpText(commands: readonly CommandHelp[] = []): string {
  const lines = ["Usage: denats [options]"];
  if (commands.length > 0) {
    lines.push("       denats <command> [arguments]", "", "Commands:");
    for (const { name, usage, help } of commands) lines.push(...commandLines(name, usage, help));
  }
  for (const { title, flags } of flagGroups) {
    lines.push("", `${title}:`, ...flags.map(helpLine));
  }
  return `${lines.join("\n")}\n`;
}

function commandLines(name: string, usage: string, help: string): string[] {
  const left = `    ${name} ${usage}`;
  return left.length < 38 ? [`${left.padEnd(38)} ${help}`] : [left, `${"".padEnd(38)} ${help}`];
}

function helpLine({ name, also = [], value, help = "" }: Flag): string {
  const [short = [], long = []] = [
    [name, ...also].filter((item) => dashed(item).lastIndexOf("-") === 0),
    [name, ...also].filter((item) => dashed(item).startsWith("--")),
  ];
  const names = [...short, ...long].map(dashed).join(", ");
  const indent = short.length === 0 ? "        " : "    ";
  const left = `${indent}${names}${value === undefined ? "" : ` <${value}>`}`;
  return `${left.padEnd(38)} ${help}`;
}
