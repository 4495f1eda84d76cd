/**
 * A client's connection from INFO to close.
 *
 * @module
 */
import {
  type Account,
  commandWork,
  publishWork,
  type Requester,
  Subscriber,
} from "../account/mod.ts";
import { type Decision, type Identity, type PeerFacts, Refusal } from "../auth/mod.ts";
import { PeerSession, type Timed } from "../connection/mod.ts";
import type { Connection, Timer } from "../platform/mod.ts";
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
  InvalidSubjectError,
  isInfoJson,
  isValidPublishSubject,
  parseConnectOptions,
  publishViolation,
  replyViolation,
  subscriptionEnded,
  subscriptionViolation,
} from "../protocol/mod.ts";
import type { ClientEnvironment } from "./environment.ts";
import { FAULTS, LIMITS_OF, QUIET_REASONS } from "./faults.ts";
import { Keepalive } from "./keepalive.ts";
import { clientInfo, newOpening, type Opening } from "./opening.ts";
import { isReservedReply, isReservedSubject } from "./reserved.ts";
import { ClientRights, type Unpublished } from "./rights.ts";
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
/** What CONNECT begins with, and what makes of a letter a capital one. */
const LETTER_C = 0x43, UPPER_CASE = 0xdf;

/** How often connections closed for one and the same reason are logged. */
const CLOSING_LOG_MS = 1000;

/** The longest that a timer is set for. */
const MAX_TIMER_MS = 86_400_000;

/** One client. */
export class ClientSession extends PeerSession implements ClientCommands, Requester, Timed {
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
  readonly #opening: Opening;
  /** Ends a check of credentials that nobody waits for any more. */
  #abandon: AbortController | null = null;
  #account: Account | null = null;
  readonly #rights: ClientRights;
  /** Ends it when its credentials expire. */
  #expiry: Timer | null = null;
  /** What must be over before the next command is looked at. */
  #pause: Promise<void> | null = null;
  /** What the chunk at hand has given rise to; see {@link ClientLimits.chunk_work}. */
  #work = 0;
  /** Whether the first command is still to come, and must come in time. */
  #silent = false;
  /** Whether it counts as one of its account's connections. */
  #counted = false;
  #connected = false;
  #firstPonged = false;

  /** A session over an accepted connection. */
  constructor(
    environment: ClientEnvironment,
    connection: Connection,
    id: number,
    opening: Opening = newOpening(environment),
  ) {
    super(environment, connection, id);
    const { clock, limits, log } = environment;
    this.#environment = environment;
    this.#opening = opening;
    this.#acceptedAtMs = clock.monotonic();
    this.subscriber = new Subscriber(this.outbox);
    this.subscriber.requester = this;
    this.#rights = new ClientRights(this.subscriber, clock);
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

  // --- Who it is, to the exporters of services ----------------------------------------------------

  /** See {@link Requester}. */
  get hostname(): string {
    return this.address.hostname;
  }

  /** See {@link Requester}. */
  get user(): string | null {
    return this.identity?.user ?? null;
  }

  /** See {@link Requester}. */
  get name(): string {
    return this.options.name;
  }

  /** See {@link Requester}. */
  get lang(): string {
    return this.options.lang;
  }

  /** See {@link Requester}. */
  get version(): string {
    return this.options.version;
  }

  /** See {@link Requester}. */
  get rttMs(): number {
    return this.keepalive.rttMs;
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
      this.#parser.state = "unauthenticated";
      wheel.schedule(this, this.#acceptedAtMs + limits.auth_timeout);
    } else {
      this.#admit(anonymous);
      // Who is taken for a user is to say something all the same, as if it had to show who it is.
      this.#silent = authenticator.configured;
      // As in nats-server, whoever has said nothing takes nobody's place in the account.
      if (!this.#silent) this.#join();
      const limitMs = this.#silent ? limits.auth_timeout : limits.ping_interval;
      wheel.schedule(this, this.#acceptedAtMs + limitMs);
    }
    if (!this.#opening.infoSent) this.#sendNow(this.#info());
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
    // CONNECT may put it into another account.
    const leavesOutConnect = this.#silent && !this.#connected && parser.mode === "start" &&
      inbox.end > start && (inbox.slab.bytes[start]! & UPPER_CASE) !== LETTER_C;
    if (leavesOutConnect && !this.#join()) return null;
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
    return this.#parser.state === "deciding" && end - start < PINGS_LOOKED_AT &&
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
    this.#parser.state = "closing";
    wheel.cancel(this);
    this.#abandon?.abort();
    this.#expiry?.cancel();
    this.#leaveAccount();
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

  /** Goes by the limits and levels that hold now. */
  reconfigured(): void {
    const { log } = this.#environment;
    if (this.identity !== null && this.#account !== null) {
      this.#rights.limit(this.identity, this.#account, this.#environment.limits);
      this.#parser.maxPayload = this.#rights.maxPayload;
    }
    if (log.traceOn !== (this.#trace !== null)) this.#retrace();
  }

  #retrace(): void {
    const { log } = this.#environment;
    this.#trace = log.traceOn ? new ClientTrace(log, this.id) : null;
    this.subscriber.trace = this.#trace;
  }

  /** Its account has more clients than it may have. */
  closeAsSurplus(): void {
    this.close("maximumAccountConnectionsExceeded", ERROR_TEXT.accountConnections);
  }

  /** It may not be here any more, for a reason in words. It is told `text`, unless that is null. */
  evict(reason: string, text: string | null): void {
    if (this.closing !== null) return;
    this.#refused(new Refusal(reason, { account: this.#account?.name }));
    this.close(
      text === ERROR_TEXT.userRevoked ? "credentialsRevoked" : "authenticationExpired",
      text,
    );
  }

  /**
   * Those who may connect are others: looks whether it still may, by what it showed then, and turns it
   * away (without a word, where `silently`) or goes by what it may now. Where that takes a check of its
   * secret, what is returned resolves after it, and never rejects.
   */
  reconsider(silently: boolean): Promise<void> | undefined {
    const { identity, options } = this, { authenticator } = this.#environment;
    if (identity === null || this.closing !== null) return undefined;
    const text = silently ? null : ERROR_TEXT.authorization;
    const decided = (decision: Decision) => {
      // Another CONNECT may have come meanwhile, and was decided by those who count now.
      if (this.identity !== identity || decision === identity) return;
      if (decision instanceof Refusal && !this.#connected) this.#challenge();
      else this.revise(decision, text);
    };
    const decision = authenticator.reconsider(identity, options, this.#facts());
    if (!(decision instanceof Promise)) {
      decided(decision);
      return undefined;
    }
    return decision.then(decided, () => {
      // A check that cannot be made lets nobody stay.
      decided(new Refusal("the credentials could not be checked"));
    });
  }

  /** It has not said CONNECT: it still may, unless it has done something before. */
  #challenge(): void {
    const { wheel, limits } = this.#environment;
    if (this.inMessages > 0 || this.subscriber.subscriptionCount > 0) {
      return this.revise(new Refusal("credentials are needed now"));
    }
    this.#leaveAccount();
    this.identity = this.#account = null;
    this.#parser.state = "unauthenticated";
    wheel.schedule(this, wheel.nowMs + limits.auth_timeout);
  }

  /** It is `identity` from now on, with what that may do. False when there is no such account. */
  #admit(identity: Identity): boolean {
    const account = this.#environment.accountOf(identity);
    if (account === null) return false;
    this.#leaveAccount();
    this.identity = identity;
    this.#account = account;
    // What somebody else could answer is nothing to it.
    this.#rights.forget();
    this.#parser.state = "authenticated";
    // It may have to leave at once.
    this.#hold(identity, account);
    return true;
  }

  /** It counts in its account from now on; false, and it is closed, when that has too many already. */
  #join(): boolean {
    if (this.#counted) return true;
    const account = this.#account!, { max_connections: most = -1 } = account.limits;
    this.#counted = true;
    account.connections++;
    if (most < 0 || account.connections + account.remoteConnections <= most) return true;
    this.closeAsSurplus();
    return false;
  }

  #leaveAccount(): void {
    if (this.#counted) this.#account!.connections--;
    this.#counted = false;
  }

  /**
   * Holds it to what its user, its account and the server say. True when it may do something else than
   * before.
   */
  #hold(identity: Identity, account: Account): boolean {
    const { clock, limits } = this.#environment, rights = this.#rights;
    const isAnother = rights.hold(identity, account, limits);
    this.#parser.maxPayload = rights.maxPayload;
    this.#expiry?.cancel();
    this.#expiry = null;
    if (identity.expiresAtMs !== undefined) this.#expireAt(identity, clock.now());
    return isAnother;
  }

  #expireAt(identity: Identity, nowMs: number): void {
    const leftMs = identity.expiresAtMs! - nowMs, { clock } = this.#environment;
    if (leftMs <= 0) {
      const isAccount = identity.expiry === "account";
      this.close(
        "authenticationExpired",
        isAccount ? ERROR_TEXT.accountExpired : ERROR_TEXT.userExpired,
      );
      return;
    }
    // A timer has its longest time, and the clock may be set.
    this.#expiry = clock.setTimer(
      Math.min(leftMs, MAX_TIMER_MS),
      () => this.#expireAt(identity, clock.now()),
    );
  }

  /**
   * What is known of its user has changed: it is `decision` now. Who is refused has to leave, with `text` or
   * without; who may do less loses the subscriptions it must not have any more.
   */
  revise(decision: Decision, text: string | null = ERROR_TEXT.authorization): void {
    if (this.closing !== null || this.#account === null) return;
    if (decision instanceof Refusal) {
      this.#refused(decision);
      this.close("authenticationFailure", text === null ? null : decision.text ?? text);
      return;
    }
    if (decision.account !== this.#account.name) {
      // It has to subscribe anew: whoever connects again does.
      this.close("authenticationFailure");
      return;
    }
    this.identity = decision;
    const mayElse = this.#hold(decision, this.#account);
    this.subscriber.lastMatch = null;
    if (mayElse) this.#reviseSubscriptions(this.#account);
    if (this.subscriber.subscriptionCount > this.#rights.maxSubscriptions) {
      this.close("maximumSubscriptionsExceeded", ERROR_TEXT.subscriptions);
      return;
    }
    this.outbox.flush();
  }

  #reviseSubscriptions(account: Account): void {
    const subscriptions = this.subscriber.subscriptions;
    if (subscriptions === null) return;
    for (const subscription of [...subscriptions.values()]) {
      const { subject, queue, sid } = subscription;
      if (!this.#rights.maySubscribe(subject, queue)) {
        account.unsubscribe(this.subscriber, sid, 0);
        this.#violation(subscriptionEnded(subject, queue, sid));
      } else account.guardAnew(subscription, this.#rights.guard(subject, queue));
    }
  }

  /** Why it is not let in goes to the log and to whoever listens, with an id to find one by the other. */
  #refused(refusal: Refusal): void {
    const { authLog, refused } = this.#environment, { user, name } = this.options;
    const id = refused(this, refusal);
    authLog.limitedBy("authentication", `${refusal.reason}\n${user}`, CLOSING_LOG_MS)?.error(
      `${this.label} - authentication error`,
      {
        reason: refusal.reason,
        event: id,
        ...(user !== "" && { user }),
        ...(refusal.account !== null && { account: refusal.account }),
        ...(name !== "" && { name }),
      },
    );
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
    // Nothing behind CONNECT is looked at before it is known who it is from.
    parser.state = "deciding";
    const abandon = new AbortController();
    const decision = authenticator.authenticate(options, this.#facts(), abandon.signal);
    if (decision instanceof Promise) {
      // The client has done its part in time: what is left may take as long as the checks of many
      // who come at once.
      this.#abandon = abandon;
      wheel.schedule(this, nowMs + DECISION_LIMIT_MS);
      this.#pause = this.#decide(decision, again);
      return;
    }
    this.#decided(decision, again);
  }

  async #decide(decision: Promise<Decision>, again: boolean): Promise<void> {
    let identity: Decision | null = null, error: unknown;
    try {
      identity = await decision;
    } catch (caught) {
      error = caught;
    }
    this.#abandon = null;
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

  /** What is known of the client besides what it says. */
  #facts(): PeerFacts {
    const { nonce, connectionType, certificate, tls } = this.#opening;
    return {
      id: this.id,
      hostname: this.address.hostname,
      nonce,
      connectionType,
      certificate,
      tls,
    };
  }

  #decided(identity: Decision, again: boolean): void {
    const options = this.options;
    const refusal = identity instanceof Refusal
      ? identity
      : options.account !== "" || options.new_account
      ? new Refusal("CONNECT asks for an account, which is obsolete")
      : null;
    if (identity instanceof Refusal || refusal !== null) {
      this.#refused(refusal!);
      this.close("authenticationFailure", refusal!.text ?? ERROR_TEXT.authorization);
      return;
    }
    const { authenticator, clock, wheel, limits, random } = this.#environment;
    const delayMs = this.keepalive.firstDelayMs(limits.ping_interval, random);
    wheel.schedule(this, clock.monotonic() + delayMs);
    if (again || authenticator.configured) this.#dropSubscriptions();
    if (!this.#admit(identity)) {
      this.#refused(new Refusal(`there is no account ${identity.account}`));
      this.close("authenticationFailure", ERROR_TEXT.authorization);
      return;
    }
    if (this.closing !== null || !this.#join()) return;
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

  /**
   * A second CONNECT ends what was subscribed under the first. So does the first one, where there are
   * users, with what was subscribed before it by whoever was taken for one.
   */
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
    const rights = this.#rights;
    if (rights.examines) {
      const examined = rights.examine(message, this.inBytes);
      if (examined === null) return this.#unpublished(rights.unpublished);
      message = examined;
    }
    const bytes = message.slab.bytes;
    if (
      isReservedSubject(bytes, message.subjectStart, message.subjectEnd) ||
      (message.replyEnd > 0 && isReservedReply(bytes, message.replyStart, message.replyEnd))
    ) return this.#refusePublish(this.#reservedText(message, bytes));
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

  #unpublished(why: Unpublished): void {
    if (why === "dropped") this.#acknowledge();
    else if (why === "too much") this.close("maximumPayloadExceeded", ERROR_TEXT.payload);
    else this.#refusePublish(publishViolation(why.forbidden));
  }

  /** The text of the violation of somebody who uses the servers' own subjects. */
  #reservedText(message: ClientMessage, bytes: Uint8Array): string {
    const { subjectStart, subjectEnd, replyStart, replyEnd } = message;
    return isReservedSubject(bytes, subjectStart, subjectEnd)
      ? publishViolation(byteString(bytes, subjectStart, subjectEnd))
      : replyViolation(byteString(bytes, replyStart, replyEnd));
  }

  #refusePublish(text: string): void {
    this.#rights.refused();
    this.#violation(text);
  }

  /** SUB. */
  subscribe(subject: string, queue: string | null, sid: string): void {
    if (this.#trace !== null) this.#trace.subscribe(subject, queue, sid);
    const { limits, wheel } = this.#environment;
    this.keepalive.activeAtMs = wheel.nowMs;
    const subscriber = this.subscriber;
    const rights = this.#rights;
    if (!rights.maySubscribe(subject, queue)) {
      this.#violation(subscriptionViolation(subject, queue));
      return;
    }
    const refusal = subscriptionRefusal(
      { maxTokens: limits.max_sub_tokens, maxSubscriptions: rights.maxSubscriptions },
      subscriber.subscriptionCount,
      subject,
      queue,
    );
    if (refusal !== null) {
      if (refusal.violation) this.#violation(refusal.text);
      else this.#error(refusal.text);
      return;
    }
    try {
      this.#worked(commandWork());
      const guard = rights.guard(subject, queue);
      this.#account!.subscribe(subscriber, subject, queue, sid, guard);
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
        ...(this.#parser.maxPayload !== this.#environment.limits.max_payload && {
          max_payload: this.#parser.maxPayload,
        }),
        remote_account: this.#account!.name,
        ...(this.#account!.name === this.#environment.systemAccount && { acc_is_sys: true }),
      }));
    }
  }

  /** Sends the server's INFO as it is now, to a client that takes it at any time. */
  updateInfo(): void {
    if (!this.#firstPonged || this.options.protocol < 1 || this.closing !== null) return;
    this.#sendNow(this.#info());
  }

  #info(more: Partial<ConnectionInfo> = {}): string {
    return clientInfo(this.#environment.info(), this.#opening, {
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
    if (this.#parser.state !== "authenticated" || this.#silent) {
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
