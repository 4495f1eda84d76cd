/**
 * The official nats-server as a neighbour of a test.
 *
 * @module
 */
import { ServerProcess } from "./server_process.ts";

/** A release line that `tools/nats-server.sh` knows. */
export type NatsServerLine = "2.15" | "2.10" | "2.9";

/**
 * The path of a nats-server binary, or `undefined` where none can be had: tests that need it are
 * ignored there.
 *
 * @throws {Error} where none can be had and the environment variable `CI` is set, so that a build
 * cannot pass by skipping.
 */
export async function findNatsServer(line: NatsServerLine): Promise<string | undefined> {
  const script = decodeURIComponent(
    new URL("../../tools/nats-server.sh", import.meta.url).pathname,
  );
  let reason: string;
  try {
    const command = new Deno.Command("bash", { args: [script, line], stdin: "null" });
    const { success, stdout, stderr } = await command.output();
    if (success) return new TextDecoder().decode(stdout).trim();
    reason = new TextDecoder().decode(stderr).trim();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    reason = "there is no bash to look for it";
  }
  if (Deno.env.get("CI")) throw new Error(`nats-server ${line} is missing: ${reason}`);
  return undefined;
}

/**
 * Starts a nats-server on a free port of the loopback address.
 *
 * @param binary A path from {@link findNatsServer}.
 * @param config Text of its configuration file.
 */
export function startNatsServer(binary: string, config = ""): Promise<ServerProcess> {
  return ServerProcess.start(binary, [], config, ".conf");
}
