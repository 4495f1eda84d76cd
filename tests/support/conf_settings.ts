/**
 * Configurations made up by chance: of settings that both servers have, good ones and ones with
 * something wrong in them.
 *
 * @module
 */
import type { Random } from "../../src/platform/mod.ts";
import {
  boolean,
  Chance,
  type Entry,
  integer,
  list,
  map,
  type Setting,
  string,
} from "./conf_chance.ts";
import { type MadeUpConf, spoil } from "./conf_faults.ts";
import type { ConfMap, ConfValue } from "./conf_text.ts";

/** Files for TLS, by path. */
export interface TlsFiles {
  /** A certificate, PEM. */
  readonly certFile: string;
  /** Its private key, PEM. */
  readonly keyFile: string;
  /** The certificate of its authority, PEM. */
  readonly caFile: string;
}

const userKeys = [
  "UDLUX4VUTBVSQJ2QC5FGZMYFVPLLB4XPLWWP5NQFQAHOUJKT7J5QRXHY",
  "UASHDRRTOKNQOGTW4JHHNKZ6QIL535AVTBMO2YBV3ZQTM53SVF5GUNYG",
];
const bcrypt = "$2a$11$WHMSMCW3nLvRpbwYo5nZR.cX3QVzGJ9XcOr1gnzyvDZq.UMmFMkyG";

const someDuration = (chance: Chance) => string(chance.pick(["1s", "2m", "1m30s", "500ms", "1h"]));
const noDuration = (chance: Chance) => string(chance.pick(["soon", "5 s", "1x", "s"]));
const anySwitch = (chance: Chance) => boolean(chance.of(0.5));
const fewOrMany = (chance: Chance) => integer(chance.pick([1, 5, 100, 1000, 2000, 65_536]));

const sizes = (values: readonly number[]) => (chance: Chance) => integer(chance.pick(values));
const path = (chance: Chance) => string(chance.pick(["/tmp/x", "./a.log", "a b.txt", "c:1"]));

/** Settings that stand alone. */
const plainSettings: readonly Setting[] = [
  {
    names: ["server_name"],
    value: (chance) => string(chance.pick(["n1", "east-1", "a.b", "1n", "ü"])),
    wrong: (chance) => string(chance.pick(["a b", " a"])),
  },
  {
    names: ["client_advertise"],
    value: (chance) => string(chance.pick(["nats.example.com:4222", "10.0.0.1:1", "h"])),
  },
  {
    names: ["server_tags"],
    value: (chance) =>
      chance.of(0.3)
        ? string("one")
        : list(chance.times(0, 3, () => string(chance.pick(["east", "rack:1", "ssd"])))),
  },
  {
    names: ["server_metadata"],
    value: (chance) =>
      map(chance.some(["rack", "Floor", "a b"]).map((key) => [key, string(chance.literal())])),
  },
  { names: ["max_connections", "max_conn"], value: fewOrMany },
  { names: ["max_subscriptions", "max_subs"], value: fewOrMany },
  {
    names: ["max_sub_tokens", "max_subscription_tokens"],
    value: (chance) => integer(chance.pick([1, 16, 255])),
    wrong: (chance) => integer(chance.pick([-1, 256, 1000])),
  },
  { names: ["max_payload"], value: sizes([1024, 8192, 1_000_000, 1_048_576, 8_388_608]) },
  { names: ["max_control_line"], value: sizes([512, 1024, 4096, 8000]) },
  { names: ["max_pending"], value: sizes([8_388_608, 67_108_864, 2 ** 30]) },
  { names: ["write_deadline"], value: someDuration, wrong: noDuration },
  { names: ["ping_interval"], value: someDuration, wrong: noDuration },
  { names: ["ping_max"], value: (chance) => integer(chance.pick([1, 2, 10])) },
  { names: ["no_header_support"], value: anySwitch },
  { names: ["no_fast_producer_stall"], value: anySwitch },
  { names: ["debug"], value: anySwitch },
  { names: ["trace"], value: anySwitch },
  { names: ["trace_verbose"], value: anySwitch },
  { names: ["logtime"], value: anySwitch },
  { names: ["logtime_utc"], value: anySwitch },
  { names: ["log_file", "logfile"], value: path },
  { names: ["log_size_limit", "logfile_size_limit"], value: sizes([1024, 1_000_000, 10_485_760]) },
  { names: ["log_max_num", "logfile_max_num"], value: fewOrMany },
  { names: ["max_traced_msg_len"], value: fewOrMany },
  { names: ["pid_file", "pidfile"], value: path },
  { names: ["ports_file_dir"], value: path },
  {
    names: ["lame_duck_duration"],
    value: (chance) => string(chance.pick(["30s", "2m", "1h"])),
    wrong: (chance) => string(chance.pick(["1s", "29s", "later"])),
  },
  {
    names: ["lame_duck_grace_period"],
    value: (chance) => string(chance.pick(["0s", "1s", "10s"])),
    wrong: (chance) => string(chance.pick(["-1s", "later"])),
  },
  {
    names: ["mappings", "maps"],
    value: (chance) => mappings(chance),
    wrong: (chance) =>
      chance.pick([
        map([["a.b", list([map([["destination", string("c")]])])]]),
        map([["a.b", list([weighted("c", integer(60)), weighted("d", integer(60))])]]),
        map([["a.b", list([weighted("c", string("x%"))])]]),
        map([["a.*", string("c.$2")]]),
      ]),
  },
];

function weighted(destination: string, weight: ConfValue): ConfValue {
  return map([["destination", string(destination)], ["weight", weight]]);
}

function mappings(chance: Chance): ConfValue {
  return map(
    chance.some(["orders.*", "old.>", "x.y", "a.*.b"]).map((from): Entry => {
      const first = from.includes("*") ? "new.$1" : "new";
      const to = from.endsWith(">") ? "new.>" : first;
      if (chance.of(0.4)) return [from, string(to)];
      const dest = chance.pick(["destination", "dest"]);
      const other = from.endsWith(">") ? "other.>" : "other";
      return [
        from,
        list([
          map([[dest, string(to)], ["weight", chance.of(0.5) ? integer(60) : string("60%")]]),
          ...(chance.of(0.5) ? [weighted(other, integer(40))] : []),
        ]),
      ];
    }),
  );
}

function subjects(chance: Chance, queues = false): ConfValue {
  const one = () => string(chance.subject() + (queues && chance.of(0.2) ? " workers" : ""));
  const some = () => chance.of(0.4) ? one() : list(chance.times(1, 3, one));
  if (chance.of(0.4)) return some();
  const entries: Entry[] = [];
  if (chance.of(0.7)) entries.push(["allow", some()]);
  if (chance.of(0.5)) entries.push(["deny", some()]);
  return map(entries);
}

function permissions(chance: Chance): ConfValue {
  const entries: Entry[] = [];
  if (chance.of(0.6)) entries.push([chance.pick(["publish", "pub", "import"]), subjects(chance)]);
  if (chance.of(0.6)) {
    entries.push([chance.pick(["subscribe", "sub", "export"]), subjects(chance, true)]);
  }
  if (chance.of(0.3)) {
    const limits: Entry[] = [
      [chance.pick(["max", "max_msgs", "max_messages", "max_responses"]), integer(5)],
      [chance.pick(["expires", "expiration", "ttl"]), string("1m")],
    ];
    entries.push([
      chance.pick(["allow_responses", "publish_allow_responses"]),
      chance.of(0.5) ? boolean(true) : map(chance.some(limits, 0.6)),
    ]);
  }
  return map(entries);
}

function password(chance: Chance): ConfValue {
  return string(chance.pick(["secret", "s3cret!", "a b", "0123", "5e7", bcrypt, "#x", "$x"]));
}

function userEntries(chance: Chance): Entry[] {
  const entries: Entry[] = [[chance.pick(["user", "username"]), string(chance.name("u"))]];
  if (chance.of(0.8)) entries.push([chance.pick(["pass", "password"]), password(chance)]);
  if (chance.of(0.4)) {
    entries.push([
      chance.pick(["permissions", "permission", "authorization"]),
      permissions(chance),
    ]);
  }
  if (chance.of(0.2)) {
    entries.push([
      chance.pick(["allowed_connection_types", "connection_types", "clients"]),
      list(
        chance.pick([["STANDARD"], ["websocket", "MQTT"], ["LEAFNODE", "STANDARD"]]).map(string),
      ),
    ]);
  }
  return entries;
}

function authorization(chance: Chance, withUsers: boolean): ConfMap {
  const entries: Entry[] = [];
  if (withUsers) {
    const users = chance.times(1, 3, () => map(userEntries(chance)));
    const nkeys = chance.some(userKeys, 0.3).map((key) => map([["nkey", string(key)]]));
    entries.push(["users", list([...users, ...nkeys])]);
    if (chance.of(0.3)) {
      entries.push([
        chance.pick(["default_permissions", "default_permission", "permissions"]),
        permissions(chance),
      ]);
    }
  } else if (chance.of(0.5)) {
    entries.push(["token", password(chance)]);
  } else {
    entries.push([chance.pick(["user", "username"]), string("one")]);
    entries.push([chance.pick(["pass", "password"]), password(chance)]);
  }
  if (chance.of(0.5)) {
    entries.push([
      "timeout",
      chance.pick([integer(2), { float: "0.5" }, string("2s"), string("500ms")]),
    ]);
  }
  return map(entries);
}

function accounts(chance: Chance): ConfMap {
  const users = () => list(chance.times(0, 2, () => map(userEntries(chance))));
  const exporting: Entry[] = [["users", users()]];
  const importing: Entry[] = [["users", users()]];
  if (chance.of(0.7)) {
    const service = chance.literal(), stream = chance.literal();
    exporting.push([
      "exports",
      list([
        map([
          ["service", string(`s.${service}`)],
          ...(chance.of(0.3)
            ? [["response_type", string(chance.pick(["Single", "stream"]))] as const]
            : []),
          ...(chance.of(0.3) ? [["accounts", list([string("B")])] as const] : []),
        ]),
        map([["stream", string(`t.${stream}.>`)]]),
      ]),
    ]);
    if (chance.of(0.8)) {
      importing.push([
        "imports",
        list([
          map([
            ["service", map([["account", string("A")], ["subject", string(`s.${service}`)]])],
            ...(chance.of(0.5) ? [["to", string("svc.a")] as const] : []),
          ]),
          map([
            ["stream", map([["account", string("A")], ["subject", string(`t.${stream}.>`)]])],
            ...(chance.of(0.5) ? [["prefix", string("from.a")] as const] : []),
          ]),
        ]),
      ]);
    }
  }
  if (chance.of(0.3)) {
    const limits: Entry[] = [
      [chance.pick(["max_connections", "max_conn"]), integer(100)],
      [chance.pick(["max_subscriptions", "max_subs"]), integer(-1)],
      [chance.pick(["max_payload", "max_pay"]), integer(2048)],
    ];
    exporting.push(["limits", map(chance.some(limits, 0.6))]);
  }
  if (chance.of(0.3)) importing.push([chance.pick(["mappings", "maps"]), mappings(chance)]);
  if (chance.of(0.2)) exporting.push(["default_permissions", permissions(chance)]);
  return map([
    ["A", map(exporting)],
    ["B", map(importing)],
    ...(chance.of(0.3) ? [["SYS", map([["users", users()]])] as const] : []),
  ]);
}

function cluster(chance: Chance, files: TlsFiles | undefined): ConfMap {
  const entries: Entry[] = [];
  if (chance.of(0.6)) entries.push(["name", string("east")]);
  if (chance.of(0.5)) {
    entries.push(["listen", chance.pick([string("127.0.0.1:6333"), integer(6333)])]);
  } else {
    entries.push([chance.pick(["host", "net"]), string("0.0.0.0")], ["port", integer(6333)]);
  }
  const others: Entry[] = [
    [
      "routes",
      list(["nats-route://a:b@one:6222", "nats://two:6222", "nats-route://[::1]:1"].map(string)),
    ],
    [chance.pick(["advertise", "cluster_advertise"]), string("route.example.com:6222")],
    ["no_advertise", anySwitch(chance)],
    ["connect_retries", integer(5)],
    ["pool_size", integer(chance.pick([1, 3, 5]))],
    ["accounts", chance.of(0.5) ? string("$G") : list([string("$G")])],
    [
      "compression",
      chance.pick([string("s2_fast"), string("off"), string("accept"), boolean(false)]),
    ],
    ["ping_interval", string("20s")],
    ["ping_max", integer(3)],
    ["write_deadline", string("5s")],
    [
      "authorization",
      map([["user", string("r")], ["password", password(chance)], ["timeout", integer(1)]]),
    ],
    [
      "permissions",
      map([["import", subjects(chance)], ["export", subjects(chance)]]),
    ],
  ];
  if (files !== undefined) others.push(["tls", tls(chance, files)]);
  entries.push(...chance.some(others, 0.35));
  return map(entries);
}

function tls(chance: Chance, files: TlsFiles): ConfMap {
  const others: Entry[] = [
    ["verify", anySwitch(chance)],
    ["timeout", chance.pick([integer(2), { float: "0.5" }, string("2s")])],
    ["pinned_certs", list([string("aB".repeat(32))])],
    ["min_version", string(chance.pick(["1.2", "1.3"]))],
    ["insecure", boolean(false)],
  ];
  return map([
    ["cert_file", string(files.certFile)],
    ["key_file", string(files.keyFile)],
    ["ca_file", string(files.caFile)],
    ...chance.some(others),
  ]);
}

function clientTls(chance: Chance, files: TlsFiles): ConfMap {
  const others: Entry[] = [
    ["verify_and_map", anySwitch(chance)],
    [
      chance.pick(["handshake_first", "first", "immediate"]),
      chance.pick([boolean(true), boolean(false), string("auto"), string("100ms")]),
    ],
    ["connection_rate_limit", integer(100)],
  ];
  return map([...tls(chance, files).map, ...chance.some(others)]);
}

/**
 * A configuration of settings that both servers have.
 *
 * @param files For TLS; there is none without them.
 */
export function makeUpConf(random: Random, faulty: boolean, files?: TlsFiles): MadeUpConf {
  const chance = new Chance(random);
  const chosen = plainSettings.filter(() => chance.of(0.12));
  const entries = chosen.map((
    setting,
  ): Entry => [chance.pick(setting.names), setting.value(chance)]);
  if (chance.of(0.5)) {
    const hosts = ["127.0.0.1", "0.0.0.0", "localhost", "::1"];
    if (chance.of(0.5)) {
      entries.push([chance.pick(["host", "net"]), string(chance.pick(hosts))]);
      entries.push(["port", integer(chance.pick([4222, 4333, -1]))]);
    } else {
      entries.push(["listen", chance.pick([string("127.0.0.1:4333"), integer(4333)])]);
    }
  }
  const withAccounts = chance.of(0.4);
  if (chance.of(0.5)) {
    entries.push(["authorization", authorization(chance, withAccounts || chance.of(0.6))]);
  }
  if (withAccounts) {
    const made = accounts(chance);
    entries.push(["accounts", made]);
    if (made.map.some(([name]) => name === "SYS")) {
      entries.push([chance.pick(["system_account", "system"]), string("SYS")]);
    }
  }
  if (files !== undefined && chance.of(0.3)) {
    entries.push(["tls", clientTls(chance, files)], ["allow_non_tls", anySwitch(chance)]);
  }
  if (chance.of(0.4)) entries.push(["cluster", cluster(chance, files)]);
  const conf = map(shuffled(entries, chance));
  return faulty ? spoil(conf, chosen, chance) : { conf };
}

function shuffled<T>(items: readonly T[], chance: Chance): T[] {
  return items.map((item) => ({ item, place: chance.random.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
