/**
 * denats itself as the server under test, in this process or in one of its own.
 *
 * @module
 */
import { Broker } from "../../mod.ts";
import { withFileLimit } from "./file_limit.ts";
import { ServerProcess } from "./server_process.ts";

/** What {@link Broker.start} takes. */
type BrokerSettings = NonNullable<Parameters<typeof Broker.start>[0]>;

/** Starts a broker in this process, on a free port of the loopback address. */
export function startBroker(settings: BrokerSettings = {}): Promise<Broker> {
  return Broker.start({ host: "127.0.0.1", port: -1, ...settings });
}

/**
 * Starts the command `main.ts` as a child process, on a free port of the loopback address.
 *
 * @param config Text of its YAML configuration file.
 * @param fileLimit How many files it may open; what the test may, if absent.
 */
export function startBrokerProcess(config = "", fileLimit?: number): Promise<ServerProcess> {
  const main = decodeURIComponent(new URL("../../main.ts", import.meta.url).pathname);
  const deno = { command: Deno.execPath(), args: ["run", "-A", main] };
  const { command, args } = fileLimit === undefined ? deno : withFileLimit(fileLimit, deno);
  return ServerProcess.start(command, args, config, ".yaml");
}
