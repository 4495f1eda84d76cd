import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { Logging, type LoggingConfig, silentLog } from "../../src/log/mod.ts";
import { VirtualClock } from "../../src/platform/mod.ts";
import { MemoryFiles } from "../support/memory_files.ts";

const startMs = Date.UTC(2026, 10, 22, 13, 43, 24, 123);

const defaults: LoggingConfig = {
  level: "info",
  format: "text",
  log_size_limit: 0,
  log_max_num: 0,
  logtime: true,
  logtime_utc: true,
  max_traced_msg_len: 256,
};

function start(config: Partial<LoggingConfig> = {}) {
  const clock = new VirtualClock({ startMs });
  const written: string[] = [];
  const logging = new Logging({
    clock,
    files: new MemoryFiles(),
    pid: 17,
    stderrWrite: (text) => written.push(text),
    config: { ...defaults, ...config },
  });
  return { clock, logging, written };
}

Deno.test("a text line looks as nats-server's, with module and fields behind the message", () => {
  const { logging, written } = start();
  logging.log().info("Server is ready");
  logging.log("client").warn("Slow consumer", {
    cid: 5,
    name: "my app",
    account: "$G",
    address: "[::1]:4222",
    user: undefined,
    limit: 67_108_864n,
  });
  assertEquals(written, [
    "[17] 2026/11/22 13:43:24.123000 [INF] Server is ready\n",
    "[17] 2026/11/22 13:43:24.123000 [WRN] Slow consumer module=client cid=5 " +
    'name="my app" account=$G address=[::1]:4222 limit=67108864\n',
  ]);
});

Deno.test("each level has nats-server's tag", () => {
  const { logging, written } = start({ level: "trace", logtime: false });
  const log = logging.log();
  log.trace("a");
  log.debug("a");
  log.info("a");
  log.warn("a");
  log.error("a");
  assertEquals(
    written,
    ["TRC", "DBG", "INF", "WRN", "ERR"].map((tag) => `[17] [${tag}] a\n`),
  );
});

Deno.test("time is local unless UTC is asked for, has microseconds and moves on", async () => {
  const { logging, written, clock } = start({ logtime_utc: false });
  logging.log().info("one");
  await clock.advance(1876.789);
  logging.log().info("two");
  const local = (ms: number) => {
    const at = new Date(ms);
    const two = (value: number) => String(value).padStart(2, "0");
    return `${at.getFullYear()}/${two(at.getMonth() + 1)}/${two(at.getDate())} ` +
      `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  };
  assertStringIncludes(written[0]!, `${local(startMs)}.123000 `);
  assertMatch(written[1]!, /:25\.99978\d /);
  assertStringIncludes(written[1]!, local(startMs + 1876.789));
});

Deno.test("JSON lines carry the same, and no field replaces what is the line's own", () => {
  const { logging, written } = start({ format: "json" });
  logging.log("client.accept").error("No more files", {
    cid: 3,
    total: 9007199254740993n,
    tls: false,
    time: "field",
    left: undefined,
  });
  assertEquals(JSON.parse(written[0]!), {
    time: "2026-11-22T13:43:24.123000Z",
    level: "error",
    pid: 17,
    module: "client.accept",
    message: "No more files",
    cid: 3,
    total: "9007199254740993",
    tls: false,
    time_: "field",
  });
  const timeless = start({ format: "json", logtime: false });
  timeless.logging.log().info("a");
  assertEquals(JSON.parse(timeless.written[0]!), { level: "info", pid: 17, message: "a" });
});

Deno.test("an error is shown with its stack and its cause, in one line", () => {
  const { logging, written } = start();
  const error = new TypeError("no such thing", { cause: new RangeError("too far") });
  logging.log().error("Panic", { error });
  assertEquals(written[0]!.indexOf("\n"), written[0]!.length - 1);
  assertStringIncludes(written[0]!, 'error="TypeError: no such thing\\n');
  assertStringIncludes(written[0]!, "log_lines_test.ts");
  assertStringIncludes(written[0]!, "Caused by: RangeError: too far");

  Object.defineProperty(error, "stack", {
    get() {
      throw new Error("not even this");
    },
  });
  logging.log().error("Panic", { error });
  assertStringIncludes(written[1]!, 'error="an error that cannot be shown"');
});

Deno.test("a value that somebody else chose is cut", () => {
  const { logging, written } = start();
  logging.log().info("hello", { name: "x".repeat(1_000_000) });
  assert(written[0]!.length < 8300);
  assert(written[0]!.endsWith("xxx...\n"));
});

Deno.test("whatever peers choose, a call is one line that shows what it is", () => {
  for (const format of ["text", "json"] as const) {
    const { logging, written } = start({ format });
    const log = logging.log("client");
    fc.assert(fc.property(
      fc.string({ unit: "binary" }),
      fc.string({
        unit: fc.constantFrom("\n", "\r", "\x1b", "\u2028", "\u202e", "\x9b", "=", "a"),
      }),
      (message, name) => {
        written.length = 0;
        log.info(message, { name });
        assertEquals(written.length, 1);
        const line = written[0]!.slice(0, -1);
        assert(!/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(line), line);
        if (format === "json") {
          const { message: shown, name: named } = JSON.parse(line);
          assertEquals([shown, named], [message, name]);
        } else {
          const value = line.slice(line.lastIndexOf(" name=") + 6);
          assertEquals(value.startsWith('"') ? JSON.parse(value) : value, name);
        }
      },
    ));
  }
});

Deno.test("the silent log is off, whoever asks", () => {
  const log = silentLog.child("client").child("accept");
  assertEquals([log.debugOn, log.traceOn], [false, false]);
  log.trace("a");
  log.error("a");
  assertEquals(log.limited("a", 1), undefined);
});
