import { assert, assertEquals } from "@std/assert";
import { type Level, Logging } from "../../src/log/mod.ts";
import { VirtualClock } from "../../src/platform/mod.ts";
import { MemoryFiles } from "../support/memory_files.ts";

function start(level: Level, levels?: Record<string, Level>) {
  const clock = new VirtualClock();
  const written: string[] = [];
  const logging = new Logging({
    clock,
    files: new MemoryFiles(),
    pid: 1,
    stderrWrite: (text) => written.push(text),
    config: {
      level,
      levels,
      format: "text",
      log_size_limit: 0,
      log_max_num: 0,
      logtime: false,
      logtime_utc: false,
      max_traced_msg_len: 4,
    },
  });
  return { clock, logging, written };
}

const all: readonly Level[] = ["trace", "debug", "info", "warn", "error"];

Deno.test("a level lets through itself and what matters more", () => {
  for (const [index, level] of all.entries()) {
    const { logging, written } = start(level);
    const log = logging.log("client");
    for (const each of all) log[each](each);
    assertEquals(written.length, all.length - index, level);
    assertEquals([log.traceOn, log.debugOn], [index === 0, index <= 1], level);
  }
});

Deno.test("a module has its own level, its children too unless they have theirs", () => {
  const { logging, written } = start("warn", { client: "debug", "client.accept": "error" });
  const client = logging.log("client");
  assert(client.debugOn);
  assert(client.child("parser").debugOn);
  assert(!client.child("accept").debugOn);
  assert(!logging.log("clients").debugOn);
  client.child("accept").warn("not shown");
  logging.log("route").info("not shown");
  client.child("parser").debug("shown");
  assertEquals(written, ["[1] [DBG] shown module=client.parser\n"]);
});

Deno.test("levels change at once, for the logs handed out before too", () => {
  const { logging, written } = start("info");
  const root = logging.log();
  const client = root.child("client");
  const reader = client.child("reader");
  assertEquals([root.traceOn, client.traceOn, reader.traceOn], [false, false, false]);
  logging.setLevels("error", { client: "trace" });
  assertEquals([root.traceOn, client.traceOn, reader.traceOn], [false, true, true]);
  root.warn("not shown");
  reader.trace("shown");
  logging.setLevels("debug");
  assertEquals([root.debugOn, client.debugOn, reader.traceOn], [true, true, false]);
  reader.trace("not shown");
  assertEquals(written, ["[1] [TRC] shown module=client.reader\n"]);
});

Deno.test("a module has one log, and made-up names do not pile up", () => {
  const { logging, written } = start("info");
  assert(logging.log("client") === logging.log().child("client"));
  const logs = new Set(Array.from({ length: 2000 }, (_, cid) => logging.log(`client:${cid}`)));
  assert(logs.size <= 257);
  logging.log("client:1999").info("still logged");
  assertEquals(written.length, 1);
});

Deno.test("what happens very often is logged once per period, with a count", async () => {
  const { logging, written, clock } = start("info");
  const log = logging.log("client");
  const accept = () => log.limited("EMFILE", 1000)?.error("Accept failed", { code: "EMFILE" });
  for (let i = 0; i < 5; i++) accept();
  log.limited("ENFILE", 1000)?.error("Another error");
  logging.log("route").limited("EMFILE", 1000)?.error("Another module");
  await clock.advance(999);
  accept();
  await clock.advance(1);
  accept();
  accept();
  await clock.advance(5000);
  accept();
  await clock.advance(5000);
  accept();
  assertEquals(written, [
    "[1] [ERR] Accept failed module=client code=EMFILE\n",
    "[1] [ERR] Another error module=client\n",
    "[1] [ERR] Another module module=route\n",
    "[1] [ERR] Accept failed module=client code=EMFILE suppressed=5\n",
    "[1] [ERR] Accept failed module=client code=EMFILE suppressed=1\n",
    "[1] [ERR] Accept failed module=client code=EMFILE\n",
  ]);
});

Deno.test("keys beyond the limiter's bound push out the oldest, no other", () => {
  const { logging } = start("info");
  const log = logging.log();
  for (let i = 0; i < 1025; i++) assert(log.limited(`key ${i}`, 1000));
  assertEquals(log.limited("key 1", 1000), undefined);
  assert(log.limited("key 0", 1000) !== undefined);
});

Deno.test("a log shows payloads up to the configured length", () => {
  const { logging } = start("info");
  assertEquals(logging.log().payload(new TextEncoder().encode("hello")), '"hell..."');
});
