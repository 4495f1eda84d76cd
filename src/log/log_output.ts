/**
 * Where lines end up: a file that is rotated, or the standard error.
 *
 * @module
 */
import type { AppendFile, Clock, Files } from "../platform/mod.ts";
import { fileTimestamp } from "./timestamp.ts";

/** What a {@link LogOutput} is made of. */
export interface LogOutputOptions {
  /** Names the files put aside. */
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
  /** Makes a line of what is wrong with the file itself. */
  readonly complaint: (message: string) => string;
}

const encoder = new TextEncoder();
const stampPattern = /^\d{4}(\.\d{2}){5}\.\d{9}$/;

/**
 * Appends lines to a file, or to the standard error when there is no file or it cannot be written;
 * never throws. Writing is synchronous: what was logged before a crash can be read after it.
 */
export class LogOutput {
  readonly #options: LogOutputOptions;
  #file: AppendFile | undefined;
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
    if (this.#file === undefined) {
      this.#writeStderr(text);
      return;
    }
    const bytes = encoder.encode(text);
    const { size } = this.#file;
    if (this.#sizeLimit > 0 && size > 0 && size + bytes.length > this.#sizeLimit) this.#rotate();
    try {
      this.#file?.write(bytes);
    } catch (error) {
      this.#closeFile();
      this.#fallBack("cannot be written", error);
    }
    if (this.#file === undefined) this.#writeStderr(text);
  }

  /** Opens the file anew: after it was moved away, or to try again after it failed. */
  reopen(): void {
    if (this.#closed) return;
    this.#closeFile();
    this.#open();
  }

  /** Closes the file. What is still logged goes to the standard error. */
  close(): void {
    this.#closed = true;
    this.#closeFile();
  }

  #open(): void {
    const { files, path } = this.#options;
    if (path === undefined) return;
    try {
      this.#file = files.openAppend(path);
    } catch (error) {
      this.#fallBack("cannot be opened", error);
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

  #rotate(): void {
    const { clock, files, utc, sizeLimit } = this.#options;
    const path = this.#options.path!;
    this.#closeFile(); // Windows renames no open file
    try {
      const aside = this.#setAsideNames();
      let stamp = fileTimestamp(clock.now(), utc);
      while (aside.includes(stamp)) stamp = following(stamp);
      files.renameSync(path, `${path}.${stamp}`);
      this.#sizeLimit = sizeLimit;
      this.#purge([...aside, stamp]);
    } catch (error) {
      // As nats-server does: better a file that is too large than no log, or a try at every line.
      this.#sizeLimit *= 2;
      this.#complain(
        `Log file ${path} cannot be rotated, trying again at ${this.#sizeLimit} bytes`,
        error,
      );
    }
    this.#open();
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
    this.#complain(
      `Log file ${this.#options.path} ${what}, logging to standard error until it is re-opened`,
      error,
    );
  }

  #complain(message: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#writeStderr(`${this.#options.complaint(`${message}: ${reason}`)}\n`);
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
