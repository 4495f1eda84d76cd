/**
 * The composition root: builds every part of a broker from one configuration.
 *
 * @module
 */
import { type AccountDirectory, eventId } from "./account/mod.ts";
import {
  createServerIdentity,
  type OperatorMode,
  PasswordVerifier,
  type Refusal,
  type ServerIdentity,
} from "./auth/mod.ts";
import {
  acceptClients,
  type ClientEnvironment,
  clientLimits,
  type ClientSession,
  LameDuck,
  serverInfo,
  startInProcess,
  tellClients,
} from "./client/mod.ts";
import type { Cluster, InterestStatus, PeerStatus } from "./cluster/mod.ts";
import { createAccess } from "./access_parts.ts";
import { type MessageBuses, serverHash } from "./message_buses.ts";
import { openOperator, type OperatorAccess, withSystemAccount } from "./operator_parts.ts";
import { Reloader, type ReloadReport } from "./reload.ts";
import { reloadParticipants } from "./reload_parts.ts";
import { announce } from "./announcement.ts";
import { createCluster } from "./cluster_parts.ts";
import { type Config, type ConfigInput, loggingConfig, normaliseConfig } from "./config/mod.ts";
import {
  Deadlines,
  DEADLINES_PERIOD_MS,
  flowSettings,
  SlabPool,
  TimerWheel,
  TouchedOutboxes,
} from "./connection/mod.ts";
import { type Log, Logging } from "./log/mod.ts";
import {
  type BrokerEvents,
  type BrokerStatistics,
  type ClientEvent,
  Lifecycle,
  LoopDelay,
  ProcessFiles,
  RateMeter,
  type Totals,
} from "./monitor/mod.ts";
import {
  type Address,
  type Clock,
  type Connection,
  DenoFiles,
  DenoTransport,
  type Files,
  type Listener,
  memoryPipe,
  networkAddresses,
  processId,
  type Random,
  SystemClock,
  SystemRandom,
  type Transport,
} from "./platform/mod.ts";
import { CLOSE_REASONS, type CloseReason, type ServerInfo } from "./protocol/mod.ts";
import { every, Scope, ScopeClosedError, type TaskInfo } from "./supervisor/mod.ts";
import { SystemMember } from "./system_member.ts";
import { BrokerTls, loadTls, type TlsMaterials } from "./tls_parts.ts";

const STATISTICS_PERIOD_MS = 1000;
const HEALTH_PERIOD_MS = 1000;
const CLEAN_UP_PERIOD_MS = 10_000;
/** How late the health check may run before that is worth a warning. */
const LOOP_DELAY_WARNING_MS = 1000;
/** How long clients may take to leave when the broker drains. */
const DRAIN_MS = 5000;
/** How long closing may take in all parts before what is left is named in the log. */
const CLOSE_DEADLINE_MS = 5000;
/** The same for clients, who may take their time to receive what is queued. */
const CLIENTS_CLOSE_DEADLINE_MS = 10_000;

/** What a broker takes from its surroundings; everything has a default. */
export interface BrokerOptions {
  /** Listens; TCP if absent. */
  readonly transport?: Transport;
  /** Time; the system's if absent. */
  readonly clock?: Clock;
  /** Chance; the system's if absent. */
  readonly random?: Random;
  /** Files; the system's if absent. */
  readonly files?: Files;
  /**
   * Gets every line of the log, each with its line end, unless the configuration names a file. If
   * absent, they go nowhere.
   */
  readonly writeLog?: (line: string) => void;
}

/** Options of {@link Broker.close}. */
export interface CloseBrokerOptions {
  /**
   * Whether clients are first told that the broker is about to go (INFO with `ldm`), and given time
   * to leave by themselves.
   */
  readonly drain?: boolean;
  /** How long all of them are given, in milliseconds; 5,000 if absent. */
  readonly drainMs?: number;
  /**
   * How long they are left alone, in milliseconds, at most `drainMs`, which is also what holds if it
   * is absent. After that they are closed one by one, spread over what is left of `drainMs`.
   */
  readonly graceMs?: number;
}

/** A running NATS server. */
export class Broker implements AsyncDisposable {
  /** The server's public key, `N...`, new at every start. */
  readonly id: string;
  /** The server's name. */
  readonly name: string;
  /** Where clients connect to. */
  readonly address: Address;
  /** Where other servers of the cluster connect to; null without a cluster. */
  readonly clusterAddress: Address | null;

  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logging: Logging;
  readonly #log: Log;
  readonly #lifecycle: Lifecycle;
  readonly #root: Scope;
  readonly #accepting: Scope;
  readonly #clients: Scope;
  readonly #environment: ClientEnvironment;
  readonly #accounts: AccountDirectory;
  readonly #cluster: Cluster | null;
  readonly #verifier: PasswordVerifier;
  readonly #processFiles: ProcessFiles;
  readonly #rates: RateMeter;
  readonly #loopDelay: LoopDelay;
  readonly #info: ServerInfo;
  readonly #buses: MessageBuses;
  readonly #system: SystemMember;
  readonly #tls: BrokerTls;
  #lastConnectionId = 0;
  #strayErrors = 0;
  #panics = 0;
  readonly #lameDuck: LameDuck;
  readonly #operator: OperatorAccess | null;
  readonly #reloader: Reloader;
  #closing: Promise<void> | null = null;
  readonly #closed = Promise.withResolvers<void>();

  /**
   * Starts a broker.
   *
   * @example A broker on a random port, closed at the end of the block
   * ```ts
   * import { Broker } from "../mod.ts";
   *
   * await using broker = await Broker.start({ host: "127.0.0.1", port: -1 });
   * console.assert(broker.address.port > 0);
   * ```
   *
   * @throws {ConfigError} when the configuration cannot be; nothing has been started then.
   * @throws {ListenError} when the port is in use or may not be listened on.
   * @throws {FileError} when the pid or the ports file cannot be written, or certificates cannot be used.
   * @throws {OperatorError} when operators cannot be used, or not beside the other settings.
   */
  static async start(config: ConfigInput = {}, options: BrokerOptions = {}): Promise<Broker> {
    return await Broker.run(normaliseConfig(config), options);
  }

  /** Starts a broker from a configuration that is checked and complete; see {@link Broker.start}. */
  static async run(config: Config, options: BrokerOptions = {}): Promise<Broker> {
    const random = options.random ?? new SystemRandom();
    const identity = await createServerIdentity(random);
    const transport = options.transport ?? new DenoTransport();
    const files = options.files ?? new DenoFiles();
    const clock = options.clock ?? new SystemClock();
    const tls = await loadTls(config, files);
    const logging = new Logging({
      clock,
      files,
      pid: processId(),
      stderrWrite: options.writeLog ?? (() => {}),
      config: loggingConfig(config),
    });
    const hash = await serverHash(config.server_name ?? identity.id);
    let operator: OperatorMode | null = null, listener: Listener | null = null;
    let routeListener: Listener | null = null, broker: Broker;
    try {
      operator = await openOperator(config, { files, clock, log: logging.log("auth") });
      listener = listen(transport, config);
      if (config.cluster !== undefined) routeListener = listen(transport, config.cluster);
      broker = new Broker(withSystemAccount(config, operator), {
        random,
        transport,
        files,
        clock,
        logging,
        operator,
        tls,
        hash,
        identity,
        listener,
        routeListener,
      });
    } catch (error) {
      listener?.close();
      routeListener?.close();
      await operator?.close();
      logging[Symbol.dispose]();
      throw error;
    }
    try {
      const { address, clusterAddress } = broker;
      await broker.#processFiles.write({
        nats: address,
        ...(clusterAddress !== null && { cluster: clusterAddress }),
      });
      if (broker.#operator !== null) await broker.#system.connect(broker.#operator);
    } catch (error) {
      await (broker.#closing = broker.#end());
      throw error;
    }
    announce(broker.#log, broker, broker.#environment.authenticator, broker.#cluster);
    return broker;
  }

  private constructor(config: Config, parts: BrokerParts) {
    const { random, transport, files, tls, hash, identity, listener, routeListener } = parts;
    const { clock, logging, operator } = parts;
    this.#random = random;
    this.#clock = clock;
    const pid = processId();
    this.id = identity.id;
    this.name = config.server_name ?? identity.id;
    this.address = listener.address;
    this.clusterAddress = routeListener?.address ?? null;
    this.#logging = logging;
    const log = this.#log = this.#logging.log();
    this.#lifecycle = new Lifecycle((error) =>
      log.error("A listener of events threw", { error: describe(error) })
    );
    this.#root = new Scope("broker", {
      clock,
      random,
      closeDeadlineMs: CLOSE_DEADLINE_MS,
      onPanic: ({ path, error, policy }) => {
        this.#panics++;
        this.#logging.log("supervisor").error(`Panic in ${path}`, {
          policy,
          error: describe(error),
        });
        this.#lifecycle.emit("panic", { path, error });
      },
      onOverdue: ({ path, tasks }) =>
        this.#logging.log("supervisor").warn(`Closing ${path} takes too long`, {
          tasks: tasks.join(" "),
        }),
    });
    this.#info = serverInfo(config, identity, this.name, listener.address);
    this.#verifier = new PasswordVerifier({ clock });
    const touched = new TouchedOutboxes(), pool = new SlabPool();
    const flow = flowSettings(config, pool);
    const { dropAbove, pressAbove } = flow;
    const access = createAccess(config, {
      identity,
      name: this.name,
      hash,
      info: this.#info,
      logging,
      operator,
      verifier: this.#verifier,
      clock,
      random,
      touched,
      dropAbove,
      pressAbove,
      sessions: () => this.#environment.sessions.values(),
      config: () => this.config,
    });
    const accounts = this.#accounts = access.accounts;
    this.#buses = access.buses;
    this.#operator = access.operator;
    this.#system = new SystemMember({
      accounts,
      buses: this.#buses,
      clock,
      random,
      id: this.id,
      name: this.name,
      host: this.address.hostname,
      cluster: () => this.clusterName,
    });
    this.#tls = new BrokerTls(config, tls, { files, clock, log: this.#logging.log("tls") });
    this.#tls.watch(this.#root);
    const clients = this.#root.child("clients");
    const wheel = new TimerWheel(clock.monotonic(), DEADLINES_PERIOD_MS);
    this.#environment = {
      limits: clientLimits(config),
      clock,
      random,
      log: this.#logging.log("client"),
      acceptLog: this.#logging.log("accept"),
      authLog: this.#logging.log("auth"),
      authenticator: access.authenticator,
      // Whatever the authenticator can decide for is configured.
      accountOf: (who) => accounts.get(who.account) ?? null,
      systemAccount: accounts.systemAccount,
      refused: (session, refusal) => this.#refused(session, refusal),
      info: () => this.#info,
      get nonceRequired() {
        return this.authenticator.nonceRequired;
      },
      tls: () => this.#tls.client,
      wheel,
      touched,
      outboxSettings: flow.outboxSettings,
      statistics: {
        inMessages: 0,
        inBytes: 0,
        outMessages: 0,
        outBytes: 0,
        totalConnections: 0,
        slowConsumers: 0,
        staleConnections: 0,
        closingConnections: 0,
        openingConnections: 0,
      },
      sessions: new Map(),
      get ending() {
        return clients.state !== "running";
      },
      connected: (session) => this.#lifecycle.emit("connected", clientEvent(session)),
      disconnected: (session, reason) => this.#disconnected(session, reason),
    };
    if (this.#environment.authenticator.required) this.#info.auth_required = true;
    this.#lameDuck = new LameDuck(this.#environment);
    this.#processFiles = new ProcessFiles({
      files,
      pid,
      pidFile: config.pid_file,
      portsFileFolder: config.ports_file_dir,
      networkAddresses,
    });
    this.#rates = new RateMeter(clock.monotonic());
    this.#loopDelay = new LoopDelay(HEALTH_PERIOD_MS, clock.monotonic());
    this.#clients = clients;
    this.#accepting = this.#root.spawn(
      "accept:clients",
      (scope) =>
        acceptClients(this.#environment, {
          listener,
          clients: this.#clients,
          signal: scope.signal,
          // Which may change.
          maxConnections: () => this.config.max_connections,
          nextId: () => ++this.#lastConnectionId,
        }),
      { onPanic: "escalate" },
    );
    const routes = routeListener === null ? null : createCluster(config, {
      identity: this,
      address: listener.address,
      listener: routeListener,
      transport,
      verifier: this.#verifier,
      accounts,
      root: this.#root,
      clock,
      random,
      log: this.#logging.log("route"),
      wheel,
      touched,
      pool,
      nextId: () => ++this.#lastConnectionId,
      tls: () => this.#tls.route,
      refused: ({ id, address }, reason) => {
        const event = eventId(random);
        this.#lifecycle.emit("routeRefused", { id, address, event, reason });
        return event;
      },
      changed: (urls, name) => this.#clusterChanged(urls, name),
      peerChanged: ({ id, info }, state) => {
        if (state !== "lost") this.#system.peerCame();
        this.#lifecycle.emit("peer", { id, name: info.server_name, state });
      },
    });
    this.#cluster = routes?.cluster ?? null;
    if (this.#cluster !== null) this.#clusterInfo(this.#cluster.connectUrls(), this.#cluster.name);
    this.#reloader = new Reloader({
      config,
      clock,
      log,
      participants: reloadParticipants({
        identity: { ...identity, name: this.name },
        address: listener.address,
        logging: this.#logging,
        environment: this.#environment,
        info: this.#info,
        flow,
        accounts,
        operator: this.#operator,
        verifier: this.#verifier,
        processFiles: this.#processFiles,
        cluster: this.#cluster,
        tls: this.#tls,
        refreshInfo: () => {
          const cluster = this.#cluster;
          if (cluster !== null) this.#clusterInfo(cluster.connectUrls(), cluster.name);
        },
      }),
    });
    const deadlines = new Deadlines(
      wheel,
      flow.outboxSettings.watch,
      ...(routes === null ? [] : [routes.watch]),
    );
    every(this.#root, "deadlines", DEADLINES_PERIOD_MS, () => deadlines.look(clock.monotonic()));
    every(this.#root, "statistics", STATISTICS_PERIOD_MS, () => {
      this.#rates.sample(this.#totals(), clock.monotonic());
    });
    every(this.#root, "clean-up", CLEAN_UP_PERIOD_MS, () => {
      pool.trim();
      for (const [, account] of accounts) account.cleanUp();
      for (const { account, subscriber } of this.#environment.sessions.values()) {
        account?.forgetMatch(subscriber);
      }
      this.#cluster?.cleanUp();
    });
    if (this.#cluster !== null) this.#system.countConnections(this.#root);
    every(this.#root, "health", HEALTH_PERIOD_MS, () => this.#checkHealth());
    // A listener that cannot go on ends the tree; whoever started the broker is to learn of it.
    this.#root.onCancel(() => {
      void this.close();
    });
  }

  #checkHealth(): void {
    const delay = this.#loopDelay;
    delay.tick(this.#clock.monotonic());
    if (delay.delayMs < LOOP_DELAY_WARNING_MS) return;
    this.#log.limited("loop-delay", 60_000)?.warn("The event loop was blocked", {
      delay_ms: Math.round(delay.delayMs),
    });
  }

  #clusterInfo(urls: readonly string[] | null, name: string): void {
    const info = this.#info;
    info.cluster = name;
    if (urls === null) return;
    // nats-server leaves an empty list out.
    if (urls.length > 0) info.connect_urls = urls;
    else delete info.connect_urls;
  }

  /** Where clients may connect to has changed: they are told. */
  async #clusterChanged(urls: readonly string[] | null, name: string): Promise<void> {
    const before = JSON.stringify([this.#info.connect_urls, this.#info.cluster]);
    this.#clusterInfo(urls, name);
    if (before === JSON.stringify([this.#info.connect_urls, this.#info.cluster])) return;
    await tellClients(this.#environment);
  }

  /** Somebody is not let in: the account concerned and the operator may want to know. */
  #refused(session: ClientSession, { reason, account }: Refusal): string {
    const id = eventId(this.#random);
    this.#lifecycle.emit("refused", { ...clientEvent(session), event: id, reason, account });
    return id;
  }

  #disconnected(session: ClientSession, reason: CloseReason): void {
    this.#lifecycle.emit("disconnected", {
      ...clientEvent(session),
      reason: CLOSE_REASONS[reason],
    });
    this.#lameDuck.left();
  }

  #totals(): Totals {
    const { statistics, sessions } = this.#environment;
    let { outMessages, outBytes } = statistics;
    for (const { subscriber } of sessions.values()) {
      outMessages += subscriber.outMessages;
      outBytes += subscriber.outBytes;
    }
    const routed = this.#cluster?.totals();
    return {
      inMessages: statistics.inMessages + (routed?.inMessages ?? 0),
      inBytes: statistics.inBytes + (routed?.inBytes ?? 0),
      outMessages: outMessages + (routed?.outMessages ?? 0),
      outBytes: outBytes + (routed?.outBytes ?? 0),
    };
  }

  /** What the broker has done and is doing. */
  get statistics(): BrokerStatistics {
    const { statistics, sessions, outboxSettings } = this.#environment;
    return {
      ...this.#totals(),
      connections: sessions.size,
      totalConnections: statistics.totalConnections,
      subscriptions: [...this.#accounts]
        .reduce((sum, [, { subscriptions }]) => sum + subscriptions, 0),
      slowConsumers: statistics.slowConsumers + (this.#cluster?.statistics.slowRoutes ?? 0),
      staleConnections: statistics.staleConnections + (this.#cluster?.statistics.staleRoutes ?? 0),
      routes: this.#cluster?.routeCount ?? 0,
      routeDials: this.#cluster?.statistics.dials ?? 0,
      stalledReads: outboxSettings.watch.waits + (this.#cluster?.stalledReads ?? 0),
      panics: this.#panics + this.#strayErrors,
      perSecond: this.#rates.perSecond,
      loopDelayMs: this.#loopDelay.delayMs,
    };
  }

  /** Every task of the broker, as a tree. */
  tasks(): TaskInfo {
    return this.#root.tree();
  }

  /** The name of the cluster; null without one. */
  get clusterName(): string | null {
    return this.#cluster?.name ?? null;
  }

  /** The other servers of the cluster, and the connections to them. */
  routes(): PeerStatus[] {
    return this.#cluster?.routes() ?? [];
  }

  /** What another server has announced that it is interested in; empty when it is not there. */
  remoteInterest(serverId: string): InterestStatus[] {
    return this.#cluster?.interestOf(serverId) ?? [];
  }

  /** Calls `listener` for every event of a type, until what is returned is disposed. */
  on<K extends keyof BrokerEvents>(
    type: K,
    listener: (event: BrokerEvents[K]) => void,
  ): Disposable {
    return this.#lifecycle.on(type, listener);
  }

  /**
   * Connects within the process: the client's end of a byte stream that speaks the client protocol.
   * It is a client like any other, but `max_connections` does not keep it out.
   *
   * @throws {ScopeClosedError} when the broker is closing.
   */
  connect(): Connection {
    if (this.#closing !== null) throw new ScopeClosedError(this.#clients.path);
    const [client, server] = memoryPipe();
    startInProcess(this.#environment, this.#clients, server, ++this.#lastConnectionId);
    return client;
  }

  /** The configuration it runs by. */
  get config(): Config {
    return this.#reloader.config;
  }

  /**
   * Changes the configuration while it runs: all of it or, where it holds a change that a running
   * server cannot make, nothing. Reloads are carried out one after the other. What goes wrong is in
   * the report and in the log.
   *
   * @example
   * ```ts
   * import { Broker } from "../mod.ts";
   *
   * const settings = { host: "127.0.0.1", port: -1 };
   * await using broker = await Broker.start(settings);
   * const { outcome } = await broker.reload({ ...settings, max_payload: "2MB" });
   * console.assert(outcome === "applied");
   * ```
   *
   * @throws {ConfigError} when the configuration cannot be; nothing has changed then.
   */
  async reload(config: ConfigInput): Promise<ReloadReport> {
    return await this.change(normaliseConfig(config));
  }

  /** Changes to a configuration that is checked and complete; see {@link Broker.reload}. Never rejects. */
  async change(config: Config): Promise<ReloadReport> {
    const operator = this.#operator;
    const report = await this.#reloader.reload(operator?.complete(config) ?? config);
    // What is refused, or fails, changes nothing at all.
    const { outcome } = report;
    if (outcome === "applied" || outcome === "unchanged") await operator?.reload();
    return report;
  }

  /** Opens the log file anew, after it was moved away. */
  reopenLog(): void {
    if (this.config.log_file === undefined) {
      this.#log.warn("There is no log file to reopen");
      return;
    }
    if (this.#logging.reopen()) this.#log.info("Log file reopened");
  }

  /** Logs what the owner of the process has to say, such as why it closes the broker. */
  note(message: string, severity: "info" | "warn" | "error" = "info"): void {
    this.#log[severity](message);
  }

  /** Removes the ports file at once, for a process that does not wait for the close. Never throws. */
  removePortsFile(): void {
    try {
      this.#processFiles.removeSync();
    } catch {
      // Whoever cannot wait for a close cannot do anything about it either.
    }
  }

  /** Logs and counts an error that no task caught; for the owner of the process. */
  reportStrayError(kind: string, error: unknown): void {
    this.#strayErrors++;
    this.#log.error(`Stray ${kind} outside any task`, { error: describe(error) });
  }

  /** Resolves when the broker has closed, for whatever reason. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /**
   * Stops accepting, sends what is queued, closes all connections without -ERR, and ends every task.
   * Calling it again waits for the same end, and cuts a drain short unless it asks for one as well.
   * Never rejects.
   */
  close(options: CloseBrokerOptions = {}): Promise<void> {
    if (this.#closing !== null && options.drain !== true) {
      this.#lameDuck.hurry();
    }
    return this.#closing ??= this.#close(options);
  }

  async #close({ drain = false, drainMs = DRAIN_MS, graceMs }: CloseBrokerOptions): Promise<void> {
    // As nats-server says it.
    this.#log.info(
      drain ? "Entering lame duck mode, stop accepting new clients" : "Initiating Shutdown...",
    );
    this.#lifecycle.emit("closing", { drain });
    await this.#accepting.close();
    if (drain) {
      this.#info.ldm = true;
      if (this.#cluster !== null) {
        this.#cluster.sayLameDuck();
        this.#clusterInfo(this.#cluster.connectUrls(), this.#cluster.name);
      }
      await this.#lameDuck.run(drainMs, Math.min(graceMs ?? drainMs, drainMs));
      this.#log.info("Initiating Shutdown...");
    }
    await this.#end("Server Exiting..");
  }

  async #end(lastWords?: string): Promise<void> {
    await this.#accepting.close();
    await this.#reloader.close();
    await this.#cluster?.stop();
    await this.#operator?.close();
    this.#buses.close();
    await this.#clients.close({ deadlineMs: CLIENTS_CLOSE_DEADLINE_MS });
    // Last, so that what clients have sent still gets to the others.
    await this.#cluster?.close();
    await this.#root.close();
    await this.#verifier.close();
    await this.#processFiles.remove().catch((error) =>
      this.#log.warn("The ports file could not be removed", { error: describe(error) })
    );
    if (lastWords !== undefined) this.#log.info(lastWords);
    this.#lifecycle.emit("closed", {});
    this.#logging[Symbol.dispose]();
    this.#closed.resolve();
  }

  /** The same as {@link Broker.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** What {@link Broker.run} has made before. */
interface BrokerParts {
  readonly random: Random;
  readonly transport: Transport;
  readonly files: Files;
  readonly clock: Clock;
  readonly logging: Logging;
  readonly operator: OperatorMode | null;
  readonly tls: TlsMaterials;
  readonly hash: string;
  readonly identity: ServerIdentity;
  readonly listener: Listener;
  readonly routeListener: Listener | null;
}

function listen(transport: Transport, at: { host: string; port: number }): Listener {
  return transport.listen({ hostname: at.host, port: Math.max(0, at.port) });
}

function clientEvent(session: ClientSession): ClientEvent {
  return {
    id: session.id,
    address: session.address,
    name: session.options.name,
    user: session.identity?.user ?? null,
  };
}

function describe(error: unknown): string {
  try {
    return error instanceof Error ? error.stack ?? error.message : String(error);
  } catch {
    // Whatever it is, that something was thrown is to be known.
    return "something that cannot be shown";
  }
}
