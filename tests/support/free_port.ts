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

/** Whoever listens here has the same port of 127.0.0.1; a file would outlive a process that dies. */
const LOCK_ADDRESS = "127.77.77.77";

/** The ports that were given away, and what keeps others from taking them. */
const given = new Map<number, Deno.Listener | null>();

/** A port of the loopback address that nobody listens on and that no other test has been given. */
export function freePort(): number {
  for (;;) {
    // At random, because other processes look for ports at the same time.
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (given.has(port)) continue;
    let lock: Deno.Listener | null = null;
    try {
      // Other systems have no address but 127.0.0.1; there chance alone must do.
      if (Deno.build.os === "linux") lock = Deno.listen({ hostname: LOCK_ADDRESS, port });
      Deno.listen({ hostname: "127.0.0.1", port }).close();
    } catch (error) {
      lock?.close();
      if (error instanceof Deno.errors.AddrInUse) continue;
      throw error;
    }
    given.set(port, lock);
    return port;
  }
}

/** Gives a port of {@link freePort} back. */
export function releasePort(port: number): void {
  given.get(port)?.close();
  given.delete(port);
}
