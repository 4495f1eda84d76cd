/**
 * Ports that servers of a test can listen on, and listen on again after a restart.
 *
 * @module
 */

/**
 * Where to look: below the ports that systems give to outgoing connections (from 32768 on), one of
 * which could otherwise take the port of a server that is down for a moment.
 */
const FIRST_PORT = 10_000, LAST_PORT = 32_000;

/** Ports this process has given away. */
const given = new Set<number>();

/** A port of the loopback address that nobody listens on and that no other caller has been given. */
export function freePort(): number {
  for (;;) {
    // At random, because other processes look for ports at the same time.
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (given.has(port)) continue;
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) continue;
      throw error;
    }
    given.add(port);
    return port;
  }
}
