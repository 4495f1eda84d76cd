/**
 * The clients of a simulated cluster, and what they do.
 *
 * @module
 */
import type { Random } from "../../src/platform/mod.ts";
import { type ClientSurroundings, SimulatedClient } from "./client.ts";
import { addressOf, CLIENT_PORT, type SimulatedNode } from "./node.ts";
import { between, pick, type Plan } from "./plan.ts";
import { PATTERNS, QUEUES, SUBJECTS } from "./subjects.ts";

/** Most subscriptions of a client. */
const SUBSCRIPTIONS_MAX = 6;
/** Most messages in a burst. */
const BURST_MAX = 10;
/** Most large ones. */
const LARGE_MAX = 4;

interface Place {
  readonly node: SimulatedNode;
  readonly host: string;
  readonly account: string;
  client: SimulatedClient | null;
}

/** A fixed number of places for clients at each broker. Whoever leaves is followed by another. */
export class Population {
  readonly #surroundings: ClientSurroundings;
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #places: Place[];
  #open = true;
  #busy = false;

  /** Nobody has come yet. */
  constructor(surroundings: ClientSurroundings, plan: Plan, nodes: readonly SimulatedNode[]) {
    this.#surroundings = surroundings;
    this.#plan = plan;
    this.#random = surroundings.random;
    this.#places = nodes.flatMap((node) =>
      Array.from({ length: plan.clientsPerNode }, (_, index) => ({
        node,
        host: `10.1.${node.index + 1}.${index + 1}`,
        account: plan.accounts[(node.index + index) % plan.accounts.length]!,
        client: null,
      }))
    );
  }

  /** Clients come to all places, and keep coming. */
  begin(): void {
    for (const place of this.#places) this.#fillSoon(place);
  }

  #fillSoon(place: Place): void {
    this.#surroundings.ticks.after(between(this.#random, 10, 200), () => this.#fill(place));
  }

  #fill(place: Place): void {
    if (!this.#open) return;
    if (place.node.state === "down") return this.#fillSoon(place);
    const { node, host, account } = place;
    const client = place.client = new SimulatedClient(
      this.#surroundings,
      node.index,
      host,
      account,
    );
    for (let count = between(this.#random, 1, 4); count > 0; count--) this.#subscribe(client);
    void client.run(addressOf(node.index), CLIENT_PORT).then(() => {
      place.client = null;
      this.#fillSoon(place);
    });
  }

  /** The clients there are, connected or about to be. */
  get clients(): SimulatedClient[] {
    return this.#places.flatMap(({ client }) => client === null ? [] : [client]);
  }

  /** The clients of one node. */
  clientsOf(node: number): SimulatedClient[] {
    return this.clients.filter(({ party }) => party.node === node);
  }

  /** Whether every place is taken by a client that is connected and whose broker knows it all. */
  get settled(): boolean {
    return this.#places.every(({ client }) =>
      client !== null && client.ready && !client.stalled &&
      client.party.steadySinceMs !== Infinity &&
      client.subscriptions.every(({ confirmedMs }) => confirmedMs !== Infinity)
    );
  }

  /** Clients begin to be busy. */
  start(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#next();
  }

  /** Clients stop doing anything new. */
  stop(): void {
    this.#busy = false;
  }

  /** All leave, and nobody follows. */
  end(): void {
    this.#open = false;
    this.stop();
    for (const client of this.clients) client.close();
  }

  #next(): void {
    const gapMs = between(this.#random, 1, 2 * this.#plan.trafficGapMs);
    this.#surroundings.ticks.after(gapMs, () => {
      if (!this.#busy) return;
      this.#act();
      this.#next();
    });
  }

  #act(): void {
    const random = this.#random, client = pick(random, this.#places).client;
    if (client === null || !client.ready) return;
    const draw = random.below(100);
    if (draw < 50) {
      client.publish(pick(random, SUBJECTS));
    } else if (draw < 60) {
      const subject = pick(random, SUBJECTS);
      for (let count = between(random, 2, BURST_MAX); count > 0; count--) client.publish(subject);
    } else if (draw < 62) {
      const subject = pick(random, SUBJECTS);
      for (let count = between(random, 1, LARGE_MAX); count > 0; count--) {
        client.publish(subject, between(random, 1000, 30_000));
      }
    } else if (draw < 72) {
      client.request(pick(random, SUBJECTS));
    } else if (draw < 85) {
      if (client.subscriptions.length < SUBSCRIPTIONS_MAX) this.#subscribe(client);
    } else if (draw < 97) {
      // The first is its inbox.
      if (client.subscriptions.length > 1) {
        client.unsubscribe(pick(random, client.subscriptions.slice(1)));
      }
    } else {
      client.close();
    }
  }

  #subscribe(client: SimulatedClient): void {
    const random = this.#random;
    client.subscribe(pick(random, PATTERNS), random.below(3) === 0 ? pick(random, QUEUES) : null);
  }
}
