/**
 * `denats --signal`: what a script says to a server that runs.
 *
 * @module
 */
import type { Files, SentSignal } from "./platform/mod.ts";

/** Which process is meant cannot be told; the message says why. */
export class ProcessNotFoundError extends Error {
  /** Always `"ProcessNotFoundError"`. */
  override readonly name = "ProcessNotFoundError";
}

/** Signals by nats-server's words for them. */
export const SIGNALS: Readonly<Record<string, SentSignal>> = {
  stop: "SIGKILL",
  quit: "SIGINT",
  term: "SIGTERM",
  reopen: "SIGUSR1",
  reload: "SIGHUP",
  ldm: "SIGUSR2",
};

/** The longest pid file that is taken for one. */
const LONGEST_PID = 32;

/**
 * The process that `target` names: its number, or a file with it.
 *
 * @throws {FileError} when the file cannot be read.
 * @throws {ProcessNotFoundError} when there is no number in it.
 */
export async function processOf(target: string, files: Pick<Files, "readText">): Promise<number> {
  const text = /^\d+$/.test(target) ? target : await files.readText(target);
  const number = text.length <= LONGEST_PID ? /^\s*(\d+)\s*$/.exec(text)?.[1] : undefined;
  const pid = Number(number);
  // 0 would be this process and its group.
  if (number === undefined || !Number.isSafeInteger(pid) || pid === 0) {
    throw new ProcessNotFoundError(`${target} holds no process id`);
  }
  return pid;
}
