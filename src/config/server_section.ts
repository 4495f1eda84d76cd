/**
 * The settings of the server itself: who it is, where it listens, what files it leaves, how it ends.
 *
 * @module
 */
import {
  inputOnly,
  listOrOne,
  map,
  optional,
  type Rule,
  scalar,
  withDefault,
  withLateDefault,
} from "./fields.ts";
import { duration, port } from "./number_kinds.ts";
import { defaultClusterListen } from "./route_url.ts";
import {
  advertisedAddress,
  boolean,
  host,
  type ListenAddress,
  listenAddress,
  text,
} from "./text_kinds.ts";
import { formatDuration } from "./units.ts";

/** Where clients connect when nothing else is said: nats-server's own defaults. */
export const defaultListen = { host: "0.0.0.0", port: 4222 } as const;

const filePath = text({ expected: "a path" });

/** Name and addresses. */
export const addressFields = {
  server_name: optional(
    scalar(text({ expected: "a name without spaces", pattern: /^\S+$/ })),
    "denats-1",
    "Name of this server, unique in its cluster, without spaces. Default: the server's id.",
  ),
  host: withLateDefault(
    scalar(host()),
    defaultListen.host,
    "Address to listen on for clients; 0.0.0.0 is every IPv4 interface, :: every interface.",
  ),
  port: withLateDefault(
    scalar(port()),
    defaultListen.port,
    "Port to listen on for clients; -1 lets the system choose a free one.",
  ),
  listen: inputOnly(
    scalar(listenAddress()),
    "0.0.0.0:4222",
    "host and port in one: host:port, or only a port.",
  ),
  client_advertise: optional(
    scalar(advertisedAddress()),
    "nats.example.com:4222",
    "Address that clients are told to connect to, where it differs from host and port.",
  ),
  server_tags: withDefault(
    listOrOne(scalar(text({ expected: "a tag" }))),
    [],
    "Tags of this server, such as its region; kept for monitoring, which comes later.",
  ),
  server_metadata: withDefault(
    map(scalar(text({ expected: "text" }))),
    {},
    "Facts about this server by name; kept for monitoring, which comes later.",
  ),
};

/** Files that other programs read. */
export const fileFields = {
  pid_file: optional(
    scalar(filePath),
    "/run/denats.pid",
    "File to write the process id to.",
  ),
  ports_file_dir: optional(
    scalar(filePath),
    "/run",
    "Folder to write nats-server_<pid>.ports to: the addresses really listened on, as JSON.",
  ),
};

/** Changing it while it runs. */
export const reloadFields = {
  reload_on_change: withDefault(
    scalar(boolean()),
    false,
    "Reload this file, and those that it includes, when they change; else only SIGHUP does.",
  ),
};

/** The end of a server that clients should leave first. */
export const lameDuckFields = {
  lame_duck_duration: withDefault(
    scalar(duration({ min: 30_000 })),
    "2m",
    "Time that lame duck mode (SIGUSR2) takes, in which clients are closed one by one; at least 30s.",
  ),
  lame_duck_grace_period: withDefault(
    scalar(duration({ min: 0 })),
    "10s",
    "Time between announcing lame duck mode and closing the first client.",
  ),
};

/** The settings that {@link listenAgrees} compares. */
interface Listening {
  readonly listen?: ListenAddress | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** `listen` may stand beside `host` and `port` only where it says the same. */
export const listenAgrees: Rule<Listening> = ({ listen, host, port }, report) => {
  if (listen === undefined) return;
  if (port !== undefined && port !== listen.port) {
    report([["listen"], ["port"]], {
      expected: "listen and port to name the same port, or only one of them",
      found: `${listen.port} and ${port}`,
    });
  }
  if (host !== undefined && listen.host !== undefined && host !== listen.host) {
    report([["listen"], ["host"]], {
      expected: "listen and host to name the same address, or only one of them",
      found: `${listen.host} and ${host}`,
    });
  }
};

/** The settings that {@link graceIsShorter} compares. */
interface LameDuck {
  readonly lame_duck_duration: number;
  readonly lame_duck_grace_period: number;
}

/** Nobody would be closed in time otherwise. */
export const graceIsShorter: Rule<LameDuck> = (values, report) => {
  const { lame_duck_duration: whole, lame_duck_grace_period: grace } = values;
  if (whole === undefined || grace === undefined || grace < whole) return;
  report([["lame_duck_grace_period"], ["lame_duck_duration"]], {
    expected: "a lame_duck_grace_period shorter than lame_duck_duration",
    found: `${formatDuration(grace)} and ${formatDuration(whole)}`,
  });
};

/** The settings that {@link portsDiffer} compares. */
interface Ports extends Listening {
  readonly cluster?: Listening | undefined;
}

/** One port cannot be listened on for two things. */
export const portsDiffer: Rule<Ports> = (values, report, given) => {
  const { cluster } = values;
  const unsure = (["listen", "host", "port"] as const).some((key) =>
    given.has(key) && values[key] === undefined
  );
  if (cluster === undefined || unsure) return;
  const ours = addressOf(values, defaultListen), theirs = addressOf(cluster, defaultClusterListen);
  const overlap = ours.host === theirs.host || isEvery(ours.host) || isEvery(theirs.host);
  if (ours.port !== theirs.port || ours.port === -1 || !overlap) return;
  report([["cluster", "port"], ["cluster", "listen"], ["port"], ["listen"]], {
    expected: "a port for the cluster that differs from the port for clients",
    found: `${theirs.port} for both`,
  });
};

function addressOf({ listen, host, port }: Listening, defaults: Required<ListenAddress>) {
  return {
    host: host ?? listen?.host ?? defaults.host,
    port: port ?? listen?.port ?? defaults.port,
  };
}

/** Whether an address stands for every interface. */
function isEvery(host: string): boolean {
  return host === "0.0.0.0" || /^[0:]+$/.test(host);
}
