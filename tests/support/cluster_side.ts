/**
 * Clients of the members of a cluster, and how a test learns that something has gone round the
 * cluster: only by what clients see.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/transport-node";
import { type AccountName, ACCOUNTS, credentials } from "./cluster_config.ts";
import type { ClusterServer } from "./cluster_server.ts";
import { within } from "./eventually.ts";
import { connectClient, Received, soon } from "./nats_client.ts";

/** How long interest may take to reach every member, in milliseconds. */
const SETTLE_LIMIT_MS = 8000;

/** Pause between two attempts to reach another member, in milliseconds. */
const RETRY_MS = 10;

let lastNumber = 0;

/** A subject that no other test uses. */
export function freshSubject(label: string): string {
  return `${label}.${++lastNumber}`;
}

/** A member with one main client in each account; disposing it closes all clients. */
export class Side implements AsyncDisposable {
  /** The member. */
  readonly server: ClusterServer;
  readonly #clients = new Map<AccountName, NatsConnection[]>();
  readonly #mailboxes = new Map<AccountName, Mailbox>();

  private constructor(server: ClusterServer) {
    this.server = server;
  }

  /** Connects the main clients. */
  static async connect(server: ClusterServer): Promise<Side> {
    const side = new Side(server);
    try {
      await side.#open();
    } catch (error) {
      await side[Symbol.asyncDispose]();
      throw error;
    }
    return side;
  }

  /** Name of the member. */
  get name(): string {
    return this.server.plan.name;
  }

  /** The main client of an account. */
  client(account: AccountName = "A"): NatsConnection {
    return this.#clients.get(account)![0]!;
  }

  /** Connects another client. */
  async connect(account: AccountName = "A"): Promise<NatsConnection> {
    const { user, pass } = credentials(account);
    const client = await connectClient(this.server, { user, pass });
    const clients = this.#clients.get(account);
    if (clients === undefined) this.#clients.set(account, [client]);
    else clients.push(client);
    return client;
  }

  /** Connects the main clients again, after the member has come back. */
  async reconnect(): Promise<void> {
    await this[Symbol.asyncDispose]();
    await this.#open();
  }

  /** Waits until the member has read everything, and its clients have got everything. */
  async flush(account: AccountName): Promise<void> {
    const clients = this.#clients.get(account)!.filter((client) => !client.isClosed());
    await soon(Promise.all(clients.map((client) => client.flush())));
  }

  /** Subject of {@link mailbox}. */
  get mailboxSubject(): string {
    return `mailbox.${this.name}`;
  }

  /** What is sent to the main client of an account. */
  mailbox(account: AccountName): Mailbox {
    return this.#mailboxes.get(account)!;
  }

  /** Closes all clients. */
  async [Symbol.asyncDispose](): Promise<void> {
    const clients = [...this.#clients.values()].flat();
    this.#clients.clear();
    await Promise.all(clients.map((client) => client.close()));
  }

  async #open(): Promise<void> {
    await Promise.all(ACCOUNTS.map(async (account) => {
      const client = await this.connect(account);
      this.#mailboxes.set(account, new Mailbox(client, this.mailboxSubject));
    }));
  }
}

/** A subscription for words that are each sent to be waited for. */
class Mailbox {
  readonly #arrived = new Set<string>();
  readonly #awaited = new Map<string, () => void>();

  constructor(client: NatsConnection, subject: string) {
    client.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) throw error;
        const word = message.string();
        this.#arrived.add(word);
        this.#awaited.get(word)?.();
        this.#awaited.delete(word);
      },
    });
  }

  /** Fulfilled once `word` has come. */
  word(word: string): Promise<void> {
    if (this.#arrived.has(word)) return Promise.resolve();
    return new Promise((resolve) => this.#awaited.set(word, resolve));
  }
}

/**
 * Waits until every member knows what the clients of the others have subscribed to and unsubscribed
 * from so far. Interest of an account travels in order, so a subscription that is made now and is
 * known to another member proves that all earlier changes are.
 *
 * @throws {Error} when a member cannot be reached from another one, naming both.
 */
export async function settled(sides: readonly Side[], account: AccountName = "A"): Promise<void> {
  await Promise.all(sides.map((side) => side.flush(account)));
  const end = performance.now() + SETTLE_LIMIT_MS;
  await Promise.all(
    sides.map((to) =>
      Promise.all(
        sides.filter((side) => side !== to).map(async (from) => {
          const subject = freshSubject("settled");
          using arrived = new Received(to.client(account), subject);
          const first = arrived.count(1);
          // Awaited below; whoever gives up first must not leave it unheard.
          first.catch(() => {});
          await to.client(account).flush();
          do {
            if (performance.now() > end) {
              throw new Error(
                `nothing of account ${account} gets from ${from.name} to ${to.name}\n` +
                  `${from.server.report}\n${to.server.report}`,
              );
            }
            from.client(account).publish(subject);
          } while (!await within(first, RETRY_MS));
        }),
      )
    ),
  );
}

/** Waits until every account reaches from every member to every other one. */
export async function meshed(sides: readonly Side[]): Promise<void> {
  await Promise.all(ACCOUNTS.map((account) => settled(sides, account)));
}

/**
 * Waits until everything that `from`'s main client has published so far has been delivered to the
 * clients of `sides`. Messages of one publisher arrive in order, so a later one proves it.
 */
export async function delivered(
  from: Side,
  sides: readonly Side[],
  account: AccountName = "A",
): Promise<void> {
  const word = `${from.name}-${++lastNumber}`;
  await Promise.all(sides.map(async (to) => {
    const arrived = to.mailbox(account).word(word);
    from.client(account).publish(to.mailboxSubject, word);
    if (!await within(arrived, SETTLE_LIMIT_MS)) {
      throw new Error(
        `what ${from.name} sends to the mailbox of ${to.name} does not arrive\n` +
          `${from.server.report}\n${to.server.report}`,
      );
    }
    await to.flush(account);
  }));
}
