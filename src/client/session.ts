/**
 * A client's connection from INFO to close.
 *
 * @module
 */
import { type Account, Subscriber } from "../account/mod.ts";
import type { Decision, Identity } from "../auth/mod.ts";
import {
  type Congestion,
  Inbox,
  Outbox,
  type OutboxFailure,
  type OutboxOwner,
  type Timed,
} from "../connection/mod.ts";
import { type Address, type Connection, ConnectionError } from "../platform/mod.ts";
import {
  byteString,
  type ClientCommands,
  type ClientFault,
  type ClientMessage,
  ClientParser,
  CLOSE_REASONS,
  type CloseReason,
  type ConnectOptions,
  DEFAULT_CONNECT_OPTIONS,
  ERROR_TEXT,
  infoFrame,
  InvalidSubjectError,
  isInfoJson,
  isValidPublishSubject,
  parseConnectOptions,
  publishViolation,
  replyViolation,
  subscriptionViolation,
  tokenCount,
  tooManyTokens,
} from "../protocol/mod.ts";
import type { Scope } from "../supervisor/mod.ts";
import type { ClientEnvironment } from "./environment.ts";
import { Keepalive } from "./keepalive.ts";
import { isReservedReply, isReservedSubject } from "./reserved.ts";
import { ClientTrace } from "./trace.ts";

/** How long a connection that is being closed may take to receive what is queued for it. */
const GOODBYE_MS = 2000;
/** How long the peer may then take to close its side. */
const LINGER_MS = 1000;
/** How long a publisher waits per read for a subscriber close to its limit. */
const STALL_MS = 10;

/** Closed by the server because of what the peer sent: it may still be sending. */
const LINGERING: ReadonlySet<CloseReason> = new Set([
  "authenticationTimeout",
  "authenticationFailure",
  "parseError",
  "staleConnection",
  "protocolViolation",
  "badClientProtocolVersion",
  "maximumConnectionsExceeded",
  "maximumPayloadExceeded",
  "maximumControlLineExceeded",
  "noRespondersRequiresHeaders",
  "messageHeaderViolation",
]);

/** The queue group that is the server's own. */
const SYSTEM_QUEUE = "_sys_";

/** What a fault of the parser means for the connection; no text where nats-server sends none. */
const FAULTS: Readonly<Record<ClientFault, { reason: CloseReason; text: string | null }>> = {
  "unknown operation": { reason: "protocolViolation", text: ERROR_TEXT.unknownOperation },
  "control line": { reason: "maximumControlLineExceeded", text: ERROR_TEXT.controlLine },
  "payload size": { reason: "maximumPayloadExceeded", text: ERROR_TEXT.payload },
  "arguments": { reason: "protocolViolation", text: null },
  "headers": { reason: "messageHeaderViolation", text: null },
  "not connected": { reason: "authenticationFailure", text: ERROR_TEXT.authorization },
};

/** One client. */
export class ClientSession implements ClientCommands, OutboxOwner, Timed {
  /** The connection's id, unique for the life of the server. */
  readonly id: number;
  /** When it was accepted, in wall-clock milliseconds. */
  readonly startedAt: number;
  /** The peer's side of it in its account. */
  readonly subscriber: Subscriber;
  /** Messages received. */
  inMessages = 0;
  /** Bytes of headers and payload received. */
  inBytes = 0;
  /** What CONNECT said. */
  options: Readonly<ConnectOptions> = DEFAULT_CONNECT_OPTIONS;
  /** Who it is, once that is known. */
  identity: Identity | null = null;
  /** Ping state. */
  readonly keepalive = new Keepalive();
  /** See {@link Timed}. */
  dueMs = 0;
  /** See {@link Timed}. */
  wheelSlot = -1;

  readonly #environment: ClientEnvironment;
  readonly #connection: Connection;
  readonly #inbox = new Inbox();
  readonly #outbox: Outbox;
  readonly #parser: ClientParser;
  readonly #trace: ClientTrace | null;
  readonly #acceptedAtMs: number;
  /** Ends a check of credentials that nobody waits for any more. */
  #abandon: AbortController | null = null;
  #account: Account | null = null;
  /** What must be over before the next command is looked at. */
  #deciding: Promise<void> | null = null;
  #connected = false;
  #firstPonged = false;
  #closing: CloseReason | null = null;
  #goodbye: Promise<void> | null = null;
  /** The outbox's writer, as long as it runs. */
  #writer: Promise<void> | null = null;
  #reading = true;
  #inputEnded: PromiseWithResolvers<void> | null = null;

  /** A session over an accepted connection; {@link ClientSession.run} lives it. */
  constructor(environment: ClientEnvironment, connection: Connection, id: number) {
    const { limits, log } = environment;
    this.id = id;
    this.startedAt = environment.clock.now();
    this.#acceptedAtMs = environment.clock.monotonic();
    this.#environment = environment;
    this.#connection = connection;
    this.#outbox = new Outbox(connection, this, environment.outboxSettings);
    this.subscriber = new Subscriber(this.#outbox);
    this.#parser = new ClientParser(this, {
      maxControlLine: limits.max_control_line,
      maxPayload: limits.max_payload,
    });
    this.#trace = log.traceOn ? new ClientTrace(log, id) : null;
    this.subscriber.trace = this.#trace;
  }

  /** The peer's address. */
  get address(): Address {
    return this.#connection.remoteAddress;
  }

  /** Address and id, as logs show them. */
  get label(): string {
    const { hostname, port } = this.#connection.remoteAddress;
    return `${hostname}:${port} - cid:${this.id}`;
  }

  /** Why it is being closed or was closed, or null. */
  get closing(): CloseReason | null {
    return this.#closing;
  }

  /** The account it is in, or null before that is known. */
  get account(): Account | null {
    return this.#account;
  }

  /** Lives the session: returns when the connection is closed and everything of it is released. */
  async run(scope: Scope): Promise<void> {
    // One function and not several that await each other: each would cost every idle connection
    // some 400 bytes.
    scope.onCancel(() => this.close("serverShutdown"));
    try {
      this.#start();
      for (;;) {
        const count = await this.#connection.read(this.#inbox.space(this.#parser.needed));
        if (count === null) break;
        this.#inbox.filled(count);
        const wait = this.#process();
        if (wait !== null) await wait;
      }
      this.close("clientClosed");
    } catch (error) {
      if (!(error instanceof ConnectionError)) {
        // A panic: the task's policy reports it; the peer's connection must not outlive it.
        this.close("internalError");
        throw error;
      }
      this.close("readError");
    } finally {
      this.#reading = false;
      this.#inputEnded?.resolve();
      await this.#sayGoodbye();
      await this.#release();
    }
  }

  #start(): void {
    const { authenticator, sessions, statistics, wheel, limits, log } = this.#environment;
    sessions.set(this.id, this);
    statistics.totalConnections++;
    if (log.debugOn) log.debug(`${this.label} - Client connection created`);
    const anonymous = authenticator.anonymous();
    if (anonymous === null) {
      this.#parser.connectRequired = true;
      wheel.schedule(this, this.#acceptedAtMs + limits.auth_timeout);
    } else {
      this.#admit(anonymous);
      wheel.schedule(this, this.#acceptedAtMs + limits.ping_interval);
    }
    this.#send(infoFrame(this.#environment.info(), {
      client_id: this.id,
      client_ip: this.#connection.remoteAddress.hostname,
    }));
    this.#outbox.flush();
  }

  #admit(identity: Identity): void {
    this.identity = identity;
    this.#account = this.#environment.accountOf(identity);
    this.#parser.connectRequired = false;
  }

  /** Handles what was read; returns what must be waited for before going on, or null. */
  #process(): Promise<void> | null {
    this.#parse();
    const congested = this.#environment.touched.flush();
    if (this.#deciding !== null) return this.#settle();
    return congested === null ? null : this.#waitFor(congested);
  }

  /** Waits for what is being decided, and handles what came behind it. */
  async #settle(): Promise<void> {
    // What is waited for may give rise to the next thing to wait for.
    while (this.#deciding !== null) {
      const deciding = this.#deciding;
      this.#deciding = null;
      await deciding;
    }
    await this.#process();
  }

  #parse(): void {
    const inbox = this.#inbox, parser = this.#parser;
    if (this.#closing !== null) {
      // Read on only so that the peer gets to read our last words: nothing means anything now.
      inbox.start = inbox.end = 0;
      parser.needed = 0;
      return;
    }
    const messages = this.inMessages, bytes = this.inBytes;
    inbox.start = parser.parse(inbox.slab, inbox.start, inbox.end);
    const statistics = this.#environment.statistics;
    if (this.inMessages !== messages) this.keepalive.activeAtMs = this.#environment.wheel.nowMs;
    statistics.inMessages += this.inMessages - messages;
    statistics.inBytes += this.inBytes - bytes;
    if (parser.fault !== null && this.#closing === null) {
      const { reason, text } = FAULTS[parser.fault];
      this.close(reason, text);
    }
  }

  /**
   * Waits for those that this chunk went to and that are behind: as long as they are the majority,
   * that is the speed there is; then, for a bounded time, for the few that keep the others waiting.
   */
  async #waitFor({ outboxes, recipients }: Congestion): Promise<void> {
    const { statistics, clock, outboxSettings } = this.#environment;
    statistics.stalledReads++;
    let behind = outboxes.filter((outbox) => outbox.congested);
    while (behind.length > recipients / 2) {
      await behind[0]!.relief();
      behind = behind.filter((outbox) => outbox.congested);
    }
    for (const outbox of behind) {
      const fromMs = clock.monotonic();
      await outbox.relief();
      outboxSettings.watch.held(outbox, fromMs, clock.monotonic());
    }
    if (outboxes.some((outbox) => outbox.crowded)) await clock.sleep(STALL_MS);
  }

  // --- Commands of the parser -------------------------------------------------------------------

  /** CONNECT. */
  connect(json: string): void {
    const trace = this.#trace;
    if (trace !== null) trace.connect(json);
    const options = parseConnectOptions(json, this.options);
    if (options === null) {
      this.close("protocolViolation");
      return;
    }
    const environment = this.#environment, nowMs = environment.clock.monotonic();
    const again = this.#connected;
    this.options = options;
    this.#connected = true;
    this.keepalive.connected(this.#acceptedAtMs, nowMs);
    const { authenticator, limits, wheel, random } = environment;
    const parser = this.#parser, subscriber = this.subscriber;
    parser.headers = options.headers && !limits.no_header_support;
    parser.pedantic = options.pedantic;
    subscriber.echo = options.echo;
    subscriber.headers = parser.headers;
    subscriber.noResponders = options.no_responders;
    subscriber.lastMatch = null;
    const abandon = authenticator.required ? new AbortController() : null;
    const decision = authenticator.authenticate(options, abandon?.signal);
    if (decision instanceof Promise) {
      // Nothing behind CONNECT is looked at before it is known who it is from.
      parser.stop();
      this.#abandon = abandon;
      this.#deciding = this.#decide(decision, again);
      return;
    }
    wheel.schedule(this, nowMs + this.keepalive.firstDelayMs(limits.ping_interval, random));
    this.#decided(decision, again);
  }

  async #decide(decision: Promise<Decision>, again: boolean): Promise<void> {
    let identity: Decision = null;
    try {
      identity = await decision;
    } catch (error) {
      if (this.#closing !== null) return;
      this.#environment.log.warn(`${this.label} - credentials could not be checked`, {
        error: String(error),
      });
    }
    this.#abandon = null;
    if (this.#closing !== null) return;
    const { clock, wheel, limits, random } = this.#environment;
    wheel.schedule(
      this,
      clock.monotonic() + this.keepalive.firstDelayMs(limits.ping_interval, random),
    );
    this.#decided(identity, again);
    this.#outbox.flush();
  }

  #decided(identity: Decision, again: boolean): void {
    const options = this.options;
    if (identity === null || options.account !== "" || options.new_account) {
      const { log } = this.#environment;
      log.error(`${this.label} - authentication error`, {
        ...(options.user !== "" && { user: options.user }),
        ...(options.name !== "" && { name: options.name }),
      });
      this.close("authenticationFailure", ERROR_TEXT.authorization);
      return;
    }
    if (again) this.#dropSubscriptions();
    this.#admit(identity);
    if (options.protocol !== 0 && options.protocol !== 1) {
      this.close("badClientProtocolVersion", ERROR_TEXT.clientProtocol);
      return;
    }
    if (options.no_responders && !this.#parser.headers) {
      this.close("noRespondersRequiresHeaders", ERROR_TEXT.noRespondersHeaders);
      return;
    }
    this.#acknowledge();
    this.#environment.connected(this);
  }

  /** A second CONNECT ends what was subscribed under the first. */
  #dropSubscriptions(): void {
    const account = this.#account;
    if (account === null || this.subscriber.subscriptionCount === 0) return;
    // What is parsed next must find them gone.
    this.#parser.stop();
    this.#deciding = account.unsubscribeAll(this.subscriber);
  }

  /** The subject of a PUB, in pedantic mode. */
  announced(message: ClientMessage): void {
    if (!isValidPublishSubject(message.slab.bytes, message.subjectStart, message.subjectEnd)) {
      this.#error(ERROR_TEXT.invalidPublishSubject);
    }
  }

  /** PUB and HPUB. */
  publish(message: ClientMessage): void {
    const subscriber = this.subscriber;
    this.inMessages++;
    this.inBytes += message.size;
    if (this.#trace !== null) this.#trace.publish(message);
    const bytes = message.slab.bytes;
    if (
      isReservedSubject(bytes, message.subjectStart, message.subjectEnd) ||
      (message.replyEnd > 0 && isReservedReply(bytes, message.replyStart, message.replyEnd))
    ) {
      this.#refusePublish(message);
      return;
    }
    if (this.options.verbose) this.#acknowledge();
    const count = this.#account!.publish(message, subscriber);
    if (count === 0 && subscriber.noResponders && message.hasReply) {
      this.#account!.answerNoResponders(message, subscriber);
    }
  }

  #refusePublish(message: ClientMessage): void {
    // The next message may have the same subject, and then relies on what this one looked up.
    this.subscriber.lastMatch = null;
    const bytes = message.slab.bytes;
    const subject = byteString(bytes, message.subjectStart, message.subjectEnd);
    if (isReservedSubject(bytes, message.subjectStart, message.subjectEnd)) {
      this.#violation(publishViolation(subject));
    } else {
      this.#violation(replyViolation(byteString(bytes, message.replyStart, message.replyEnd)));
    }
  }

  /** SUB. */
  subscribe(subject: string, queue: string | null, sid: string): void {
    if (this.#trace !== null) this.#trace.subscribe(subject, queue, sid);
    const { limits, wheel } = this.#environment;
    this.keepalive.activeAtMs = wheel.nowMs;
    if (queue === SYSTEM_QUEUE) {
      this.#violation(subscriptionViolation(subject, queue));
      return;
    }
    if (limits.max_sub_tokens > 0 && tokenCount(subject) > limits.max_sub_tokens) {
      this.#violation(tooManyTokens(subject));
      return;
    }
    const subscriber = this.subscriber;
    if (
      limits.max_subscriptions > 0 && subscriber.subscriptionCount >= limits.max_subscriptions
    ) {
      this.#error(ERROR_TEXT.subscriptions);
      return;
    }
    try {
      this.#account!.subscribe(subscriber, subject, queue, sid);
    } catch (error) {
      if (!(error instanceof InvalidSubjectError)) throw error;
      this.#error(ERROR_TEXT.invalidSubject);
      return;
    }
    this.#acknowledge();
  }

  /** UNSUB. */
  unsubscribe(sid: string, max: number): void {
    if (this.#trace !== null) this.#trace.unsubscribe(sid, max);
    this.keepalive.activeAtMs = this.#environment.wheel.nowMs;
    this.#account!.unsubscribe(this.subscriber, sid, max);
    this.#acknowledge();
  }

  /** PING. */
  ping(): void {
    if (this.#trace !== null) this.#trace.received("PING");
    this.keepalive.activeAtMs = this.#environment.wheel.nowMs;
    this.#send("PONG\r\n");
    if (this.#firstPonged || !this.#connected) return;
    this.#firstPonged = true;
    // From now on it takes INFO at any time; the first tells it where it ended up.
    if (this.options.protocol >= 1) this.#sendInfo();
  }

  #sendInfo(): void {
    this.#send(infoFrame(this.#environment.info(), {
      client_id: this.id,
      client_ip: this.#connection.remoteAddress.hostname,
      connect_info: true,
      remote_account: this.#account!.name,
    }));
  }

  /** Sends the server's INFO as it is now, to a client that takes it at any time. */
  updateInfo(): void {
    if (!this.#firstPonged || this.options.protocol < 1 || this.#closing !== null) return;
    this.#send(infoFrame(this.#environment.info(), {
      client_id: this.id,
      client_ip: this.#connection.remoteAddress.hostname,
    }));
    this.#outbox.flush();
  }

  /** PONG. */
  pong(): void {
    if (this.#trace !== null) this.#trace.received("PONG");
    this.keepalive.ponged(this.#environment.clock.monotonic());
  }

  /** INFO: means nothing from a client, but must be JSON. */
  info(json: string): void {
    if (!isInfoJson(json)) this.close("protocolViolation");
  }

  /** -ERR: the client gives up. */
  error(text: string): void {
    this.#environment.log.error(`${this.label} - client error`, { text });
    this.close("parseError");
  }

  // --- Timers -----------------------------------------------------------------------------------

  /** Credentials, or a PING, are due. */
  due(nowMs: number): void {
    if (this.#closing !== null) return;
    if (this.#parser.connectRequired) {
      this.close("authenticationTimeout", ERROR_TEXT.authenticationTimeout);
      return;
    }
    const { limits, wheel, clock } = this.#environment;
    switch (this.keepalive.decide(nowMs, limits.ping_interval, limits.ping_max)) {
      case "stale":
        this.close("staleConnection", ERROR_TEXT.stale);
        return;
      case "ping":
        this.keepalive.pinged(clock.monotonic());
        this.#send("PING\r\n");
        this.#outbox.flush();
        break;
      case "skip":
        break;
    }
    wheel.schedule(this, nowMs + limits.ping_interval);
  }

  // --- Output -----------------------------------------------------------------------------------

  #send(frame: string): void {
    if (this.#trace !== null) this.#trace.sent(frame);
    this.#outbox.appendText(frame);
    this.#environment.touched.add(this.#outbox);
  }

  #acknowledge(): void {
    if (this.options.verbose && this.#closing === null) this.#send("+OK\r\n");
  }

  #error(text: string): void {
    this.#send(`-ERR '${text}'\r\n`);
  }

  #violation(text: string): void {
    this.#environment.log.warn(`${this.label} - ${text}`);
    this.#error(text);
  }

  /** Keeps the outbox's writer, which {@link ClientSession.run} waits for. */
  startWriter(write: () => Promise<void>): void {
    this.#writer = write();
  }

  /** The outbox gave up on the peer. */
  outboxFailed(failure: OutboxFailure): void {
    const { statistics, log } = this.#environment;
    if (failure === "write error") {
      this.close("writeError");
      return;
    }
    statistics.slowConsumers++;
    const reason = failure === "pending bytes"
      ? "slowConsumerPendingBytes"
      : "slowConsumerWriteDeadline";
    log.warn(`${this.label} - ${CLOSE_REASONS[reason]}`);
    this.close(reason);
  }

  // --- Closing ----------------------------------------------------------------------------------

  /**
   * Begins to close the connection: nothing more is received or delivered; what is queued is sent,
   * then `text` as -ERR. Calling it again does nothing.
   */
  close(reason: CloseReason, text: string | null = null): void {
    if (this.#closing !== null) return;
    this.#closing = reason;
    this.subscriber.open = false;
    this.#parser.stop();
    this.#environment.wheel.cancel(this);
    this.#abandon?.abort();
    if (reason === "staleConnection") this.#environment.statistics.staleConnections++;
    if (text !== null) this.#error(text);
    // `run` waits for it: it ends the read that `run` is in.
    this.#goodbye ??= this.#depart();
  }

  #sayGoodbye(): Promise<void> {
    return this.#goodbye ??= this.#depart();
  }

  /** Sends what is queued, closes, and with it ends a read that is waiting. Bounded in time. */
  async #depart(): Promise<void> {
    const { clock } = this.#environment, connection = this.#connection, outbox = this.#outbox;
    const expire = () => {
      outbox.discard();
      connection.close();
    };
    let deadline = clock.setTimer(GOODBYE_MS, expire);
    await outbox.finish();
    if (LINGERING.has(this.#closing!)) {
      // Closing with unread input would reset the connection, and the reset may overtake what was
      // just written: first the end of our side, then the peer's.
      deadline.cancel();
      deadline = clock.setTimer(LINGER_MS, expire);
      await connection.closeWrite().catch(() => {});
      if (this.#reading) await (this.#inputEnded = Promise.withResolvers<void>()).promise;
    }
    deadline.cancel();
    expire();
    await this.#writer;
  }

  async #release(): Promise<void> {
    const { sessions, statistics, log } = this.#environment;
    const subscriber = this.subscriber, reason = this.#closing ?? "clientClosed";
    sessions.delete(this.id);
    statistics.outMessages += subscriber.outMessages;
    statistics.outBytes += subscriber.outBytes;
    if (log.debugOn) {
      log.debug(`${this.label} - Client connection closed: ${CLOSE_REASONS[reason]}`);
    }
    this.#environment.disconnected(this, reason);
    await this.#account?.unsubscribeAll(subscriber);
  }
}
