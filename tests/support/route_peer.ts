/**
 * Another server of a cluster as a script: it says and hears on its route connections exactly what a
 * test wants, byte for byte, and does nothing by itself.
 *
 * @module
 */
import { S2Decoder, S2Encoder, type S2Level } from "../../src/cluster/s2/mod.ts";
import type { Listener, MemoryConnection, MemoryTransport } from "../../src/platform/mod.ts";
import { AcceptError } from "../../src/platform/mod.ts";
import type { RouteInfo } from "../../src/protocol/mod.ts";
import { type BrokerSettings, MemoryBroker, MemoryClient } from "./memory_broker.ts";
import { fromBytes, toBytes } from "./wire_text.ts";

/** The address that brokers of these tests listen on for routes. */
export const ROUTE_ADDRESS = { hostname: "memory", port: 6222 } as const;

type ClusterSettings = NonNullable<BrokerSettings["cluster"]>;

/** Fields of INFO or CONNECT; those that are undefined are left out. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * Settings of a broker in cluster C1, with one connection to each peer and no compression unless
 * `cluster` says otherwise.
 */
export function clustered(
  cluster: ClusterSettings = {},
  more: BrokerSettings = {},
): BrokerSettings {
  return {
    server_name: "SA",
    ...more,
    cluster: {
      name: "C1",
      host: ROUTE_ADDRESS.hostname,
      port: ROUTE_ADDRESS.port,
      pool_size: -1,
      compression: "off",
      ...cluster,
    },
  };
}

/** A broker with {@link clustered} settings. */
export function startClustered(
  cluster: ClusterSettings = {},
  more: BrokerSettings = {},
): Promise<MemoryBroker> {
  return MemoryBroker.start(clustered(cluster, more));
}

/** All INFO objects in what was received, oldest first. */
export function infosIn(text: string): (RouteInfo & Fields)[] {
  return [...text.matchAll(/(?<=^|\n)INFO (\{.*?\}) ?\r\n/g)].map((match) => JSON.parse(match[1]!));
}

/** The lines of what was received that are neither INFO, CONNECT, PING nor PONG; payloads included. */
export function framesIn(text: string): string {
  return text.replaceAll(/(?:INFO|CONNECT) \{.*?\} ?\r\n|P[IO]NG\r\n/g, "");
}

/** One connection of a {@link RoutePeer}. */
export class RouteLink extends MemoryClient {
  /** Whose it is. */
  readonly peer: RoutePeer;
  #encoder: S2Encoder | null = null;
  #decoder: S2Decoder | null = null;

  /** A connection on which nothing was said. */
  constructor(peer: RoutePeer, connection: MemoryConnection) {
    super(connection);
    this.peer = peer;
  }

  /** From now on everything in both directions is S2. */
  compress(level: S2Level = "fast"): void {
    this.#encoder = new S2Encoder(level);
    this.#decoder = new S2Decoder();
  }

  /** Sends, compressed where that was agreed. */
  override send(data: string | Uint8Array): Promise<void> {
    if (this.#encoder === null) return super.send(data);
    return super.send(this.#encoder.encode(typeof data === "string" ? toBytes(data) : data));
  }

  /** Sends bytes as they are. */
  sendRaw(data: string | Uint8Array): Promise<void> {
    return super.send(data);
  }

  /** Takes what was received, decoded. */
  override take(): string {
    if (this.#decoder === null) return super.take();
    this.#decoder.write(this.takeBytes());
    let text = "";
    const into = new Uint8Array(65_536);
    for (let length; (length = this.#decoder.read(into)) > 0;) {
      text += fromBytes(into.subarray(0, length));
    }
    return text;
  }

  /** Sends, and takes what comes without time passing. */
  async exchange(text: string): Promise<string> {
    this.send(text);
    await this.peer.world.settle();
    return this.take();
  }

  /** Says CONNECT and INFO as whoever dials does, and takes what comes. */
  join(info: Fields = {}, connect: Fields = {}): Promise<string> {
    return this.exchange(this.peer.connectLine(connect) + this.peer.infoLine(info));
  }

  /** Answers PINGs in what it takes; returns the rest. */
  pong(): string {
    const text = this.take();
    for (const _ of text.matchAll(/PING\r\n/g)) this.send("PONG\r\n");
    return text.replaceAll("PING\r\n", "");
  }
}

/** What a {@link RoutePeer} needs of the server that it is a peer of. */
export interface RouteWorld {
  /** What that listens and dials by. */
  readonly transport: MemoryTransport;
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>;
}

/** A scripted server. */
export class RoutePeer implements Disposable {
  /** The server that it is a peer of. */
  readonly world: RouteWorld;
  /** Its server id. */
  readonly id: string;
  /** Its name. */
  readonly name: string;
  /** Where it listens, once it does; what INFO says in any case. */
  readonly port: number;
  /** Connections that were made to it, oldest first. */
  readonly accepted: RouteLink[] = [];
  /** What its INFO says besides what it always does. */
  readonly #info: Fields;
  #listener: Listener | null = null;
  readonly #links: RouteLink[] = [];

  /** A peer that has said nothing. Its id is made of its name. */
  constructor(world: RouteWorld, name = "SF", port = 7001, info: Fields = {}) {
    this.world = world;
    this.name = name;
    this.id = `N${name}`.padEnd(56, "X");
    this.port = port;
    this.#info = info;
  }

  /** Its CONNECT with some fields changed. */
  connectLine(fields: Fields = {}): string {
    return `CONNECT ${
      JSON.stringify({
        ...{ echo: true, verbose: false, pedantic: false, tls_required: false, headers: true },
        ...{ name: this.id, cluster: "C1", lnoc: true },
        ...fields,
      })
    }\r\n`;
  }

  /** What its INFO says, with some fields changed. */
  info(fields: Fields = {}): Fields {
    return {
      ...{ server_id: this.id, server_name: this.name, version: "2.15.1", proto: 2, go: "go1.27" },
      ...{ host: "memory", port: this.port, headers: true, max_payload: 1_048_576 },
      ...{ cluster: "C1", lnoc: true, lnocu: true },
      ...this.#info,
      ...fields,
    };
  }

  /** Its INFO with some fields changed. */
  infoLine(fields: Fields = {}): string {
    return `INFO ${JSON.stringify(this.info(fields))} \r\n`;
  }

  /** Connects to the broker and says nothing. What the broker says first can be taken. */
  async dial(): Promise<RouteLink> {
    const link = this.#link(await this.world.transport.connect(ROUTE_ADDRESS));
    await this.world.settle();
    return link;
  }

  /** Connects, joins the cluster, and takes what came. */
  async join(info: Fields = {}, connect: Fields = {}): Promise<RouteLink> {
    const link = await this.dial();
    await link.join(info, connect);
    return link;
  }

  /** Accepts connections from now on. */
  listen(hostname = "memory"): this {
    this.#listener = this.world.transport.listen({ hostname, port: this.port });
    void this.#accept(this.#listener);
    return this;
  }

  /** Accepts none any more. */
  stopListening(): void {
    this.#listener?.close();
    this.#listener = null;
  }

  async #accept(listener: Listener): Promise<void> {
    try {
      for (;;) {
        this.accepted.push(this.#link(await listener.accept() as MemoryConnection));
      }
    } catch (error) {
      if (!(error instanceof AcceptError)) throw error;
    }
  }

  #link(connection: MemoryConnection): RouteLink {
    const link = new RouteLink(this, connection);
    this.#links.push(link);
    return link;
  }

  /** Takes the oldest connection that was made to it and not taken yet. */
  next(): RouteLink {
    const link = this.accepted.shift();
    if (link === undefined) throw new Error(`${this.name} was not dialled`);
    return link;
  }

  /** Answers the next connection made to it as whoever is dialled does; takes what came. */
  async welcome(info: Fields = {}): Promise<{ link: RouteLink; text: string }> {
    const link = this.next();
    return { link, text: await link.exchange(this.infoLine(info)) };
  }

  /** Goes at once, with all connections. */
  [Symbol.dispose](): void {
    this.stopListening();
    for (const link of this.#links) link.close();
  }
}
