/**
 * The process that the command runs in: what `main.ts` and the broker need of it.
 *
 * @module
 */
import inspector from "node:inspector";
import type { Clock } from "./clock.ts";

/** Signals that {@link onSignal} takes. */
export type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGUSR1" | "SIGUSR2";

/** Signals that {@link sendSignal} sends. */
export type SentSignal = SignalName | "SIGKILL";

/** A signal could not be sent; the message says why. */
export class SignalError extends Error {
  /** Always `"SignalError"`. */
  override readonly name = "SignalError";
}

/**
 * Sends a signal to another process.
 *
 * @throws {SignalError} when there is no such process, or it is not ours.
 */
export function sendSignal(pid: number, signal: SentSignal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound || /ESRCH/.test(String(error));
    const reason = isMissing
      ? "there is no such process"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new SignalError(`cannot send a signal to process ${pid}: ${reason}`, { cause: error });
  }
}

/** A throw that nobody caught. */
export interface StrayError {
  /** What was thrown or rejected with. */
  readonly error: unknown;
  /** `"rejection"`: a promise nobody handled; `"error"`: a callback or event listener that threw. */
  readonly kind: "rejection" | "error";
}

/** The arguments after the program's name. */
export function commandLine(): string[] {
  return [...Deno.args];
}

/** The value of an environment variable; `undefined` when it is not set. */
export function environmentVariable(name: string): string | undefined {
  return Deno.env.get(name);
}

/** The process id. */
export function processId(): number {
  return Deno.pid;
}

/** The runtime and its version, such as `deno 2.9.6`. */
export function runtimeVersion(): string {
  return `deno ${Deno.version.deno}`;
}

/** The addresses of all interfaces of this machine, the loopback ones included. */
export function networkAddresses(): string[] {
  return Deno.networkInterfaces().map(({ address }) => address);
}

/**
 * Calls `handler` for every `signal` until disposed; the signal's default effect is off meanwhile.
 * Does nothing where the system has no such signal (Windows).
 */
export function onSignal(signal: SignalName, handler: () => void): Disposable {
  if (Deno.build.os === "windows" && (signal === "SIGUSR1" || signal === "SIGUSR2")) {
    return { [Symbol.dispose]() {} };
  }
  Deno.addSignalListener(signal, handler);
  return disposable(() => Deno.removeSignalListener(signal, handler));
}

/**
 * Calls `handler` for every unhandled rejection and uncaught error of the whole process, which then
 * does not end because of it, until disposed. For the process's owner only: an embedding program's
 * stray errors are its own. A throw of the handler itself is dropped.
 */
export function onStrayError(handler: (stray: StrayError) => void): Disposable {
  const report = (event: Event, stray: StrayError) => {
    event.preventDefault();
    try {
      handler(stray);
    } catch {
      // Letting it go would raise the next error event, and so on for ever.
    }
  };
  const onRejection = (event: PromiseRejectionEvent) =>
    report(event, { kind: "rejection", error: event.reason });
  const onError = (event: ErrorEvent) => report(event, { kind: "error", error: event.error });
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onError);
  return disposable(() => {
    globalThis.removeEventListener("unhandledrejection", onRejection);
    globalThis.removeEventListener("error", onError);
  });
}

/** Writes all of `text` to the standard output before returning; false when that failed. */
export function writeStdout(text: string): boolean {
  return writeAll(Deno.stdout, text);
}

/** Writes all of `text` to the standard error before returning; false when that failed. */
export function writeStderr(text: string): boolean {
  return writeAll(Deno.stderr, text);
}

/** Ends the process at once with `code`, 0-255. */
export function exitProcess(code: number): never {
  Deno.exit(code);
}

const encoder = new TextEncoder();

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): boolean {
  const bytes = encoder.encode(text);
  try {
    for (let written = 0; written < bytes.length;) {
      written += stream.writeSync(bytes.subarray(written));
    }
    return true;
  } catch {
    // Whoever was reading went away; a broker outlives its terminal.
    return false;
  }
}

function disposable(undo: () => void): Disposable {
  let done = false;
  return {
    [Symbol.dispose]() {
      if (done) return;
      done = true;
      undo();
    },
  };
}

/** How long after a signal the runtime may take to open its inspector. */
const INSPECTOR_MS = 1000;
/** How often to look for it: at first every millisecond, since whoever finds it open may use it. */
const INSPECTOR_SOON_MS = 100, INSPECTOR_FAST_LOOK_MS = 1, INSPECTOR_SLOW_LOOK_MS = 10;

/** Whether the inspector was asked for when the process started. */
const inspected = inspector.url() !== undefined;

/**
 * Closes the debugger port that the runtime opens by itself on SIGUSR1, whatever listens to the
 * signal: anybody on the machine could run code in the process through it. To be called when the
 * signal came; does nothing when the process was started with an inspector.
 */
export async function closeInspector(clock: Clock): Promise<void> {
  if (inspected) return;
  const calledMs = clock.monotonic();
  for (;;) {
    if (inspector.url() !== undefined) {
      inspector.close();
      return;
    }
    const waitedMs = clock.monotonic() - calledMs;
    if (waitedMs >= INSPECTOR_MS) return;
    await clock.sleep(
      waitedMs < INSPECTOR_SOON_MS ? INSPECTOR_FAST_LOOK_MS : INSPECTOR_SLOW_LOOK_MS,
    );
  }
}
