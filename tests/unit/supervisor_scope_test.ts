import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { SeededRandom, VirtualClock } from "../../src/platform/mod.ts";
import {
  type OverdueReport,
  type Panic,
  Scope,
  ScopeClosedError,
  type ScopeOptions,
} from "../../src/supervisor/mod.ts";

/** A root scope on a virtual clock that keeps what it is told. */
function supervised(options: Partial<ScopeOptions> = {}) {
  const clock = new VirtualClock();
  const panics: Panic[] = [];
  const overdue: OverdueReport[] = [];
  const root = new Scope("broker", {
    clock,
    random: new SeededRandom(1),
    onPanic: (panic) => panics.push(panic),
    onOverdue: (report) => overdue.push(report),
    ...options,
  });
  return { clock, panics, overdue, root };
}

const forEver = (scope: Scope) => scope.clock.sleep(1e9, scope.signal);

Deno.test("a task runs at once, knows its path, and its scope ends with it", async () => {
  const { root, clock } = supervised();
  const story: string[] = [];
  const task = root.child("clients").spawn("client:1", async (scope) => {
    story.push(`runs in ${scope.path}`);
    await scope.clock.sleep(10);
    story.push("ends");
  });
  story.push("spawned");
  assertEquals([task.state, task.name], ["running", "client:1"]);
  const done = task.done.then(() => story.push("done"));
  await clock.advance(10);
  await done;
  assertEquals(story, ["runs in broker/clients/client:1", "spawned", "ends", "done"]);
  assertEquals(task.state, "closed");
  await task.done;
  await root.close();
});

Deno.test("a task that returns without waiting is closed when spawn returns", async () => {
  const { root } = supervised();
  const task = root.spawn("quick", () => {});
  assertEquals([task.state, root.childCount], ["closed", 0]);
  await root.close();
});

Deno.test("what a task spawned is ended and waited for when the task returns", async () => {
  const { root, clock, panics } = supervised();
  const story: string[] = [];
  const parent = root.spawn("parent", (scope) => {
    scope.spawn("child", async (child) => {
      child.defer(() => void story.push("child cleaned up"));
      try {
        await forEver(child);
      } finally {
        story.push("child told");
        await clock.sleep(100);
      }
    });
    scope.defer(() => void story.push("parent cleaned up"));
    story.push("parent returns");
  });
  await clock.advance(99);
  assertEquals([parent.state, parent.childCount], ["closing", 1]);
  await clock.advance(1);
  assertEquals(parent.state, "closed");
  assertEquals(story, [
    "parent returns",
    "child told",
    "child cleaned up",
    "parent cleaned up",
  ]);
  assertEquals(panics, []);
  await root.close();
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("closing tells first, waits next, cleans up last, in order", async () => {
  const { root, clock } = supervised();
  const story: string[] = [];
  root.spawn("task", async (scope) => {
    scope.onCancel(() => void story.push("told first"));
    scope.onCancel(() => void story.push("told second"));
    scope.defer(() => void story.push("cleaned last"));
    scope.defer(async () => {
      await clock.sleep(5);
      story.push("cleaned first");
    });
    await forEver(scope).catch(() => {});
    story.push("task ended");
  });
  const closing = root.close();
  assertEquals(story, ["told first", "told second"], "synchronously");
  await clock.advance(10);
  await closing;
  assertEquals(story.slice(2), ["task ended", "cleaned first", "cleaned last"]);
});

Deno.test("a closing scope refuses to start anything", async () => {
  const { root, clock, panics } = supervised();
  let ran = false;
  const slow = root.spawn("slow", () => clock.sleep(50));
  const closing = root.close();
  for (const scope of [root, slow]) {
    const error = assertThrows(
      () => scope.spawn("late", () => void (ran = true)),
      ScopeClosedError,
    );
    assertInstanceOf(error, ScopeClosedError);
    assertEquals([error.path, error.message], [scope.path, `scope is closing: ${scope.path}`]);
    assertThrows(() => scope.child("late"), ScopeClosedError);
  }
  await clock.advance(50);
  await closing;
  assertThrows(() => root.spawn("later", () => void (ran = true)), ScopeClosedError);
  assertEquals([ran, panics.length, root.panics], [false, 0, 0]);
});

Deno.test("onCancel and defer on a scope that is over still do their work", async () => {
  const { root, panics } = supervised();
  const task = root.spawn("task", () => {});
  const story: string[] = [];
  task.onCancel(() => void story.push("cancelled"));
  task.defer(() => void story.push("released"));
  task.defer(() => Promise.reject(new Error("late")));
  await new VirtualClock().settle();
  assertEquals(story, ["cancelled", "released"]);
  assertEquals(panics.map(({ path, during }) => [path, during]), [["broker/task", "cleanup"]]);
  await root.close();
});

Deno.test("the signal carries the reason of the close, whenever it is asked for", async () => {
  const { root, panics } = supervised();
  const reason = new Error("lame duck");
  const early = root.child("early");
  const late = root.child("late");
  const signal = early.signal;
  assertEquals(signal.aborted, false);
  const closing = root.close({ reason });
  assertStrictEquals(signal.reason, reason);
  assertStrictEquals(late.signal.reason, reason);
  assertStrictEquals(root.reason, reason);
  await closing;
  const unnamed = supervised().root;
  await unnamed.close();
  assertInstanceOf(unnamed.signal.reason, ScopeClosedError);
  assertEquals(panics, []);
});

Deno.test("the reason of one's own closing is no panic, at whatever level it was taken", async () => {
  for (const reason of [undefined, new Error("shutting down"), "just a word"]) {
    const { root, panics } = supervised();
    const clients = root.child("clients");
    for (const signal of [() => root.signal, () => clients.signal]) {
      clients.spawn("waits", (scope) => scope.clock.sleep(1e9, signal()));
    }
    clients.spawn("own", forEver);
    clients.spawn("cleanup", (scope) => {
      scope.defer(() => scope.signal.throwIfAborted());
      return forEver(scope);
    });
    clients.spawn("spawns", async (scope) => {
      await forEver(scope).catch(() => {});
      scope.spawn("too late", () => {});
    });
    await root.close({ reason });
    assertEquals([panics, root.panics], [[], 0]);
  }
});

Deno.test("a reason that arrives after the scope's own is no panic either", async () => {
  const { root, panics, clock } = supervised();
  const task = root.spawn("task", () => clock.sleep(1e9, root.signal));
  const first = task.close({ reason: new Error("kicked") });
  const second = root.close({ reason: new Error("shutting down") });
  await Promise.all([first, second]);
  assertEquals([panics, task.state], [[], "closed"]);
});

Deno.test("a child ends alone and its siblings go on", async () => {
  const { root } = supervised();
  const [first, second, third] = ["a", "b", "c"].map((name) => root.spawn(name, forEver));
  await second!.close();
  assertEquals([first!.state, second!.state, third!.state], ["running", "closed", "running"]);
  assertEquals(root.tree().children.map((child) => child.name), ["a", "c"]);
  await first!.close();
  assertEquals(root.tree().children.map((child) => child.name), ["c"]);
  await root.close();
  assertEquals([third!.state, root.childCount], ["closed", 0]);
});

Deno.test("cancel ends a task from within, without waiting", async () => {
  const { root } = supervised();
  const task = root.spawn("task", async (scope) => {
    scope.cancel("enough");
    await forEver(scope);
  });
  assertEquals(task.state, "closing");
  await task.done;
  assertEquals(task.reason, "enough");
  await root.close();
});

Deno.test("the tree shows what runs", async () => {
  const { root, clock } = supervised();
  const clients = root.child("clients");
  await clock.advance(30);
  clients.spawn("client:1", forEver);
  clients.spawn("client:2", () => {
    throw new Error("a bug");
  });
  clients.spawn("client:3", () => clock.sleep(1000)).cancel();
  await clock.advance(12);
  const leaf = { age_ms: 12, restarts: 0, panics: 0, children: [] };
  assertEquals(root.tree(), {
    name: "broker",
    state: "running",
    age_ms: 42,
    restarts: 0,
    panics: 1,
    children: [{
      name: "clients",
      state: "running",
      age_ms: 42,
      restarts: 0,
      panics: 1,
      children: [
        { ...leaf, name: "client:1", state: "running" },
        { ...leaf, name: "client:3", state: "closing" },
      ],
    }],
  });
  const closing = root.close();
  await clock.advance(1000);
  await closing;
  assertEquals(root.tree().state, "closed");
});

Deno.test("close is idempotent and every caller waits for the end", async () => {
  const { root, clock, panics, overdue } = supervised();
  let cleanups = 0;
  root.defer(() => void cleanups++);
  root.spawn("slow", () => clock.sleep(100));
  let ended = 0;
  const closings = [root.close(), root.close(), root[Symbol.asyncDispose](), root.done];
  for (const closing of closings) void closing.then(() => ended++);
  await clock.advance(99);
  assertEquals([ended, cleanups, root.state], [0, 0, "closing"]);
  await clock.advance(1);
  assertEquals([ended, cleanups, root.state], [4, 1, "closed"]);
  await Promise.all(closings);
  await root.close();
  assertEquals([cleanups, panics, overdue], [1, [], []]);
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("await using waits for what is in flight", async () => {
  const clock = new VirtualClock();
  let finished = false;
  const leaving = (async () => {
    await using root = new Scope("broker", { clock, random: new SeededRandom(1) });
    root.spawn("in flight", async () => {
      await clock.sleep(100);
      finished = true;
    });
  })();
  await clock.advance(100);
  await leaving;
  assert(finished);
});

Deno.test("a deadline names what is overdue and lets go of it", async () => {
  const { root, clock, overdue, panics } = supervised({ closeDeadlineMs: 2_000 });
  const stuck = Promise.withResolvers<void>();
  const clients = root.child("clients");
  clients.spawn("client:1", forEver);
  const late = clients.spawn("client:2", () => stuck.promise);
  clients.spawn("client:3", (scope) => scope.defer(() => stuck.promise));
  const closing = root.close();
  let returned = false;
  void closing.then(() => returned = true);
  await clock.advance(1_999);
  assertEquals([returned, overdue.filter(({ path }) => path === "broker")], [false, []]);
  await clock.advance(1);
  assert(returned);
  assertEquals(overdue.filter(({ path }) => path === "broker"), [{
    path: "broker",
    deadlineMs: 2_000,
    tasks: ["broker/clients/client:2", "broker/clients/client:3"],
    taskCount: 2,
  }]);
  assertEquals(root.state, "closing");
  await root.close();
  stuck.reject(new Error("failed at last"));
  await root.done;
  assertEquals([root.state, late.state], ["closed", "closed"], "the end still comes");
  assertEquals(panics.map(({ path, during }) => `${path} ${during}`).sort(), [
    "broker/clients/client:2 task",
    "broker/clients/client:3 cleanup",
  ]);
});

Deno.test("the earliest of several deadlines counts", async () => {
  const { root, clock, overdue } = supervised();
  const stuck = Promise.withResolvers<void>();
  root.spawn("stuck", () => stuck.promise);
  const closings = [5_000, 100, 1_000].map((deadlineMs) => root.close({ deadlineMs }));
  await clock.advance(100);
  await Promise.all(closings);
  assertEquals(overdue.map(({ deadlineMs }) => deadlineMs), [100]);
  stuck.resolve();
  await root.done;
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("a task that ends with a stuck child is named, though nobody closed it", async () => {
  const { root, clock, overdue } = supervised();
  const stuck = Promise.withResolvers<void>();
  root.spawn("task", (scope) => void scope.spawn("stuck", () => stuck.promise));
  await clock.advance(10_000);
  assertEquals(overdue.map(({ path, tasks }) => [path, tasks]), [["broker/task", [
    "broker/task/stuck",
  ]]]);
  stuck.resolve();
  await root.close();
});

Deno.test("what is stuck before a restart is named, and keeps the task from restarting", async () => {
  const { root, clock, overdue } = supervised();
  for (const stuckMs of [9_000, 11_000]) {
    let attempts = 0;
    const task = root.spawn(`task:${stuckMs}`, (scope) => {
      if (++attempts > 1) return clock.sleep(1e9, scope.signal);
      scope.spawn("stuck", () => clock.sleep(stuckMs));
      throw new Error("a bug");
    }, { onPanic: "restart" });
    await clock.advance(10_999);
    assertEquals(attempts, stuckMs === 9_000 ? 2 : 1);
    await clock.advance(10_000);
    assertEquals(attempts, 2);
    await task.close();
  }
  assertEquals(overdue.map(({ path, tasks }) => [path, tasks]), [
    ["broker/task:11000", ["broker/task:11000/stuck"]],
  ]);
  await root.close();
});

Deno.test("an overdue report names a hundred and counts the rest", async () => {
  const { root, clock, overdue } = supervised();
  const stuck = Promise.withResolvers<void>();
  for (let index = 0; index < 150; index++) root.spawn(`stuck:${index}`, () => stuck.promise);
  const closing = root.close({ deadlineMs: 1 });
  await clock.advance(1);
  await closing;
  assertEquals([overdue[0]?.tasks.length, overdue[0]?.taskCount], [100, 150]);
  stuck.resolve();
  await root.done;
});

Deno.test("ten thousand scopes that came and went leave nothing", async () => {
  const { root, clock, panics } = supervised();
  const clients = root.child("clients");
  let held = 0;
  for (let index = 0; index < 10_000; index++) {
    const client = clients.spawn(`client:${index}`, async (scope) => {
      held++;
      scope.defer(() => void held--);
      scope.spawn("reader", index % 2 === 0 ? () => {} : forEver);
      await clock.sleep(index % 100, scope.signal);
    });
    if (index % 3 === 0) client.cancel();
  }
  assertEquals([clients.childCount, held], [10_000, 10_000]);
  await clock.advance(100);
  assertEquals([clients.childCount, held, clock.pendingTimers], [0, 0, 0]);
  assertEquals(clients.tree().children, []);
  assertEquals(panics, []);
  await root.close();
});
