import { assertEquals, assertMatch } from "@std/assert";
import { type WorkerError, type WorkerThread, workerThread } from "../../src/platform/mod.ts";

interface Outcome {
  readonly message?: unknown;
  readonly failure?: WorkerError;
}

/** Runs `source` in a worker and gives its first event. */
async function firstEvent(module: string, ...posts: unknown[]): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const thread: WorkerThread = workerThread(new Worker(module, { type: "module" }), {
    message: (message) => resolve({ message }),
    failed: (failure) => resolve({ failure }),
  });
  for (const post of posts) thread.post(post);
  const outcome = await promise;
  thread.terminate();
  thread.terminate();
  return outcome;
}

function javascript(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

Deno.test("a worker answers what it is posted", async () => {
  const echo = javascript("onmessage = (event) => postMessage({ got: event.data })");
  assertEquals(await firstEvent(echo, ["a", 1]), { message: { got: ["a", 1] } });
});

Deno.test("a worker that throws fails, and the process lives on", async () => {
  const { failure } = await firstEvent(javascript("throw new Error('boom')"));
  assertEquals(failure?.name, "WorkerError");
  assertMatch(failure!.message, /boom/);
  const later = javascript("onmessage = () => { throw new Error('later') }");
  assertMatch((await firstEvent(later, 1)).failure!.message, /later/);
});

Deno.test("a worker that cannot be loaded fails", async () => {
  const { failure } = await firstEvent(import.meta.resolve("./no_such_module.js"));
  assertEquals(failure?.name, "WorkerError");
});
