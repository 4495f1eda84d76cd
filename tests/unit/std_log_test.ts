import { assert, assertEquals, assertThrows } from "@std/assert";
import { BaseHandler, getLevelByName, getLevelName, type LevelName, LogLevels } from "@std/log";
import { Logger, LogRecord } from "@std/log/logger";

class Lines extends BaseHandler {
  readonly lines: string[] = [];
  destroyed = 0;

  override log(line: string): void {
    this.lines.push(line);
  }

  override destroy(): void {
    this.destroyed++;
  }
}

Deno.test("levels have names and numbers", () => {
  assertEquals(getLevelByName("WARN"), LogLevels.WARN);
  assertEquals(getLevelName(10), "DEBUG");
  assertEquals(getLevelName(LogLevels.NOTSET), "NOTSET");
  assertThrows(
    () => getLevelByName("LOUD" as LevelName),
    Error,
    "Cannot get log level: no level named LOUD",
  );
  assertThrows(
    () => getLevelName(5 as 10),
    Error,
    "Cannot get log level: no name for level: 5",
  );
});

Deno.test("a logger hands on what matters enough, a handler writes what does", () => {
  const all = new Lines("NOTSET");
  const errors = new Lines("ERROR", {
    formatter: ({ loggerName, msg }) => `${loggerName}: ${msg}`,
  });
  const logger = new Logger("client", "INFO", { handlers: [all, errors] });
  logger.debug("a");
  logger.info("b");
  logger.warn("c");
  logger.error("d");
  logger.critical("e");
  assertEquals(all.lines, ["INFO b", "WARN c", "ERROR d", "CRITICAL e"]);
  assertEquals(errors.lines, ["client: d", "client: e"]);
});

Deno.test("levels can be changed, to those there are", () => {
  const handler = new Lines("ERROR");
  const logger = new Logger("client", "ERROR", { handlers: [handler] });
  logger.levelName = "DEBUG";
  assertEquals([logger.level, logger.loggerName], [LogLevels.DEBUG, "client"]);
  logger.level = LogLevels.INFO;
  assertEquals(logger.levelName, "INFO");
  assertThrows(() => logger.level = 5 as 10, TypeError, "Invalid log level: 5");
  handler.level = LogLevels.INFO;
  assertEquals(handler.levelName, "INFO");
  handler.levelName = "WARN";
  assertEquals(handler.level, LogLevels.WARN);
  logger.info("a");
  logger.warn("b");
  assertEquals(handler.lines, ["WARN b"]);
});

Deno.test("a message is any value, or a function called only when it is needed", () => {
  const handler = new Lines("NOTSET", { formatter: ({ msg }) => msg });
  const logger = new Logger("", "INFO", { handlers: [handler] });
  assertEquals(logger.debug(() => assert(false)), undefined);
  assertEquals(logger.info(() => 5), 5);
  assertEquals(logger.info({ a: "b", c: [1n], d: null }).a, "b");
  logger.info(undefined);
  assertEquals(handler.lines, ["5", '{"a":"b","c":{"0":1},"d":null}', "undefined"]);
});

Deno.test("a record cannot be changed", () => {
  const args = [1];
  const record = new LogRecord({ msg: "a", args, level: LogLevels.WARN, loggerName: "client" });
  args.push(2);
  record.args.push(3);
  record.datetime.setTime(0);
  assertEquals(record.args, [1]);
  assert(record.datetime.getTime() > 0);
  assertEquals([record.level, record.levelName], [30, "WARN"]);
});

Deno.test("disposing of a handler destroys it", () => {
  const handler = new Lines("INFO");
  {
    using used = handler;
    used.setup();
  }
  assertEquals(handler.destroyed, 1);
});
