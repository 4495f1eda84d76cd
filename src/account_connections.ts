/**
 * How many clients the accounts have on the other servers of the cluster.
 *
 * A server tells the others of an account's clients when their number changes, and every 30 seconds as
 * long as there are any (nats-server's `account_connections`). Who has not been heard for longer counts
 * no more.
 *
 * @module
 */
import type { Account, AccountDirectory } from "./account/mod.ts";
import type { BusMessage, MessageBus } from "./auth/mod.ts";
import type { Clock } from "./platform/mod.ts";
import { encodeByteString } from "./protocol/mod.ts";

/** How often is looked whether a number has changed. */
export const CONNECTIONS_PERIOD_MS = 1000;
/** How often it is told all the same, and how long it holds, as in nats-server. */
const TOLD_EVERY_MS = 30_000, HELD_MS = 90_000;
/** How many accounts, of how many servers each, and how long a message are looked at. */
const MAX_ACCOUNTS = 100_000, MAX_SERVERS = 10_000, MAX_MESSAGE_BYTES = 64 * 1024;

/** What it takes from its broker. */
export interface AccountConnectionsOptions {
  /** The accounts; those with a limit are told of. */
  readonly accounts: AccountDirectory;
  /** A client of the system account. */
  readonly bus: MessageBus;
  /** Time. */
  readonly clock: Clock;
  /** This server's id. */
  readonly id: string;
  /** What events say of this server. */
  readonly server: () => object;
  /** The id of an event. */
  readonly eventId: () => string;
}

interface Heard {
  readonly count: number;
  readonly atMs: number;
}

/** Tells other servers how many clients limited accounts have here, and adds up what they tell. */
export class AccountConnections {
  readonly #options: AccountConnectionsOptions;
  readonly #told = new Map<string, Heard>();
  /** By account, and by server. */
  readonly #heard = new Map<string, Map<string, Heard>>();

  #listening: Disposable | null = null;

  /** To be looked at every {@link CONNECTIONS_PERIOD_MS}. */
  constructor(options: AccountConnectionsOptions) {
    this.#options = options;
    this.#listen();
    options.accounts.onCreated(({ name }) => {
      const servers = this.#heard.get(name);
      if (servers !== undefined) this.#add(name, servers);
    });
  }

  /** There is a server that may not have heard what was told. */
  tellAgain(): void {
    this.#told.clear();
  }

  /** Tells what has changed, and forgets who has not been heard for long. */
  look(): void {
    const { accounts, clock } = this.#options, nowMs = clock.monotonic();
    if (!accounts.limitsConnections) return;
    this.#listen();
    for (const [name, account] of accounts) {
      if (isLimited(account)) this.#tell(name, account, nowMs);
    }
    for (const [name, servers] of this.#heard) {
      for (const [id, { atMs }] of servers) {
        if (nowMs - atMs <= HELD_MS) continue;
        servers.delete(id);
        this.#add(name, servers);
      }
      if (servers.size === 0) this.#heard.delete(name);
    }
  }

  /** Nobody need hear anything where no account has a limit. */
  #listen(): void {
    const { accounts, bus } = this.#options;
    if (this.#listening !== null || !accounts.limitsConnections) return;
    this.#listening = bus.subscribe("$SYS.SERVER.ACCOUNT.*.CONNS", (each) => this.#hear(each));
  }

  #tell(name: string, account: Account, nowMs: number): void {
    const before = this.#told.get(name), count = account.connections;
    if (before === undefined && count === 0) return;
    if (before?.count === count && (count === 0 || nowMs - before.atMs < TOLD_EVERY_MS)) return;
    this.#told.set(name, { count, atMs: nowMs });
    const none = { msgs: 0, bytes: 0 }, traffic = { ...none, gateways: none, routes: none };
    const { bus, clock, server, eventId } = this.#options;
    const event = {
      type: "io.nats.server.advisory.v1.account_connections",
      id: eventId(),
      timestamp: new Date(clock.now()).toISOString(),
      server: server(),
      acc: name,
      name,
      conns: count,
      leafnodes: 0,
      total_conns: count,
      num_subscriptions: account.subscriptions,
      sent: traffic,
      received: traffic,
      slow_consumers: 0,
    };
    const subject = `$SYS.SERVER.ACCOUNT.${encodeByteString(name)}.CONNS`;
    bus.publish(subject, new TextEncoder().encode(JSON.stringify(event)));
  }

  #hear({ payload }: BusMessage): void {
    const told = payload.length <= MAX_MESSAGE_BYTES ? readEvent(payload) : null;
    if (told === null || told.server === this.#options.id) return;
    const { account, server, count } = told;
    if (!this.#options.accounts.has(account)) return;
    let servers = this.#heard.get(account);
    if (servers === undefined) {
      if (this.#heard.size >= MAX_ACCOUNTS) return;
      this.#heard.set(account, servers = new Map());
    }
    if (!servers.has(server) && servers.size >= MAX_SERVERS) return;
    servers.set(server, { count, atMs: this.#options.clock.monotonic() });
    this.#add(account, servers);
  }

  #add(name: string, servers: ReadonlyMap<string, Heard>): void {
    // What others say of accounts that nobody is in here makes none of them.
    const account = this.#options.accounts.inUse(name);
    if (account === undefined) return;
    account.remoteConnections = servers.values().reduce((sum, { count }) => sum + count, 0);
  }
}

function isLimited({ limits: { max_connections = -1 } }: Account): boolean {
  return max_connections >= 0;
}

/** What an event says; null when that cannot be read. */
function readEvent(
  payload: Uint8Array,
): { readonly account: string; readonly server: string; readonly count: number } | null {
  try {
    const { acc, conns, server } = JSON.parse(new TextDecoder().decode(payload));
    const isRead = typeof acc === "string" && typeof server?.id === "string" &&
      Number.isSafeInteger(conns) && conns >= 0;
    return isRead ? { account: acc, server: server.id, count: conns } : null;
  } catch {
    // Whoever sends this in the system account is no server that we know how to read.
    return null;
  }
}
