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
import { ProvenPasswords } from "./proven_passwords.ts";

/** Options of {@linkcode PasswordVerifier}. */
export interface PasswordVerifierOptions {
  /** Times the checks, and how long a proven password is remembered. */
  readonly clock: Clock;
  /** How many checks may wait behind the running one, 1 or more; 256 when left out. */
  readonly waitingMax?: number;
  /**
   * How many callers may share one check, and how many checks may be looked up in the memory of proven
   * passwords at the same time, 1 or more; 4,096 when left out.
   */
  readonly callersMax?: number;
  /** How many proven passwords are remembered, 1 or more; 1,024 when left out. */
  readonly provenMax?: number;
  /** How long each is remembered after its check, in milliseconds; 600,000 when left out. */
  readonly provenMs?: number;
  /**
   * How long one check may run, in milliseconds, before the worker is given up for hung; 30,000 when
   * left out, which is enough for a bcrypt cost of 18.
   */
  readonly checkTimeoutMs?: number;
  /** Starts the worker thread; the bcrypt worker when left out. */
  readonly startWorker?: (events: WorkerEvents) => WorkerThread;
}

/** Too many password checks or their callers are waiting. Whoever asked must be refused. */
export class VerifierOverloadedError extends Error {
  /** Always `"VerifierOverloadedError"`. */
  override readonly name = "VerifierOverloadedError";
}

/** A password could not be checked: the worker failed or hung, or the verifier was closed. */
export class VerifierFailedError extends Error {
  /** Always `"VerifierFailedError"`. */
  override readonly name = "VerifierFailedError";
}

/** One check and all who wait for it. */
interface PendingCheck {
  /** Callers that ask for the same share the check. */
  readonly id: string;
  readonly question: BcryptCheck;
  /** Whether its success proves nothing. */
  readonly decoy: boolean;
  /** Each ends one caller's wait. */
  readonly callers: Set<(outcome: boolean | Error) => void>;
  /** What the password is remembered by; empty until it has been looked up. */
  digest: string;
}

/**
 * Checks passwords against bcrypt hashes in a worker thread, one at a time in the order asked. The
 * worker is started by the first check and lives until {@linkcode close}; one that fails takes only the
 * check it was running with it, and the next check starts another.
 *
 * So that the clients of a broker that comes back are not locked out by their number, those who ask the
 * same at the same time share one check, and a password that was right is remembered for a while and
 * accepted again without bcrypt. One that was wrong never is. What that costs:
 *
 * - In memory stands a digest of the password under a random key, never the password. Somebody who can
 *   read the memory of the process, key included, can try guesses on the digests of the last minutes
 *   faster than on the bcrypt hashes.
 * - A remembered password is accepted faster than another. That tells whoever sent it that this very
 *   password was right lately, and nothing to those who do not know it.
 * - The hash is a part of what is remembered: a password is forgotten with a change of its hash.
 */
export class PasswordVerifier implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #waitingMax: number;
  readonly #callersMax: number;
  readonly #checkTimeoutMs: number;
  readonly #startWorker: (events: WorkerEvents) => WorkerThread;
  readonly #proven: ProvenPasswords;
  /** Every check that is looked up, waiting or running, by its id. */
  readonly #checks = new Map<string, PendingCheck>();
  readonly #waiting: PendingCheck[] = [];
  #running: { readonly check: PendingCheck; readonly timer: Timer } | null = null;
  #worker: WorkerThread | null = null;
  #lookups = 0;
  /** Resolved when the last look-up is over; never rejects. */
  #lookedUp: Promise<void> = Promise.resolve();
  #closed = false;

  /** Starts nothing yet. */
  constructor(options: PasswordVerifierOptions) {
    this.#clock = options.clock;
    this.#waitingMax = options.waitingMax ?? 256;
    this.#callersMax = options.callersMax ?? 4096;
    this.#checkTimeoutMs = options.checkTimeoutMs ?? 30_000;
    this.#startWorker = options.startWorker ?? startBcryptWorker;
    this.#proven = new ProvenPasswords({
      clock: options.clock,
      entriesMax: options.provenMax ?? 1024,
      keptMs: options.provenMs ?? 600_000,
    });
  }

  /**
   * Whether `password` is the one `hash` was made of. As bcrypt does, it looks at the first 72 bytes
   * of the password only. A hash that is malformed matches nothing.
   *
   * Aborting `signal` rejects with its reason at once: a check that has not begun and that nobody else
   * waits for will not run and frees its place; one that is running is left to finish unheard.
   *
   * `decoyFor` says that the check only takes time, and names the user in whose place `hash` stands.
   * It always runs, and is shared with nobody who names another user: if it were quicker than the
   * check of a hash of the user's own, those who know one password could find out who exists.
   *
   * @throws {VerifierOverloadedError} when as many checks are waiting, or callers sharing one, as may.
   * @throws {VerifierFailedError} when the worker failed or hung on this check, or on a closed verifier.
   */
  verify(
    password: string,
    hash: string,
    signal?: AbortSignal,
    decoyFor?: string,
  ): Promise<boolean> {
    if (this.#closed) {
      const refusal = "password check refused: the verifier is closed";
      return Promise.reject(new VerifierFailedError(refusal));
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    const question: BcryptCheck = { password: password.toWellFormed(), hash };
    const id = JSON.stringify([hash, question.password, decoyFor]);
    const pending = this.#checks.get(id);
    if (pending !== undefined) {
      if (pending.callers.size < this.#callersMax) return this.#join(pending, signal);
      return Promise.reject(overload(`${pending.callers.size} callers wait for this very check`));
    }
    if (this.#lookups >= this.#callersMax) {
      return Promise.reject(overload(`${this.#lookups} checks are being looked up`));
    }
    const check: PendingCheck = {
      id,
      question,
      decoy: decoyFor !== undefined,
      callers: new Set(),
      digest: "",
    };
    this.#checks.set(id, check);
    this.#lookUp(check);
    return this.#join(check, signal);
  }

  /**
   * Ends the worker, refuses every check that is under way and forgets every password, all at once;
   * resolves when the last look-up is over as well, and never rejects. Calling it again does no more.
   */
  close(): Promise<void> {
    this.#closed = true;
    this.#endWorker();
    this.#running?.timer.cancel();
    this.#running = null;
    this.#waiting.length = 0;
    const refusal = new VerifierFailedError("password check given up: the verifier was closed");
    for (const check of this.#checks.values()) this.#settle(check, refusal);
    this.#proven.clear();
    return this.#lookedUp;
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #join(check: PendingCheck, signal: AbortSignal | undefined): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const settle = (outcome: boolean | Error) => {
      signal?.removeEventListener("abort", leave);
      if (typeof outcome === "boolean") resolve(outcome);
      else reject(outcome);
    };
    const leave = () => {
      check.callers.delete(settle);
      if (check.callers.size === 0 && this.#running?.check !== check) this.#drop(check);
      reject(signal?.reason);
    };
    check.callers.add(settle);
    signal?.addEventListener("abort", leave, { once: true });
    return promise;
  }

  #drop(check: PendingCheck): void {
    this.#checks.delete(check.id);
    const at = this.#waiting.indexOf(check);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  #lookUp(check: PendingCheck): void {
    this.#lookups++;
    const digest = this.#proven.digest(check.question.password, check.question.hash);
    // Digests are made in several threads; waiting for the one before keeps the order.
    this.#lookedUp = Promise.all([digest, this.#lookedUp]).then(
      ([digest]) => {
        this.#lookups--;
        check.digest = digest;
        this.#answerOrQueue(check);
      },
      (error) => {
        this.#lookups--;
        this.#settle(check, new VerifierFailedError(`password check failed: digest: ${error}`));
      },
    );
  }

  #answerOrQueue(check: PendingCheck): void {
    if (check.callers.size === 0) return;
    if (!check.decoy && this.#proven.has(check.digest)) return this.#settle(check, true);
    if (this.#running !== null && this.#waiting.length >= this.#waitingMax) {
      return this.#settle(check, overload(`${this.#waiting.length} bcrypt checks are waiting`));
    }
    this.#waiting.push(check);
    this.#runNext();
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
    try {
      this.#worker ??= this.#startWorker({
        message: (data) => {
          this.#finish(data === true);
          this.#runNext();
        },
        failed: (reason) => this.#fail(reason.message),
      });
      this.#worker.post(check.question);
    } catch (error) {
      // Not allowed to read the worker's module, for instance. The others are told one by one.
      this.#fail(`it cannot be started: ${error}`);
    }
  }

  #finish(outcome: boolean | Error): void {
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    running.timer.cancel();
    if (outcome === true && !running.check.decoy) this.#proven.add(running.check.digest);
    this.#settle(running.check, outcome);
  }

  #settle(check: PendingCheck, outcome: boolean | Error): void {
    this.#checks.delete(check.id);
    for (const settle of check.callers) settle(outcome);
    check.callers.clear();
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

function overload(what: string): VerifierOverloadedError {
  return new VerifierOverloadedError(`password check refused: ${what} already`);
}

function startBcryptWorker(events: WorkerEvents): WorkerThread {
  const module = new URL("./bcrypt_worker.ts", import.meta.url);
  return workerThread(new Worker(module, { type: "module" }), events);
}
