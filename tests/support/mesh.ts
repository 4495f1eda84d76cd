/**
 * Several brokers of one cluster, over the loopback address.
 *
 * @module
 */
import type { Broker, ConfigInput } from "../../mod.ts";
import { startBroker } from "./broker.ts";

/** How long brokers may take to find each other, in milliseconds. */
const MESH_LIMIT_MS = 15_000;

/** Brokers that are all to be connected with each other; disposing it closes them. */
export class Mesh implements AsyncDisposable {
  /** The brokers, in the order of their start. */
  readonly brokers: Broker[] = [];

  /** Starts `count` brokers, each of which knows the first one only. */
  static async start(count: number, settings: ConfigInput = {}): Promise<Mesh> {
    const mesh = new Mesh();
    try {
      for (let i = 0; i < count; i++) await mesh.add(settings);
    } catch (error) {
      await mesh[Symbol.asyncDispose]();
      throw error;
    }
    return mesh;
  }

  /** Starts one more. */
  async add(settings: ConfigInput = {}): Promise<Broker> {
    const first = this.brokers[0]?.clusterAddress;
    const broker = await startBroker({
      server_name: `S${this.brokers.length + 1}`,
      ...settings,
      cluster: {
        name: "C",
        host: "127.0.0.1",
        port: -1,
        ...(first && { routes: [`nats-route://127.0.0.1:${first.port}`] }),
        ...settings.cluster,
      },
    });
    this.brokers.push(broker);
    return broker;
  }

  /** Resolves when every broker is connected to every other by all that there is to be. */
  async full(): Promise<void> {
    await Promise.all(this.brokers.map((broker) => this.#complete(broker)));
  }

  async #complete(broker: Broker): Promise<void> {
    const others = this.brokers.length - 1;
    await until(
      broker,
      () => {
        const peers = broker.routes();
        return peers.length === others && peers.every(({ missing }) => missing === 0);
      },
      () =>
        `of ${others} peers: ${JSON.stringify(broker.routes().map((p) => [p.name, p.missing]))}`,
    );
  }

  /** Closes all of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker.close()));
  }
}

/** Waits for what the broker's events about its peers bring about. */
export async function until(
  broker: Broker,
  condition: () => boolean,
  describe: () => string,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => {
    if (condition()) resolve();
  };
  using _events = broker.on("peer", look);
  const timer = setTimeout(() => reject(new Error(`not in time: ${describe()}`)), MESH_LIMIT_MS);
  try {
    look();
    await promise;
  } finally {
    clearTimeout(timer);
  }
}
