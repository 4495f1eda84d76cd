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

/**
 * The hosts under which a listener on `hostname` is there. On `0.0.0.0` it is so under the IPv4
 * addresses of the machine only, on `::` under all of them.
 *
 * @param own Addresses of this machine, called only where they are needed.
 */
export function hostsOf(hostname: string, own: () => readonly string[]): readonly string[] {
  switch (hostname) {
    case "0.0.0.0":
      return own().filter((each) => !each.includes(":"));
    case "::":
      return own();
    default:
      return [hostname];
  }
}

/** RFC 1918, RFC 6598, RFC 3927, RFC 4193 and RFC 4291 (link-local). */
const PRIVATE = [
  /^10\./,
  /^192\.168\./,
  /^172\.(?:1[6-9]|2\d|3[01])\./,
  /^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./,
  /^169\.254\./,
  /^f[cd][0-9a-f]{2}:/i,
  /^fe[89ab][0-9a-f]:/i,
];

/** Whether an address means something only within one network, or within one machine's containers. */
export function isPrivate(hostname: string): boolean {
  return PRIVATE.some((range) => range.test(hostname));
}
