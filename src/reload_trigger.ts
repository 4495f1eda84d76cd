/**
 * What makes the command reload its configuration.
 *
 * @module
 */
import type { Clock } from "./platform/mod.ts";

/** What a {@link ReloadTrigger} does. */
export interface ReloadTriggerOptions {
  /** Loads the configuration and changes to it; what it rejects with is told by {@link failed}. */
  readonly reload: () => Promise<unknown>;
  /** It could not be loaded. */
  readonly failed: (error: unknown) => void;
}

/** Reloads when it is asked to: once at a time, and once more for however often it was asked meanwhile. */
export class ReloadTrigger {
  readonly #options: ReloadTriggerOptions;
  #running: Promise<void> | null = null;
  #again = false;

  /** Nobody has asked yet. */
  constructor(options: ReloadTriggerOptions) {
    this.#options = options;
  }

  /** Asks for a reload; resolves when nothing more is to be done, and never rejects. */
  ask(): Promise<void> {
    this.#again = true;
    return this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        await this.#options.reload();
      } catch (error) {
        this.#options.failed(error);
      }
    }
    this.#running = null;
  }
}

/** How often files are looked at, in milliseconds. */
const LOOK_MS = 1000;

/** What {@link watchFiles} looks at. */
export interface FileWatchOptions {
  /** Time. */
  readonly clock: Clock;
  /** Whether to look at all; asked every time. */
  readonly isOn: () => boolean;
  /** The files; asked every time. */
  readonly paths: () => Iterable<string>;
  /** What is another text when a file is another one or was written; null when it is not there. */
  readonly stampOf: (path: string) => Promise<string | null>;
  /** They have changed, and have stayed the same for a second since. */
  readonly changed: () => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Looks at files once a second: whatever an editor, a `mv` or a mounted volume does to them shows, which
 * is not so with the events of file systems. Half-written files are given time. Resolves when aborted.
 */
export async function watchFiles(options: FileWatchOptions): Promise<void> {
  const { clock, isOn, paths, stampOf, changed, signal } = options;
  /** As it was when it was last loaded, and at the last look. */
  let settled: string | null = null, seen: string | null = null;
  for (; !signal.aborted; await clock.sleep(LOOK_MS, signal).catch(() => {})) {
    if (!isOn()) {
      settled = seen = null;
      continue;
    }
    const stamps: string[] = [];
    // A file that is not there is about to be: it is being replaced.
    let isWhole = true;
    for (const path of paths()) {
      const stamp = await stampOf(path);
      isWhole &&= stamp !== null;
      stamps.push(`${path} ${stamp}`);
    }
    const now = stamps.join("\n"), isQuiet = now === seen;
    seen = now;
    if (settled === null) settled = now;
    if (!isWhole || !isQuiet || now === settled) continue;
    settled = now;
    changed();
  }
}
