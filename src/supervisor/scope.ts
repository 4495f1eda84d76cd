/**
 * The one primitive of the supervisor.
 *
 * @module
 */
import type { Clock } from "../platform/mod.ts";
import { CloseDeadline } from "./close_deadline.ts";
import { OVERDUE_PATHS_MAX } from "./overdue.ts";
import type { Panic, PanicPolicy } from "./panic.ts";
import { Restart } from "./restart.ts";
import { ScopeClosedError } from "./scope_closed_error.ts";
import type { CloseOptions, ScopeOptions, SpawnOptions, Task } from "./scope_options.ts";
import type { TaskInfo } from "./tree.ts";

const DEFAULT_CLOSE_DEADLINE_MS = 10_000;

/**
 * Owns tasks and child scopes. It ends by {@link Scope.close}, by the end of its task or of its
 * parent, or by a panic, and always in this order: spawning is refused, its signal is aborted, its
 * `onCancel` callbacks are called, its children are ended the same way, then its task and all
 * children are waited for, then its `defer` cleanups run, and it leaves its parent. A throw on that
 * way is a reported panic and never stops it.
 *
 * Whether something in it failed is bookkeeping of the scope, not of the task: a task that throws
 * anywhere counts as ended.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SystemClock, SystemRandom } from "../platform/mod.ts";
 * import { type Panic, Scope } from "./mod.ts";
 *
 * const panics: Panic[] = [];
 * {
 *   await using broker = new Scope("broker", {
 *     clock: new SystemClock(),
 *     random: new SystemRandom(),
 *     onPanic: (panic) => panics.push(panic),
 *   });
 *   const clients = broker.child("clients");
 *   clients.spawn("client:1", (scope) => scope.clock.sleep(60_000, scope.signal));
 *   clients.spawn("client:2", () => {
 *     throw new Error("a bug");
 *   });
 * }
 * assertEquals(panics.map((panic) => panic.path), ["broker/clients/client:2"]);
 * ```
 */
export class Scope implements AsyncDisposable {
  // There may be 100,000 scopes: whatever most of them do not need is made when it is needed.

  /** Name within the parent. */
  readonly name: string;
  readonly #options: ScopeOptions;
  readonly #startedAtMs: number;
  #parent: Scope | undefined;
  #firstChild: Scope | undefined;
  #nextSibling: Scope | undefined;
  #previousSibling: Scope | undefined;
  #childCount = 0;
  #phase: TaskInfo["state"] = "running";
  /** What of its own keeps the scope from ending: its task, its cancelling, its cleaning up. */
  #busy = 0;
  #panics = 0;
  #policy: PanicPolicy = "contain";
  #restart: Restart | undefined;
  #reason: unknown;
  #controller: AbortController | undefined;
  #cancelCallbacks: (() => void)[] | undefined;
  #cleanups: (() => void | Promise<void>)[] | undefined;
  #deadline: CloseDeadline | undefined;
  #done: PromiseWithResolvers<void> | undefined;

  /** The root of a new tree, without a task of its own. */
  constructor(name: string, options: ScopeOptions) {
    this.name = name;
    this.#options = options;
    // A small integer fits into the object itself.
    this.#startedAtMs = Math.trunc(options.clock.monotonic());
  }

  /** Names from the root to here, such as `broker/clients/client:17`. */
  get path(): string {
    return this.#parent === undefined ? this.name : `${this.#parent.path}/${this.name}`;
  }

  /** The clock of the tree. */
  get clock(): Clock {
    return this.#options.clock;
  }

  /** `closing` from the moment the scope begins to end, `closed` once nothing of it is left. */
  get state(): "running" | "closing" | "closed" {
    return this.#phase === "restarting" ? "running" : this.#phase;
  }

  /** Why the scope is closing or closed: what `close` was given, or the error of a panic. */
  get reason(): unknown {
    return this.#reason;
  }

  /** Children that have not ended. */
  get childCount(): number {
    return this.#childCount;
  }

  /** Panics in this scope and in everything that ever ran beneath it. */
  get panics(): number {
    return this.#panics;
  }

  /**
   * Aborted when the scope begins to end. A task that is restarted gets a new one for each attempt.
   * {@link Scope.onCancel} costs less, and a throw there is a panic of this scope, whereas one in an
   * event listener of the signal is an uncaught error of the process.
   */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#phase !== "running") this.#controller.abort(this.#abortReason());
    }
    return this.#controller.signal;
  }

  /**
   * Resolves when the scope is closed, however late; never rejects. What a task waits for at its own
   * scope or at one above it never comes.
   */
  get done(): Promise<void> {
    if (this.#phase === "closed") return Promise.resolve();
    this.#done ??= Promise.withResolvers();
    return this.#done.promise;
  }

  /**
   * A scope without a task of its own, ended by this one or by itself.
   *
   * @throws {ScopeClosedError} when this scope is closing.
   */
  child(name: string): Scope {
    if (this.#phase !== "running") throw new ScopeClosedError(this.path);
    const child = new Scope(name, this.#options);
    child.#parent = this;
    child.#nextSibling = this.#firstChild;
    if (this.#firstChild !== undefined) this.#firstChild.#previousSibling = child;
    this.#firstChild = child;
    this.#childCount++;
    return child;
  }

  /**
   * Runs `task` in a child scope, up to its first `await` before this returns. When it returns or
   * resolves, what it spawned is ended and waited for, and the child scope is closed. A throw is a
   * panic unless it is the reason of the scope's closing, or a {@link ScopeClosedError} while closing.
   * Before a restarted task runs again, everything of the attempt that threw has ended, its cleanups
   * included.
   *
   * @throws {ScopeClosedError} when this scope is closing; then the task never runs.
   */
  spawn(name: string, task: Task, options?: SpawnOptions): Scope {
    const child = this.child(name);
    child.#policy = options?.onPanic ?? "contain";
    if (child.#policy === "restart") {
      child.#restart = new Restart(task, this.clock, this.#options.random, options?.backoff);
    }
    child.#run(task);
    return child;
  }

  /**
   * Calls `callback` synchronously when the scope begins to end: the place to close a socket that the
   * task waits for. Callbacks are called in the order they were registered, at once if the scope
   * is ending already.
   */
  onCancel(callback: () => void): void {
    if (this.#phase !== "running") this.#callCancel(callback);
    // A literal has room for one, an empty array that is pushed to has room for seventeen.
    else if (this.#cancelCallbacks === undefined) this.#cancelCallbacks = [callback];
    else this.#cancelCallbacks.push(callback);
  }

  /**
   * Runs `cleanup` after the task and all children have ended, the last registered first and one at a
   * time. On a scope that is closed already it runs at once.
   */
  defer(cleanup: () => void | Promise<void>): void {
    if (this.#cleanups === undefined) this.#cleanups = [cleanup];
    else this.#cleanups.push(cleanup);
    if (this.#phase === "closed") void this.#cleanUp();
  }

  /** Begins to end the scope and returns at once: for a task that ends itself or its parent. */
  cancel(reason?: unknown): void {
    this.#end(reason);
  }

  /**
   * Ends the scope and resolves when nothing of it is left, or when the deadline has passed: then
   * what is overdue is named to `onOverdue` and left behind in state `closing`. Never rejects; calling
   * it again waits for the same end, and the earliest deadline counts. A task must not wait for the
   * close of its own scope or of one above it: that is what {@link Scope.cancel} is for.
   */
  close(options: CloseOptions = {}): Promise<void> {
    this.#end(options.reason, options.deadlineMs);
    return this.#deadline?.settled ?? Promise.resolve();
  }

  /** {@link Scope.close} with the defaults. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A picture of this scope and everything in it. */
  tree(): TaskInfo {
    const children: TaskInfo[] = [];
    for (const child of this.#children()) children.push(child.tree());
    return {
      name: this.name,
      state: this.#phase,
      age_ms: Math.trunc(this.clock.monotonic()) - this.#startedAtMs,
      restarts: this.#restart?.count ?? 0,
      panics: this.#panics,
      children,
    };
  }

  /** The live children, oldest first. */
  #children(): Scope[] {
    const children: Scope[] = [];
    for (let child = this.#firstChild; child !== undefined; child = child.#nextSibling) {
      children.push(child);
    }
    return children.reverse();
  }

  #run(task: Task): void {
    this.#busy++;
    let running: void | Promise<void>;
    try {
      running = task(this);
    } catch (error) {
      this.#threw(error);
      return;
    }
    if (running === undefined) this.#returned();
    else Promise.resolve(running).then(() => this.#returned(), (error) => this.#threw(error));
  }

  #returned(): void {
    this.#busy--;
    if (this.#phase === "running") this.#end(undefined);
    else this.#advance();
  }

  #threw(error: unknown): void {
    this.#busy--;
    if (this.#phase !== "running") {
      this.#report("task", error);
      this.#advance();
      return;
    }
    const restartInMs = this.#restart?.nextDelayMs();
    if (restartInMs !== undefined) {
      this.#report("task", error, "restart", restartInMs);
      this.#beginRestart(error);
    } else if (this.#policy === "contain" || this.#parent === undefined) {
      this.#report("task", error);
      this.#end(error);
    } else {
      this.#report("task", error, "escalate");
      this.#parent.#end(error);
    }
  }

  #beginRestart(error: unknown): void {
    // The handler of the report may have closed the scope.
    if (this.#phase !== "running") return;
    this.#phase = "restarting";
    this.#cancelContents(error);
    this.#advance();
    if (this.#phase === "restarting" && !this.#restart?.scheduled) this.#setDeadline();
  }

  #scheduleRestart(restart: Restart): void {
    this.#deadline?.met();
    this.#deadline = undefined;
    restart.schedule(() => {
      this.#phase = "running";
      this.#reason = undefined;
      this.#controller = undefined;
      this.#run(restart.task);
    });
  }

  /** Begins to end the scope, with a deadline. */
  #end(reason: unknown, deadlineMs?: number): void {
    this.#beginClosing(reason);
    if (this.#phase !== "closed") this.#setDeadline(deadlineMs);
  }

  #beginClosing(reason: unknown): void {
    if (this.#phase === "closing" || this.#phase === "closed") return;
    this.#phase = "closing";
    this.#restart?.cancel();
    this.#cancelContents(reason);
    this.#advance();
  }

  /** Tells everything in the scope to end. */
  #cancelContents(reason: unknown): void {
    // Busy: what ends at once while the rest is still being told must not end the scope.
    this.#busy++;
    this.#reason = reason;
    this.#controller?.abort(this.#abortReason());
    const callbacks = this.#cancelCallbacks;
    this.#cancelCallbacks = undefined;
    if (callbacks !== undefined) { for (const callback of callbacks) this.#callCancel(callback); }
    for (const child of this.#children()) child.#beginClosing(reason);
    this.#busy--;
  }

  #abortReason(): unknown {
    return this.#reason ??= new ScopeClosedError(this.path);
  }

  #callCancel(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#report("cancel", error);
    }
  }

  /** Takes the next step towards the end (or the restart) once nothing stands in its way. */
  #advance(): void {
    if (this.#phase === "running" || this.#phase === "closed") return;
    if (this.#busy > 0 || this.#firstChild !== undefined) return;
    if (this.#cleanups !== undefined) void this.#cleanUp();
    else if (this.#phase === "restarting" && this.#restart) this.#scheduleRestart(this.#restart);
    else this.#finish();
  }

  /** Never rejects: whatever a cleanup throws is reported. */
  async #cleanUp(): Promise<void> {
    this.#busy++;
    const cleanups = this.#cleanups;
    for (let next = cleanups?.pop(); next !== undefined; next = cleanups?.pop()) {
      try {
        await next();
      } catch (error) {
        this.#report("cleanup", error);
      }
    }
    this.#cleanups = undefined;
    this.#busy--;
    this.#advance();
  }

  #finish(): void {
    this.#phase = "closed";
    this.#deadline?.met();
    this.#done?.resolve();
    if (this.#parent !== undefined) this.#parent.#remove(this);
  }

  #remove(child: Scope): void {
    const previous = child.#previousSibling;
    const next = child.#nextSibling;
    if (previous === undefined) this.#firstChild = next;
    else previous.#nextSibling = next;
    if (next !== undefined) next.#previousSibling = previous;
    child.#previousSibling = undefined;
    child.#nextSibling = undefined;
    this.#childCount--;
    this.#advance();
  }

  #setDeadline(deadlineMs?: number): void {
    const limitMs = deadlineMs ?? this.#options.closeDeadlineMs ?? DEFAULT_CLOSE_DEADLINE_MS;
    this.#deadline ??= new CloseDeadline();
    this.#deadline.set(this.clock, limitMs, () => this.#reportOverdue(limitMs));
  }

  #reportOverdue(deadlineMs: number): void {
    const tasks: string[] = [];
    const taskCount = this.#collectBusy(tasks);
    try {
      this.#options.onOverdue?.({ path: this.path, deadlineMs, tasks, taskCount });
    } catch {
      // Whoever takes reports has nobody else to report to, and closing goes on regardless.
    }
  }

  #collectBusy(paths: string[]): number {
    let count = 0;
    if (this.#busy > 0) {
      count++;
      if (paths.length < OVERDUE_PATHS_MAX) paths.push(this.path);
    }
    for (const child of this.#children()) count += child.#collectBusy(paths);
    return count;
  }

  #report(
    during: Panic["during"],
    error: unknown,
    policy: PanicPolicy = "contain",
    restartInMs?: number,
  ): void {
    if (this.#isCancellation(error)) return;
    this.#countPanic();
    const panic = { path: this.path, error, during, policy };
    try {
      this.#options.onPanic?.(restartInMs === undefined ? panic : { ...panic, restartInMs });
    } catch {
      // As with overdue reports; the panic stays visible in the counts.
    }
  }

  #countPanic(): void {
    this.#panics++;
    if (this.#parent !== undefined) this.#parent.#countPanic();
  }

  /** Whether `error` is only the echo of this scope, or one above, having been told to end. */
  #isCancellation(error: unknown): boolean {
    if (this.#phase === "running" || error === undefined) return false;
    return error instanceof ScopeClosedError || this.#isReason(error);
  }

  #isReason(error: unknown): boolean {
    if (this.#reason === error) return true;
    return this.#parent !== undefined && this.#parent.#isReason(error);
  }
}
