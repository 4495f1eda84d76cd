import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Logging, type LoggingConfig } from "../../src/log/mod.ts";
import { VirtualClock } from "../../src/platform/mod.ts";
import { MemoryFiles } from "../support/memory_files.ts";

const path = "/var/log/denats.log";

function start(config: Partial<LoggingConfig> = {}, files = new MemoryFiles()) {
  const clock = new VirtualClock({ startMs: Date.UTC(2026, 10, 22, 13, 43, 24) });
  const stderr: string[] = [];
  const logging = new Logging({
    clock,
    files,
    pid: 1,
    stderrWrite: (text) => stderr.push(text),
    config: {
      level: "info",
      format: "text",
      log_file: path,
      log_size_limit: 0,
      log_max_num: 0,
      logtime: false,
      logtime_utc: true,
      max_traced_msg_len: 0,
      ...config,
    },
  });
  return { clock, files, logging, log: logging.log(), stderr };
}

Deno.test("lines are appended to the file, at once and to what is there", async () => {
  const files = new MemoryFiles();
  await files.writeText(path, "before\n");
  const { logging, log, stderr } = start({}, files);
  log.info("one");
  assertEquals(files.lines(path), ["before", "[1] [INF] one"]);
  log.info("two");
  assertEquals(files.lines(path), ["before", "[1] [INF] one", "[1] [INF] two"]);
  logging.close();
  logging.close();
  assertEquals([files.openFiles, stderr], [0, []]);
});

Deno.test("a line after closing is not lost, and reopening opens nothing", () => {
  const { files, logging, log, stderr } = start();
  {
    using closing = logging;
    closing.log().info("one");
  }
  assert(!logging.reopen());
  log.error("late");
  assertEquals(files.lines(path), ["[1] [INF] one"]);
  assertEquals([files.openFiles, stderr], [0, ["[1] [ERR] late\n"]]);
});

Deno.test("a file moved away by logrotate is begun anew on reopen", () => {
  const { files, logging, log } = start();
  log.info("one");
  files.renameSync(path, `${path}.1`);
  log.info("two");
  logging.reopen();
  log.info("three");
  assertEquals(files.lines(`${path}.1`), ["[1] [INF] one", "[1] [INF] two"]);
  assertEquals(files.lines(path), ["[1] [INF] three"]);
  assertEquals(files.openFiles, 1);
});

Deno.test("a log file that somebody deleted is begun anew at its limit", () => {
  const { files, log } = start({ log_size_limit: 30 });
  log.info("one");
  files.removeSync(path);
  log.info("two");
  log.info("three");
  assertEquals(files.lines(path), ["[1] [INF] three"]);
  assertEquals(files.openFiles, 1);
});

Deno.test("a file that would grow past the limit is put aside under the time", async () => {
  const { files, log, clock, stderr } = start({ log_size_limit: 30 });
  log.info("first"); // 16 bytes a line with its end
  log.info("a line that is longer than the limit is");
  await clock.advance(1500.25);
  log.info("third");
  assertEquals(files.paths, [
    path,
    `${path}.2026.11.22.13.43.24.000000000`,
    `${path}.2026.11.22.13.43.25.500250000`,
  ]);
  assertEquals(files.lines(files.paths[1]!), ["[1] [INF] first"]);
  assertEquals(files.lines(path), ["[1] [INF] third"]);
  assertEquals([files.openFiles, stderr], [1, []]);
});

Deno.test("files put aside in the same moment do not replace each other", () => {
  const { files, log } = start({ log_size_limit: 1 });
  for (const text of ["a", "b", "c", "d"]) log.info(text);
  const lines = files.paths.flatMap((each) => files.lines(each)!).sort();
  assertEquals(lines, ["a", "b", "c", "d"].map((text) => `[1] [INF] ${text}`));
});

Deno.test("only so many files are kept, the newest, and none that is not ours", async () => {
  const files = new MemoryFiles();
  await files.writeText(`${path}.keep`, "");
  await files.writeText("/var/log/other.log.2026.01.01.00.00.00.000000000", "");
  await files.writeText(`${path}.2020.01.01.00.00.00.000000000`, "old\n");
  const { log } = start({ log_size_limit: 1, log_max_num: 3 }, files);
  for (const text of ["a", "b", "c", "d"]) log.info(text);
  assertEquals(files.paths.length, 5);
  const ours = files.paths.filter((each) => /denats\.log(\.\d.*)?$/.test(each));
  assertEquals(
    ours.flatMap((each) => files.lines(each)!).sort(),
    ["[1] [INF] b", "[1] [INF] c", "[1] [INF] d"],
  );
});

Deno.test("a file without a folder in its path rotates too", () => {
  const { files, log } = start({ log_file: "denats.log", log_size_limit: 1, log_max_num: 1 });
  for (const text of ["a", "b", "c"]) log.info(text);
  assertEquals(files.paths, ["denats.log"]);
  assertEquals(files.lines("denats.log"), ["[1] [INF] c"]);
});

/** What is said when the file can be written again, here and there. */
const recovery = `[1] [INF] Log file ${path} can be written, logging to it from here on module=log`;

Deno.test("when the disk is full, stderr gets one explanation and every line until it is not", async () => {
  const { clock, files, log, stderr } = start();
  log.info("one");
  files.failing.add("write");
  log.info("two");
  log.info("three");
  assertEquals(stderr.splice(0), [
    `[1] [ERR] Log file ${path} cannot be written, logging to standard error until it can be: ` +
    `write ${path}: no space left module=log\n`,
    "[1] [INF] two\n",
    "[1] [INF] three\n",
  ]);
  assertEquals(files.openFiles, 0);

  await clock.advance(1000);
  log.info("four"); // it can be opened, but not written
  assertEquals(stderr.splice(0), ["[1] [INF] four\n"]);
  files.failing.clear();
  log.info("five"); // it is not tried again at every line
  assertEquals(stderr.splice(0), ["[1] [INF] five\n"]);
  await clock.advance(1000);
  log.info("six");
  log.info("seven");
  assertEquals(files.lines(path), [
    "[1] [INF] one",
    recovery,
    "[1] [INF] six",
    "[1] [INF] seven",
  ]);
  assertEquals([files.openFiles, stderr], [1, [`${recovery}\n`]]);
});

Deno.test("while the file cannot be opened, that is tried at most once a second", async () => {
  const files = new MemoryFiles();
  files.failing.add("open");
  const { clock, log, stderr } = start({}, files);
  const tries = () => files.openTries;
  assertEquals(tries(), 1);
  for (let i = 0; i < 50; i++) {
    log.info("a line");
    await clock.advance(100);
  }
  assertEquals(tries(), 1 + 4);
  assertEquals(stderr.length, 1 + 50);
  files.failing.clear();
  log.info("the last");
  assertEquals(files.lines(path), [recovery, "[1] [INF] the last"]);
  assertEquals(stderr.slice(51), [`${recovery}\n`]);
});

Deno.test("a folder that is not there does not keep the broker from starting", () => {
  const files = new MemoryFiles();
  files.failing.add("open");
  const { logging, log, stderr } = start({}, files);
  log.info("one");
  assertEquals(stderr.length, 2);
  assertMatch(stderr[0]!, /cannot be opened, logging to standard error until it can be: /);
  assertEquals(stderr[1], "[1] [INF] one\n");
  assert(!logging.reopen());
  assertEquals(stderr.length, 3, "who asks is told again");
  files.failing.clear();
  assert(logging.reopen());
  log.info("two");
  assertEquals(files.lines(path), [recovery, "[1] [INF] two"]);
});

Deno.test("a file that cannot be put aside goes on growing, with one complaint each doubling", () => {
  const { files, log, stderr } = start({ log_size_limit: 100 });
  files.failing.add("rename");
  for (let i = 0; i < 20; i++) log.info("0123456789"); // 21 bytes a line
  assertEquals(files.lines(path)!.length, 20);
  assertEquals(stderr.length, 3); // at 100, 200 and 400 bytes
  assertStringIncludes(stderr[0]!, "cannot be rotated, trying again at 200 bytes: rename");
  files.failing.clear();
  for (let i = 0; i < 30; i++) log.info("0123456789");
  assert(files.paths.length > 2);
  assertEquals(files.openFiles, 1);
});

Deno.test("an old file that cannot be removed is no reason to stop", () => {
  const { files, log, stderr } = start({ log_size_limit: 1, log_max_num: 1 });
  files.failing.add("remove");
  for (const text of ["a", "b", "c"]) log.info(text);
  assertEquals(files.paths.length, 3);
  assertEquals(stderr.length, 2);
  files.failing.clear();
  log.info("d");
  assertEquals(files.paths, [path]);
});

Deno.test("where no file can be opened at rotation, the file put aside is written on", async () => {
  const { clock, files, log, stderr } = start({ log_size_limit: 1, log_max_num: 1 });
  log.info("a");
  files.failing.add("open");
  log.info("b");
  log.info("c");
  const aside = `${path}.2026.11.22.13.43.24.000000000`;
  assertEquals(files.paths, [aside]);
  assertEquals(files.lines(aside), ["a", "b", "c"].map((text) => `[1] [INF] ${text}`));
  assertEquals(stderr, [
    `[1] [ERR] Log file ${path} cannot be opened, logging to the file opened before it ` +
    `until it can be: open ${path}: no space left module=log\n`,
  ]);

  files.failing.clear();
  await clock.advance(1000);
  log.info("d");
  assertEquals(files.lines(path), [recovery, "[1] [INF] d"]);
  assertEquals([files.openFiles, stderr.slice(1)], [1, [`${recovery}\n`]]);
  log.info("e");
  assertEquals(files.paths, [path], "rotation goes on");
});

Deno.test("where the file put aside cannot be written either, stderr gets the lines", () => {
  const { files, log, stderr } = start({ log_size_limit: 1 });
  log.info("a");
  files.failing.add("open").add("write");
  log.info("b");
  log.info("c");
  assertEquals(stderr.length, 4);
  assertMatch(stderr[1]!, /cannot be written, logging to standard error until it can be: /);
  assertEquals(stderr.slice(2), ["[1] [INF] b\n", "[1] [INF] c\n"]);
});

Deno.test("where no file can be opened on reopen, the file moved away is written on", async () => {
  const { clock, files, logging, log } = start();
  files.renameSync(path, `${path}.1`);
  files.failing.add("open");
  assert(!logging.reopen());
  log.info("one");
  files.failing.clear();
  await clock.advance(1000);
  log.info("two");
  assertEquals(files.lines(`${path}.1`), ["[1] [INF] one"]);
  assertEquals(files.lines(path), [recovery, "[1] [INF] two"]);
});

Deno.test("logging never throws, even with nowhere to go", () => {
  const files = new MemoryFiles();
  for (const operation of ["open", "write", "rename", "remove", "list"] as const) {
    files.failing.add(operation);
  }
  const logging = new Logging({
    clock: new VirtualClock(),
    files,
    pid: 1,
    stderrWrite() {
      throw new Error("closed pipe");
    },
    config: {
      level: "trace",
      format: "json",
      log_file: path,
      log_size_limit: 10,
      log_max_num: 2,
      logtime: true,
      logtime_utc: false,
      max_traced_msg_len: 0,
    },
  });
  logging.log("client").error("a", { error: new Error("b") });
  logging.reopen();
  logging.close();
});
