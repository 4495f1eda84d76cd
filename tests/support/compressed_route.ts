/**
 * A peer of a nats-server's cluster that speaks only what is needed to exchange messages over a
 * compressed route.
 *
 * @module
 */
import { S2Decoder, S2Encoder, type S2Level } from "../../src/cluster/s2/mod.ts";
import { RawClient } from "./conversation.ts";
import type { ServerProcess } from "./server_process.ts";
import { fromBytes, toBytes } from "./wire_text.ts";

/** Configuration of a nats-server that {@link CompressedRoute} can dial. */
export function clusterConfig(compression: string): string {
  return `cluster { name: C1, listen: "127.0.0.1:-1", pool_size: -1, compression: ${compression} }\n`;
}

/** A connection to a nats-server's cluster port on which everything is S2 by now. */
export class CompressedRoute implements Disposable {
  readonly #client: RawClient;
  readonly #encoder: S2Encoder;
  readonly #decoder = new S2Decoder();
  readonly #into = new Uint8Array(65_536);
  #decoded = "";
  #raw: string[] = [];

  private constructor(client: RawClient, level: S2Level) {
    this.#client = client;
    this.#encoder = new S2Encoder(level);
  }

  /** Dials `server`, writes at `level`, and returns when interest and messages may be sent. */
  static async dial(
    server: ServerProcess,
    level: "fast" | "better" | "best",
  ): Promise<CompressedRoute> {
    const url = new URL(server.ports.cluster![0]!.replace("nats:", "http:"));
    const client = await RawClient.connect({ hostname: url.hostname, port: Number(url.port) });
    const route = new CompressedRoute(client, level);
    const id = "DENATSPEER";
    const connect = { name: id, cluster: "C1", headers: true, verbose: false, lnoc: true };
    await client.send(`CONNECT ${JSON.stringify(connect)}\r\n`);
    await client.receiveLine();
    const info = `INFO ${
      JSON.stringify({
        ...{ server_id: id, server_name: "peer", version: "2.15.0", proto: 2, cluster: "C1" },
        ...{ host: "127.0.0.1", port: 1, headers: true, lnoc: true, lnocu: true },
        ...{ compression: `s2_${level}`, gossip_mode: 1 },
      })
    }\r\n`;
    await client.send(info);
    await route.receiveUntil((text) => text.startsWith("INFO ") && text.includes("\r\n"));
    await route.send(info);
    return route;
  }

  /** What has arrived so far, decoded, a byte string. */
  get received(): string {
    return this.#decoded;
  }

  /** The raw bytes that have arrived so far. */
  get raw(): Uint8Array {
    return toBytes(this.#raw.join(""));
  }

  /** The level at which it writes from now on. */
  set level(level: S2Level) {
    this.#encoder.level = level;
  }

  /** Sends a byte string as one stream; returns how many bytes that took. */
  async send(text: string): Promise<number> {
    const stream = this.#encoder.encode(toBytes(text));
    await this.#client.send(fromBytes(stream));
    return stream.length;
  }

  /** Waits until the server has worked off everything sent before. */
  async ping(): Promise<void> {
    const pongs = this.#decoded.split("PONG\r\n").length;
    await this.send("PING\r\n");
    await this.receiveUntil((text) => text.split("PONG\r\n").length > pongs);
  }

  /**
   * Receives until `found` accepts everything received so far.
   *
   * @throws {Error} when the server closes before, or nothing arrives for five seconds.
   */
  async receiveUntil(found: (decoded: string) => boolean): Promise<void> {
    while (!found(this.#decoded)) {
      if (this.#client.closedByServer) throw new Error("the server closed the route");
      await this.#client.receiveUntil((raw) => raw.length > 0);
      const raw = this.#client.take();
      this.#raw.push(raw);
      this.#decoder.write(toBytes(raw));
      for (let length; (length = this.#decoder.read(this.#into)) > 0;) {
        this.#decoded += fromBytes(this.#into.subarray(0, length));
      }
    }
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }
}

/** The streams, each with its identifier, that bytes of an official server consist of. */
export function streamsOf(raw: Uint8Array): Uint8Array[] {
  const streams: Uint8Array[] = [];
  let begin = 0;
  for (let at = 0; at < raw.length;) {
    if (raw[at] === 0xff && at > begin) {
      streams.push(raw.subarray(begin, at));
      begin = at;
    }
    at += 4 + raw[at + 1]! + raw[at + 2]! * 0x100 + raw[at + 3]! * 0x1_0000;
  }
  if (raw.length > begin) streams.push(raw.subarray(begin));
  return streams;
}
