/**
 * What a client may do, and how much of it.
 *
 * @module
 */
import type { Account, Subscriber } from "../account/mod.ts";
import { AllowedReplies, type Identity, Permissions } from "../auth/mod.ts";
import type { Match } from "../interest/mod.ts";
import type { Clock } from "../platform/mod.ts";
import { byteString, ClientMessage, rewriteMessage } from "../protocol/mod.ts";
import { ClientGuard } from "./guard.ts";
import type { ClientLimits } from "./limits.ts";
import { forbiddenTraceDestination } from "./trace_destination.ts";

/**
 * Why a message is not published: its account drops it, its sender has sent as much as it may, or must
 * not publish to a subject, a byte string.
 */
export type Unpublished = "dropped" | "too much" | { readonly forbidden: string };

/** What one client is held to, by its user, its account and the server. */
export class ClientRights {
  /** Whether {@link ClientRights.examine} has to see its messages. */
  examines = false;
  /** Most subscriptions. */
  maxSubscriptions = Infinity;
  /** Largest headers and payload together, in bytes. */
  maxPayload = 0;
  /** Why the last message that {@link ClientRights.examine} held back is not published. */
  unpublished: Unpublished = "dropped";

  readonly #subscriber: Subscriber;
  readonly #clock: Clock;
  #account: Account | null = null;
  #permissions: Permissions | null = null;
  #replies: AllowedReplies | null = null;
  /** Whether the last subject may be published to; null when that is not known. */
  #mayPublish: boolean | null = null;
  /** A message under the subject that its account has mapped it to. */
  #mapped: ClientMessage | null = null;
  /** Most bytes that it may send in all. */
  #maxData = Infinity;

  /** Those of a client that is nobody yet. */
  constructor(subscriber: Subscriber, clock: Clock) {
    this.#subscriber = subscriber;
    this.#clock = clock;
  }

  /** It is somebody else from now on: what it was asked before is not for that one to answer. */
  forget(): void {
    this.#permissions = null;
    this.#replies = null;
  }

  /**
   * It may do what `identity` may in `account`. Whoever may do the same as before may still answer what
   * it was asked before.
   *
   * @returns whether it may do something else than before.
   */
  hold(identity: Identity, account: Account, limits: ClientLimits): boolean {
    const permissions = Permissions.of(identity.permissions);
    const isAnother = permissions !== this.#permissions;
    if (isAnother) {
      this.#permissions = permissions;
      const answers = permissions !== null && permissions.responses !== null;
      this.#replies = answers ? new AllowedReplies(permissions) : null;
    }
    this.#account = account;
    this.#mayPublish = null;
    this.limit(identity, account, limits);
    return isAnother;
  }

  /** Takes limits and mappings as they are now. */
  limit({ limits: own = {} }: Identity, account: Account, limits: ClientLimits): void {
    // 0 is no limit to the server, and one to accounts and users.
    const most = least(limits.max_subscriptions || -1, account.limits.max_subscriptions);
    this.maxSubscriptions = unlessNegative(least(most, own.subscriptions));
    this.maxPayload = least(least(limits.max_payload, account.limits.max_payload), own.payload);
    this.#maxData = unlessNegative(own.data ?? -1);
    this.examines = account.mappings.length > 0 || this.#maxData < Infinity ||
      this.#permissions?.publishes === true;
  }

  /** Whether it may subscribe to a subject, in a queue group unless that is null; byte strings. */
  maySubscribe(subject: string, queue: string | null): boolean {
    return this.#permissions === null || this.#permissions.maySubscribe(subject, queue);
  }

  /** What looks at the deliveries to a subscription; null where nothing has to. */
  guard(subject: string, queue: string | null): ClientGuard | null {
    const filter = this.#permissions?.deliveryFilter(subject, queue) ?? null;
    if (filter === null && this.#replies === null) return null;
    return new ClientGuard(filter, this.#replies, this.#clock);
  }

  /**
   * The message as its account maps it, if it may be published; null when it is not, for which
   * {@link ClientRights.unpublished} says why.
   *
   * @param sentBytes What the client has sent in all, this message included.
   */
  examine(message: ClientMessage, sentBytes: number): ClientMessage | null {
    const account = this.#account!;
    if (account.mappings.length > 0) {
      const mapped = this.#map(message, account);
      if (mapped === null) return this.#not("dropped");
      message = mapped;
    }
    const permissions = this.#permissions;
    // In the order of what spares most messages the rest.
    if (
      permissions !== null && permissions.publishes &&
      (!message.sameSubject || this.#mayPublish !== true || message.headerLength > 0)
    ) {
      const forbidden = this.#forbidden(message, permissions, account);
      if (forbidden !== null) return this.#not({ forbidden });
    }
    return sentBytes <= this.#maxData ? message : this.#not("too much");
  }

  #not(why: Unpublished): null {
    this.unpublished = why;
    return null;
  }

  /** A message was refused: the next may have the same subject, and then relies on what this one found out. */
  refused(): void {
    this.#subscriber.lastMatch = null;
    this.#mayPublish = null;
  }

  /** The message under its new subject; null when it is to be dropped. */
  #map(message: ClientMessage, account: Account): ClientMessage | null {
    const { slab, subjectStart, subjectEnd } = message;
    const subject = account.mapped(byteString(slab.bytes, subjectStart, subjectEnd));
    if (subject === "") return null;
    if (subject === null) {
      // The one before may have had the same subject, and another one since.
      message.sameSubject = false;
      return message;
    }
    const mapped = this.#mapped ??= new ClientMessage();
    rewriteMessage(message, mapped, { subject });
    return mapped;
  }

  /** The subject that a message would go to although it must not, a byte string; null where there is none. */
  #forbidden(message: ClientMessage, permissions: Permissions, account: Account): string | null {
    let allowed = this.#mayPublish;
    if (allowed === null || !message.sameSubject) {
      // Who gets it is looked up anyway, and remembers it as long as its subject is not forgotten.
      const match = account.known(message, this.#subscriber);
      allowed = match !== null && match.verdictOf === permissions
        ? match.verdict
        : decide(message, permissions, match);
      this.#mayPublish = allowed;
    }
    if (allowed && message.headerLength === 0) return null;
    const { slab: { bytes }, subjectStart, subjectEnd } = message;
    return allowed || this.#mayAnswer(bytes, subjectStart, subjectEnd)
      ? forbiddenTraceDestination(message, permissions)
      : byteString(bytes, subjectStart, subjectEnd);
  }

  #mayAnswer(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#replies?.mayAnswer(bytes, start, end, this.#clock.monotonic()) ?? false;
  }
}

/** The lesser of two limits, of which a negative or absent one is none; -1 where both are. */
function least(one: number, other = -1): number {
  if (one < 0) return other < 0 ? -1 : other;
  return other < 0 ? one : Math.min(one, other);
}

/** A limit, of which a negative one is none. */
function unlessNegative(limit: number): number {
  return limit < 0 ? Infinity : limit;
}

/** Whether a message may be published, which `match` is to remember. */
function decide(
  { slab: { bytes }, subjectStart, subjectEnd, subjectHash }: ClientMessage,
  permissions: Permissions,
  match: Match<unknown> | null,
): boolean {
  const verdict = permissions.mayPublish(bytes, subjectStart, subjectEnd, subjectHash);
  if (match !== null) {
    match.verdictOf = permissions;
    match.verdict = verdict;
  }
  return verdict;
}
