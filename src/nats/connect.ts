/**
 * The official client, connected to a broker of the same process.
 *
 * @module
 */
import type * as core from "@nats-io/nats-core";
import { ConnectionError, deadline } from "@nats-io/nats-core";
import { deferred, NatsConnectionImpl, ProtocolHandler } from "@nats-io/nats-core/internal";
import type * as broker from "../broker.ts";
import { InProcessTransport } from "./transport.ts";

/** What nats-core shows as the server's address. */
const SERVER = "memory:0";
/** How long the broker may take to answer CONNECT; nats-core's own default. */
const TIMEOUT_MS = 20_000;
const MAX_PENDING_BYTES = 256 * 1024 * 1024;

/** The broker that `mod.ts` exports. */
export type Broker = broker.Broker;

/** A connection of nats-core. */
export type NatsConnection = core.NatsConnection;

/** The options of a connection of nats-core. */
export type ConnectionOptions = core.ConnectionOptions;

/** The options of nats-core that mean nothing without a network. */
export type NetworkOption =
  | "ignoreAuthErrorAbort"
  | "ignoreClusterUpdates"
  | "maxReconnectAttempts"
  | "noRandomize"
  | "port"
  | "reconnect"
  | "reconnectDelayHandler"
  | "reconnectJitter"
  | "reconnectJitterTLS"
  | "reconnectTimeWait"
  | "reconnectToServer"
  | "resolve"
  | "servers"
  | "tls"
  | "waitOnFirstConnect";

/** Options of {@link connectNats}: nats-core's own, without those about servers and reconnecting. */
export interface ConnectNatsOptions extends Omit<ConnectionOptions, NetworkOption> {
  /**
   * How many bytes may be published and not yet taken by the broker, at least 1; 256 MiB if absent.
   * Beyond it the connection is closed with an error.
   */
  readonly maxPendingBytes?: number;
}

/**
 * Connects `@nats-io/nats-core` to a broker within the process: no port, no socket.
 *
 * The connection is like any other, with the same authentication and limits. It does not reconnect:
 * when the broker closes it, it is closed, and its `closed()` resolves.
 *
 * nats-core's factory of transports is global to the process, and any connection may ask it at any
 * time, to reconnect for instance. It is left as it is here: connections by way of
 * `@nats-io/transport-node`, `wsconnect` and others go on beside these, whatever the order.
 *
 * @example Request and reply without a socket
 * ```ts
 * import { Broker } from "../../mod.ts";
 * import { connectNats } from "./mod.ts";
 *
 * await using broker = await Broker.start({ host: "127.0.0.1", port: -1 });
 * const connection = await connectNats(broker, { name: "greeter" });
 * connection.subscribe("greet.*", {
 *   callback: (_error, message) => {
 *     message.respond(`hello from ${message.subject}`);
 *   },
 * });
 * const answer = await connection.request("greet.sue");
 * console.assert(answer.string() === "hello from greet.sue");
 * await connection.drain();
 * ```
 *
 * @throws {AuthorizationError} of nats-core, when the broker does not let it in.
 * @throws {ConnectionError} of nats-core, when the broker closes it before it has answered.
 * @throws {TimeoutError} of nats-core, when the broker does not answer within `timeout`.
 * @throws {ScopeClosedError} when the broker is closing.
 * @throws {RangeError} when `maxPendingBytes` is not a positive number.
 */
export async function connectNats(
  broker: Broker,
  options: ConnectNatsOptions = {},
): Promise<NatsConnection> {
  const { maxPendingBytes = MAX_PENDING_BYTES, ...natsOptions } = options;
  if (!(maxPendingBytes >= 1)) {
    throw new RangeError(`maxPendingBytes must be at least 1, not ${maxPendingBytes}`);
  }
  // The constructor is private in the types only: its own `connect` would ask the global factory.
  const connection: NatsConnectionImpl = Reflect.construct(NatsConnectionImpl, [{
    ...natsOptions,
    servers: SERVER,
    reconnect: false,
    resolve: false,
    ignoreClusterUpdates: true,
  }]);
  const protocol = new ProtocolHandler(connection.options, connection);
  await open(protocol, new InProcessTransport(broker.connect(), maxPendingBytes));
  connection.protocol = protocol;
  // `info` is declared as absent or there by the one and as possibly undefined by the other.
  return connection as NatsConnection;
}

/**
 * What nats-core's protocol handler does to dial a server, with a transport that is given to it
 * instead of one from the global factory.
 */
async function open(protocol: ProtocolHandler, transport: InProcessTransport): Promise<void> {
  // The handler sends CONNECT and PING when it is shown INFO; the PONG says that it was let in.
  const letIn = deferred<void>();
  letIn.catch(() => {});
  protocol.pongs.push(letIn);
  protocol.connectError = (error) =>
    letIn.reject(
      error ?? new ConnectionError("the broker closed the connection before it let the client in"),
    );
  protocol.transport = transport;
  const server = protocol.servers.selectServer();
  if (server !== undefined) protocol.server = server;
  live(protocol, transport);
  try {
    await deadline(letIn, protocol.options.timeout ?? TIMEOUT_MS);
  } catch (error) {
    await protocol.close(error as Error);
    throw error;
  }
  delete protocol.connectError;
  protocol.connected = protocol.connectedOnce = true;
  protocol.heartbeats.start();
}

/** Receives until the transport ends, and closes what is above it. Never rejects. */
async function live(protocol: ProtocolHandler, transport: InProcessTransport): Promise<void> {
  try {
    for await (const bytes of transport) protocol.parser.parse(bytes);
  } catch (error) {
    // What a callback of a subscription throws gets here too: whoever awaits closed() learns it.
    await transport.close(error as Error);
  }
  protocol.connected = false;
  if (protocol.isClosed()) return;
  protocol.connectError?.(transport.closeError);
  // Nobody answers flush() any more: it must not wait for ever.
  protocol.resetOutbound();
  await protocol.disconnected(transport.closeError ?? protocol.lastError);
}
