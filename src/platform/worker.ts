/**
 * A thread beside the event loop, for work that would stall it. Nothing outside `platform/` listens to
 * a worker's raw events.
 *
 * @module
 */

/** What a worker thread tells the thread that started it. */
export interface WorkerEvents {
  /** The worker posted `data`; its shape is the sender's promise, not checked here. */
  message(data: unknown): void;
  /** The worker could not be loaded, threw, or posted something unreadable. It is of no more use. */
  failed(reason: WorkerError): void;
}

/** A running worker thread. */
export interface WorkerThread {
  /** Sends a structured-cloneable value to the worker; what is in `moved` is not there any more then. */
  post(data: unknown, moved?: readonly ArrayBuffer[]): void;
  /** Ends the thread at once, whatever it is doing; no event follows. Calling it again does nothing. */
  terminate(): void;
}

/** A worker thread failed; the message says how. */
export class WorkerError extends Error {
  /** Always `"WorkerError"`. */
  override readonly name = "WorkerError";
}

/**
 * Wraps a fresh `Worker`. The caller constructs it, as
 * `new Worker(new URL("./name.ts", import.meta.url), { type: "module" })`: only in this literal shape
 * do bundlers find the worker's module.
 */
export function workerThread(worker: Worker, events: WorkerEvents): WorkerThread {
  let ended = false;
  const fail = (event: Event, reason: string) => {
    // Otherwise the worker's error becomes an uncaught one of the whole process.
    event.preventDefault();
    if (!ended) events.failed(new WorkerError(reason));
  };
  worker.onmessage = (event) => {
    if (!ended) events.message(event.data);
  };
  worker.onerror = (event) => fail(event, event.message);
  worker.onmessageerror = (event) => fail(event, "a message could not be read");
  return {
    post: (data, moved = []) => worker.postMessage(data, [...moved]),
    terminate() {
      ended = true;
      worker.terminate();
    },
  };
}
