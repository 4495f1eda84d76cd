/**
 * The first lines of a broker's log.
 *
 * @module
 */
import {
  type Authenticator,
  authenticatorConfig,
  hasPlainSecret,
  usersWithoutPassword,
} from "./auth/mod.ts";
import type { Cluster } from "./cluster/mod.ts";
import type { Config } from "./config/mod.ts";
import type { Log } from "./log/mod.ts";
import { type Address, formatAddress, isLoopback } from "./platform/mod.ts";
import { DENATS_VERSION, NATS_VERSION } from "./protocol/mod.ts";

/** Above this, a payload is worth nats-server's warning. */
const LARGE_PAYLOAD_BYTES = 8 * 1024 * 1024;

/** Logs who a broker is, where it listens, and what somebody may want to have otherwise. */
export function announce(
  log: Log,
  broker: {
    readonly config: Config;
    readonly id: string;
    readonly name: string;
    readonly address: Address;
  },
  authenticator: Authenticator,
  cluster: Cluster | null,
): void {
  const { config, id, name, address } = broker, credentials = authenticatorConfig(config);
  log.info("Starting denats");
  log.info(`  Version:  ${DENATS_VERSION} (protocol of nats-server ${NATS_VERSION})`);
  log.info(`  Name:     ${name}`);
  log.info(`  ID:       ${id}`);
  if (config.max_payload > LARGE_PAYLOAD_BYTES) {
    log.warn(
      "Maximum payloads over 8.00 MB are generally discouraged and could lead to poor performance",
    );
  }
  log.info(`Listening for client connections on ${formatAddress(address)}`);
  if (config.tls !== undefined) {
    log.info(`TLS ${config.allow_non_tls ? "available" : "required"} for client connections`);
  }
  cluster?.announce();
  if (hasPlainSecret(credentials)) {
    log.warn("Plaintext passwords or tokens detected, use bcrypt hashes");
  }
  const open = usersWithoutPassword(credentials);
  if (open.length > 0) log.warn(`Users without a password: ${open.join(", ")}`);
  const isOpen = authenticator.anonymous() !== null && config.no_auth_user === undefined;
  if (isOpen && !isLoopback(address.hostname)) {
    log.warn("No authentication is configured: anybody who reaches the port may do anything");
  }
  log.info("Server is ready");
}
