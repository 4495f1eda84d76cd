/**
 * Tells other servers what the clients of an account here are interested in.
 *
 * @module
 */
import type { Account, InterestObserver } from "../account/mod.ts";
import type { Clock } from "../platform/mod.ts";
import { encodeByteString, interestFrame, type SubjectFilter } from "../protocol/mod.ts";
import { passes } from "./permissions.ts";
import type { RouteSession } from "./session.ts";

/** How long interest may be told at a time, and how much between looks at the clock. */
const SLICE_MS = 5, TOLD_PER_LOOK = 256;

/** Divides what there is to tell over a connection, of all accounts, into slices. */
export class Pace {
  readonly #clock: Clock;
  #told = 0;
  #fromMs: number;

  /** The first slice begins now. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#fromMs = clock.monotonic();
  }

  /** Something was told; whether that was the end of the slice. */
  isOver(): boolean {
    return ++this.#told % TOLD_PER_LOOK === 0 &&
      this.#clock.monotonic() - this.#fromMs >= SLICE_MS;
  }

  /** Lets others have their turn, and the peer catch up. The next slice begins then. */
  async rest(session: RouteSession): Promise<void> {
    await session.relief();
    await this.#clock.yield();
    this.#fromMs = this.#clock.monotonic();
  }
}

/** The interest of one account, as the other servers are told of it. */
export class Announcer implements InterestObserver {
  readonly #account: Account;
  /** The account's name as it stands on the wire, a byte string. */
  readonly #name: string;
  /** What may be announced; all if null. */
  filter: SubjectFilter | null;
  /** Connections that it goes to. */
  readonly #sessions = new Set<RouteSession>();
  /** Queue groups with another number of members than was told last. */
  readonly #changed = new Map<string, { readonly subject: string; readonly queue: string }>();

  /** Announces to nobody yet. `filter` is what may be announced. */
  constructor(account: Account, filter: SubjectFilter | null) {
    this.#account = account;
    this.#name = encodeByteString(account.name);
    this.filter = filter;
  }

  /** From now on tells every change over a connection. What there is already takes {@link tellAll}. */
  add(session: RouteSession): void {
    this.#sessions.add(session);
  }

  /** Tells nothing more over a connection. */
  delete(session: RouteSession): void {
    this.#sessions.delete(session);
  }

  /** Whether there is nothing to tell. */
  get empty(): boolean {
    return this.#account.local!.size === 0;
  }

  /**
   * Tells everything, no faster than the peer takes it, if anything is told over that connection. What
   * changes meanwhile is told as well, or twice.
   */
  async tellAll(session: RouteSession, pace: Pace): Promise<void> {
    for (const { subject, queue, count } of this.#account.local!) {
      if (!this.#sessions.has(session) || session.closing !== null) return;
      this.#tell(session, subject, queue, count);
      if (pace.isOver()) await pace.rest(session);
    }
  }

  /** See {@link InterestObserver}. */
  interestChanged(subject: string, queue: string | null, count: number): void {
    if (this.#sessions.size === 0) return;
    if (queue !== null) {
      const key = `${subject} ${queue}`;
      if (count > 1) {
        // Only how the group's messages are shared out depends on it: that has time.
        this.#changed.set(key, { subject, queue });
        return;
      }
      this.#changed.delete(key);
    }
    this.#tellEverybody(subject, queue, count);
  }

  /** Tells how many members those queue groups have now that have changed. To be called now and then. */
  tellWeights(): void {
    if (this.#changed.size === 0) return;
    for (const { subject, queue } of this.#changed.values()) {
      const count = this.#account.local!.count(subject, queue);
      if (count > 0) this.#tellEverybody(subject, queue, count);
    }
    this.#changed.clear();
  }

  #tellEverybody(subject: string, queue: string | null, count: number): void {
    for (const session of this.#sessions) this.#tell(session, subject, queue, count);
  }

  #tell(session: RouteSession, subject: string, queue: string | null, count: number): void {
    if (!passes(this.filter, subject)) return;
    const name = session.account === "" ? this.#name : "";
    session.send(interestFrame(count > 0 ? "RS+" : "RS-", name, subject, queue, count));
  }
}
