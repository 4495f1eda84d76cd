import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLessOrEqual,
  assertStrictEquals,
} from "@std/assert";
import { SeededRandom, VirtualClock } from "../../src/platform/mod.ts";
import { Backoff, type Panic, Scope, type Task } from "../../src/supervisor/mod.ts";

function supervised(onPanic?: (panic: Panic) => void) {
  const clock = new VirtualClock();
  const panics: Panic[] = [];
  const root = new Scope("broker", {
    clock,
    random: new SeededRandom(1),
    onPanic: (panic) => {
      panics.push(panic);
      onPanic?.(panic);
    },
  });
  return { clock, panics, root };
}

const bug = new Error("a bug");
const throws = () => {
  throw bug;
};
const forEver = (scope: Scope) => scope.clock.sleep(1e9, scope.signal);

/** Every point at which a task can throw, and what the report says it was doing. */
const points: Record<string, { task: Task; during: Panic["during"]; path?: string }> = {
  "before its first await": { task: throws, during: "task" },
  "after an await": {
    task: async (scope) => {
      await scope.clock.sleep(1);
      throws();
    },
    during: "task",
  },
  "as a rejected promise": { task: () => Promise.reject(bug), during: "task" },
  "while it is being ended": {
    task: (scope) => forEver(scope).catch(throws),
    during: "task",
  },
  "in its synchronous cleanup": { task: (scope) => scope.defer(throws), during: "cleanup" },
  "in its asynchronous cleanup": {
    task: (scope) => scope.defer(() => scope.clock.sleep(1).then(throws)),
    during: "cleanup",
  },
  "in its onCancel callback": {
    task: (scope) => {
      scope.onCancel(throws);
      return forEver(scope);
    },
    during: "cancel",
  },
  "in a nested child": {
    task: (scope) => {
      scope.spawn("nested", throws);
      return forEver(scope);
    },
    during: "task",
    path: "broker/clients/task/nested",
  },
  "in a nested child's cleanup": {
    task: (scope) => {
      scope.spawn("nested", (nested) => nested.defer(throws));
      return forEver(scope);
    },
    during: "cleanup",
    path: "broker/clients/task/nested",
  },
};

for (const [point, { task, during, path = "broker/clients/task" }] of Object.entries(points)) {
  Deno.test(`a throw ${point} is reported once and ends nothing else`, async () => {
    const { root, clock, panics } = supervised();
    const clients = root.child("clients");
    const sibling = clients.spawn("sibling", forEver);
    const scope = clients.spawn("task", task);
    await clock.advance(10);
    assertEquals([sibling.state, clients.state], ["running", "running"]);
    const closing = scope.close();
    await clock.advance(10);
    await closing;
    assertEquals([scope.state, sibling.state], ["closed", "running"]);
    await root.close();
    assertEquals(panics, [{ path, error: bug, during, policy: "contain" }]);
    assertEquals([root.panics, root.childCount, clock.pendingTimers], [1, 0, 0]);
  });
}

Deno.test("a cleanup that throws does not keep the others from running", async () => {
  const { root, panics } = supervised();
  const story: string[] = [];
  root.defer(() => void story.push("first registered"));
  root.defer(throws);
  root.defer(() => void story.push("last registered"));
  root.onCancel(throws);
  root.onCancel(() => void story.push("told"));
  await root.close();
  assertEquals(story, ["told", "last registered", "first registered"]);
  assertEquals(panics.map(({ during }) => during), ["cancel", "cleanup"]);
});

Deno.test("whatever is thrown is reported as it is", async () => {
  const { root, panics } = supervised();
  for (const thrown of [undefined, null, "text", { code: 7 }]) {
    root.spawn("task", () => {
      throw thrown;
    });
  }
  await root.close();
  assertEquals(panics.map(({ error }) => error), [undefined, null, "text", { code: 7 }]);
});

Deno.test("a report handler that throws changes nothing", async () => {
  const { root, panics } = supervised(throws);
  root.spawn("task", throws);
  root.spawn("again", throws);
  await root.close();
  assertEquals([panics.length, root.panics], [2, 2]);
});

Deno.test("a report handler may close everything", async () => {
  for (const onPanic of ["contain", "restart", "escalate"] as const) {
    const { root, clock, panics } = supervised(() => root.cancel());
    const clients = root.child("clients");
    const task = clients.spawn("task", throws, { onPanic });
    await root.close();
    assertEquals([task.state, panics.length, clock.pendingTimers], ["closed", 1, 0]);
  }
});

Deno.test("escalate ends the parent, the siblings with it, and is reported once", async () => {
  const { root, clock, panics } = supervised();
  const listeners = root.child("listeners");
  const sibling = listeners.spawn("sibling", forEver);
  const outside = root.spawn("outside", forEver);
  listeners.spawn("listener", async () => {
    await clock.sleep(10);
    throw bug;
  }, { onPanic: "escalate" });
  await clock.advance(10);
  assertEquals([sibling.state, listeners.state, outside.state], ["closed", "closed", "running"]);
  assertStrictEquals(listeners.reason, bug);
  assertEquals(panics, [{
    path: "broker/listeners/listener",
    error: bug,
    during: "task",
    policy: "escalate",
  }]);
  await root.close();
  assertEquals([panics.length, clock.pendingTimers], [1, 0]);
});

Deno.test("an escalation before the first await stops the parent's own task", async () => {
  const { root, panics } = supervised();
  let went = "on";
  const parent = root.spawn("parent", (scope) => {
    scope.spawn("child", throws, { onPanic: "escalate" });
    went = scope.state;
    scope.spawn("second", () => void (went = "too far"));
  });
  assertEquals([went, parent.state, root.state], ["closing", "closed", "running"]);
  assertEquals(panics.map(({ path }) => path), ["broker/parent/child"]);
  await root.close();
});

Deno.test("restart runs the task again, later each time, up to the cap", async () => {
  const { root, clock, panics } = supervised();
  const attempts: number[] = [];
  const task = root.spawn("route", async () => {
    attempts.push(clock.monotonic());
    await null;
    throw bug;
  }, { onPanic: "restart", backoff: { initialMs: 100, maxMs: 1_000 } });
  await clock.advance(10_000);
  const gaps = attempts.slice(1).map((at, index) => at - attempts[index]!);
  gaps.forEach((gap, index) => {
    const limitMs = Math.min(1_000, 100 * 2 ** index);
    assertGreaterOrEqual(gap, limitMs / 2);
    assertLessOrEqual(gap, limitMs);
  });
  assertGreaterOrEqual(gaps.length, 10);
  assert(new Set(gaps.slice(5)).size > 1, "jitter");
  assertEquals(panics.map(({ restartInMs }) => restartInMs).slice(0, gaps.length), gaps);
  assertEquals(panics.every(({ policy }) => policy === "restart"), true);
  const info = root.tree().children[0]!;
  assertEquals([info.state, info.restarts, info.panics], [
    "restarting",
    gaps.length,
    panics.length,
  ]);
  assertEquals(task.state, "running");
  await root.close();
  assertEquals([task.state, clock.pendingTimers], ["closed", 0], "no restart after closing");
});

Deno.test("before a restart everything of the failed attempt has ended", async () => {
  const { root, clock, panics } = supervised();
  const story: string[] = [];
  const signals: AbortSignal[] = [];
  const task = root.spawn("task", async (scope) => {
    story.push("attempt");
    signals.push(scope.signal);
    scope.onCancel(() => void story.push("told"));
    scope.defer(() => void story.push("cleaned up"));
    scope.spawn("child", async (child) => {
      await forEver(child).catch(() => {});
      await clock.sleep(5_000);
      story.push("child ended");
    });
    if (signals.length === 1) throw bug;
    await forEver(scope);
  }, { onPanic: "restart" });
  await clock.advance(4_999);
  assertEquals(story, ["attempt", "told"]);
  await clock.advance(1_000);
  assertEquals(story, ["attempt", "told", "child ended", "cleaned up", "attempt"]);
  assertEquals(signals.map((signal) => signal.aborted), [true, false]);
  assertEquals(task.reason, undefined);
  const closing = root.close();
  await clock.advance(5_000);
  await closing;
  assertEquals(story.slice(5), ["told", "child ended", "cleaned up"]);
  assertEquals([panics.length, clock.pendingTimers], [1, 0]);
});

Deno.test("a restarting task that returns is done, and one that is closed stays closed", async () => {
  const { root, clock } = supervised();
  let attempts = 0;
  const task = root.spawn("task", () => {
    if (++attempts < 3) throw bug;
  }, { onPanic: "restart" });
  await clock.advance(60_000);
  assertEquals([attempts, task.state], [3, "closed"]);
  const waiting = root.spawn("waiting", throws, { onPanic: "restart" });
  await waiting.close();
  assertEquals([waiting.state, clock.pendingTimers], ["closed", 0]);
  await root.close();
});

Deno.test("too many restarts in a row escalate", async () => {
  const { root, clock, panics } = supervised();
  const group = root.child("group");
  let attempts = 0;
  group.spawn("task", () => {
    attempts++;
    throw bug;
  }, { onPanic: "restart", backoff: { initialMs: 10, maxMs: 20, maxRestarts: 3 } });
  await clock.advance(1_000);
  assertEquals([attempts, group.state, root.state], [4, "closed", "running"]);
  assertEquals(panics.map(({ policy }) => policy), ["restart", "restart", "restart", "escalate"]);
  await root.close();
});

Deno.test("an attempt that lasted begins a new row of restarts", async () => {
  const { root, clock, panics } = supervised();
  root.spawn("task", async (scope) => {
    await clock.sleep(500, scope.signal);
    throw bug;
  }, { onPanic: "restart", backoff: { initialMs: 10, maxMs: 500, maxRestarts: 1 } });
  await clock.advance(5_000);
  assertGreaterOrEqual(panics.length, 9);
  for (const { policy, restartInMs } of panics) {
    assertEquals(policy, "restart");
    assertLessOrEqual(restartInMs!, 10);
  }
  await root.close();
});

Deno.test("a back-off doubles to its cap, with jitter in its upper half", () => {
  const backoff = new Backoff({ initialMs: 10, maxMs: 1_000 }, new SeededRandom(3));
  for (const limitMs of [10, 20, 40, 80, 160, 320, 640, 1_000, 1_000]) {
    const delayMs = backoff.next();
    assertGreaterOrEqual(delayMs, limitMs / 2);
    assertLessOrEqual(delayMs, limitMs);
  }
  assertEquals(backoff.attempts, 9);
  backoff.reset();
  assertLessOrEqual(backoff.next(), 10);
  for (let attempt = 0; attempt < 5_000; attempt++) backoff.next();
  assertLessOrEqual(backoff.next(), 1_000, "no overflow, however long it goes on");
});
