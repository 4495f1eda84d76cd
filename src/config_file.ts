/**
 * The configuration file of the command, which is read again when it reloads.
 *
 * @module
 */
import {
  type Config,
  type ConfigWarning,
  type Environment,
  type Flags,
  loadConfig,
  type LoadedBefore,
  loadInBackground,
} from "./config/mod.ts";
import { type Clock, type FileStamp, type ReadFiles, stamping } from "./platform/mod.ts";

/** From this size on a file is read and checked in a thread of its own. */
const BACKGROUND_BYTES = 128 * 1024;

/** What a {@link ConfigFile} takes from its surroundings. */
export interface ConfigFileOptions {
  /** The command's flags, which override the file at every time. */
  readonly flags: Pick<Flags, "configFile" | "overrides" | "ignoreUnsupported">;
  /** Variables. */
  readonly env: Environment;
  /** Reads files. */
  readonly readText: (path: string) => Promise<string>;
  /** What is known of a file without reading it. */
  readonly stampOf: (path: string) => Promise<FileStamp | null>;
  /** Time. */
  readonly clock: Clock;
  /** Loads in a thread of its own; the real one when left out. */
  readonly background?: typeof loadInBackground | undefined;
}

/** There is no file to read again; the message is nats-server's. */
export class NoConfigFileError extends Error {
  /** Always `"NoConfigFileError"`. */
  override readonly name = "NoConfigFileError";
}

/** A configuration file, and those that it includes. */
export class ConfigFile {
  readonly #options: ConfigFileOptions;
  #read: ReadFiles;
  #last: LoadedBefore | null;

  /** `read` are the files that were read up to now, and `last` is what was loaded from them. */
  constructor(
    options: ConfigFileOptions,
    read: ReadFiles,
    last: LoadedBefore | null = null,
  ) {
    this.#options = options;
    this.#read = read;
    this.#last = last;
  }

  /** The files that were read when it was last good, each as it was then. */
  get read(): ReadFiles {
    return this.#read;
  }

  /**
   * Reads it again. What is the same as `before` is taken from there where the file is a large one.
   *
   * @throws {NoConfigFileError} when there is none.
   * @throws {ConfigError} with everything that is wrong, each with its place in the file.
   */
  async load(
    before: Config,
    signal: AbortSignal,
    onWarning: (warning: ConfigWarning) => void,
  ): Promise<Config> {
    const { flags, env, stampOf, clock, background = loadInBackground } = this.#options;
    const { configFile, overrides, ignoreUnsupported } = flags;
    if (configFile === undefined) {
      throw new NoConfigFileError(
        "can only reload config when a file is provided using -c or --config",
      );
    }
    const size = (await stampOf(configFile))?.size ?? 0;
    if (size >= BACKGROUND_BYTES) {
      const toLoad = { configFile, overrides, ...(ignoreUnsupported && { ignoreUnsupported }) };
      const last = this.#last;
      const loaded = await background({ flags: toLoad, before, last, clock, signal });
      const { config, texts, files: read, warnings } = loaded;
      this.#read = read;
      this.#last = { config, texts };
      warnings.forEach(onWarning);
      return config;
    }
    const read = new Map<string, string | null>();
    const readText = stamping(read, this.#options.readText, stampOf);
    const config = await loadConfig({ flags, env, files: { readText }, onWarning });
    this.#read = read;
    this.#last = null;
    return config;
  }
}
