import { assertEquals, assertRejects } from "@std/assert";
import { ConfigFile, NoConfigFileError } from "../../src/config_file.ts";
import { ConfigError, loadInBackground, normaliseConfig } from "../../src/config/mod.ts";
import { FileError, VirtualClock } from "../../src/platform/mod.ts";
import { ProcessNotFoundError, processOf } from "../../src/process_signal.ts";
import { ReloadTrigger, watchFiles } from "../../src/reload_trigger.ts";
import { MemoryFiles } from "../support/memory_files.ts";

Deno.test("however often a reload is asked for meanwhile, one more follows", async () => {
  const gates: PromiseWithResolvers<void>[] = [], failures: unknown[] = [];
  const trigger = new ReloadTrigger({
    reload() {
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      return gate.promise;
    },
    failed: (error) => failures.push(error),
  });
  const asked = trigger.ask();
  for (let i = 0; i < 5; i++) void trigger.ask();
  assertEquals(gates.length, 1);
  gates[0]!.reject("broken");
  await Promise.resolve();
  await new VirtualClock().settle();
  assertEquals([gates.length, failures], [2, ["broken"]]);
  gates[1]!.resolve();
  await asked;
  assertEquals(gates.length, 2);
  void trigger.ask();
  assertEquals(gates.length, 3);
});

/** Files that are watched, on a clock of the test's. */
class Watched implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly stamps = new Map<string, string>([["a", "1"], ["b", "1"]]);
  /** What was loaded last. */
  read: ReadonlyMap<string, string | null> = new Map(this.stamps);
  isOn = true;
  changes = 0;
  readonly #ending = new AbortController();
  readonly #watch = watchFiles({
    clock: this.clock,
    isOn: () => this.isOn,
    read: () => this.read,
    stampOf: (path) => {
      const stamp = this.stamps.get(path);
      return Promise.resolve(stamp === undefined ? null : { stamp, size: 0 });
    },
    changed: () => void this.changes++,
    signal: this.#ending.signal,
  });

  async after(seconds: number): Promise<number> {
    await this.clock.advance(seconds * 1000);
    return this.changes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#watch;
  }
}

Deno.test("a file that changes is told of once, when it has stayed the same for a second", async () => {
  await using watched = new Watched();
  assertEquals(await watched.after(5), 0);
  watched.stamps.set("b", "2");
  assertEquals(await watched.after(1), 0);
  watched.stamps.set("b", "3");
  assertEquals(await watched.after(1), 0);
  assertEquals(await watched.after(1), 1);
  assertEquals(await watched.after(10), 1);
});

Deno.test("a file that is being replaced is waited for", async () => {
  await using watched = new Watched();
  await watched.after(1);
  watched.stamps.delete("a");
  assertEquals(await watched.after(10), 0);
  watched.stamps.set("a", "2");
  assertEquals(await watched.after(2), 1);
});

Deno.test("a file that is the same again is not told of", async () => {
  await using watched = new Watched();
  await watched.after(1);
  watched.stamps.set("a", "2");
  await watched.after(1);
  watched.stamps.set("a", "1");
  assertEquals(await watched.after(5), 0);
});

Deno.test("what is loaded already is not told of, whoever asked for it", async () => {
  await using watched = new Watched();
  watched.isOn = false;
  await watched.after(2);
  watched.stamps.set("a", "2");
  watched.read = new Map(watched.stamps);
  watched.isOn = true;
  assertEquals(await watched.after(5), 0);
  watched.stamps.set("a", "3");
  assertEquals(await watched.after(5), 1);
});

Deno.test("what changes between the load and the first look is told of", async () => {
  await using watched = new Watched();
  watched.stamps.set("a", "2");
  assertEquals(await watched.after(5), 1);
});

Deno.test("a file that could not be loaded comes back after a good one", async () => {
  await using watched = new Watched();
  watched.stamps.set("a", "broken");
  assertEquals(await watched.after(5), 1);
  watched.stamps.set("a", "good");
  watched.read = new Map(watched.stamps);
  assertEquals(await watched.after(5), 1);
  watched.stamps.set("a", "broken");
  assertEquals(await watched.after(5), 2);
});

Deno.test("a file is read again with the flags of the start, a large one in a thread", async () => {
  const files = new MemoryFiles(), clock = new VirtualClock(), before = normaliseConfig({});
  await files.writeText("c.conf", "max_payload: 2000\ninclude more.conf\n");
  await files.writeText("more.conf", "port: 4333\n");
  let size = 100;
  const asked: unknown[] = [];
  const options = {
    flags: {
      configFile: "c.conf",
      overrides: [{ source: "--port", path: ["port"], value: "4444" }],
    },
    env: () => undefined,
    readText: (path: string) => files.readText(path),
    stampOf: (path: string) => Promise.resolve({ stamp: `stamp of ${path}`, size }),
    clock,
    background: ((options) => {
      asked.push(options.flags);
      return Promise.resolve({
        config: before,
        warnings: [],
        files: new Map([["from the thread", "stamp"]]),
        texts: null,
      });
    }) satisfies typeof loadInBackground,
  };
  const file = new ConfigFile(options, new Map([["c.conf", null]]));
  const { signal } = new AbortController();
  const config = await file.load(before, signal, () => {});
  assertEquals([config.max_payload, config.port], [2000, 4444]);
  const read: [string, string | null][] = [["c.conf", "stamp of c.conf"], [
    "more.conf",
    "stamp of more.conf",
  ]];
  assertEquals([...file.read], read);
  await files.writeText("more.conf", "bogus: 1\n");
  await assertRejects(() => file.load(before, signal, () => {}), ConfigError);
  assertEquals([...file.read], read);
  size = 1_000_000;
  assertEquals(await file.load(before, signal, () => {}), before);
  assertEquals([asked, [...file.read.keys()]], [[options.flags], ["from the thread"]]);
  const none = new ConfigFile({ ...options, flags: { overrides: [] } }, new Map());
  await assertRejects(
    () => none.load(before, signal, () => {}),
    NoConfigFileError,
    "can only reload config when a file is provided using -c or --config",
  );
});

Deno.test("a process is named by its number or by a file with it", async () => {
  const files = new MemoryFiles();
  for (const [path, text] of [["pid", "123"], ["line", " 45\n"], ["empty", ""], ["no", "12a"]]) {
    await files.writeText(path!, text!);
  }
  await files.writeText("long", "1".repeat(40));
  assertEquals(await processOf("7", files), 7);
  assertEquals(await processOf("pid", files), 123);
  assertEquals(await processOf("line", files), 45);
  for (const target of ["empty", "no", "long", "0"]) {
    await assertRejects(() => processOf(target, files), ProcessNotFoundError);
  }
  await assertRejects(() => processOf("missing", files), FileError);
});
