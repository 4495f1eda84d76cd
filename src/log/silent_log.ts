/**
 * A log for an embedding program that wants none, and for tests.
 *
 * @module
 */
import { BaseHandler } from "@std/log";
import { Log } from "./log.ts";

/** Drops everything; its flags are off, and so are those of its children. */
export const silentLog: Log = new Log({
  module: "",
  level: "error",
  handler: new class extends BaseHandler {
    override log(): void {}
  }("CRITICAL"),
  limiter: { admit: () => undefined },
  maxTracedBytes: () => 0,
  child: () => silentLog,
});
