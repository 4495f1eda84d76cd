import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { SeededRandom, VirtualClock } from "../../src/platform/mod.ts";
import { type Panic, type PanicPolicy, Scope } from "../../src/supervisor/mod.ts";

/** What one task of a random tree does. */
interface Plan {
  readonly policy: PanicPolicy;
  /** Returns or throws before its first await when true. */
  readonly synchronous: boolean;
  /** Waits, each either heeding the signal or deaf to it. */
  readonly waits: readonly { readonly delayMs: number; readonly deaf: boolean }[];
  /** Swallows the signal's reason, as a task with a catch-all does. */
  readonly swallows: boolean;
  readonly throwsAtEnd: boolean;
  readonly cancel: "none" | "quiet" | "throws";
  readonly cleanup: "none" | "quiet" | "throws" | "throws later" | "closes itself";
  /** Ends its own scope after this many milliseconds. */
  readonly cancelsAfterMs: number | undefined;
  readonly children: readonly Plan[];
}

const { plan } = fc.letrec<{ plan: Plan }>((tie) => ({
  plan: fc.record({
    policy: fc.constantFrom<PanicPolicy>("contain", "restart", "escalate"),
    synchronous: fc.boolean(),
    waits: fc.array(
      fc.record({ delayMs: fc.integer({ min: 0, max: 300 }), deaf: fc.boolean() }),
      { maxLength: 3 },
    ),
    swallows: fc.boolean(),
    throwsAtEnd: fc.boolean(),
    cancel: fc.constantFrom("none", "quiet", "throws"),
    cleanup: fc.constantFrom("none", "quiet", "throws", "throws later", "closes itself"),
    cancelsAfterMs: fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined }),
    children: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constant([]),
      fc.array(tie("plan"), { maxLength: 3 }),
    ),
  }),
}));

/** Plays plans and remembers every error at the moment it throws it. */
class Play {
  readonly thrown: string[] = [];
  /** Resources taken and not given back. */
  held = 0;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  start(parent: Scope, plan: Plan, index: number): void {
    parent.spawn(`task:${index}`, (scope) => this.#perform(scope, plan), {
      onPanic: plan.policy,
      backoff: { initialMs: 10, maxMs: 40, maxRestarts: 4 },
    });
  }

  #throw(scope: Scope): never {
    const error = `error ${this.thrown.length} of ${scope.path}`;
    this.thrown.push(error);
    throw new Error(error);
  }

  #perform(scope: Scope, plan: Plan): void | Promise<void> {
    if (plan.cancel !== "none") {
      scope.onCancel(() => {
        if (plan.cancel === "throws") this.#throw(scope);
      });
    }
    if (plan.cleanup !== "none") {
      this.held++;
      scope.defer(async () => {
        this.held--;
        if (plan.cleanup === "throws") this.#throw(scope);
        if (plan.cleanup === "closes itself") scope.cancel();
        await this.#clock.sleep(20);
        if (plan.cleanup === "throws later") this.#throw(scope);
      });
    }
    plan.children.forEach((child, index) => this.start(scope, child, index));
    if (!plan.synchronous) return this.#wait(scope, plan);
    if (plan.throwsAtEnd) this.#throw(scope);
  }

  async #wait(scope: Scope, plan: Plan): Promise<void> {
    if (plan.cancelsAfterMs !== undefined) {
      scope.spawn("cancels", async (task) => {
        await this.#clock.sleep(plan.cancelsAfterMs!, task.signal);
        scope.cancel();
      });
    }
    for (const { delayMs, deaf } of plan.waits) {
      const waiting = this.#clock.sleep(delayMs, deaf ? undefined : scope.signal);
      await (plan.swallows ? waiting.catch(() => {}) : waiting);
    }
    if (plan.throwsAtEnd) this.#throw(scope);
  }
}

Deno.test("whatever throws wherever: closing ends, and each panic is reported once", async () => {
  let played = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(plan, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 0, max: 600 }),
      fc.boolean(),
      async (plans, closeAfterMs, namedReason) => {
        const clock = new VirtualClock();
        const reported: Panic[] = [];
        const root = new Scope("root", {
          clock,
          random: new SeededRandom(1),
          closeDeadlineMs: 60_000,
          onPanic: (panic) => reported.push(panic),
          onOverdue: (report) => {
            throw new Error(`overdue: ${report.tasks}`);
          },
        });
        const group = root.child("group");
        const play = new Play(clock);
        for (const [index, plan] of plans.entries()) {
          // The first may have escalated at once.
          if (group.state === "running") play.start(group, plan, index);
        }
        await clock.advance(closeAfterMs);
        let closed = false;
        const closing = root.close(namedReason ? { reason: new Error("enough") } : {});
        void closing.then(() => closed = true);
        await clock.advance(30_000);
        assert(closed, "close never ended");
        await closing;
        await root.done;
        assertEquals(root.state, "closed");
        assertEquals(root.tree().children, []);
        assertEquals(clock.pendingTimers, 0);
        assertEquals(play.held, 0, "every cleanup ran once");
        const messages = reported.map(({ error }) => error instanceof Error ? error.message : "");
        assertEquals(messages.toSorted(), play.thrown.toSorted());
        assert(reported.every(({ path }, index) => messages[index]?.endsWith(` of ${path}`)));
        assertEquals(root.panics, reported.length);
        played += reported.length;
      },
    ),
    { numRuns: 300 },
  );
  assert(played > 300, `only ${played} panics in all`);
});
