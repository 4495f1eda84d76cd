/**
 * The official client `@nats-io/nats-core` inside the process of the broker, without a socket.
 *
 * A program of its own imports it as the `./nats` export; `mod.ts` does not load nats-core.
 *
 * @module
 */
export {
  type Broker,
  type ConnectionOptions,
  connectNats,
  type ConnectNatsOptions,
  type NatsConnection,
  type NetworkOption,
} from "./connect.ts";
