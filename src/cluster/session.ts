/**
 * One connection to another server, from the first byte to the last.
 *
 * @module
 */
import { type Account, commandWork, publishWork, RemoteSubscriber } from "../account/mod.ts";
import { PeerSession, type ShownCertificate, type Timed } from "../connection/mod.ts";
import type { Connection, ConnectionError } from "../platform/mod.ts";
import {
  type ClientMessage,
  CLOSE_REASONS,
  type CloseReason,
  decodeByteString,
  encodeByteString,
  ERROR_TEXT,
  InvalidSubjectError,
  type RouteCommands,
  RouteHead,
  RouteParser,
} from "../protocol/mod.ts";
import { type Scope, ScopeClosedError } from "../supervisor/mod.ts";
import { type ActiveMode, levelOf } from "./compression.ts";
import type { RouteEnvironment } from "./environment.ts";
import { Handshake } from "./handshake.ts";
import type { Peer } from "./peer.ts";
import { passes } from "./permissions.ts";
import { type Refusal, ROUTE_FAULTS } from "./refusal.ts";
import { RoutePing } from "./route_ping.ts";
import { CorruptStreamError, RouteStream } from "./route_stream.ts";
import { RouteTrace } from "./route_trace.ts";
import type { Solicitation } from "./solicitation.ts";

/** How often like things are logged, and why the same address refuses or is refused. */
const LOG_EVERY_MS = 1000, REFUSAL_LOG_MS = 60_000;

/** A route. */
export class RouteSession extends PeerSession implements RouteCommands, Timed {
  /** Why this side dialled it; null when the peer did. */
  readonly solicited: Solicitation | null;
  /** What the peer has shown in TLS, if anything. */
  readonly certificate: ShownCertificate | null;
  /** Whose it is; null until both sides know each other. */
  peer: Peer | null = null;
  /** The account it is for alone; "" for a connection of the pool. */
  account = "";
  /** Its index in the pool; -1 for one that is not in it. */
  slot = -1;
  /** When it was registered, in monotonic milliseconds. */
  registeredAtMs = 0;
  /** Whether it is certain that the peer has accepted this side. */
  proven = false;
  /** Messages received. */
  inMessages = 0;
  /** Bytes of headers and payload received. */
  inBytes = 0;
  /** The peer as the accounts see it over this connection. */
  readonly remotes = new Map<string, RemoteSubscriber>();
  /** Unanswered PINGs, and the round trip. */
  readonly keepalive = new RoutePing();
  /** See {@link Timed}. */
  dueMs = 0;
  /** See {@link Timed}. */
  wheelSlot = -1;

  readonly #environment: RouteEnvironment;
  readonly #stream: RouteStream;
  readonly #parser: RouteParser;
  readonly #handshake: Handshake;
  #trace: RouteTrace | null = null;
  #scope: Scope | null = null;
  #compression: ActiveMode | null = null;
  /** Whether what follows in the inbox is compressed. */
  #switching = false;
  #pause: Promise<void> | null = null;
  /** Whether that is of no use any more once the peer has hung up. */
  #isAbandonable = false;
  #work = 0;
  #interests = 0;
  #interestBytes = 0;
  #verbose = false;
  /** Whether the log has said why it is closed. */
  #explained = false;
  // The account of the last message.
  #lastName: string | null = null;
  #lastAccount: Account | null = null;
  #lastRemote: RemoteSubscriber | null = null;

  /** A session over an open connection. */
  constructor(
    environment: RouteEnvironment,
    connection: Connection,
    id: number,
    solicited: Solicitation | null,
    certificate: ShownCertificate | null = null,
  ) {
    const stream = new RouteStream(connection);
    super(environment, stream, id);
    const { maxControlLine, maxPayload } = environment.settings;
    this.#environment = environment;
    this.#stream = stream;
    this.solicited = solicited;
    this.certificate = certificate;
    this.#parser = new RouteParser(this, { maxControlLine, maxPayload });
    this.retrace();
    this.#handshake = new Handshake(environment, this);
  }

  /** Address and id, as logs show them. */
  get label(): string {
    const { hostname, port } = this.address;
    return `${hostname}:${port} - rid:${this.id}`;
  }

  /** What is sent with, or null where it is not compressed. */
  get compression(): ActiveMode | null {
    return this.#compression;
  }

  /** Bytes that wait to be sent. */
  get pending(): number {
    return this.outbox.pending;
  }

  /** How much interest the peer has announced here. */
  get interests(): number {
    return this.#interests;
  }

  // --- The connection's life --------------------------------------------------------------------

  /** See {@link PeerSession}. */
  override run(scope: Scope): Promise<void> {
    this.#scope = scope;
    return super.run(scope);
  }

  /** Runs a task that ends with this connection, and ends it when it fails. */
  spawn(name: string, task: () => Promise<void>): void {
    try {
      this.#scope!.spawn(name, task, { onPanic: "escalate" });
    } catch (error) {
      if (!(error instanceof ScopeClosedError)) throw error;
    }
  }

  /** See {@link PeerSession}. */
  protected override opened(): void {
    this.#environment.mesh.opened(this);
    // Whoever was dialled is the one whose address was configured, or told by a peer.
    this.#parser.state = this.solicited === null ? "unauthenticated" : "authenticated";
    this.#handshake.begin();
  }

  /** See {@link PeerSession}. */
  protected override get needed(): number {
    return this.#parser.needed;
  }

  /** See {@link PeerSession}. */
  protected override received(): Promise<void> | null {
    const inbox = this.inbox, parser = this.#parser, { statistics } = this.#environment;
    const messages = this.inMessages, bytes = this.inBytes;
    this.#work = 0;
    inbox.start = parser.parse(inbox.slab, inbox.start, inbox.end);
    if (this.#switching) this.#decompressRest();
    statistics.inMessages += this.inMessages - messages;
    statistics.inBytes += this.inBytes - bytes;
    if (parser.fault !== null) {
      this.refuse({ ...ROUTE_FAULTS[parser.fault], log: `Parser error: ${parser.fault}` });
    }
    return this.#pause === null ? null : this.#paused();
  }

  /** See {@link PeerSession}. */
  protected override get abandonable(): boolean {
    return this.#isAbandonable;
  }

  /** See {@link PeerSession}. */
  protected override get interrupted(): boolean {
    return this.#work > this.#environment.settings.chunkWork;
  }

  /** See {@link PeerSession}. */
  protected override get shared(): boolean {
    return true;
  }

  async #paused(): Promise<void> {
    // What is waited for may give rise to the next thing to wait for.
    while (this.#pause !== null) {
      const pause = this.#pause;
      this.#pause = null;
      await pause;
    }
  }

  #worked(bytes: number): void {
    this.#work += bytes;
    if (this.#work > this.#environment.settings.chunkWork) this.#parser.stop();
  }

  /** See {@link PeerSession}. */
  protected override readFailed(error: ConnectionError): CloseReason {
    if (!(error instanceof CorruptStreamError)) return "readError";
    this.#environment.log.error(`${this.label} - Corrupt compressed data`, {
      error: error.message,
    });
    return "protocolViolation";
  }

  /** See {@link PeerSession}. */
  protected override leaving(reason: CloseReason, text: string | null): void {
    const { statistics, wheel, mesh, log } = this.#environment;
    this.#parser.state = "closing";
    wheel.cancel(this);
    // From this moment on nothing is matched there.
    for (const remote of this.remotes.values()) remote.open = false;
    if (reason === "staleConnection") statistics.staleRoutes++;
    if (reason.startsWith("slowConsumer")) statistics.slowRoutes++;
    if (text !== null && !this.#explained) {
      log.limited(text, LOG_EVERY_MS)?.error(`${this.label} - ${decodeByteString(text)}`);
    }
    this.#handshake.ended(reason);
    mesh.left(this);
  }

  /** See {@link PeerSession}. */
  protected override async ended(reason: CloseReason): Promise<void> {
    const { statistics, log, mesh, accounts, ending } = this.#environment;
    for (const remote of this.remotes.values()) {
      statistics.outMessages += remote.outMessages;
      statistics.outBytes += remote.outBytes;
    }
    const closed = `${this.label} - Router connection closed: ${CLOSE_REASONS[reason]}`;
    if (this.peer === null || !this.peer.told) log.debug(closed);
    else log.info(closed, { remote: this.peer.info.server_name });
    mesh.ended(this);
    // At the end of the server everything goes at once.
    if (ending) return;
    for (const [name, remote] of this.remotes) await accounts.get(name)!.removeAllRemote(remote);
  }

  /** Turns the peer away. */
  refuse(refusal: Refusal): void {
    const { log } = this.#environment;
    if (refusal.log !== undefined && this.closing === null) {
      this.#explained = true;
      // What is dialled is dialled again every second; one line is enough for a while.
      const { hostname, port } = this.address;
      const [key, everyMs] = this.solicited === null
        ? [refusal.log, LOG_EVERY_MS]
        : [`${refusal.log} ${hostname}:${port}`, REFUSAL_LOG_MS];
      const event = this.solicited === null
        ? { event: this.#environment.refused(this, refusal.log) }
        : undefined;
      log.limited(key, everyMs)?.error(`${this.label} - ${refusal.log}`, event);
    }
    this.close(refusal.reason, refusal.text === null ? null : encodeByteString(refusal.text));
  }

  /** Begins or ends to trace it, as the log is now. */
  retrace(): void {
    const { log } = this.#environment;
    if (log.traceOn === (this.#trace !== null)) return;
    this.#trace = log.traceOn ? new RouteTrace(log, this.id, this) : null;
    this.#parser.commands = this.#trace ?? this;
  }

  // --- Setting up -------------------------------------------------------------------------------

  /** Everything that the peer sends behind the line that is being handled is compressed. */
  decompress(): void {
    this.#switching = true;
    this.#parser.stop();
  }

  #decompressRest(): void {
    const { slab, start, end } = this.inbox;
    this.#switching = false;
    this.#stream.decompress(slab.bytes.slice(start, end));
    this.inbox.clear();
  }

  /** Everything that is sent from here on is compressed. */
  compress(mode: ActiveMode): void {
    this.#compression = mode;
    const thresholds = this.#environment.settings.compression.rtt_thresholds;
    const from = this.outbox.written + this.outbox.pending;
    this.#stream.compress(from, levelOf(mode, 0, thresholds));
  }

  /** CONNECT has come; nothing behind it is looked at before {@linkcode admitted}. */
  deciding(): void {
    this.#parser.state = "deciding";
  }

  /** CONNECT has come and is good. */
  admitted(verbose: boolean): void {
    this.#parser.state = "authenticated";
    this.#verbose = verbose;
  }

  /** From now on it is a connection of `peer`. */
  registered(peer: Peer, slot: number, account: string): void {
    const { clock, wheel, settings, random } = this.#environment, nowMs = clock.monotonic();
    this.peer = peer;
    this.slot = slot;
    this.account = account;
    this.registeredAtMs = nowMs;
    // Whoever has dialled knows only by an answer that it was accepted.
    this.proven = this.solicited === null;
    this.#parser.dedicated = account !== "";
    this.#parser.leafOrigins = peer.info.lnocu === true;
    for (const remote of this.remotes.values()) {
      remote.peer = peer.id;
      remote.headers = peer.info.headers;
    }
    wheel.schedule(this, nowMs + this.keepalive.firstDelayMs(settings.pingIntervalMs, random));
  }

  /** Looks at nothing more before `pause` is over, which must never reject, or the peer hangs up. */
  wait(pause: Promise<void>, isAbandonable = false): void {
    this.#isAbandonable = isAbandonable;
    const before = this.#pause;
    this.#pause = before === null ? pause : before.then(() => pause);
    this.#parser.stop();
  }

  /** The peer as an account sees it; made when it is first asked for, null for unknown accounts. */
  remote(name: string): RemoteSubscriber | null {
    const known = this.remotes.get(name);
    if (known !== undefined) return known;
    const peer = this.peer, introduced = this.#handshake.introduced;
    if ((peer ?? introduced) === null || !this.#environment.accounts.has(name)) return null;
    const head = new RouteHead(encodeByteString(name), this.account !== "");
    const remote = new RemoteSubscriber(this.outbox, head, peer?.id ?? introduced!.name, name);
    remote.headers = peer?.info.headers ?? introduced!.headers;
    remote.isDenats = peer?.info.denats !== undefined;
    remote.open = this.closing === null;
    this.remotes.set(name, remote);
    return remote;
  }

  /** An account has another connection from now on; returns what was its own here. */
  forget(name: string): RemoteSubscriber | null {
    const remote = this.remotes.get(name);
    if (remote === undefined) return null;
    this.remotes.delete(name);
    this.#lastName = this.#lastRemote = null;
    this.#interests -= remote.interests?.size ?? 0;
    this.#interestBytes -= remote.interestBytes;
    const { statistics } = this.#environment;
    statistics.outMessages += remote.outMessages;
    statistics.outBytes += remote.outBytes;
    return remote;
  }

  // --- Commands of the parser -------------------------------------------------------------------

  /** CONNECT. */
  connect(json: string): void {
    this.#worked(commandWork(json.length));
    this.#handshake.connect(json);
  }

  /** INFO: the first ones set the connection up, later ones are news. */
  info(json: string): void {
    this.#worked(commandWork(json.length));
    this.#handshake.info(json);
  }

  /** PING. */
  ping(): void {
    this.send("PONG\r\n");
  }

  /** PONG. */
  pong(): void {
    const { clock, settings, mesh } = this.#environment;
    this.keepalive.ponged(clock.monotonic());
    if (this.#compression === "s2_auto") {
      const thresholds = settings.compression.rtt_thresholds;
      this.#stream.level = levelOf("s2_auto", this.keepalive.rttMs, thresholds);
    }
    mesh.answered(this);
    if (this.proven || this.peer === null) return;
    this.proven = true;
    mesh.proven(this);
  }

  /** -ERR: the peer gives up. */
  error(text: string): void {
    const { log, mesh } = this.#environment, shown = decodeByteString(text).slice(0, 256);
    // Who is refused tries again every second, for ever: that is one line a minute.
    const { hostname, port } = this.address, isDialled = this.solicited !== null;
    const limited = isDialled && this.peer?.told !== true
      ? log.limited(`peer error ${hostname}:${port}`, REFUSAL_LOG_MS)
      : log.limited("peer error", LOG_EVERY_MS);
    limited?.error(`${this.label} - Route Error ${shown}`);
    mesh.refusedBy(this, shown);
    this.close(shown.includes(ERROR_TEXT.authorization) ? "authenticationFailure" : "parseError");
  }

  /** RS+ and LS+. */
  interestAdded(
    name: string,
    subject: string,
    queue: string | null,
    weight: number,
    origin: string | null,
  ): void {
    this.#worked(commandWork(subject.length));
    const remote = this.#remoteOf(name);
    if (remote === null || !this.#mayAnnounce(subject)) return;
    const account = this.#lastAccount!, before = remote.interests?.size ?? 0;
    const bytesBefore = remote.interestBytes;
    const leaf = origin === null ? null : this.peer?.info.lnocu === true ? origin : "";
    try {
      account.addRemote(remote, subject, queue, Math.max(1, weight), leaf);
    } catch (error) {
      if (!(error instanceof InvalidSubjectError)) throw error;
      this.#environment.log.limited("subject", LOG_EVERY_MS)?.error(
        `${this.label} - Could not process subscription: Invalid Subject`,
      );
      return;
    }
    this.#interests += remote.interests!.size - before;
    this.#interestBytes += remote.interestBytes - bytesBefore;
    const { maxInterests, maxInterestBytes } = this.#environment.settings;
    if (this.#interests > maxInterests || this.#interestBytes > maxInterestBytes) {
      this.close("maximumSubscriptionsExceeded", ERROR_TEXT.subscriptions);
    }
    this.#acknowledge();
  }

  #mayAnnounce(subject: string): boolean {
    return passes(this.#environment.settings.exportFilter, subject);
  }

  /** RS- and LS-. */
  interestRemoved(
    name: string,
    subject: string,
    queue: string | null,
    origin: string | null,
  ): void {
    this.#worked(commandWork(subject.length));
    const remote = this.#remoteOf(name);
    if (remote === null) return;
    const before = remote.interests?.size ?? 0, bytesBefore = remote.interestBytes;
    this.#lastAccount!.removeRemote(remote, subject, queue, origin);
    this.#interests += (remote.interests?.size ?? 0) - before;
    this.#interestBytes += remote.interestBytes - bytesBefore;
    this.#acknowledge();
  }

  /** RMSG, HMSG and LMSG. */
  message(name: string, message: ClientMessage, queues: readonly string[] | null): void {
    this.inMessages++;
    this.inBytes += message.size;
    const remote = this.#remoteOf(name);
    if (remote === null) return;
    const account = this.#lastAccount!, { settings, mesh } = this.#environment;
    if (account.name === settings.systemAccount) mesh.systemEvent(this, message);
    const count = account.publishRouted(message, remote, queues);
    if (account.pressed) this.#worked(Infinity);
    if (account.offers > 0) this.#worked(publishWork(count, message.size, account.offers));
    if (this.#verbose) this.#acknowledge();
  }

  /** The peer in the account of a frame; null where that means nothing, or is not allowed yet. */
  #remoteOf(name: string): RemoteSubscriber | null {
    if (name === this.#lastName && this.#lastRemote !== null) return this.#lastRemote;
    if (this.peer === null && this.#handshake.introduced === null) {
      this.refuse({
        reason: "protocolViolation",
        text: ERROR_TEXT.unknownOperation,
        log: "Interest or a message before INFO",
      });
      return null;
    }
    const known = this.account === "" ? textOf(name) : this.account;
    const remote = this.remote(known);
    if (remote === null) {
      this.#environment.log.limited("unknown account", LOG_EVERY_MS)?.error(
        `${this.label} - Unable to process: unknown account ${JSON.stringify(known)}`,
      );
      return null;
    }
    this.#lastName = name;
    this.#lastRemote = remote;
    this.#lastAccount = this.#environment.accounts.get(known)!;
    return remote;
  }

  // --- Timers -----------------------------------------------------------------------------------

  /** The handshake should be over, or a PING is due. */
  due(nowMs: number): void {
    if (this.closing !== null) return;
    if (this.peer === null) {
      this.refuse(this.#handshake.overdue());
      return;
    }
    const { settings, wheel, clock } = this.#environment;
    if (this.keepalive.decide(settings.pingMax) === "stale") {
      this.close("staleConnection", ERROR_TEXT.stale);
      return;
    }
    this.keepalive.pinged(clock.monotonic());
    this.sendNow("PING\r\n");
    if (this.closing === null) wheel.schedule(this, nowMs + settings.pingIntervalMs);
  }

  // --- Output -----------------------------------------------------------------------------------

  /** Sends a frame at the end of the chunk that is being handled, whoever sent that. */
  send(frame: string): void {
    if (!this.outbox.open) return;
    if (this.#trace !== null) this.#trace.sent(frame);
    this.outbox.appendText(frame);
    this.#environment.touched.add(this.outbox);
  }

  /** Sends a frame at once. */
  sendNow(frame: string): void {
    if (!this.outbox.open) return;
    if (this.#trace !== null) this.#trace.sent(frame);
    this.outbox.appendText(frame);
    this.outbox.flush();
  }

  /** Sends a PING whose answer shows that the peer has accepted this side. */
  probe(): void {
    this.keepalive.pinged(this.#environment.clock.monotonic());
    this.sendNow("PING\r\n");
  }

  /** Resolves when the peer keeps up with what is sent. */
  async relief(): Promise<void> {
    this.outbox.flush();
    await this.outbox.relief(false);
  }

  #acknowledge(): void {
    if (this.#verbose && this.closing === null) this.send("+OK\r\n");
  }
}

/** The text of a name on the wire, which almost always is the same. */
function textOf(name: string): string {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 127) return decodeByteString(name);
  return name;
}
