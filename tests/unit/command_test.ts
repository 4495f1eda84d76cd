import { assertEquals, assertThrows } from "@std/assert";
import { readArguments } from "../../src/command/arguments.ts";
import { type Command, type CommandWorld, runCommand } from "../../src/command/mod.ts";
import { ConfigError, FlagError } from "../../src/config/mod.ts";
import { MemoryFiles } from "../support/memory_files.ts";

function world(): CommandWorld & { readonly out: string[]; readonly err: string[] } {
  const out: string[] = [], err: string[] = [];
  return {
    out,
    err,
    stdout: (text) => out.push(text) > 0,
    stderr: (text) => err.push(text) > 0,
    files: new MemoryFiles(),
    env: () => undefined,
  };
}

const echo: Command = {
  name: "echo",
  usage: "<word>",
  help: "Print a word.",
  details: ["    -n   print no line break"],
  run: (args, { stdout }) => {
    const { words: [word = ""], switches } = readArguments(args, {
      switches: ["n"],
      words: [1, 1],
    });
    if (word === "bad") throw new ConfigError([{ path: "a", found: "bad" }]);
    stdout(switches.has("n") ? word : `${word}\n`);
    return Promise.resolve(word === "fail" ? 1 : 0);
  },
};

Deno.test("the first word asks for a command, which gets the arguments after it", async () => {
  const it = world();
  assertEquals(await runCommand(["echo", "-n", "a"], it, [echo]), 0);
  assertEquals(await runCommand(["echo", "fail"], it, [echo]), 1);
  assertEquals([it.out, it.err], [["a", "fail\n"], []]);
});

Deno.test("what is no command is left to the server's flags", async () => {
  for (const args of [[], ["-c", "echo"], ["help"], ["ech"]]) {
    assertEquals(await runCommand(args, world(), [echo]), undefined);
  }
});

Deno.test("a command explains itself", async () => {
  for (const flag of ["-h", "--help"]) {
    const it = world();
    assertEquals(await runCommand(["echo", "a", flag], it, [echo]), 0);
    assertEquals(
      it.out.join(""),
      `Usage: denats echo <word>

Print a word.

    -n   print no line break
`,
    );
  }
});

Deno.test("wrong arguments and configurations are told in a line", async () => {
  const it = world();
  assertEquals(await runCommand(["echo"], it, [echo]), 1);
  assertEquals(await runCommand(["echo", "bad"], it, [echo]), 1);
  assertEquals(it.err, [
    "denats: an argument is missing; see denats echo --help\n",
    "denats: a: bad\n",
  ]);
});

Deno.test("arguments are flags with and without values, and words", () => {
  const names = { switches: ["quiet"], values: ["config"], short: { c: "config" }, words: [0, 2] };
  const read = (...args: string[]) => {
    const { switches, values, words } = readArguments(args, { ...names, words: [0, 2] });
    return [[...switches], [...values], words];
  };
  assertEquals(read("a", "-c", "x", "--quiet", "b"), [["quiet"], [["config", "x"]], ["a", "b"]]);
  assertEquals(read("-config=x", "--quiet=false"), [[], [["config", "x"]], []]);
  assertEquals(read("--config", "-", "--", "-c"), [[], [["config", "-"]], ["-c"]]);
  assertEquals(read("--", "--quiet"), [[], [], ["--quiet"]]);
  const refused = (...args: string[]) => assertThrows(() => read(...args), FlagError).message;
  assertEquals(refused("--loud"), 'unknown flag "--loud"');
  assertEquals(refused("--quiet=maybe"), "flag --quiet: expected true or false");
  assertEquals(refused("-c"), "flag --config needs a value");
  assertEquals(refused("a", "b", "c"), 'unexpected argument "c"');
  assertEquals(refused("---c"), 'bad flag syntax: "---c"');
  assertEquals(refused("--constructor"), 'unknown flag "--constructor"');
});
