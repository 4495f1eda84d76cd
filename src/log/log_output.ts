/**
 * Where lines end up: a file that is rotated, or the standard error.
 *
 * @module
 */
import type { AppendFile, Clock, Files } from "../platform/mod.ts";
import type { Level } from "./level.ts";
import { fileTimestamp } from "./timestamp.ts";

/** What a {@link LogOutput} is made of. */
export interface LogOutputOptions {
  /** Names the files put aside, and spaces the tries to open the file. */
  readonly clock: Clock;
  /** Where the file is. */
  readonly files: Files;
  /** Writes all of a text to the standard error; what it returns or throws is ignored. */
  readonly stderrWrite: (text: string) => unknown;
  /** The file; undefined for the standard error. */
  readonly path: string | undefined;
  /** Size in bytes that the file does not grow past unless a single line is longer; 0 is none. */
  readonly sizeLimit: number;
  /** How many files are kept, the current one included; 0 is all of them. */
  readonly maxFiles: number;
  /** Whether the names of files put aside are in UTC instead of local time. */
  readonly utc: boolean;
  /** Makes a line, without its end, of what is to be said about the file itself. */
  readonly line: (level: Level, message: string) => string;
}

const encoder = new TextEncoder();
const stampPattern = /^\d{4}(\.\d{2}){5}\.\d{9}$/;

/** How long after a failure to open or to write the file that is tried again. */
const RETRY_MS = 1000;

/**
 * Appends lines to a file, or to the standard error when there is no file or it cannot be written;
 * never throws. Writing is synchronous: what was logged before a crash can be read after it.
 *
 * A file that cannot be had is tried again once a second as long as lines come. That it is missed is
 * said once, on the standard error, and so is its return, in the file as well.
 */
export class LogOutput {
  readonly #options: LogOutputOptions;
  /** What is written to; after a failure to open the file anew, what was open before. */
  #file: AppendFile | undefined;
  /** Monotonic time of the next try in milliseconds; undefined while nothing is wrong. */
  #retryAtMs: number | undefined;
  /** Where it was said that lines go while something is wrong. */
  #refuge: string | undefined;
  #sizeLimit: number;
  #closed = false;

  /** Opens the file, if there is one. */
  constructor(options: LogOutputOptions) {
    this.#options = options;
    this.#sizeLimit = options.sizeLimit;
    this.#open();
  }

  /** Appends a line. */
  write(line: string): void {
    const text = `${line}\n`;
    if (this.#options.path === undefined || this.#closed) {
      this.#writeStderr(text);
      return;
    }
    const bytes = encoder.encode(text);
    if (this.#retryAtMs !== undefined) {
      if (this.#options.clock.monotonic() >= this.#retryAtMs) this.#open();
    } else if (this.#isFull(bytes.length)) {
      this.#rotate();
    }
    if (!this.#append(bytes)) this.#writeStderr(text);
  }

  /**
   * Opens the file anew: after it was moved away, or to try again at once after it failed. False
   * when it cannot be opened or written; lines then go on to the file that was open before, if any.
   */
  reopen(): boolean {
    if (this.#closed) return false;
    this.#refuge = undefined; // whoever asks wants to know
    return this.#open();
  }

  /** Closes the file. What is still logged goes to the standard error. */
  close(): void {
    this.#closed = true;
    this.#closeFile();
  }

  #open(): boolean {
    const { files, path } = this.#options;
    if (path === undefined) return true;
    let file: AppendFile;
    try {
      file = files.openAppend(path);
    } catch (error) {
      this.#fallBack("cannot be opened", error);
      return false;
    }
    this.#closeFile();
    this.#file = file;
    return this.#retryAtMs === undefined || this.#recover();
  }

  /** Ends the time in which something was wrong, if the file that is open now can be written. */
  #recover(): boolean {
    const { line, path } = this.#options;
    const notice = line("info", `Log file ${path} can be written, logging to it from here on`);
    if (!this.#append(encoder.encode(`${notice}\n`))) return false;
    this.#writeStderr(`${notice}\n`);
    this.#retryAtMs = undefined;
    this.#refuge = undefined;
    return true;
  }

  /** False when there is no file or it cannot be written. */
  #append(bytes: Uint8Array): boolean {
    if (this.#file === undefined) return false;
    try {
      this.#file.write(bytes);
      return true;
    } catch (error) {
      this.#closeFile();
      this.#fallBack("cannot be written", error);
      return false;
    }
  }

  #closeFile(): void {
    try {
      this.#file?.close();
    } catch {
      // It is given up either way, and nothing is buffered that could be lost.
    }
    this.#file = undefined;
  }

  #isFull(more: number): boolean {
    const size = this.#file?.size ?? 0;
    return this.#sizeLimit > 0 && size > 0 && size + more > this.#sizeLimit;
  }

  #rotate(): void {
    const { clock, files, utc, sizeLimit } = this.#options;
    const path = this.#options.path!;
    let stamps: string[] = [];
    try {
      const aside = this.#setAsideNames();
      let stamp = fileTimestamp(clock.now(), utc);
      while (aside.includes(stamp)) stamp = following(stamp);
      // Still open: until there is a new file, lines go on to this one.
      files.renameSync(path, `${path}.${stamp}`);
      this.#sizeLimit = sizeLimit;
      stamps = [...aside, stamp];
    } catch (error) {
      // As nats-server does: better a file that is too large than no log, or a try at every line.
      this.#sizeLimit *= 2;
      this.#complain(
        `Log file ${path} cannot be rotated, trying again at ${this.#sizeLimit} bytes`,
        error,
      );
    }
    // Even if it is not moved: it may be missing because somebody deleted it.
    if (this.#open()) this.#purge(stamps);
  }

  /** The timestamps of the files that were put aside. */
  #setAsideNames(): string[] {
    const { folder, name } = splitPath(this.#options.path!);
    return this.#options.files.listSync(folder)
      .filter((entry) => entry.startsWith(`${name}.`))
      .map((entry) => entry.slice(name.length + 1))
      .filter((stamp) => stampPattern.test(stamp));
  }

  #purge(stamps: string[]): void {
    const { files, maxFiles, path } = this.#options;
    if (maxFiles === 0) return;
    const surplus = stamps.sort().slice(0, Math.max(0, stamps.length - (maxFiles - 1)));
    for (const stamp of surplus) {
      try {
        files.removeSync(`${path}.${stamp}`);
      } catch (error) {
        this.#complain(`Old log file ${path}.${stamp} cannot be removed`, error);
        return; // the next rotation tries again
      }
    }
  }

  #fallBack(what: string, error: unknown): void {
    const { clock, path } = this.#options;
    this.#retryAtMs = clock.monotonic() + RETRY_MS;
    const refuge = this.#file === undefined ? "standard error" : "the file opened before it";
    if (refuge === this.#refuge) return;
    this.#refuge = refuge;
    this.#complain(`Log file ${path} ${what}, logging to ${refuge} until it can be`, error);
  }

  #complain(message: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#writeStderr(`${this.#options.line("error", `${message}: ${reason}`)}\n`);
  }

  #writeStderr(text: string): void {
    try {
      this.#options.stderrWrite(text);
    } catch {
      // There is nowhere left to say so.
    }
  }
}

/** The next timestamp: two files put aside in the same microsecond must not have one name. */
function following(stamp: string): string {
  const nanos = (Number(stamp.slice(-9)) + 1) % 1_000_000_000;
  return stamp.slice(0, -9) + String(nanos).padStart(9, "0");
}

function splitPath(path: string): { folder: string; name: string } {
  const slash = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  if (slash < 0) return { folder: ".", name: path };
  return { folder: path.slice(0, slash) || "/", name: path.slice(slash + 1) };
}
