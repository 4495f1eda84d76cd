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

/** How long everything of an account may be told at a time, and how much between looks at the clock. */
const SLICE_MS = 5, TOLD_PER_LOOK = 256;

/** The interest of one account, as the other servers are told of it. */
export class Announcer implements InterestObserver {
  readonly #account: Account;
  /** The account's name as it stands on the wire, a byte string. */
  readonly #name: string;
  readonly #filter: SubjectFilter | null;
  readonly #clock: Clock;
  /** Connections that it goes to. */
  readonly #sessions = new Set<RouteSession>();
  /** Those that everything is being told to, and whether once more from the beginning. */
  readonly #telling = new Map<RouteSession, boolean>();
  /** Queue groups with another number of members than was told last. */
  readonly #changed = new Map<string, { readonly subject: string; readonly queue: string }>();

  /** Announces to nobody yet. `filter` is what may be announced. */
  constructor(account: Account, filter: SubjectFilter | null, clock: Clock) {
    this.#account = account;
    this.#name = encodeByteString(account.name);
    this.#filter = filter;
    this.#clock = clock;
  }

  /** Tells everything over a connection, and from now on every change. */
  add(session: RouteSession): void {
    this.#sessions.add(session);
    const isTelling = this.#telling.has(session);
    // However often a peer wants to hear everything again: one at a time, and no faster than it reads.
    this.#telling.set(session, isTelling);
    if (isTelling) return;
    session.spawn(`interest ${this.#account.name}`, async () => {
      try {
        do {
          this.#telling.set(session, false);
          await this.#tellAll(session);
        } while (this.#telling.get(session) && this.#sessions.has(session));
      } finally {
        this.#telling.delete(session);
      }
    });
  }

  /** Tells nothing more over a connection. */
  delete(session: RouteSession): void {
    this.#sessions.delete(session);
  }

  /** In slices, no faster than the peer takes it. What changes meanwhile is told as well, or twice. */
  async #tellAll(session: RouteSession): Promise<void> {
    const clock = this.#clock;
    let told = 0, sliceFromMs = clock.monotonic();
    for (const { subject, queue, count } of this.#account.local!) {
      if (!this.#sessions.has(session) || session.closing !== null) return;
      this.#tell(session, subject, queue, count);
      if (++told % TOLD_PER_LOOK !== 0) continue;
      if (clock.monotonic() - sliceFromMs < SLICE_MS) continue;
      await session.relief();
      await clock.yield();
      sliceFromMs = clock.monotonic();
    }
    await session.relief();
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
    if (!passes(this.#filter, subject)) return;
    const name = session.account === "" ? this.#name : "";
    session.send(interestFrame(count > 0 ? "RS+" : "RS-", name, subject, queue, count));
  }
}
