/**
 * The command `denats`: flags, configuration, a broker, signals, an exit code.
 *
 * @module
 */
import { Broker, type CloseBrokerOptions } from "./src/broker.ts";
import { commands, runCommand } from "./src/command/mod.ts";
import { OperatorError } from "./src/auth/mod.ts";
import { silentLog } from "./src/log/mod.ts";
import { checkOperator } from "./src/operator_parts.ts";
import { expiryWarnings, loadTls } from "./src/tls_parts.ts";
import { ConfigFile, NoConfigFileError } from "./src/config_file.ts";
import {
  type AccountTexts,
  type Config,
  ConfigError,
  type ConfigWarning,
  FlagError,
  type Flags,
  formatProblem,
  helpText,
  jsonSchema,
  loadConfig,
  type LoadedBefore,
  parseFlags,
  printConfig,
} from "./src/config/mod.ts";
import {
  closeInspector,
  commandLine,
  decodeText,
  DenoFiles,
  environmentVariable,
  exitProcess,
  FileError,
  fileStamp,
  ListenError,
  onSignal,
  onStrayError,
  type ReadFiles,
  sendSignal,
  SignalError,
  stamping,
  SystemClock,
  writeStderr,
  writeStdout,
} from "./src/platform/mod.ts";
import { ProcessNotFoundError, processOf, SIGNALS } from "./src/process_signal.ts";
import { DENATS_VERSION, NATS_VERSION } from "./src/protocol/mod.ts";
import { ReloadTrigger, watchFiles } from "./src/reload_trigger.ts";

const FAILURE = 1;
/** Ctrl-C in a terminal arrives twice under a task runner: from the terminal, and passed on. */
const ECHO_MS = 200;
/** Signals as nats-server names them. */
const SIGNAL_NAMES = {
  SIGHUP: "hangup",
  SIGINT: "interrupt",
  SIGTERM: "terminated",
  SIGUSR2: "user defined signal 2",
} as const;

/** Most problems of a configuration that cannot be reloaded that are logged. */
const LOGGED_PROBLEMS = 10;

/** Says why it ends, in a line of its own, and gives the exit code for that. */
function refuse(message: string): number {
  writeStderr(`denats: ${message}\n`);
  return FAILURE;
}

async function run(): Promise<number> {
  const files = new DenoFiles();
  const world = { stdout: writeStdout, stderr: writeStderr, files, env: environmentVariable };
  const exitCode = await runCommand(commandLine(), world);
  if (exitCode !== undefined) return exitCode;
  let flags: Flags, config: Config, first: Uint8Array<ArrayBuffer> | undefined;
  const warnings: string[] = [], read = new Map<string, string | null>();
  let texts: AccountTexts | null = null;
  try {
    flags = parseFlags(commandLine());
    if (flags.mode === "help") return print(helpText(commands));
    if (flags.mode === "version") {
      return print(`denats: v${DENATS_VERSION} (protocol of nats-server v${NATS_VERSION})\n`);
    }
    if (flags.mode === "json schema") return print(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
    if (flags.mode === "signal" && flags.configFile === undefined) return await signal(flags);
    // Read once, since a pipe cannot be read again; what it includes is read after it.
    const readText = stamping(read, async (path) => {
      const bytes = await files.readBytes(path);
      first ??= bytes;
      return decodeText(path, bytes);
    });
    const onWarning = (warning: ConfigWarning) => void warnings.push(formatProblem(warning));
    const env = environmentVariable;
    config = await loadConfig({
      flags,
      env,
      files: { readText },
      onWarning,
      onAccounts: flags.mode === "run" ? (found) => void (texts = found) : undefined,
    });
  } catch (error) {
    if (error instanceof FlagError) return refuse(`${error.message}; see denats --help`);
    if (error instanceof ConfigError) return refuse(error.message);
    throw error;
  }
  if (flags.mode === "signal") return await signal(flags, config.pid_file);
  if (flags.mode === "run") {
    return await serve(config, flags, read, warnings, texts && { config, texts });
  }
  const warn = (warning: string) => void writeStderr(`denats: warning: ${warning}\n`);
  warnings.forEach(warn);
  if (flags.mode === "print config") return print(printConfig(config));
  try {
    const clock = new SystemClock();
    const materials = await loadTls(config, files);
    for (const warning of expiryWarnings(materials, clock.now())) warn(warning);
    await checkOperator(config, { files, clock, log: silentLog });
  } catch (error) {
    if (!(error instanceof FileError || error instanceof OperatorError)) throw error;
    return refuse(error.message);
  }
  return await reportValid(flags.configFile, first);
}

function print(text: string): number {
  return writeStdout(text) ? 0 : FAILURE;
}

async function reportValid(
  file: string | undefined,
  bytes: Uint8Array<ArrayBuffer> | undefined,
): Promise<number> {
  if (file === undefined || bytes === undefined) {
    return refuse("nothing to check: -t needs a configuration file (-c)");
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  writeStderr(`denats: configuration file ${file} is valid (sha256:${digest})\n`);
  return 0;
}

/** Says `--signal` to another server; `pidFile` is where that is where nothing else is said. */
async function signal({ signal }: Flags, pidFile?: string): Promise<number> {
  const name = signal?.name ?? "", target = signal?.target ?? pidFile;
  const meant = Object.hasOwn(SIGNALS, name) ? SIGNALS[name] : undefined;
  if (meant === undefined) {
    return refuse(`unknown signal ${JSON.stringify(name)}; see denats --help`);
  }
  if (target === undefined) {
    return refuse(
      `which process? --signal ${name}=<pid or pid file>, or -c with a configuration that has pid_file`,
    );
  }
  try {
    sendSignal(await processOf(target, new DenoFiles()), meant);
    return 0;
  } catch (error) {
    const isKnown = error instanceof SignalError || error instanceof FileError ||
      error instanceof ProcessNotFoundError;
    if (!isKnown) throw error;
    return refuse(error.message);
  }
}

async function serve(
  config: Config,
  flags: Flags,
  read: ReadFiles,
  warnings: readonly string[],
  last: LoadedBefore | null,
): Promise<number> {
  const clock = new SystemClock(), files = new DenoFiles(), ending = new AbortController();
  let broker: Broker | undefined, asked: CloseBrokerOptions | undefined;
  let ended: { readonly signal: keyof typeof SIGNAL_NAMES; readonly atMs: number } | undefined;
  const notes: string[] = [];
  const note = (message: string, severity: "info" | "warn" | "error" = "info") => {
    if (broker === undefined) notes.push(message);
    else broker.note(message, severity);
  };
  let isLameDuck = false;
  const lameDuck = (): CloseBrokerOptions => {
    isLameDuck = true;
    const { lame_duck_duration: drainMs, lame_duck_grace_period: graceMs } = broker?.config ??
      config;
    return { drain: true, drainMs, graceMs };
  };
  const file = new ConfigFile(
    {
      flags,
      env: environmentVariable,
      readText: (path) => files.readText(path),
      stampOf: fileStamp,
      clock,
    },
    read,
    last,
  );
  const trigger = new ReloadTrigger({
    async reload() {
      if (broker === undefined) return;
      const warn = (warning: ConfigWarning) => note(formatProblem(warning), "warn");
      await broker.change(await file.load(broker.config, ending.signal, warn));
    },
    failed: (error) => note(`Failed to reload server configuration: ${reasonOf(error)}`, "error"),
  });
  const hungUp = () => {
    const hasLogFile = broker?.config.log_file !== undefined;
    // First, so that what follows stands in the new file.
    if (hasLogFile) broker?.reopenLog();
    // Without a configuration file it can only have been meant for the log.
    if (hasLogFile && flags.configFile === undefined) return;
    note(`Trapped "${SIGNAL_NAMES.SIGHUP}" signal`);
    void trigger.ask();
  };
  const leave = (signal: keyof typeof SIGNAL_NAMES, options: CloseBrokerOptions) => {
    note(`Trapped "${SIGNAL_NAMES[signal]}" signal`);
    asked = options;
    void broker?.close(options);
  };
  const shutDown = (signal: "SIGINT" | "SIGTERM") => {
    if (signal === "SIGTERM" && isLameDuck) {
      // As nats-server does: whoever stops a container sends it as soon as its hook has run.
      note('Trapped "terminated" signal: ignored in lame duck mode, "interrupt" cuts it short');
      return;
    }
    const nowMs = clock.monotonic();
    if (ended === undefined) {
      ended = { signal, atMs: nowMs };
      leave(signal, {});
    } else if (signal !== ended.signal || nowMs - ended.atMs > ECHO_MS) {
      // Whoever asks twice means it. Nothing is logged: that could wait for who reads the log.
      broker?.removePortsFile();
      exitProcess(FAILURE);
    }
  };
  // Before the broker is there: a signal may come while it starts.
  using _int = onSignal("SIGINT", () => shutDown("SIGINT"));
  using _term = onSignal("SIGTERM", () => shutDown("SIGTERM"));
  using _usr2 = onSignal("SIGUSR2", () => asked === undefined && leave("SIGUSR2", lameDuck()));
  using _hup = onSignal("SIGHUP", hungUp);
  using _usr1 = onSignal("SIGUSR1", () => {
    broker?.reopenLog();
    void closeInspector(clock);
  });
  using _stray = onStrayError(({ kind, error }) => {
    if (broker === undefined) writeStderr(`denats: stray ${kind}: ${String(error)}\n`);
    else broker.reportStrayError(kind, error);
  });
  try {
    broker = await Broker.run(config, { writeLog: writeStderr });
  } catch (error) {
    const isKnown = error instanceof ListenError || error instanceof FileError ||
      error instanceof OperatorError;
    if (isKnown) return refuse(error.message);
    throw error;
  }
  for (const warning of warnings) broker.note(warning, "warn");
  for (const message of notes) broker.note(message);
  if (asked !== undefined) void broker.close(asked);
  const { closed } = broker;
  const watch = watchFiles({
    clock,
    isOn: () => broker?.config.reload_on_change === true,
    read: () => file.read,
    stampOf: fileStamp,
    changed: () => {
      note("The configuration file has changed");
      void trigger.ask();
    },
    signal: ending.signal,
  });
  await closed;
  ending.abort(new Error("the server ends"));
  await watch;
  // Not asked for: the listener was lost, or something else that a broker cannot do without.
  return asked === undefined ? FAILURE : 0;
}

/** Why a configuration could not be loaded, in one line. */
function reasonOf(error: unknown): string {
  if (error instanceof NoConfigFileError) return error.message;
  if (!(error instanceof ConfigError)) {
    return error instanceof Error ? error.message : String(error);
  }
  const shown = error.problems.slice(0, LOGGED_PROBLEMS).map(formatProblem);
  const more = error.problems.length + error.omitted - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

exitProcess(await run());
