import { assert, assertEquals, assertGreaterOrEqual, assertRejects } from "@std/assert";
import {
  AcceptError,
  type Connection,
  ConnectionError,
  type Listener,
  type MemoryConnection,
  memoryPipe,
  MemoryTransport,
  SeededRandom,
  VirtualClock,
} from "../../src/platform/mod.ts";
import { type Panic, Scope } from "../../src/supervisor/mod.ts";
import { accepted, admitted, paced, tagged } from "../../src/connection/accept.ts";
import type { AcceptFailure } from "../../src/connection/accept_failure.ts";
import { goodbye } from "../../src/connection/accept_refusal.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const address = { hostname: "test", port: 4222 };

async function readAll(connection: Connection): Promise<string> {
  const into = new Uint8Array(256);
  let text = "";
  for (;;) {
    const count = await connection.read(into);
    if (count === null) return text;
    text += new TextDecoder().decode(into.subarray(0, count));
  }
}

/** A listener whose accepts end as scripted: an error, or a connection. */
class ScriptedListener implements Listener {
  readonly address = address;
  readonly attemptsAtMs: number[] = [];
  closed = false;
  readonly #clock: VirtualClock;
  readonly #script: (Error | Connection)[];
  #pending: PromiseWithResolvers<Connection> | undefined;

  constructor(clock: VirtualClock, script: (Error | Connection)[]) {
    this.#clock = clock;
    this.#script = script;
  }

  accept(): Promise<Connection> {
    this.attemptsAtMs.push(this.#clock.monotonic());
    const next = this.#script.shift();
    if (next instanceof Error) return Promise.reject(next);
    if (next !== undefined) return Promise.resolve(next);
    this.#pending = Promise.withResolvers();
    return this.#pending.promise;
  }

  close(): void {
    this.closed = true;
    this.#pending?.reject(new AcceptError("listener closed", false, { closed: true }));
  }
}

const exhausted = () => new AcceptError("too many open files", true);

function setup() {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const panics: Panic[] = [];
  const failures: AcceptFailure[] = [];
  const root = new Scope("broker", { clock, random, onPanic: (panic) => panics.push(panic) });
  const acceptOptions = (scope: Scope) => ({
    clock,
    random,
    signal: scope.signal,
    onError: (failure: AcceptFailure) => failures.push(failure),
  });
  return { clock, random, root, panics, failures, acceptOptions };
}

Deno.test("the stages hand connections on, in order and with ids", async () => {
  const { root, acceptOptions } = setup();
  const transport = new MemoryTransport();
  const listener = transport.listen(address);
  const seen: [number, number][] = [];
  const gotTwo = Promise.withResolvers<void>();
  let lastId = 0;
  root.spawn("accept", async (scope) => {
    const connections = accepted(listener, acceptOptions(scope));
    const welcome = admitted(connections, () => "admit", { scope });
    for await (const { id, connection } of tagged(welcome, () => ++lastId)) {
      seen.push([id, connection.remoteAddress.port]);
      if (id === 2) gotTwo.resolve();
    }
  });
  const first = await transport.connect(address);
  const second = await transport.connect(address);
  await gotTwo.promise;
  assertEquals(seen, [[1, first.localAddress.port], [2, second.localAddress.port]]);
  await root.close();
  await assertRejects(() => transport.connect(address), ConnectionError, "refused");
});

Deno.test("transient failures are waited out, longer each time up to a second", async () => {
  const { clock, root, panics, acceptOptions } = setup();
  const [connection] = memoryPipe();
  const listener = new ScriptedListener(clock, [
    ...Array.from({ length: 12 }, exhausted),
    connection,
    exhausted(),
  ]);
  let taken = 0;
  root.spawn("accept", async (scope) => {
    for await (const _ of accepted(listener, acceptOptions(scope))) taken++;
  });
  await clock.advance(30_000);
  assertEquals(taken, 1);
  const gaps = listener.attemptsAtMs.slice(1).map((at, index) =>
    at - listener.attemptsAtMs[index]!
  );
  gaps.slice(0, 12).forEach((gap, index) => {
    const limitMs = Math.min(1_000, 10 * 2 ** index);
    assert(gap >= limitMs / 2 && gap <= limitMs, `wait ${index} took ${gap} ms`);
  });
  assert(gaps[13]! <= 10, "the connection in between starts the row anew");
  await root.close();
  assertEquals([panics, listener.closed, clock.pendingTimers], [[], true, 0]);
});

Deno.test("a storm of failures is reported at once and then once an interval", async () => {
  const { clock, root, failures, acceptOptions } = setup();
  const listener = new ScriptedListener(clock, Array.from({ length: 60 }, exhausted));
  root.spawn("accept", async (scope) => {
    for await (const _ of accepted(listener, acceptOptions(scope)));
  });
  await clock.settle();
  assertEquals(failures.map(({ failures, error }) => [failures, error.message]), [
    [1, "too many open files"],
  ]);
  await clock.advance(60_000);
  assert(failures.length >= 4 && failures.length <= 6, `${failures.length} reports in a minute`);
  const counted = failures.reduce((sum, { failures }) => sum + failures, 0);
  assertGreaterOrEqual(counted, 45, "those in between are counted");
  await root.close();
});

Deno.test("closing during a wait ends the stage without waiting for it", async () => {
  const { clock, root, panics, acceptOptions } = setup();
  const listener = new ScriptedListener(clock, Array.from({ length: 9 }, exhausted));
  root.spawn("accept", async (scope) => {
    for await (const _ of accepted(listener, acceptOptions(scope)));
  });
  await clock.advance(300);
  await root.close();
  assertEquals([panics, listener.closed, clock.pendingTimers], [[], true, 0]);
});

Deno.test("a listener closed by someone else ends the stage, in peace", async () => {
  const { root, panics, acceptOptions } = setup();
  const listener = new MemoryTransport().listen(address);
  const task = root.spawn("accept", async (scope) => {
    for await (const _ of accepted(listener, acceptOptions(scope)));
  });
  listener.close();
  await task.done;
  assertEquals(panics, []);
  await root.close();
});

Deno.test("a lasting failure is the supervisor's: the listener is opened anew", async () => {
  const { clock, root, panics, failures, acceptOptions } = setup();
  const lasting = new AcceptError("bad file descriptor", false);
  const listeners: ScriptedListener[] = [];
  root.spawn("accept", async (scope) => {
    const listener = new ScriptedListener(clock, listeners.length === 0 ? [lasting] : []);
    listeners.push(listener);
    for await (const _ of accepted(listener, acceptOptions(scope)));
  }, { onPanic: "restart" });
  await clock.advance(1_000);
  assertEquals(listeners.map(({ closed }) => closed), [true, false]);
  assertEquals(panics.map(({ error, policy }) => [error, policy]), [[lasting, "restart"]]);
  assertEquals(failures, []);
  await root.close();
});

Deno.test("a connection that arrives as the scope closes is closed, not lost", async () => {
  const { clock, root, acceptOptions } = setup();
  const [near, far] = memoryPipe();
  const arriving = Promise.withResolvers<Connection>();
  const listener: Listener = { address, accept: () => arriving.promise, close: () => {} };
  let taken = 0;
  root.spawn("accept", async (scope) => {
    for await (const _ of accepted(listener, acceptOptions(scope))) taken++;
  });
  const closing = root.close();
  arriving.resolve(far);
  await clock.settle();
  await closing;
  assertEquals([taken, await near.read(new Uint8Array(1))], [0, null]);
});

Deno.test("leaving the loop closes the listener", async () => {
  const { root, acceptOptions } = setup();
  const transport = new MemoryTransport();
  const listener = transport.listen(address);
  const task = root.spawn("accept", async (scope) => {
    for await (const { connection } of tagged(accepted(listener, acceptOptions(scope)), () => 1)) {
      connection.close();
      break;
    }
  });
  await transport.connect(address);
  await task.done;
  await assertRejects(() => transport.connect(address), ConnectionError, "refused");
  await root.close();
});

/** A pipeline that refuses everything with "-ERR", over a memory transport. */
function refusing(options: { refusalsMax?: number; refusalDeadlineMs?: number } = {}) {
  const base = setup();
  const transport = new MemoryTransport();
  const listener = transport.listen(address);
  const refusals = base.root.child("refusals");
  let welcome = 0;
  let admit = false;
  base.root.spawn("accept", async (scope) => {
    const connections = accepted(listener, base.acceptOptions(scope));
    const bytes = encode("-ERR 'maximum connections exceeded'\r\n");
    const admission = () => admit ? "admit" as const : goodbye(bytes);
    for await (
      const connection of admitted(connections, admission, { scope: refusals, ...options })
    ) {
      welcome++;
      connection.close();
    }
  });
  return {
    ...base,
    refusals,
    connect: (): Promise<MemoryConnection> => transport.connect(address),
    admitFromNow: () => admit = true,
    welcomed: () => welcome,
  };
}

Deno.test("a refused connection is told why, and then closed", async () => {
  const { root, clock, refusals, connect, panics } = refusing();
  const client = await connect();
  await client.write(encode("CONNECT {}\r\nPING\r\n"));
  assertEquals(await readAll(client), "-ERR 'maximum connections exceeded'\r\n");
  client.close();
  await clock.settle();
  assertEquals([refusals.childCount, clock.pendingTimers], [0, 0]);
  await root.close();
  assertEquals(panics, []);
});

Deno.test("a silent refused peer delays nobody and is closed at the deadline", async () => {
  const { root, clock, refusals, connect, admitFromNow, welcomed, panics } = refusing();
  const silent = await connect();
  silent.stall();
  await clock.settle();
  assertEquals(refusals.tree().children.map(({ name }) => name), [
    `refused:test:${silent.localAddress.port}`,
  ]);
  admitFromNow();
  await connect();
  await clock.settle();
  assertEquals([welcomed(), refusals.childCount], [1, 1]);
  await clock.advance(2_000);
  assertEquals(refusals.childCount, 0);
  silent.resume();
  assertEquals(await readAll(silent), "-ERR 'maximum connections exceeded'\r\n");
  await root.close();
  assertEquals(panics, []);
});

Deno.test("a refused peer that never stops sending is read only so far", async () => {
  const { root, clock, refusals, connect } = refusing({ refusalDeadlineMs: 1e9 });
  const client = await connect();
  const flood = new Uint8Array(65_536);
  let sent = 0;
  await assertRejects(async () => {
    for (; sent < 1e8;) sent += await client.write(flood);
  }, ConnectionError);
  assert(sent < 2e6, `${sent} bytes were taken`);
  await clock.settle();
  assertEquals(refusals.childCount, 0);
  await root.close();
});

Deno.test("with too many goodbyes under way a refused connection is just closed", async () => {
  const { root, clock, refusals, connect } = refusing({ refusalsMax: 2 });
  const silent = [await connect(), await connect()];
  await clock.settle();
  assertEquals(refusals.childCount, 2);
  assertEquals(await readAll(await connect()), "");
  for (const client of silent) client.close();
  await clock.settle();
  assertEquals(await readAll(await connect()), "-ERR 'maximum connections exceeded'\r\n");
  await root.close();
});

Deno.test("closing the refusals' scope closes who is being refused, and later ones", async () => {
  const { root, clock, refusals, connect, panics } = refusing();
  const silent = await connect();
  await clock.settle();
  await refusals.close();
  assertEquals(await readAll(silent), "-ERR 'maximum connections exceeded'\r\n");
  assertEquals(await readAll(await connect()), "");
  await root.close();
  assertEquals(panics, []);
});

Deno.test("an admission that throws is the accept task's panic, and leaks no connection", async () => {
  const { root, panics, acceptOptions } = setup();
  const transport = new MemoryTransport();
  const listener = transport.listen(address);
  const bug = new Error("a bug");
  const task = root.spawn("accept", async (scope) => {
    const admit = () => {
      throw bug;
    };
    for await (const _ of admitted(accepted(listener, acceptOptions(scope)), admit, { scope }));
  });
  const client = await transport.connect(address);
  assertEquals(await readAll(client), "");
  await task.done;
  assertEquals(panics.map(({ error }) => error), [bug]);
  await root.close();
});

Deno.test("a rush of connections lets others have their turn now and then", async () => {
  const clock = new VirtualClock();
  let breaths = 0;
  clock.yield = () => {
    breaths++;
    return Promise.resolve();
  };
  let nowMs = 0;
  clock.monotonic = () => nowMs;
  const [connection] = memoryPipe();
  async function* rush() {
    for (let i = 0; i < 100; i++) {
      yield await Promise.resolve(connection);
      nowMs += 0.9;
    }
  }
  let count = 0;
  for await (const _ of paced(rush(), clock)) count++;
  assertEquals(count, 100);
  assert(breaths >= 10 && breaths <= 20, `${breaths} breaths in 90 ms`);
  connection.close();
});

Deno.test("a peer that is gone already is passed over without waiting", async () => {
  const clock = new VirtualClock(), [client, server] = memoryPipe();
  let accepts = 0;
  const listener: Listener = {
    address: { hostname: "memory", port: 1 },
    accept: () => {
      accepts++;
      if (accepts === 100) return Promise.resolve(server);
      if (accepts > 100) return new Promise(() => {});
      return Promise.reject(new AcceptError("reset", true, { peerGone: true }));
    },
    close: () => {},
  };
  const abort = new AbortController();
  const connections = accepted(listener, {
    clock,
    random: new SeededRandom(1),
    signal: abort.signal,
  });
  const first = await connections.next();
  assertEquals([first.value, accepts, clock.monotonic()], [server, 100, 0]);
  abort.abort();
  client.close();
  server.close();
});
