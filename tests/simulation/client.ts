/**
 * A client of a simulated cluster.
 *
 * @module
 */
import { type Connection, ConnectionError, type Random } from "../../src/platform/mod.ts";
import { connectFrame } from "../support/memory_broker.ts";
import { toBytes } from "../support/wire_text.ts";
import {
  describeParty,
  describeSubscription,
  type Ledger,
  type MessageRecord,
  type Party,
  type SubscriptionRecord,
} from "./ledger.ts";
import type { SimulatedNetwork } from "./network.ts";
import { ServerReader } from "./server_reader.ts";
import type { SimulatedConnection } from "./simulated_connection.ts";
import type { Ticks } from "./ticks.ts";
import { Violation } from "./violation.ts";

/** What clients take from their surroundings. */
export interface ClientSurroundings {
  /** Time. */
  readonly ticks: Ticks;
  /** The way to the broker. */
  readonly network: SimulatedNetwork;
  /** Where everything they do is entered. */
  readonly ledger: Ledger;
  /** Their choices. */
  readonly random: Random;
  /** Hears of a violation that a client met in the middle of reading. */
  readonly report: (error: unknown) => void;
}

/** One connection of a client, from its dialling to its end. It answers every request it gets. */
export class SimulatedClient {
  /** Its entry in the ledger. */
  readonly party: Party;
  /** Its subscriptions that have not ended. */
  readonly subscriptions: SubscriptionRecord[] = [];
  readonly #surroundings: ClientSurroundings;
  readonly #host: string;
  readonly #bySid = new Map<number, SubscriptionRecord>();
  /** What the coming PONGs confirm. */
  readonly #awaited: (() => void)[] = [];
  #connection: SimulatedConnection | undefined;
  #unsent = "";
  #writing = false;
  #stalled: PromiseWithResolvers<void> | undefined;
  #ready = false;

  /** A client on a host of its own, of the broker on node `node`, which {@link SimulatedClient.run} lives. */
  constructor(surroundings: ClientSurroundings, node: number, host: string, account: string) {
    this.#surroundings = surroundings;
    this.#host = host;
    this.party = surroundings.ledger.enter(node, account);
    const credentials = account === "$G" ? {} : { user: account, pass: account };
    this.#send(connectFrame({ name: `client-${this.party.id}`, ...credentials }));
    this.subscribe(inbox(this.party), null);
  }

  /** Whether it is connected, and the broker has answered. */
  get ready(): boolean {
    return this.#ready && !this.ended;
  }

  /** Whether its connection has ended, or never was. */
  get ended(): boolean {
    return this.party.endedMs !== Infinity;
  }

  /** Whether it reads nothing at the moment. */
  get stalled(): boolean {
    return this.#stalled !== undefined;
  }

  /** Dials and reads until the connection ends. */
  async run(hostname: string, port: number): Promise<void> {
    const { network, ledger, ticks, report } = this.#surroundings;
    try {
      const connection = await network.connect(this.#host, { hostname, port });
      if (this.ended) return connection.close();
      this.#connection = connection;
      this.flush(() => {
        this.#ready = true;
        this.party.steadySinceMs = ticks.nowMs;
      });
      await this.#read(connection);
    } catch (error) {
      if (!(error instanceof ConnectionError)) report(error);
    }
    this.#connection?.close();
    ledger.leave(this.party);
  }

  async #read(connection: Connection): Promise<void> {
    const reader = new ServerReader({
      message: (subject, sid, reply, headers, payload) =>
        this.#message(subject, sid, reply, headers, payload),
      ping: () => this.#send("PONG\r\n"),
      pong: () => this.#awaited.shift()?.(),
      error: (text) => this.#error(text),
    });
    const into = new Uint8Array(16_384);
    for (;;) {
      if (this.#stalled !== undefined) await this.#stalled.promise;
      const count = await connection.read(into);
      if (count === null || this.ended) return;
      reader.take(into.subarray(0, count));
    }
  }

  #message(
    subject: string,
    sid: number,
    reply: string | null,
    headers: string,
    payload: string,
  ): void {
    const { ledger } = this.#surroundings, subscription = this.#bySid.get(sid);
    if (subscription === undefined) {
      throw new Violation(
        "interest",
        `${describeParty(this.party)} got a message on ${subject} for the unknown sid ${sid}`,
      );
    }
    if (headers.startsWith("NATS/1.0 503")) {
      const request = ledger.messages[Number(subject.split(".")[2]) - 1];
      if (request !== undefined) request.unanswerable = true;
      return;
    }
    const message = ledger.messages[parseInt(payload) - 1];
    if (message === undefined || message.subject !== subject || message.reply !== reply) {
      throw new Violation(
        "protocol",
        `${describeSubscription(subscription)} got ${JSON.stringify(payload.slice(0, 40))} on ` +
          `${subject} with reply ${reply}, which nobody sent`,
      );
    }
    ledger.delivered(subscription, message);
    if (reply !== null) this.publish(reply);
  }

  #error(text: string): void {
    if (/Slow Consumer|Stale Connection|maximum connections/i.test(text)) return;
    throw new Violation("protocol", `${describeParty(this.party)} was told ${text}`);
  }

  /** Subscribes; the ledger says when the broker is known to have it. */
  subscribe(subject: string, queue: string | null): SubscriptionRecord {
    const { ledger, ticks } = this.#surroundings;
    const subscription = ledger.subscribed(this.party, subject, queue);
    this.subscriptions.push(subscription);
    this.#bySid.set(subscription.id, subscription);
    this.#send(`SUB ${subject} ${queue === null ? "" : `${queue} `}${subscription.id}\r\n`);
    this.flush(() => subscription.confirmedMs = ticks.nowMs);
    return subscription;
  }

  /** Ends a subscription; nothing may come for it once the broker has answered. */
  unsubscribe(subscription: SubscriptionRecord): void {
    this.#surroundings.ledger.unsubscribed(subscription);
    this.subscriptions.splice(this.subscriptions.indexOf(subscription), 1);
    this.#send(`UNSUB ${subscription.id}\r\n`);
    this.flush(() => this.#bySid.delete(subscription.id));
  }

  /** Publishes a message of about `size` bytes. */
  publish(subject: string, size = 0): MessageRecord {
    return this.#publish(subject, false, size);
  }

  /** Publishes a message that is to be answered. */
  request(subject: string): MessageRecord {
    return this.#publish(subject, true, 0);
  }

  #publish(subject: string, isRequest: boolean, size: number): MessageRecord {
    const { ledger } = this.#surroundings;
    const reply = isRequest ? `${inboxPrefix(this.party)}.${ledger.messages.length + 1}` : null;
    const message = ledger.published(this.party, subject, reply);
    const payload = `${message.id} `.padEnd(size, "x");
    const to = reply === null ? subject : `${subject} ${reply}`;
    this.#send(`PUB ${to} ${payload.length}\r\n${payload}\r\n`);
    return message;
  }

  /** Calls `confirmed` once the broker has handled everything sent so far. */
  flush(confirmed: () => void): void {
    this.#awaited.push(confirmed);
    this.#send("PING\r\n");
  }

  /** Reads nothing until {@link SimulatedClient.resume}. */
  stall(): void {
    this.#stalled ??= Promise.withResolvers();
    this.party.steadySinceMs = Infinity;
  }

  /** Reads again. */
  resume(): void {
    this.#stalled?.resolve();
    this.#stalled = undefined;
    this.flush(() => this.party.steadySinceMs = this.#surroundings.ticks.nowMs);
  }

  /** Hangs up. */
  close(): void {
    this.#surroundings.ledger.leave(this.party);
    this.#connection?.close();
    this.resume();
  }

  /** Its connection is reset, as by a router that forgot it. */
  reset(): void {
    this.#connection?.reset();
  }

  #send(text: string): void {
    this.#unsent += text;
    if (!this.#writing) void this.#write();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    // What is sent in the same breath goes out in one piece.
    await Promise.resolve();
    try {
      while (this.#unsent !== "" && this.#connection !== undefined) {
        const bytes = toBytes(this.#unsent);
        this.#unsent = "";
        for (let at = 0; at < bytes.length;) {
          at += await this.#connection.write(bytes.subarray(at));
        }
      }
    } catch (error) {
      // The read fails as well, and ends it.
      if (!(error instanceof ConnectionError)) this.#surroundings.report(error);
    }
    this.#writing = false;
  }
}

function inboxPrefix(party: Party): string {
  return `_I.${party.id}`;
}

function inbox(party: Party): string {
  return `${inboxPrefix(party)}.*`;
}
