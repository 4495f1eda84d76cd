import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  commandLine,
  environmentVariable,
  networkAddresses,
  onSignal,
  onStrayError,
  processId,
  runtimeVersion,
  type StrayError,
} from "../../src/platform/mod.ts";

Deno.test("the process describes itself and its machine", () => {
  assert(Array.isArray(commandLine()));
  assertEquals(environmentVariable("DENATS_NO_SUCH_VARIABLE"), undefined);
  assertEquals(processId(), Deno.pid);
  assertMatch(runtimeVersion(), /^deno \d+\.\d+\.\d+/);
  assert(networkAddresses().includes("127.0.0.1"));
});

Deno.test({
  name: "a signal calls its handler until disposed",
  ignore: Deno.build.os === "windows",
  async fn() {
    let calls = 0;
    // Waiting for a signal does not keep the event loop alive.
    const alive = setInterval(() => {}, 1_000);
    const first = Promise.withResolvers<void>();
    const registration = onSignal("SIGUSR2", () => {
      calls++;
      first.resolve();
    });
    Deno.kill(Deno.pid, "SIGUSR2");
    await first.promise;
    registration[Symbol.dispose]();
    registration[Symbol.dispose]();
    // Another listener proves that the second signal arrived, and keeps it from ending the process.
    const second = Promise.withResolvers<void>();
    using _other = onSignal("SIGUSR2", () => second.resolve());
    Deno.kill(Deno.pid, "SIGUSR2");
    await second.promise;
    clearInterval(alive);
    assertEquals(calls, 1);
  },
});

/** A program in a process of its own, since stray errors are the whole process's. */
async function run(program: string): Promise<{ code: number; out: string; err: string }> {
  const module = new URL("../../src/platform/mod.ts", import.meta.url).href;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", `import * as platform from "${module}"; ${program}`],
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: decode(stdout), err: decode(stderr) };
}

Deno.test("stray errors reach the handler and do not end the process, until disposed", async () => {
  const { code, out, err } = await run(`
    let seen = 0;
    const registration = platform.onStrayError(({ kind, error }) => {
      platform.writeStdout(kind + " " + error.message + "\\n");
      if (++seen === 2) setTimeout(() => {
        registration[Symbol.dispose]();
        Promise.reject(new Error("after disposal"));
      });
      throw new Error("the handler's own");
    });
    Promise.reject(new Error("nobody waits"));
    setTimeout(() => { throw new Error("from a timer"); });
  `);
  // Which comes first is for the runtime to say.
  assertEquals(out.trim().split("\n").sort(), ["error from a timer", "rejection nobody waits"]);
  assertEquals(code, 1);
  assertMatch(err, /after disposal/);
});

Deno.test("the debugger port is closed within a millisecond, and not waited for without end", async () => {
  for (const opensAtMs of [0, 7, 99, 700, Infinity]) {
    const { code, out, err } = await run(`
      const { default: inspector } = await import("node:inspector");
      let nowMs = 0, looks = 0;
      await platform.closeInspector({
        monotonic: () => nowMs,
        sleep: (ms) => {
          looks++;
          const before = nowMs;
          nowMs += ms;
          if (before <= ${opensAtMs} && ${opensAtMs} < nowMs) inspector.open(0, "127.0.0.1");
          return Promise.resolve();
        },
      });
      platform.writeStdout([inspector.url() === undefined, nowMs, looks].join(" "));
    `);
    assertEquals(code, 0, err);
    const [closed, atMs, looks] = out.split(" ");
    assertEquals(closed, "true");
    if (opensAtMs < 100) assertEquals(Number(atMs), opensAtMs + 1);
    else if (opensAtMs < 1000) assert(Number(atMs) <= opensAtMs + 10, out);
    else assert(Number(atMs) <= 1010 && Number(looks) <= 200, out);
  }
});

Deno.test("output is written before the process exits, however much", async () => {
  const { code, out, err } = await run(`
    const written = platform.writeStdout("x".repeat(1_000_000));
    platform.writeStderr("written: " + written);
    platform.exitProcess(3);
  `);
  assertEquals([code, out.length, err], [3, 1_000_000, "written: true"]);
});

Deno.test("the kinds of stray errors are told apart", () => {
  // In this process, with events made by hand: preventDefault is what keeps the process alive.
  const strays: StrayError[] = [];
  using _registration = onStrayError((stray) => strays.push(stray));
  const error = new Error("by hand");
  const event = new ErrorEvent("error", { error, cancelable: true });
  globalThis.dispatchEvent(event);
  assertEquals([event.defaultPrevented, strays], [true, [{ kind: "error", error }]]);
});
