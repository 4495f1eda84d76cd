import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  FlagError,
  helpText,
  loadConfig,
  normaliseArguments,
  type Override,
  parseFlags,
} from "../../src/config/mod.ts";
import { flagGroups, flagsByName } from "../../src/config/flag_table.ts";

const noFiles = {
  env: () => undefined,
  files: { readText: () => Promise.reject(new Error("no file was named")) },
};

function settingsOf(...args: string[]): Record<string, Override["value"]> {
  return Object.fromEntries(
    parseFlags(args).overrides.map(({ path, value }) => [path.join("."), value]),
  );
}

function refusal(...args: string[]): string {
  const { message } = assertThrows(() => parseFlags(args), FlagError);
  assertEquals(message.split("\n").length, 1, "one line");
  return message;
}

Deno.test("flags are rewritten from Go's forms to --name=value", () => {
  const cases: [string[], string[]][] = [
    [["-p", "4222"], ["--port=4222"]],
    [["-p=4222"], ["--port=4222"]],
    [["--port", "4222"], ["--port=4222"]],
    [["-port", "4222"], ["--port=4222"]],
    [["-p", "-1"], ["--port=-1"]],
    [["-DV"], ["--DV=true"]],
    [["-D", "-V"], ["--debug=true", "--trace=true"]],
    [["-T=false"], ["--logtime=false"]],
    [["-ms", "8222"], ["--ms=8222"]],
    [["-sl", "x=y"], ["--signal=x=y"]],
    [["--auth", "5e7"], ["--auth=5e7"]],
    [["--pass", "-D"], ["--pass=-D"]],
    [["-c"], ["--config"]],
    [["-x", "-D"], ["--x", "--debug=true"]],
    [["-D", "help", "-p", "1"], ["--debug=true", "help", "-p", "1"]],
    [["-D", "--", "-p", "1"], ["--debug=true", "--", "-p", "1"]],
    [["---x", "-=1"], ["---x", "-=1"]],
    [["-n", ""], ["--name="]],
  ];
  for (const [args, expected] of cases) assertEquals(normaliseArguments(args), expected);
});

const argument = fc.oneof(
  fc.constantFrom("-", "--", "---", "", "=", "-=", "--=x", "help", "--no-debug", "-__proto__=1"),
  fc.constantFrom(...flagsByName.keys()).map((name) => `-${name}`),
  fc.constantFrom(...flagsByName.keys()).map((name) => `--${name}=value`),
  fc.integer().map(String),
  fc.string(),
  fc.string().map((text) => `-${text}`),
);

Deno.test("rewriting never throws, and doing it twice changes nothing more", () => {
  fc.assert(fc.property(fc.array(argument, { maxLength: 8 }), (args) => {
    const once = normaliseArguments(args);
    assertEquals(normaliseArguments(once), once);
  }));
});

Deno.test("any arguments are read or refused in one line", () => {
  fc.assert(fc.property(fc.array(argument, { maxLength: 8 }), (args) => {
    try {
      parseFlags(args);
    } catch (error) {
      assert(error instanceof FlagError, String(error));
    }
  }));
});

Deno.test("a flag sets what it says, under each of its names", () => {
  assertEquals(settingsOf("-a", "127.0.0.1", "-p", "-1", "-n", "one"), {
    host: "127.0.0.1",
    port: "-1",
    server_name: "one",
  });
  assertEquals(settingsOf("--net=::1", "--server_name", "one", "-P", "/run/pid"), {
    host: "::1",
    server_name: "one",
    pid_file: "/run/pid",
  });
  assertEquals(settingsOf("-DVV"), { debug: "true", trace: "true", trace_verbose: "true" });
  assertEquals(settingsOf("-T=f", "--logtime_utc"), { logtime: "false", logtime_utc: "true" });
  assertEquals(settingsOf("-p", "1", "--port=2"), { port: "2" });
  assertEquals(settingsOf("-l", "a.log", "--log_size_limit", "1MB", "--max_traced_msg_len", "9"), {
    log_file: "a.log",
    log_size_limit: "1MB",
    max_traced_msg_len: "9",
  });
});

Deno.test("tokens, users and passwords stay as they were written", async () => {
  for (const secret of ["5e7", "0123", "1_000", "0x1F", "true", "no", "1e400", " ", "a=b", "-p"]) {
    const flags = parseFlags(["--auth", secret]);
    assertEquals((await loadConfig({ flags, ...noFiles })).authorization.token, secret);
    const user = parseFlags(["--user", secret, "--pass", secret]);
    const { authorization } = await loadConfig({ flags: user, ...noFiles });
    assertEquals([authorization.user, authorization.password], [secret, secret]);
  }
});

Deno.test("the mode follows from flags and words", () => {
  assertEquals(parseFlags([]).mode, "run");
  assertEquals(parseFlags(["-D=false"]).mode, "run");
  assertEquals(parseFlags(["-h"]).mode, "help");
  assertEquals(parseFlags(["-p", "1", "help"]).mode, "help");
  assertEquals(parseFlags(["-v", "-h"]).mode, "version");
  assertEquals(parseFlags(["version"]).mode, "version");
  assertEquals(parseFlags(["-t", "-c", "a.yaml"]).mode, "check");
  assertEquals(parseFlags(["-t", "-c", "a.yaml"]).configFile, "a.yaml");
  assertEquals(parseFlags(["--print-config"]).mode, "print config");
  assertEquals(parseFlags(["-json-schema"]).mode, "json schema");
});

Deno.test("a signal is for the process that is named, or for none that is", () => {
  const cases: [string[], string, string | undefined][] = [
    [["--signal", "reload"], "reload", undefined],
    [["-sl", "ldm=12"], "ldm", "12"],
    [["--signal=stop=/run/a=b.pid", "-c", "x.yaml"], "stop", "/run/a=b.pid"],
  ];
  for (const [args, name, target] of cases) {
    const { mode, signal } = parseFlags(args);
    assertEquals([mode, signal?.name, signal?.target], ["signal", name, target]);
  }
  assertEquals(parseFlags(["--signal", "reload", "--version"]).mode, "version");
});

Deno.test("what is wrong with a flag is said in one line", () => {
  assertEquals(
    refusal("-p", "70000"),
    'flag --port: expected a port from 1 to 65535, or -1 for a random one, found "70000"',
  );
  assertEquals(refusal("-prot", "1"), "unknown flag --prot (did you mean --port?)");
  assertEquals(refusal("--zzzzzzzz"), "unknown flag --zzzzzzzz");
  assertEquals(refusal("-p"), "flag --port needs a value: <port>");
  assertEquals(refusal("--auth="), "flag --auth needs a value: <token>");
  assertEquals(refusal("-c", ""), "flag --config needs a value: <file>");
  assertEquals(refusal("-DV=maybe"), 'flag -DV: expected true or false, found "maybe"');
  assertEquals(
    refusal("--jetstream"),
    "flag --jetstream is not supported by this version of denats",
  );
  assertEquals(refusal("-js"), "flag -js is not supported by this version of denats");
  assertEquals(refusal("-ms", "8222"), "flag -ms is not supported by this version of denats");
  assertEquals(
    refusal("start"),
    'unexpected argument "start": only a command may be the first word',
  );
  assertEquals(refusal("-t"), "-t checks a configuration file: name it with -c <file>");
  assertEquals(refusal("---p"), "bad flag syntax: ---p");
});

Deno.test("a refused secret is not shown", () => {
  const message = refusal("--pass", "$2a$11$tooShort");
  assertStringIncludes(message, "60 characters");
  assert(!message.includes("tooShort"), message);
});

Deno.test("the help names every flag that there is, and no other", () => {
  const text = helpText();
  for (const { flags } of flagGroups) {
    for (const { name, also = [], help = "?" } of flags) {
      for (const each of [name, ...also]) assert(new RegExp(`-${each}[, \\n]`).test(text), each);
      assertStringIncludes(text, help);
    }
  }
  assert(!text.includes("jetstream"), "unsupported flags are left out");
  for (const line of text.split("\n")) assert(line.length <= 105, line);
});
