/**
 * What makes the command reload its configuration.
 *
 * @module
 */
import type { Clock, FileStamp, ReadFiles } from "./platform/mod.ts";

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
  /** The files as they were when they were last loaded; asked every time. */
  readonly read: () => ReadFiles;
  /** What is known of a file; null when it is not there. */
  readonly stampOf: (path: string) => Promise<FileStamp | null>;
  /** They are not as they were loaded, and have stayed the same for a second. */
  readonly changed: () => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Looks at files once a second: whatever an editor, a `mv` or a mounted volume does to them shows, which
 * is not so with the events of file systems. Half-written files are given time. Resolves when aborted.
 */
export async function watchFiles(options: FileWatchOptions): Promise<void> {
  const { clock, isOn, read, stampOf, changed, signal } = options;
  /** As they were at the last look, and when {@link changed} was last called. */
  let seen = "", told = "";
  for (; !signal.aborted; await clock.sleep(LOOK_MS, signal).catch(() => {})) {
    if (!isOn()) continue;
    const loaded = read();
    let now = "", isWhole = true, isLoaded = true;
    for (const [path, before] of loaded) {
      const stamp = (await stampOf(path))?.stamp ?? null;
      // A file that is not there is about to be: it is being replaced.
      isWhole &&= stamp !== null;
      isLoaded &&= stamp === before;
      now += `${path} ${stamp}\n`;
    }
    const isQuiet = now === seen;
    seen = now;
    if (isLoaded) told = "";
    // What could not be loaded is not told of again before it changes.
    if (!isWhole || !isQuiet || isLoaded || now === told || loaded !== read()) continue;
    told = now;
    changed();
  }
}
