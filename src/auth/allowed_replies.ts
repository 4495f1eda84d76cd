/**
 * Whom a client may answer.
 *
 * @module
 */
import type { ResponsePermission } from "../config/mod.ts";
import { byteString } from "../protocol/mod.ts";
import type { Permissions } from "./permissions.ts";

/**
 * How many requests of one connection may be unanswered, and how many bytes their reply subjects may
 * have. nats-server knows no bound but the time they expire, and none at all where they do not.
 */
const REPLIES_MAX = 65_536, REPLY_BYTES_MAX = 16 * 1024 * 1024;

/** Answers that are still allowed to one reply subject. */
interface Allowance {
  /** How many; negative for any number. */
  left: number;
  /** Until when, in monotonic milliseconds; `Infinity` for ever. */
  untilMs: number;
}

/**
 * The reply subjects that one connection with `allow_responses` may publish to, because it was sent
 * messages with them: each up to the permitted number of times, and for the permitted time. When more
 * than 65,536 requests are unanswered, or their reply subjects take more than 16 MiB, the oldest are
 * forgotten, and cannot be answered any more.
 *
 * Several requests with one reply subject may be answered as often as they ask, and the last one
 * renews the time. (In nats-server 2.15.1 the second one uses up an answer to the first.)
 */
export class AllowedReplies {
  readonly #permissions: Permissions;
  readonly #responses: ResponsePermission;
  /** By reply subject; the one that was asked for first is the first, and expires first. */
  readonly #allowances = new Map<string, Allowance>();
  #bytes = 0;

  /** `permissions` must have {@linkcode Permissions.responses}. */
  constructor(permissions: Permissions) {
    if (permissions.responses === null) throw new Error("these permissions allow no responses");
    this.#permissions = permissions;
    this.#responses = permissions.responses;
  }

  /** How many requests may still be answered; those that have expired lately may be among them. */
  get count(): number {
    return this.#allowances.size;
  }

  /**
   * The connection was sent a message whose reply subject the bytes from `start` to `end` spell;
   * `hash` is its `hashSubject`. Nothing is remembered of replies that it may publish to anyway.
   */
  asked(bytes: Uint8Array, start: number, end: number, hash: number, nowMs: number): void {
    if (this.#permissions.mayPublish(bytes, start, end, hash)) return;
    const { max, expires } = this.#responses;
    const reply = byteString(bytes, start, end);
    const before = this.#allowances.get(reply);
    if (before !== undefined) this.#forget(reply);
    const kept = before !== undefined && before.untilMs >= nowMs && before.left > 0;
    this.#allowances.set(reply, {
      left: max < 0 ? -1 : max + (kept ? before.left : 0),
      untilMs: expires < 0 ? Infinity : nowMs + expires,
    });
    this.#bytes += reply.length;
    this.#prune(nowMs);
  }

  /** Whether it may publish to that reply subject now; if so, one answer less is left. */
  mayAnswer(bytes: Uint8Array, start: number, end: number, nowMs: number): boolean {
    if (this.#allowances.size === 0) return false;
    const reply = byteString(bytes, start, end);
    const allowance = this.#allowances.get(reply);
    if (allowance === undefined) return false;
    const inTime = allowance.untilMs >= nowMs;
    if (!inTime || allowance.left === 1) this.#forget(reply);
    else if (allowance.left > 0) allowance.left--;
    return inTime;
  }

  /** Forgets the oldest as long as there are too many, or they have expired. */
  #prune(nowMs: number): void {
    for (const [reply, { untilMs }] of this.#allowances) {
      const tooMany = this.#allowances.size > REPLIES_MAX || this.#bytes > REPLY_BYTES_MAX;
      if (!tooMany && untilMs >= nowMs) return;
      this.#forget(reply);
    }
  }

  #forget(reply: string): void {
    if (this.#allowances.delete(reply)) this.#bytes -= reply.length;
  }
}
