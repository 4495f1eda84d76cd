/**
 * Configuration files beside nats-server: what `nats-server -t` accepts and refuses, and denats.
 *
 * The files are made up from seeds, good ones and ones with something wrong, in every spelling of the
 * format. A file that fails is printed with its seed.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  ConfigError,
  type ConfigWarning,
  convertConfig,
  loadConfig,
  type Problem,
} from "../../src/config/mod.ts";
import { DenoFiles, SeededRandom } from "../../src/platform/mod.ts";
import { CertificateFolder, TestAuthority } from "../support/certificates.ts";
import { runCommand } from "../support/command.ts";
import { boolean, integer, list, map, string } from "../support/conf_chance.ts";
import { makeUpConf, type TlsFiles } from "../support/conf_settings.ts";
import {
  type ConfMap,
  type ConfSpelling,
  type ConfValue,
  type ConfWriting,
  writeConf,
} from "../support/conf_text.ts";
import { findNatsServer } from "../support/nats_server.ts";

const binary = await findNatsServer("2.15");

/** How many files are made up of what denats has, and how many of them are damaged. */
const FILE_COUNT = 240, DAMAGED_COUNT = 120;
/** How many nats-servers run at once. */
const SERVERS = 4;

/** Where a name of a user's choice stands, and no key of nats-server. */
function hasNames(path: readonly string[]): boolean {
  return path.at(-1) === "accounts" && path.length === 1 ||
    path.some((key) =>
      ["mappings", "maps", "server_metadata", "default_js_domain", "ocsp"].includes(key)
    );
}

const spelling: ConfSpelling = {
  includes: true,
  anyCase: (path) => !hasNames(path),
  // nats-server takes the names of variables for subjects or settings there.
  variables: (path) => !path.some((key) => ["mappings", "maps", "tls"].includes(key)),
};

/** What a server says of a file: nothing where it accepts it. */
interface Verdicts {
  readonly official: string | undefined;
  readonly ours: readonly Problem[] | undefined;
  readonly warnings: readonly ConfigWarning[];
}

/** A folder with a configuration in it. */
class ConfFolder implements AsyncDisposable {
  readonly path: string;
  readonly #writing: ConfWriting;

  private constructor(path: string, writing: ConfWriting) {
    this.path = path;
    this.#writing = writing;
  }

  static async write(writing: ConfWriting): Promise<ConfFolder> {
    const folder = new ConfFolder(await Deno.makeTempDir({ prefix: "denats-conf-" }), writing);
    const files = { ...writing.files, "main.conf": writing.text };
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder.path}/${name}`, text);
    }
    return folder;
  }

  get main(): string {
    return `${this.path}/main.conf`;
  }

  async verdicts(ignoreUnsupported = false): Promise<Verdicts> {
    const official = await askNatsServer(this.main);
    const warnings: ConfigWarning[] = [];
    try {
      await loadConfig({
        flags: { configFile: this.main, overrides: [], ignoreUnsupported },
        env: () => undefined,
        files: new DenoFiles(),
        onWarning: (warning) => warnings.push(warning),
      });
      return { official, ours: undefined, warnings };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { official, ours: error.problems, warnings };
    }
  }

  describe(): string {
    const { text, files } = this.#writing;
    return Object.entries({ "main.conf": text, ...files })
      .map(([name, content]) => `--- ${name}\n${content}`).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** What `nats-server -t` says against a file; `undefined` where it is valid. */
async function askNatsServer(file: string): Promise<string | undefined> {
  const command = new Deno.Command(binary ?? "", { args: ["-t", "-c", file], stdin: "null" });
  const { code, stderr } = await command.output();
  return code === 0 ? undefined : new TextDecoder().decode(stderr);
}

/** Calls `each` for the numbers below `count`, a few at once. */
async function inParallel(count: number, each: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) await each(next++);
  };
  await Promise.all(Array.from({ length: SERVERS }, work));
}

/** The places of problems in text of nats-server, as `file:line`. */
function placesIn(text: string): string[] {
  return [...text.matchAll(/([^\s/]+\.conf):(\d+):/g)].map(([, file, line]) => `${file}:${line}`);
}

/** Whether one of the problems of denats stands where nats-server saw one. */
function agreesOnPlace(official: string, ours: readonly Problem[]): boolean {
  const places = new Set(placesIn(official));
  if (places.size === 0) return true;
  // nats-server tells the line of the key, or of the map around it.
  return ours.some(({ source = "", line = 0 }) =>
    [0, 1, 2, 3, 4].some((above) => places.has(`${source.replace(/^.*\//, "")}:${line - above}`))
  );
}

/** A certificate, its key and its authority. */
async function issueFiles(folder: CertificateFolder): Promise<TlsFiles> {
  const authority = await TestAuthority.create();
  const { cert_file, key_file } = await folder.pair("server", await authority.issue({}));
  const caFile = await folder.write("ca.pem", authority.pem);
  return { certFile: cert_file, keyFile: key_file, caFile };
}

Deno.test({
  name: "conf: made-up files of settings that both have are accepted and refused alike",
  ignore: binary === undefined,
  fn: async () => {
    await using certificates = await CertificateFolder.create();
    const tlsFiles = await issueFiles(certificates);
    let accepted = 0, placed = 0, refused = 0;
    const failures: string[] = [];
    await inParallel(FILE_COUNT, async (seed) => {
      const random = new SeededRandom(seed);
      const { conf, fault } = makeUpConf(random, seed % 2 === 1, tlsFiles);
      await using folder = await ConfFolder.write(writeConf(conf, random, spelling));
      const { official, ours } = await folder.verdicts();
      if ((official === undefined) !== (ours === undefined)) {
        const problems = ours?.map(({ path, found }) => `${path}: ${found}`).join("\n");
        failures.push(
          `seed ${seed} (${fault ?? "good"}):\nnats-server: ${official ?? "valid"}\n` +
            `denats: ${problems ?? "valid"}\n${folder.describe()}`,
        );
      } else if (official === undefined || ours === undefined) {
        accepted++;
        const { yaml } = await convertConfig({
          file: folder.main,
          env: () => undefined,
          files: new DenoFiles(),
        });
        assertEquals(
          await load(yaml, "converted.yaml"),
          await load(undefined, folder.main),
          `seed ${seed}`,
        );
      } else {
        refused++;
        if (agreesOnPlace(official, ours)) placed++;
      }
    });
    assertEquals(failures, []);
    assert(accepted >= 80 && refused >= 80, `${accepted} accepted, ${refused} refused`);
    assert(placed >= 0.95 * refused, `the place is told alike in ${placed} of ${refused}`);
  },
});

function load(text: string | undefined, file: string) {
  return loadConfig({ file, text, env: () => undefined, files: new DenoFiles() });
}

/** A setting that denats does not have: where it stands, and a value that nats-server accepts. */
const unsupported: readonly (readonly [path: readonly string[], value: ConfValue])[] = [
  [["connect_error_reports"], integer(10)],
  [["default_js_domain"], map([["A", string("hub")]])],
  [["disable_sublist_cache"], boolean(true)],
  [["no_sublist_cache"], boolean(true)],
  [["feature_flags"], map([["x", boolean(true)]])],
  [["gateway"], map([["name", string("east")], ["listen", string("127.0.0.1:7222")]])],
  [["http"], string("127.0.0.1:8222")],
  [["http_base_path"], string("/nats")],
  [["http_port"], integer(8222)],
  [["https"], string("127.0.0.1:8443")],
  [["https_port"], integer(8443)],
  [["monitor_port"], integer(8222)],
  [["jetstream"], string("enabled")],
  [["jetstream"], map([["store_dir", string("/tmp/js")], ["max_mem", integer(1_073_741_824)]])],
  [["leafnodes"], map([["listen", string("127.0.0.1:7422")]])],
  [["leaf"], map([["port", integer(7422)]])],
  [["max_closed_clients"], integer(100)],
  [["mqtt"], map([["port", integer(1883)]])],
  [["ocsp"], boolean(true)],
  [["ocsp"], map([["mode", string("auto")]])],
  [["ocsp_cache"], boolean(true)],
  [["prof_block_rate"], integer(1)],
  [["prof_port"], integer(8300)],
  [["proxies"], map([["trusted", list([])]])],
  [["proxy_protocol"], boolean(true)],
  [["reconnect_error_reports"], integer(10)],
  [["remote_syslog"], string("udp://127.0.0.1:514")],
  [["resolver_tls"], map([["timeout", integer(1)]])],
  [["store_dir"], string("/tmp/js")],
  [["storedir"], string("/tmp/js")],
  [["syslog"], boolean(true)],
  [["trace_headers"], boolean(true)],
  [["websocket"], map([["port", integer(8080)], ["no_tls", boolean(true)]])],
  [["ws"], map([["port", integer(8080)], ["no_tls", boolean(true)]])],
  [["write_timeout"], string("close")],
  [["accounts", "A", "msg_trace"], string("t.a")],
  [["accounts", "A", "trace_dest"], string("t.a")],
  [["authorization", "proxy_required"], boolean(true)],
  [["cluster", "write_timeout"], string("close")],
  [["tls", "cipher_suites"], list([string("TLS_AES_128_GCM_SHA256")])],
  [["tls", "curve_preferences"], list([string("CurveP256")])],
];

/** `conf` with a value at `path`, in place of what is there. */
function withValue(
  conf: ConfMap,
  [key = "", ...rest]: readonly string[],
  value: ConfValue,
): ConfMap {
  const others = conf.map.filter(([name]) => name !== key);
  if (rest.length === 0) return map([...others, [key, value]]);
  const below = conf.map.find(([name]) => name === key)?.[1];
  const inner = below !== undefined && "map" in below ? below : map([]);
  return map([...others, [key, withValue(inner, rest, value)]]);
}

/** `conf` with a `tls` block that is whole. */
function withFiles(conf: ConfMap, { certFile, keyFile, caFile }: TlsFiles): ConfMap {
  const files = [["cert_file", certFile], ["key_file", keyFile], ["ca_file", caFile]] as const;
  return files.reduce((made, [key, path]) => withValue(made, ["tls", key], string(path)), conf);
}

Deno.test({
  name: "conf: what denats does not support is named with its file, line and block",
  ignore: binary === undefined,
  fn: async () => {
    await using certificates = await CertificateFolder.create();
    const tlsFiles = await issueFiles(certificates);
    let count = 0;
    const failures: string[] = [];
    await inParallel(2 * unsupported.length, async (index) => {
      const [path, value] = unsupported[index % unsupported.length]!;
      const random = new SeededRandom(index);
      const { conf } = makeUpConf(random, false);
      // Which a setting of that name would not go with.
      const others = map(conf.map.filter(([key]) => key !== path[0] || path.length > 1));
      const plain = path[0] === "tls" ? withFiles(others, tlsFiles) : others;
      const writing = writeConf(withValue(plain, path, value), random, {
        ...spelling,
        variables: false,
      });
      await using folder = await ConfFolder.write(writing);
      const { official, ours = [] } = await folder.verdicts();
      const { ours: left, warnings } = await folder.verdicts(true);
      const named = ours.map(({ path, found }) => `${path}: ${found}`);
      const ignored = warnings.filter(({ kind }) => kind === "unsupported");
      const [warning] = ignored;
      const key = path.at(-1) ?? "";
      const text = warning?.source === folder.main
        ? writing.text
        : writing.files[warning?.source?.replace(/^.*\//, "") ?? ""];
      const line = text?.split("\n")[(warning?.line ?? 0) - 1] ?? "";
      const good = official === undefined && left === undefined && ignored.length === 1 &&
        warning?.path === path.join(".") && line.slice((warning.column ?? 0) - 1).toLowerCase()
        .replace(/^["']/, "").startsWith(key) &&
        named.join() === `${path.join(".")}: not supported by this version of denats` &&
        ours[0]?.line === warning.line;
      if (good) count++;
      else {
        failures.push(
          `${path.join(".")} (seed ${index}): nats-server: ${official ?? "valid"}\ndenats: ` +
            `${named.join("\n")}\nignoring: ${
              JSON.stringify([left, warnings])
            }\n${folder.describe()}`,
        );
      }
    });
    assertEquals(failures, []);
    assert(count >= 50, String(count));
  },
});

/** What is put into files to damage them. */
const pieces = [
  " ",
  "\n",
  ":",
  "=",
  "{",
  "}",
  "[",
  "]",
  ",",
  ";",
  "#",
  '"',
  "'",
  "\\",
  "$",
  "-",
  "1",
  ".",
];

Deno.test({
  name: "conf: damaged files are no configuration to either, or one to both",
  ignore: binary === undefined,
  fn: async () => {
    let broken = 0, whole = 0;
    const failures: string[] = [];
    await inParallel(DAMAGED_COUNT, async (seed) => {
      const random = new SeededRandom(1_000_000 + seed);
      const { conf } = makeUpConf(random, false);
      const { text, files } = writeConf(conf, random, spelling);
      const at = random.below(text.length + 1);
      const piece = pieces[random.below(pieces.length)] ?? "";
      const damaged = random.next() < 0.6
        ? text.slice(0, at) + piece + text.slice(at)
        : text.slice(0, at) + text.slice(at + 1);
      await using folder = await ConfFolder.write({ text: damaged, files });
      const { official, ours = [] } = await folder.verdicts();
      // Problems of settings have the path of one.
      const unreadable = ours.some(({ path }) => path === "");
      const theirs = official !== undefined &&
        /Parse error|config is invalid|variable reference|include|no values/.test(official);
      if (unreadable && official === undefined || theirs && ours.length === 0) {
        failures.push(
          `seed ${seed}: nats-server: ${official ?? "valid"}\ndenats: ${JSON.stringify(ours)}\n` +
            folder.describe(),
        );
      }
      if (unreadable) broken++;
      else whole++;
    });
    assertEquals(failures, []);
    assert(broken >= 20 && whole >= 20, `${broken} unreadable, ${whole} not`);
  },
});

Deno.test({
  name: "conf: the command -t says of a file what nats-server says",
  ignore: binary === undefined,
  fn: async () => {
    for (const seed of [2, 3, 5]) {
      const random = new SeededRandom(seed);
      const { conf, fault } = makeUpConf(random, seed % 2 === 1);
      await using folder = await ConfFolder.write(writeConf(conf, random, spelling));
      const official = await askNatsServer(folder.main);
      const { code, stderr } = await runCommand(["-t", "-c", folder.main]);
      assertEquals(code === 0, official === undefined, `${fault}: ${stderr}`);
      assertStringIncludes(stderr, code === 0 ? "is valid (sha256:" : `${folder.path}/`);
    }
    await using folder = await ConfFolder.write({
      text: "include part.conf\nhttp_port: 8222\n",
      files: { "part.conf": "server_name: n\njetstream { store_dir: /tmp }\n" },
    });
    const refused = await runCommand(["-t", "-c", folder.main]);
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.stderr, `${folder.path}/part.conf:2:1: jetstream: not supported`);
    assertStringIncludes(refused.stderr, `${folder.main}:2:1: http_port: not supported`);
    const ignoring = await runCommand(["-t", "--ignore-unsupported", "-c", folder.main]);
    assertEquals(ignoring.code, 0, ignoring.stderr);
    assertStringIncludes(ignoring.stderr, `warning: ${folder.path}/part.conf:2:1: jetstream`);
    assertStringIncludes(ignoring.stderr, `warning: ${folder.main}:2:1: http_port`);
  },
});

/** Where denats is known to judge otherwise, and why. */
const deviations: readonly {
  readonly text: string;
  readonly official: boolean;
  readonly ours: boolean;
}[] = [
  // A number of seconds is a duration to a server that starts, and a warning to nats-server -t.
  { text: "ping_interval: 20", official: false, ours: true },
  { text: 'lame_duck_duration: 60\nserver_name: "a"', official: false, ours: true },
  // A variable among the settings of a destination is one of them to nats-server.
  {
    text: 'mappings { "a.b": [ { d: "c", destination: $d, weight: 100 } ] }',
    official: false,
    ours: true,
  },
  // nats-server -t accepts what it refuses when it starts, or what is of no use.
  { text: "max_payload: 8MB, max_pending: 1MB", official: true, ours: false },
  { text: 'authorization { token: "$2a$11$short" }', official: true, ours: false },
  { text: "cluster { port: 6333, routes: [ http://a:1 ] }", official: true, ours: false },
  { text: "accounts: 5", official: true, ours: false },
  // Two names of one key, of which nats-server takes any.
  { text: "host: a, net: b", official: true, ours: false },
  { text: "port: 1, Port: 2", official: true, ours: false },
  // nats-server takes this for a key without a value, and the next value for that of another key.
  { text: "max_connections: 5kbb\nport: 4222", official: true, ours: false },
  // More than 64 bits hold, of which nats-server keeps what is left.
  { text: "max_connections: 10e", official: true, ours: false },
  { text: 'server_name: "\\xff"', official: true, ours: false },
  { text: "# nothing", official: false, ours: true },
];

Deno.test({
  name: "conf: where denats judges otherwise is known",
  ignore: binary === undefined,
  fn: async () => {
    for (const { text, official, ours } of deviations) {
      await using folder = await ConfFolder.write({ text: `${text}\n`, files: {} });
      const verdicts = await folder.verdicts();
      assertEquals(
        [verdicts.official === undefined, verdicts.ours === undefined],
        [official, ours],
        `${text}: ${verdicts.official}`,
      );
    }
  },
});
