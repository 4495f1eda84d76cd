/**
 * bcrypt off the event loop: one check takes 60-100 ms of pure computation at the usual cost.
 *
 * @module
 */
import {
  type Clock,
  type Timer,
  type WorkerEvents,
  type WorkerThread,
  workerThread,
} from "../platform/mod.ts";
import type { BcryptCheck } from "./bcrypt_worker.ts";

/** Options of {@linkcode PasswordVerifier}. */
export interface PasswordVerifierOptions {
  /** Times the checks. */
  readonly clock: Clock;
  /** How many checks may wait behind the running one, 1 or more; 256 when left out. */
  readonly waitingMax?: number;
  /**
   * How long one check may run, in milliseconds, before the worker is given up for hung; 30,000 when
   * left out, which is enough for a bcrypt cost of 18.
   */
  readonly checkTimeoutMs?: number;
  /** Starts the worker thread; the bcrypt worker when left out. */
  readonly startWorker?: (events: WorkerEvents) => WorkerThread;
}

/** Too many password checks are waiting. Whoever asked must be refused. */
export class VerifierOverloadedError extends Error {
  /** Always `"VerifierOverloadedError"`. */
  override readonly name = "VerifierOverloadedError";
}

/** A password could not be checked: the worker failed or hung, or the verifier was closed. */
export class VerifierFailedError extends Error {
  /** Always `"VerifierFailedError"`. */
  override readonly name = "VerifierFailedError";
}

interface PendingCheck extends BcryptCheck {
  /** Ends the caller's wait, once; later calls change nothing. */
  readonly settle: (outcome: boolean | Error) => void;
}

/**
 * Checks passwords against bcrypt hashes in a worker thread, one at a time in the order asked. The
 * worker is started by the first check and lives until {@linkcode close}; one that fails takes only the
 * check it was running with it, and the next check starts another.
 */
export class PasswordVerifier {
  readonly #clock: Clock;
  readonly #waitingMax: number;
  readonly #checkTimeoutMs: number;
  readonly #startWorker: (events: WorkerEvents) => WorkerThread;
  readonly #waiting: PendingCheck[] = [];
  #running: { readonly check: PendingCheck; readonly timer: Timer } | null = null;
  #worker: WorkerThread | null = null;
  #closed = false;

  /** Starts nothing yet. */
  constructor(options: PasswordVerifierOptions) {
    this.#clock = options.clock;
    this.#waitingMax = options.waitingMax ?? 256;
    this.#checkTimeoutMs = options.checkTimeoutMs ?? 30_000;
    this.#startWorker = options.startWorker ?? startBcryptWorker;
  }

  /**
   * Whether `password` is the one `hash` was made of. As bcrypt does, it looks at the first 72 bytes
   * of the password only. A hash that is malformed matches nothing.
   *
   * Aborting `signal` rejects with its reason at once: a check that is still waiting will not run and
   * frees its place; one that is running is left to finish unheard.
   *
   * @throws {VerifierOverloadedError} when as many checks are waiting as may.
   * @throws {VerifierFailedError} when the worker failed or hung on this check, or on a closed verifier.
   */
  verify(password: string, hash: string, signal?: AbortSignal): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const abort = () => {
      const at = this.#waiting.indexOf(check);
      if (at >= 0) this.#waiting.splice(at, 1);
      reject(signal?.reason);
    };
    const check: PendingCheck = {
      password,
      hash,
      settle: (outcome) => {
        signal?.removeEventListener("abort", abort);
        if (typeof outcome === "boolean") resolve(outcome);
        else reject(outcome);
      },
    };
    if (this.#closed) {
      check.settle(new VerifierFailedError("password check refused: the verifier is closed"));
    } else if (signal?.aborted) {
      abort();
    } else if (this.#running !== null && this.#waiting.length >= this.#waitingMax) {
      check.settle(
        new VerifierOverloadedError(
          `password check refused: ${this.#waiting.length} bcrypt checks are waiting already`,
        ),
      );
    } else {
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.push(check);
      this.#runNext();
    }
    return promise;
  }

  /** Ends the worker and refuses every check that is under way. Calling it again does nothing. */
  close(): void {
    this.#closed = true;
    this.#endWorker();
    const refusal = new VerifierFailedError("password check given up: the verifier was closed");
    this.#finish(refusal);
    for (const check of this.#waiting.splice(0)) check.settle(refusal);
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #runNext(): void {
    if (this.#running !== null) return;
    const check = this.#waiting.shift();
    if (check === undefined) return;
    const timer = this.#clock.setTimer(
      this.#checkTimeoutMs,
      () => this.#fail(`no answer within ${this.#checkTimeoutMs} ms`),
    );
    this.#running = { check, timer };
    this.#worker ??= this.#startWorker({
      message: (data) => {
        this.#finish(data === true);
        this.#runNext();
      },
      failed: (reason) => this.#fail(reason.message),
    });
    const question: BcryptCheck = { password: check.password.toWellFormed(), hash: check.hash };
    this.#worker.post(question);
  }

  #finish(outcome: boolean | Error): void {
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    running.timer.cancel();
    running.check.settle(outcome);
  }

  #fail(reason: string): void {
    this.#endWorker();
    this.#finish(new VerifierFailedError(`password check failed: bcrypt worker: ${reason}`));
    this.#runNext();
  }

  #endWorker(): void {
    this.#worker?.terminate();
    this.#worker = null;
  }
}

function startBcryptWorker(events: WorkerEvents): WorkerThread {
  const module = new URL("./bcrypt_worker.ts", import.meta.url);
  return workerThread(new Worker(module, { type: "module" }), events);
}
