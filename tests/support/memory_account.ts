/**
 * An account without a broker around it.
 *
 * @module
 */
import { Account, Subscriber } from "../../src/account/mod.ts";
import { TouchedOutboxes } from "../../src/connection/mod.ts";
import { type Clock, SeededRandom, VirtualClock } from "../../src/platform/mod.ts";
import { ClientParser, Slab } from "../../src/protocol/mod.ts";
import { ScriptedConnection } from "./scripted_connection.ts";
import { WatchedOutbox } from "./watched_outbox.ts";
import { fromBytes, toBytes } from "./wire_text.ts";

/** A subscriber whose peer takes everything at once. */
export class AccountMember {
  /** What the account knows of it. */
  readonly subscriber: Subscriber;
  readonly #connection = new ScriptedConnection(Infinity);

  /** A member without subscriptions. */
  constructor() {
    this.subscriber = new Subscriber(
      new WatchedOutbox(this.#connection, { highWater: Infinity, maxPending: Infinity }).outbox,
    );
  }

  /** Takes what it has received, as a byte string. */
  take(): string {
    const text = fromBytes(Uint8Array.from(this.#connection.taken));
    this.#connection.taken = [];
    return text;
  }
}

/** An account and how to publish into it. */
export class MemoryAccount {
  /** The account under test. */
  readonly account: Account;
  readonly #touched = new TouchedOutboxes();
  readonly #publisher = new AccountMember();

  /** An empty account. */
  constructor(clock: Clock = new VirtualClock()) {
    this.account = new Account("TEST", {
      random: new SeededRandom(1),
      clock,
      touched: this.#touched,
      dropAbove: Infinity,
      pressAbove: Infinity,
    });
  }

  /**
   * Publishes PUB and HPUB frames given as a byte string, and lets everybody receive them. Resolves to
   * how many subscriptions each reached.
   */
  async publish(frames: string, publisher = this.#publisher): Promise<number[]> {
    const counts: number[] = [];
    const ignore = () => {};
    const parser = new ClientParser({
      publish: (message) => counts.push(this.account.publish(message, publisher.subscriber)),
      announced: ignore,
      connect: ignore,
      subscribe: ignore,
      unsubscribe: ignore,
      ping: ignore,
      pong: ignore,
      info: ignore,
      error: ignore,
    }, { maxControlLine: 4096, maxPayload: 1_000_000 });
    parser.state = "authenticated";
    parser.headers = true;
    const slab = Slab.of(toBytes(frames));
    parser.parse(slab, 0, slab.capacity);
    this.#touched.flush();
    await new VirtualClock().settle();
    return counts;
  }
}
