/**
 * What clients are told about the server.
 *
 * @module
 */
import { type Config, splitHostAndPort } from "../config/mod.ts";
import { type Address, runtimeVersion } from "../platform/mod.ts";
import { NATS_VERSION, type ServerInfo } from "../protocol/mod.ts";
import { tlsInfo } from "./opening.ts";

/** INFO of a server that listens on `address`, without what changes while it runs. */
export function serverInfo(
  config: Config,
  identity: { readonly id: string; readonly xkey: string },
  name: string,
  address: Address,
): ServerInfo {
  const advertised = splitHostAndPort(config.client_advertise ?? "") ?? {};
  return {
    server_id: identity.id,
    server_name: name,
    version: NATS_VERSION,
    proto: 1,
    go: runtimeVersion(),
    host: advertised.host ?? config.host,
    port: advertised.port ?? address.port,
    headers: !config.no_header_support,
    max_payload: config.max_payload,
    xkey: identity.xkey,
    ...tlsInfo(config.tls, config.allow_non_tls),
  };
}
