/**
 * How an address is written for people.
 *
 * @module
 */
import type { Address } from "./transport.ts";

/**
 * `address` as `host:port`, with an IPv6 address in brackets: `127.0.0.1:4222`, `[::1]:4222`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatAddress } from "./address.ts";
 *
 * assertEquals(formatAddress({ hostname: "::1", port: 4222 }), "[::1]:4222");
 * ```
 */
export function formatAddress(address: Address): string {
  const { hostname, port } = address;
  const bare = hostname.includes(":") && !hostname.startsWith("[");
  return bare ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** Whether only processes of the same machine reach an address. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || hostname.startsWith("127.");
}
