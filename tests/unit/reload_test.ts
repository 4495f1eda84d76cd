import { assert, assertEquals, assertMatch } from "@std/assert";
import { type ConfigInput, normaliseConfig } from "../../src/config/mod.ts";
import { Logging } from "../../src/log/mod.ts";
import { VirtualClock } from "../../src/platform/mod.ts";
import { type PreparedChange, Reloader, type ReloadParticipant } from "../../src/reload.ts";
import { MemoryFiles } from "../support/memory_files.ts";

/** Participants that write down what they are asked, and can be made to fail. */
class Scene {
  readonly clock = new VirtualClock();
  readonly done: string[] = [];
  readonly lines: string[] = [];
  /** What throws: `prepare b`, `apply c` and so on. */
  readonly failing = new Set<string>();
  /** Whose preparation is not over before this is resolved. */
  held: { readonly name: string; readonly until: Promise<void> } | null = null;
  readonly reloader: Reloader;

  constructor(config: ConfigInput = {}) {
    const logging = new Logging({
      clock: this.clock,
      files: new MemoryFiles(),
      pid: 1,
      stderrWrite: (line) => this.lines.push(line.trimEnd().replace(/^.*?\[(?=[A-Z]{3}\])/, "[")),
      config: {
        level: "info",
        format: "text",
        log_size_limit: 0,
        log_max_num: 0,
        logtime: false,
        logtime_utc: true,
        max_traced_msg_len: 0,
      },
    });
    this.reloader = new Reloader({
      config: normaliseConfig(config),
      clock: this.clock,
      log: logging.log(),
      participants: ["a", "b", "c"].map((name) => this.#participant(name)),
    });
  }

  #step(step: string): void {
    this.done.push(step);
    if (this.failing.has(step)) throw new Error(`${step} went wrong`);
  }

  #participant(name: string): ReloadParticipant {
    const change: PreparedChange = {
      apply: () => this.#step(`apply ${name}`),
      rollback: () => this.#step(`rollback ${name}`),
      discard: () => this.#step(`discard ${name}`),
      finish: () => this.#step(`finish ${name}`),
    };
    return {
      name,
      prepare: async () => {
        if (this.held?.name === name) await this.held.until;
        this.#step(`prepare ${name}`);
        return change;
      },
    };
  }

  reload(config: ConfigInput) {
    return this.reloader.reload(normaliseConfig(config));
  }
}

Deno.test("A reload is prepared by all, then applied by all, then finished by all", async () => {
  const scene = new Scene();
  const report = await scene.reload({ max_payload: 2000, debug: true });
  assertEquals(report.outcome, "applied");
  assertEquals(
    scene.done.join(", "),
    [
      "prepare a, prepare b, prepare c",
      "apply a, apply b, apply c",
      "finish a, finish b, finish c",
    ].join(", "),
  );
  assertEquals(scene.reloader.config.max_payload, 2000);
  assertEquals(scene.lines, [
    "[INF] Reloaded: max_payload = 2000",
    "[INF] Reloaded: debug = true",
    "[INF] Reloaded server configuration changes=2",
  ]);
});

Deno.test("What does not differ is not applied", async () => {
  const scene = new Scene({ max_payload: 2000 });
  assertEquals((await scene.reload({ max_payload: "2K" })).outcome, "unchanged");
  assertEquals(scene.done, []);
  assertEquals(scene.lines, ["[INF] Reloaded server configuration changes=0"]);
});

Deno.test("One setting that cannot be changed keeps all as it was, in nats-server's words", async () => {
  const scene = new Scene();
  const before = scene.reloader.config;
  const report = await scene.reload({ max_payload: 2000, server_name: "abc" });
  assertEquals(report.outcome, "refused");
  assertEquals(scene.done, []);
  assert(scene.reloader.config === before);
  assertEquals(scene.lines, [
    "[ERR] Failed to reload server configuration: " +
    "config reload not supported for ServerName: old=, new=abc",
  ]);
});

Deno.test("Who cannot prepare stops it, and the others give back what they have taken", async () => {
  const scene = new Scene();
  scene.failing.add("prepare c");
  const before = scene.reloader.config;
  const report = await scene.reload({ max_payload: 2000 });
  assertEquals(report.outcome, "failed");
  assertEquals(scene.done, ["prepare a", "prepare b", "prepare c", "discard a", "discard b"]);
  assert(scene.reloader.config === before);
  assertEquals(scene.lines, [
    "[ERR] Failed to reload server configuration: c: prepare c went wrong",
  ]);
});

Deno.test("Who cannot apply has everything taken back, the last first", async () => {
  const scene = new Scene();
  scene.failing.add("apply b").add("rollback b");
  const before = scene.reloader.config;
  const report = await scene.reload({ max_payload: 2000 });
  assertEquals(report.outcome, "failed");
  assertEquals(scene.done.slice(3), [
    "apply a",
    "apply b",
    "rollback b",
    "rollback a",
    "discard a",
    "discard b",
    "discard c",
  ]);
  assert(scene.reloader.config === before);
  assertEquals(scene.lines, [
    "[ERR] Rolling back a reload: b: rollback b went wrong",
    "[ERR] Failed to reload server configuration: b: apply b went wrong",
  ]);
  scene.failing.clear();
  assertEquals((await scene.reload({ max_payload: 2000 })).outcome, "applied");
});

Deno.test("What goes wrong at the end is told, and the reload holds", async () => {
  const scene = new Scene();
  scene.failing.add("finish a");
  assertEquals((await scene.reload({ max_payload: 2000 })).outcome, "applied");
  assertEquals(scene.done.slice(-3), ["finish a", "finish b", "finish c"]);
  assertEquals(scene.lines[1], "[WRN] After a reload: a: finish a went wrong");
});

Deno.test("Reloads are carried out one after the other", async () => {
  const scene = new Scene();
  const gate = Promise.withResolvers<void>();
  scene.held = { name: "a", until: gate.promise };
  const reports = [2000, 3000, 4000].map((max_payload) => scene.reload({ max_payload }));
  await scene.clock.settle();
  assertEquals(scene.done, []);
  gate.resolve();
  assertEquals((await Promise.all(reports)).map(({ outcome }) => outcome), [
    "applied",
    "applied",
    "applied",
  ]);
  assertEquals(scene.lines.filter((line) => line.includes("max_payload")), [
    "[INF] Reloaded: max_payload = 2000",
    "[INF] Reloaded: max_payload = 3000",
    "[INF] Reloaded: max_payload = 4000",
  ]);
  assertEquals(scene.reloader.config.max_payload, 4000);
});

Deno.test("A preparation that hangs is given up, and what it still gets ready is given back", async () => {
  const scene = new Scene();
  const gate = Promise.withResolvers<void>();
  scene.held = { name: "b", until: gate.promise };
  const report = scene.reload({ max_payload: 2000 });
  await scene.clock.advance(20_000);
  assertEquals((await report).outcome, "failed");
  assertMatch((await report).message, /: b: it takes too long$/);
  assertEquals(scene.done, ["prepare a", "discard a"]);
  gate.resolve();
  await scene.clock.settle();
  assertEquals(scene.done, ["prepare a", "discard a", "prepare b", "discard b"]);
  scene.held = null;
  assertEquals((await scene.reload({ max_payload: 3000 })).outcome, "applied");
});

Deno.test("Whoever waits too long, or behind too many, is told so", async () => {
  const scene = new Scene();
  const never = Promise.withResolvers<void>();
  const slow = new Reloader({
    config: normaliseConfig({}),
    clock: scene.clock,
    log: new Logging({
      clock: scene.clock,
      files: new MemoryFiles(),
      pid: 1,
      stderrWrite: () => {},
      config: {
        level: "error",
        format: "text",
        log_size_limit: 0,
        log_max_num: 0,
        logtime: false,
        logtime_utc: true,
        max_traced_msg_len: 0,
      },
    }).log(),
    participants: [{
      name: "slow",
      prepare: () => ({ apply() {}, rollback() {}, finish: () => never.promise }),
    }],
  });
  const first = slow.reload(normaliseConfig({ max_payload: 1 }));
  const others = Array.from({ length: 15 }, () => slow.reload(normaliseConfig({})));
  assertMatch((await slow.reload(normaliseConfig({}))).message, /too many reloads are waiting/);
  await scene.clock.advance(60_000);
  for (const report of await Promise.all(others)) {
    assertEquals(report.outcome, "failed");
    assertMatch(report.message, /the reload before it takes too long/);
  }
  never.resolve();
  assertEquals((await first).outcome, "applied");
  assertEquals((await slow.reload(normaliseConfig({}))).outcome, "applied");
});

Deno.test("The end of the server ends a reload", async () => {
  const scene = new Scene();
  scene.held = { name: "b", until: new Promise(() => {}) };
  const report = scene.reload({ max_payload: 2000 }), next = scene.reload({ max_payload: 3000 });
  await scene.clock.settle();
  await scene.reloader.close();
  assertMatch((await report).message, /the server ends/);
  assertMatch((await next).message, /the server ends/);
  assertEquals(scene.done, ["prepare a", "discard a"]);
});
