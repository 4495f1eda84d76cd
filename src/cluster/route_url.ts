/**
 * URLs in gossip.
 *
 * @module
 */
import type { RouteUrl } from "./settings.ts";

const LAST_PORT = 65_535;

/** Reads `nats-route://host:port/`; null when it is none that can be dialled. */
export function parseRouteUrl(text: string): RouteUrl | null {
  const match = /^[a-z][a-z+-]*:\/\/(?:\[([^\]]+)\]|([^:/[\]]+)):(\d{1,5})\/?$/i.exec(text);
  if (match === null) return null;
  const port = Number(match[3]);
  if (port < 1 || port > LAST_PORT) return null;
  return { host: match[1] ?? match[2]!, port };
}
