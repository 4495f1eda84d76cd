/**
 * A regular job.
 *
 * @module
 */
import type { Scope } from "./scope.ts";
import { ticker } from "./ticker.ts";

/**
 * Spawns a task in `scope` that calls `tick` every `periodMs` milliseconds, one call at a time: a call
 * that takes longer than the period makes the ticks it overlaps be skipped. When `tick` throws, the
 * panic is reported and the job starts again after the usual back-off.
 *
 * @throws {ScopeClosedError} when the scope is closing.
 */
export function every(
  scope: Scope,
  name: string,
  periodMs: number,
  tick: () => void | Promise<void>,
): Scope {
  return scope.spawn(name, async (task) => {
    for await (const _ of ticker(task.clock, periodMs, task.signal)) await tick();
  }, { onPanic: "restart" });
}
