/**
 * A server in the system account: what it tells other servers there, and hears of them.
 *
 * @module
 */
import { type AccountDirectory, eventId } from "./account/mod.ts";
import { AccountConnections, CONNECTIONS_PERIOD_MS } from "./account_connections.ts";
import type { MessageBus } from "./auth/mod.ts";
import type { MessageBuses } from "./message_buses.ts";
import type { OperatorAccess } from "./operator_parts.ts";
import type { Clock, Random } from "./platform/mod.ts";
import { NATS_VERSION } from "./protocol/mod.ts";
import { every, type Scope } from "./supervisor/mod.ts";

/** What it takes from its broker. */
export interface SystemMemberOptions {
  /** The accounts. */
  readonly accounts: AccountDirectory;
  /** Clients of accounts within the server. */
  readonly buses: MessageBuses;
  /** Time. */
  readonly clock: Clock;
  /** Makes ids of events. */
  readonly random: Random;
  /** This server's id. */
  readonly id: string;
  /** Its name. */
  readonly name: string;
  /** Where it listens. */
  readonly host: string;
  /** The name of its cluster, as it is now; null without one. */
  readonly cluster: () => string | null;
}

/** This server's part in the system account; none where there is no such account. */
export class SystemMember {
  readonly #options: SystemMemberOptions;
  #connections: AccountConnections | null = null;
  #lastSequence = 0;

  /** Takes no part yet. */
  constructor(options: SystemMemberOptions) {
    this.#options = options;
  }

  get #bus(): MessageBus | null {
    const { accounts: { systemAccount }, buses } = this.#options;
    return systemAccount === null ? null : buses.of(systemAccount);
  }

  /** What answers and events say of this server. */
  describe(): object {
    const { id, name, host, cluster: clusterName, clock } = this.#options;
    const cluster = clusterName();
    return {
      name,
      host,
      id,
      ...(cluster !== null && { cluster }),
      ver: NATS_VERSION,
      jetstream: false,
      flags: 0,
      seq: ++this.#lastSequence,
      time: new Date(clock.now()).toISOString(),
    };
  }

  /** Counts the clients of accounts over the whole cluster, as a task of `scope`. */
  countConnections(scope: Scope): void {
    const { accounts, clock, random, id } = this.#options, bus = this.#bus;
    if (bus === null) return;
    const connections = this.#connections = new AccountConnections({
      accounts,
      bus,
      clock,
      id,
      server: () => this.describe(),
      eventId: () => eventId(random),
    });
    every(scope, "account connections", CONNECTIONS_PERIOD_MS, () => connections.look());
  }

  /** There is a server that has not heard of anything yet. */
  peerCame(): void {
    this.#connections?.tellAgain();
  }

  /** Operator mode has to do with other servers. */
  async connect(operator: OperatorAccess): Promise<void> {
    const bus = this.#bus, { buses } = this.#options;
    if (bus === null) return;
    await operator.connect({
      bus,
      newInbox: () => buses.newInbox(),
      serverInfo: () => this.describe(),
    });
  }
}
