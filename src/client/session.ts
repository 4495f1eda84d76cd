/**
 * A client's connection from INFO to close.
 *
 * @module
 */
import { type Account, commandWork, publishWork, Subscriber } from "../account/mod.ts";
import { type Decision, type Identity, type PeerFacts, Refusal } from "../auth/mod.ts";
import { PeerSession, type Timed } from "../connection/mod.ts";
import type { Connection } from "../platform/mod.ts";
import {
  byteString,
  type ClientCommands,
  type ClientMessage,
  ClientParser,
  CLOSE_REASONS,
  type CloseReason,
  type ConnectionInfo,
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
} from "../protocol/mod.ts";
import type { ClientEnvironment } from "./environment.ts";
import { FAULTS, LIMITS_OF, QUIET_REASONS } from "./faults.ts";
import { Keepalive } from "./keepalive.ts";
import { isReservedReply, isReservedSubject } from "./reserved.ts";
import { subscriptionRefusal } from "./subscription_rules.ts";
import { ClientTrace } from "./trace.ts";

/** How long a decision about credentials may take. */
const DECISION_LIMIT_MS = 30_000;
/** How often violations are logged, and how much of what a client wrote is shown. */
const VIOLATION_LOG_MS = 1000, VIOLATION_LOG_LENGTH = 256;
/** How lately a client must have sent something for more to be likely to be under way. */
const SENDING_MS = 1000;
/** What official clients send behind CONNECT. */
const ONLY_PINGS = /^(?:PING\r?\n)*$/i, PINGS_LOOKED_AT = 64;

/** How often connections closed for one and the same reason are logged. */
const CLOSING_LOG_MS = 1000;

/** One client. */
export class ClientSession extends PeerSession implements ClientCommands, Timed {
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
  readonly #parser: ClientParser;
  #trace: ClientTrace | null = null;
  readonly #acceptedAtMs: number;
  /** Ends a check of credentials that nobody waits for any more. */
  #abandon: AbortController | null = null;
  #account: Account | null = null;
  /** What must be over before the next command is looked at. */
  #pause: Promise<void> | null = null;
  /** What the chunk at hand has given rise to; see {@link ClientLimits.chunk_work}. */
  #work = 0;
  #deciding = false;
  /** Whether the first command is still to come, and must come in time. */
  #silent = false;
  #connected = false;
  #firstPonged = false;

  /** A session over an accepted connection. */
  constructor(environment: ClientEnvironment, connection: Connection, id: number) {
    super(environment, connection, id);
    const { clock, limits, log } = environment;
    this.#environment = environment;
    this.#acceptedAtMs = clock.monotonic();
    this.subscriber = new Subscriber(this.outbox);
    this.#parser = new ClientParser(this, {
      maxControlLine: limits.max_control_line,
      maxPayload: limits.max_payload,
    });
    if (log.traceOn) this.#retrace();
  }

  /** Address and id, as logs show them. */
  get label(): string {
    const { hostname, port } = this.address;
    return `${hostname}:${port} - cid:${this.id}`;
  }

  /** The account it is in, or null before that is known. */
  get account(): Account | null {
    return this.#account;
  }

  // --- The connection's life --------------------------------------------------------------------

  /** See {@link PeerSession}. */
  protected override opened(): void {
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
      // Who is taken for a user is to say something all the same, as if it had to show who it is.
      this.#silent = authenticator.configured;
      const limitMs = this.#silent ? limits.auth_timeout : limits.ping_interval;
      wheel.schedule(this, this.#acceptedAtMs + limitMs);
    }
    this.#sendNow(this.#info());
  }

  /** See {@link PeerSession}. */
  protected override get needed(): number {
    return this.#parser.needed;
  }

  /** See {@link PeerSession}. */
  protected override received(): Promise<void> | null {
    const inbox = this.inbox, parser = this.#parser;
    const messages = this.inMessages, bytes = this.inBytes;
    this.#work = 0;
    const start = inbox.start;
    inbox.start = parser.parse(inbox.slab, start, inbox.end);
    if (this.#silent && (inbox.start > start || parser.mode !== "start")) this.#heard();
    if (this.inMessages !== messages) {
      const { statistics, wheel } = this.#environment;
      this.keepalive.activeAtMs = wheel.nowMs;
      statistics.inMessages += this.inMessages - messages;
      statistics.inBytes += this.inBytes - bytes;
    }
    if (parser.fault !== null) {
      const { reason, text } = FAULTS[parser.fault];
      if (parser.fault === "not connected") {
        const log = this.#environment.authLog.limited("not connected", CLOSING_LOG_MS);
        log?.error(`${this.label} - authentication error: the first command was not CONNECT`);
      }
      this.close(reason, text);
    }
    return this.#pause === null ? null : this.#paused();
  }

  /** See {@link PeerSession}. */
  protected override get interrupted(): boolean {
    return this.#work > this.#environment.limits.chunk_work;
  }

  /**
   * See {@link PeerSession}. A check of credentials may wait behind many others, and whoever hangs up
   * gives up its place, unless it sent something behind CONNECT that means something to others.
   */
  protected override get abandonable(): boolean {
    const { slab, start, end } = this.inbox;
    return this.#deciding && end - start < PINGS_LOOKED_AT &&
      ONLY_PINGS.test(byteString(slab.bytes, start, end));
  }

  /** See {@link PeerSession}. Who is still sending would lose what it has not received yet. */
  protected override get sending(): boolean {
    return this.#environment.wheel.nowMs - this.keepalive.activeAtMs < SENDING_MS;
  }

  /** The first command has come from somebody who is taken for a user. */
  #heard(): void {
    this.#silent = false;
    // CONNECT has a schedule of its own.
    if (this.#connected || this.closing !== null) return;
    this.#environment.wheel.schedule(
      this,
      this.#acceptedAtMs + this.#environment.limits.ping_interval,
    );
  }

  #worked(bytes: number): void {
    this.#work += bytes;
    if (this.#work > this.#environment.limits.chunk_work) this.#parser.stop();
  }

  async #paused(): Promise<void> {
    // What is waited for may give rise to the next thing to wait for.
    while (this.#pause !== null) {
      const pause = this.#pause;
      this.#pause = null;
      await pause;
    }
  }

  /** See {@link PeerSession}. */
  protected override leaving(reason: CloseReason, text: string | null): void {
    const { statistics, wheel, log } = this.#environment;
    if (text !== null) this.#trace?.sent(`-ERR '${text}'`);
    this.subscriber.open = false;
    this.#parser.stop();
    wheel.cancel(this);
    this.#abandon?.abort();
    statistics.closingConnections++;
    if (reason === "staleConnection") statistics.staleConnections++;
    if (reason.startsWith("slowConsumer")) statistics.slowConsumers++;
    if (QUIET_REASONS.has(reason)) return;
    const { name } = this.options;
    log.limited(`closing:${reason}`, CLOSING_LOG_MS)?.warn(
      `${this.label} - ${CLOSE_REASONS[reason]}`,
      {
        ...(name !== "" && { name }),
        ...(this.identity !== null && this.identity.user !== null && { user: this.identity.user }),
        ...(reason.startsWith("slowConsumer") && { pending: this.outbox.dropped }),
        ...LIMITS_OF[reason]?.(this.#environment.limits),
      },
    );
  }

  /** See {@link PeerSession}. */
  protected override async ended(reason: CloseReason): Promise<void> {
    const { sessions, statistics, log } = this.#environment, subscriber = this.subscriber;
    sessions.delete(this.id);
    if (this.closing !== null) statistics.closingConnections--;
    statistics.outMessages += subscriber.outMessages;
    statistics.outBytes += subscriber.outBytes;
    if (log.debugOn) {
      log.debug(`${this.label} - Client connection closed: ${CLOSE_REASONS[reason]}`);
    }
    if (reason === "serverShutdown" && this.outbox.dropped > 0) {
      log.warn(`${this.label} - closed before it had received everything`, {
        dropped: this.outbox.dropped,
      });
    }
    this.#environment.disconnected(this, reason);
    // At the end of the server everything goes at once.
    if (!this.#environment.ending) await this.#account?.unsubscribeAll(subscriber);
  }

  // --- Changes of the configuration ---------------------------------------------------------------

  /** Whether CONNECT has come and was good. */
  get admitted(): boolean {
    return this.#connected && !this.#deciding && this.identity !== null;
  }

  /** Goes by the limits and levels that hold now. */
  reconfigured(): void {
    const { limits, log } = this.#environment;
    this.#parser.maxPayload = limits.max_payload;
    if (log.traceOn !== (this.#trace !== null)) this.#retrace();
  }

  #retrace(): void {
    const { log } = this.#environment;
    this.#trace = log.traceOn ? new ClientTrace(log, this.id) : null;
    this.subscriber.trace = this.#trace;
  }

  /**
   * Who it is was decided by what does not hold any more: asks once more, with what it showed then.
   * What cannot be asked again, such as for a signature, must not have changed.
   *
   * @returns null when it was refused, and told so, or has closed meanwhile.
   */
  async reconsider(): Promise<Identity | null> {
    if (!this.#connected) return this.#reconsiderStranger();
    const { authenticator } = this.#environment;
    let decision: Decision;
    try {
      decision = await authenticator.authenticate(this.options, this.#facts());
    } catch {
      // A check that cannot be made lets nobody stay.
      decision = new Refusal("the credentials could not be checked");
    }
    if (this.closing !== null) return null;
    if (decision instanceof Refusal) {
      this.#refused(decision);
      return null;
    }
    return this.identity = decision;
  }

  /** It has not said CONNECT: it still may, unless it has done something before. */
  #reconsiderStranger(): Identity | null {
    const { authenticator, wheel, limits } = this.#environment;
    const anonymous = authenticator.anonymous();
    if (anonymous !== null && anonymous.account === this.identity?.account) {
      return this.identity = anonymous;
    }
    if (this.inMessages > 0 || this.subscriber.subscriptionCount > 0) {
      this.#refused(new Refusal("credentials are needed now"));
      return null;
    }
    this.identity = this.#account = null;
    this.#parser.connectRequired = true;
    wheel.schedule(this, wheel.nowMs + limits.auth_timeout);
    return null;
  }

  #admit(identity: Identity): void {
    this.identity = identity;
    this.#account = this.#environment.accountOf(identity);
    this.#parser.connectRequired = false;
  }

  // --- Commands of the parser -------------------------------------------------------------------

  /** CONNECT. */
  connect(json: string): void {
    const trace = this.#trace;
    if (trace !== null) trace.connect(json);
    this.#worked(commandWork(json.length));
    const options = parseConnectOptions(json, this.options);
    if (options === null) {
      this.close("protocolViolation");
      return;
    }
    const environment = this.#environment, nowMs = environment.clock.monotonic();
    const again = this.#connected;
    this.options = options;
    this.#connected = true;
    if (!again) this.keepalive.connected(this.#acceptedAtMs, nowMs);
    const { authenticator, limits, wheel } = environment;
    const parser = this.#parser, subscriber = this.subscriber;
    parser.headers = options.headers && !limits.no_header_support;
    parser.pedantic = options.pedantic;
    subscriber.echo = options.echo;
    subscriber.headers = parser.headers;
    subscriber.noResponders = options.no_responders;
    subscriber.lastMatch = null;
    const abandon = new AbortController();
    const decision = authenticator.authenticate(options, this.#facts(), abandon.signal);
    if (decision instanceof Promise) {
      // Nothing behind CONNECT is looked at before it is known who it is from. The client has done
      // its part in time: what is left may take as long as the checks of many who come at once.
      parser.stop();
      this.#abandon = abandon;
      this.#deciding = true;
      wheel.schedule(this, nowMs + DECISION_LIMIT_MS);
      this.#pause = this.#decide(decision, again);
      return;
    }
    this.#decided(decision, again);
  }

  async #decide(decision: Promise<Decision>, again: boolean): Promise<void> {
    let identity: Decision | null = null, error: unknown;
    try {
      identity = await this.#upToDate(decision);
    } catch (caught) {
      error = caught;
    }
    this.#abandon = null;
    this.#deciding = false;
    if (this.closing !== null) return;
    if (error !== undefined) {
      const log = this.#environment.authLog.limited("check", CLOSING_LOG_MS);
      log?.warn(`${this.label} - credentials could not be checked`, { error: String(error) });
      // Not a violation: official clients give up for good after two of those.
      this.close("authenticationTimeout", ERROR_TEXT.authenticationTimeout);
      return;
    }
    this.#decided(identity!, again);
    this.outbox.flush();
  }

  /** A decision by what holds when it is made: who may connect may have changed meanwhile. */
  async #upToDate(pending: Promise<Decision>): Promise<Decision> {
    const environment = this.#environment;
    let by = environment.authenticator, decision = await pending;
    while (environment.authenticator !== by && this.closing === null) {
      by = environment.authenticator;
      decision = await by.authenticate(this.options, this.#facts(), this.#abandon?.signal);
    }
    return decision;
  }

  /** What is known of the client besides what it says. */
  #facts(): PeerFacts {
    return {
      id: this.id,
      hostname: this.address.hostname,
      nonce: null,
      connectionType: "STANDARD",
      certificate: null,
      tls: null,
    };
  }

  #decided(identity: Decision, again: boolean): void {
    const options = this.options;
    const refusal = identity instanceof Refusal
      ? identity
      : options.account !== "" || options.new_account
      ? new Refusal("CONNECT asks for an account, which is obsolete")
      : null;
    if (identity instanceof Refusal || refusal !== null) return this.#refused(refusal);
    const { clock, wheel, limits, random } = this.#environment;
    const delayMs = this.keepalive.firstDelayMs(limits.ping_interval, random);
    wheel.schedule(this, clock.monotonic() + delayMs);
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

  #refused(refusal: Refusal | null): void {
    const options = this.options;
    const log = this.#environment.authLog.limited("authentication", CLOSING_LOG_MS);
    log?.error(`${this.label} - authentication error`, {
      ...(refusal !== null && { reason: refusal.reason }),
      ...(options.user !== "" && { user: options.user }),
      ...(options.name !== "" && { name: options.name }),
    });
    this.close("authenticationFailure", refusal?.text ?? ERROR_TEXT.authorization);
  }

  /** A second CONNECT ends what was subscribed under the first. */
  #dropSubscriptions(): void {
    const account = this.#account;
    if (account === null || this.subscriber.subscriptionCount === 0) return;
    const before = this.#pause, removal = account.unsubscribeAll(this.subscriber);
    this.#pause = before === null ? removal : before.then(() => removal);
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
    this.#acknowledge();
    const account = this.#account!, count = account.publish(message, subscriber);
    if (count === 0 && subscriber.noResponders && message.hasReply) {
      account.answerNoResponders(message, subscriber);
    }
    if (account.pressed) this.#worked(Infinity);
    // Those that were asked and did not take it cost time as well, and so does finding them.
    const offers = account.offers;
    if (offers > 0) this.#worked(publishWork(count, message.size, offers));
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
    const subscriber = this.subscriber;
    const refusal = subscriptionRefusal(limits, subscriber.subscriptionCount, subject, queue);
    if (refusal !== null) {
      if (refusal.violation) this.#violation(refusal.text);
      else this.#error(refusal.text);
      return;
    }
    try {
      this.#worked(commandWork());
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
    this.#worked(commandWork());
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
    if (this.options.protocol >= 1) {
      const { configured } = this.#environment.authenticator;
      this.#send(this.#info({
        ...(configured && { auth_required: true }),
        connect_info: true,
        remote_account: this.#account!.name,
      }));
    }
  }

  /** Sends the server's INFO as it is now, to a client that takes it at any time. */
  updateInfo(): void {
    if (!this.#firstPonged || this.options.protocol < 1 || this.closing !== null) return;
    this.#sendNow(this.#info());
  }

  #info(more: Partial<ConnectionInfo> = {}): string {
    return infoFrame(this.#environment.info(), {
      client_id: this.id,
      client_ip: this.address.hostname,
      ...more,
    });
  }

  /** PONG. */
  pong(): void {
    if (this.#trace !== null) this.#trace.received("PONG");
    this.keepalive.ponged(this.#environment.clock.monotonic());
  }

  /** INFO: means nothing from a client, but must be JSON. */
  info(json: string): void {
    this.#worked(commandWork(json.length));
    if (!isInfoJson(json)) this.close("protocolViolation");
  }

  /** -ERR: the client gives up. */
  error(text: string): void {
    const log = this.#environment.log.limited("client error", CLOSING_LOG_MS);
    log?.error(`${this.label} - client error`, { text });
    this.close("parseError");
  }

  // --- Timers -----------------------------------------------------------------------------------

  /** Credentials, or a PING, are due. */
  due(nowMs: number): void {
    if (this.closing !== null) return;
    if (this.#parser.connectRequired || this.#deciding || this.#silent) {
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
        this.#sendNow("PING\r\n");
        break;
      case "skip":
        break;
    }
    // The PING may have been what was too much for it.
    if (this.closing === null) wheel.schedule(this, nowMs + limits.ping_interval);
  }

  // --- Output -----------------------------------------------------------------------------------

  /** Sends a frame at the end of the chunk that is being handled. */
  #send(frame: string): void {
    this.#append(frame);
    this.#environment.touched.add(this.outbox);
  }

  /** Sends a frame that no chunk gave rise to. */
  #sendNow(frame: string): void {
    this.#append(frame);
    this.outbox.flush();
  }

  #append(frame: string): void {
    if (!this.outbox.open) return;
    if (this.#trace !== null) this.#trace.sent(frame);
    this.outbox.appendText(frame);
  }

  #acknowledge(): void {
    if (this.options.verbose && this.closing === null) this.#send("+OK\r\n");
  }

  #error(text: string): void {
    this.#send(`-ERR '${text}'\r\n`);
  }

  #violation(text: string): void {
    const { log } = this.#environment;
    this.#worked(commandWork(text.length));
    // A client may go on for ever about it, and come back under another id; the log need not.
    const shown = text.length <= VIOLATION_LOG_LENGTH
      ? text
      : `${text.slice(0, VIOLATION_LOG_LENGTH)}...`;
    log.limited("violation", VIOLATION_LOG_MS)?.warn(`${this.label} - ${shown}`);
    this.#error(text);
  }
}
