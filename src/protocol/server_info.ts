/**
 * The INFO that clients get.
 *
 * @module
 */
import { encodeByteString } from "./byte_string.ts";

/** INFO as clients see it; see nats-server's `Info` and client-protocol documentation. */
export interface ServerInfo {
  /** The server's public key, `N...`. */
  server_id: string;
  /** The server's name. */
  server_name: string;
  /** The version of nats-server whose protocol and behaviour this is: clients compare it. */
  version: string;
  /** What the server runs on. */
  go: string;
  /** Always 1: async INFO and echo are supported. */
  proto: number;
  /** Address to connect to. */
  host: string;
  /** Port to connect to. */
  port: number;
  /** Whether headers are supported. */
  headers: boolean;
  /** Largest message, in bytes. */
  max_payload: number;
  /** Level of the JetStream API. */
  api_lvl?: number;
  /** The server's public curve key, `X...`. */
  xkey?: string;
  /** Whether credentials are required; absent when not. */
  auth_required?: true;
  /** Whether TLS comes before anything else that is said; absent when not. */
  tls_required?: true;
  /** Whether clients must show a certificate in it; absent when not. */
  tls_verify?: true;
  /** Whether a client may begin with TLS; absent when not, or when it must. */
  tls_available?: true;
  /** The cluster's name; absent where there is no cluster. */
  cluster?: string;
  /** Where else to connect to. */
  connect_urls?: readonly string[];
  /** Whether the server is about to go. */
  ldm?: true;
}

/** Fields that differ between connections. */
export interface ConnectionInfo {
  /** The connection's id. */
  client_id: number;
  /** The client's address. */
  client_ip: string;
  /** What to sign; absent where nobody is known by a signature. */
  nonce?: string;
  /** In the INFO that follows the first PING: whether there are users at all. */
  auth_required?: true;
  /** Present in the INFO that follows the first PING. */
  connect_info?: true;
  /** The account the client is in. */
  remote_account?: string;
  /** Whether that is the system account. */
  acc_is_sys?: true;
  /** Largest message of this client, in bytes, where that is less than others may send. */
  max_payload?: number;
}

/** The INFO frame, a byte string. */
export function infoFrame(server: ServerInfo, connection: ConnectionInfo): string {
  return `INFO ${encodeByteString(JSON.stringify({ ...server, ...connection }))} \r\n`;
}
