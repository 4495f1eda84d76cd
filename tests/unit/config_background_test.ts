import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import {
  BackgroundLoadError,
  type Config,
  ConfigError,
  type ConfigInput,
  loadConfig,
  type LoadedBefore,
  loadInBackground,
  normaliseConfig,
} from "../../src/config/mod.ts";
import { digestOf } from "../../src/config/digest.ts";
import { ConfigAssembly, piecesOf, withoutPieces } from "../../src/config/pieces.ts";
import { DenoFiles, SystemClock, VirtualClock, type WorkerEvents } from "../../src/platform/mod.ts";

const users = (count: number, password = "p") =>
  Array.from({ length: count }, (_, i) => ({ user: `u${i}`, password: `${password}${i}` }));

/** A configuration taken apart and put together again, as it is between two threads. */
function handedOver(config: Config, before: Config | null, known = new Map<string, number>()) {
  const assembly = new ConfigAssembly(structuredClone(withoutPieces(config)), before);
  let count = 0;
  for (const piece of piecesOf(config, known)) {
    assembly.add(structuredClone(piece));
    count++;
  }
  return { config: assembly.finish(), count };
}

const names = fc.uniqueArray(
  fc.constantFrom("A", "B", "C", "constructor", "a-b"),
);

Deno.test("a configuration in pieces is the same configuration", () => {
  fc.assert(
    fc.property(
      names,
      fc.array(fc.constantFrom(0, 1, 3, 999, 1000, 1001, 2500), { minLength: 6, maxLength: 6 }),
      fc.boolean(),
      (accounts, sizes, isOpen) => {
        const input: ConfigInput = {
          accounts: Object.fromEntries(
            accounts.map((name, i) => [name, {
              users: users(sizes[i]!).map(({ user, password }) => ({
                user: `${name}-${user}`,
                password,
              })),
            }]),
          ),
          ...(isOpen ? {} : { authorization: { users: users(sizes[5]! + 1) } }),
        };
        const config = normaliseConfig(input);
        assertEquals(handedOver(config, null).config, config);
        assertEquals(handedOver(config, normaliseConfig({})).config, config);
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("what is the same is the object of before, and what is known to be is not sent", () => {
  const of = (password: string) =>
    normaliseConfig({
      accounts: {
        Long: { users: users(2100) },
        Same: { users: [{ user: "s", password: "1" }] },
        Other: { users: [{ user: "o", password }] },
      },
    });
  const before = of("1"), after = of("2");
  const { config } = handedOver(after, before);
  assertEquals(config, after);
  assertStrictEquals(config.accounts!.Same, before.accounts!.Same);
  assertStrictEquals(config.accounts!.Long!.users[2099], before.accounts!.Long!.users[2099]);
  const known = new Map(
    Object.entries(before.accounts!).map(([name, account]) => [name, digestOf(account)]),
  );
  const [piece, ...rest] = piecesOf(after, known);
  assertEquals(rest, []);
  assertEquals(piece!.accounts, [
    ["Long", null],
    ["Same", null],
    ["Other", after.accounts!.Other!],
  ]);
  assertEquals(handedOver(after, before, known).config, after);
});

Deno.test("digests tell what is different apart", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
    const same = JSON.stringify([a]) === JSON.stringify([b]);
    assertEquals(digestOf([a]) === digestOf([b]), same);
  }));
  assert(Number.isSafeInteger(digestOf({})));
});

Deno.test("a thread loads what is in a file, and says what is wrong with it", async () => {
  const path = await Deno.makeTempFile({ suffix: ".yaml" });
  const clock = new SystemClock();
  const load = (before: Config | null) =>
    loadInBackground({ flags: { configFile: path, overrides: [] }, before, clock });
  try {
    const accounts = (password: string) =>
      Array.from(
        { length: 1500 },
        (_, i) =>
          `  A${i}: { users: [{ user: u${i}, password: "${i === 700 ? password : "p"}" }] }`,
      )
        .join("\n");
    await Deno.writeTextFile(path, `max_payload: 2000\naccounts:\n${accounts("old")}\n`);
    const before = await loadConfig({ file: path, env: () => undefined, files: new DenoFiles() });
    const same = await load(before);
    assertEquals(same.config, before);
    assertEquals([[...same.files.keys()], same.warnings], [[path], []]);
    await Deno.writeTextFile(path, `max_payload: 3000\naccounts:\n${accounts("new")}\n`);
    const { config } = await load(before);
    assertEquals(config.max_payload, 3000);
    assertEquals(config.accounts!.A700!.users, [{ user: "u700", password: "new" }]);
    assertStrictEquals(config.accounts!.A701, before.accounts!.A701);
    await Deno.writeTextFile(path, "max_payload: lots\nbogus: 1\n");
    const error = await assertRejects(() => load(before), ConfigError);
    assertEquals(error.problems.map(({ line, path }) => [line, path]), [
      [1, "max_payload"],
      [2, "bogus"],
    ]);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a thread takes what is written as it was from what was loaded last", async () => {
  const path = await Deno.makeTempFile({ suffix: ".yaml" });
  const clock = new SystemClock(), flags = { configFile: path, overrides: [] };
  const write = async (password: string, more = "") => {
    const accounts = ["A", "B", "C"].map((name) =>
      `  ${name}: { users: [{ user: u${name}, password: ${name === "B" ? password : "p"} }] }\n`
    );
    await Deno.writeTextFile(path, `accounts:\n${accounts.join("")}${more}`);
  };
  const load = (last: LoadedBefore | null) =>
    loadInBackground({ flags, before: null, last, clock });
  try {
    await write("old");
    const first: LoadedBefore = await load(null), { config } = first;
    await write("new");
    const second: LoadedBefore = await load(first), { accounts } = second.config;
    assertEquals(accounts!.B!.users, [{ user: "uB", password: "new" }]);
    for (const name of ["A", "C"]) assertStrictEquals(accounts![name], config.accounts![name]);
    assertEquals([first.texts, second.texts?.names], [null, ["A", "B", "C"]]);
    // Without texts it is loaded as a whole.
    assertEquals((await load(first)).config, second.config);
    // What is wrong is told with its place, and what is known stays known.
    await write("new", "  D: { users: [{ user: uA, password: p }] }\n");
    const { problems } = await assertRejects(() => load(second), ConfigError);
    assertEquals(problems.map(({ line, column }) => [line, column]), [[5, 18]]);
    await write("new", "debug: true\n");
    const third = await load(second);
    assertEquals(third.config.debug, true);
    for (const name of ["A", "B"]) {
      assertStrictEquals(third.config.accounts![name], accounts![name]);
    }
  } finally {
    await Deno.remove(path);
  }
});

/** A thread whose answers a test gives. */
function fakeThread() {
  const posted: unknown[] = [];
  let events: WorkerEvents | undefined, ended = 0;
  return {
    posted,
    get ended() {
      return ended;
    },
    get events() {
      return events!;
    },
    startWorker(given: WorkerEvents) {
      events = given;
      return { post: (data: unknown) => void posted.push(data), terminate: () => void ended++ };
    },
  };
}

Deno.test("a thread that fails, hangs or is not wanted any more is ended", async () => {
  const flags = { configFile: "x.yaml", overrides: [] };
  const clock = new VirtualClock(), abort = new AbortController();
  const start = () => {
    const thread = fakeThread();
    const { startWorker } = thread;
    const loading = loadInBackground({
      flags,
      before: null,
      clock,
      signal: abort.signal,
      startWorker,
    });
    return { thread, outcome: assertRejects(() => loading, BackgroundLoadError) };
  };
  const failing = start(), hanging = start(), odd = start();
  failing.thread.events.message({ type: "failed", reason: "no memory" });
  assertEquals((await failing.outcome).message, "no memory");
  odd.thread.events.message({ type: "end" });
  assertEquals((await odd.outcome).message, "the thread has answered out of turn");
  await clock.advance(120_000);
  assertEquals((await hanging.outcome).message, "loading takes too long");
  const unwanted = start();
  abort.abort("the server ends");
  assertEquals((await unwanted.outcome).message, "the server ends");
  const late = start();
  assertEquals((await late.outcome).message, "the server ends");
  for (const { thread } of [failing, hanging, odd, unwanted, late]) assertEquals(thread.ended, 1);
});
