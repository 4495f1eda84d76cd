/**
 * The listener of routes.
 *
 * @module
 */
import { accepted, admitted, goodbye, paced, type Secured, tagged } from "../connection/mod.ts";
import type { Connection, Listener } from "../platform/mod.ts";
import { byteStringBytes, ERROR_TEXT } from "../protocol/mod.ts";
import type { Scope } from "../supervisor/mod.ts";
import type { RouteEnvironment } from "./environment.ts";
import { acceptRouteTls, type RouteTls } from "./route_tls.ts";
import { RouteSession } from "./session.ts";

/** Most connections in all, and most that were accepted and whose peer is not known yet. */
const MAX_ROUTES = 8192, MAX_UNKNOWN = 512;
/** How long a peer may take to make itself known when others wait for its place. */
const PATIENCE_MS = 2000;

/** What the listener of routes needs besides the sessions' environment. */
export interface RouteListenerOptions {
  /** Open; closed when `signal` is aborted. */
  readonly listener: Listener;
  /** Where sessions are tasks. */
  readonly routes: Scope;
  /** Ends accepting. */
  readonly signal: AbortSignal;
  /** The id of the next connection. */
  readonly nextId: () => number;
}

/** Accepts routes until the signal is aborted. */
export async function acceptRoutes(
  environment: RouteEnvironment,
  options: RouteListenerOptions,
): Promise<void> {
  const { listener, routes, signal, nextId } = options;
  const { clock, random, log, mesh } = environment;
  const connections = accepted(listener, {
    clock,
    random,
    signal,
    onError: ({ error, failures, retryInMs }) =>
      log.error(`Route accept failed, trying again: ${error.message}`, { failures, retryInMs }),
  });
  // Connections in a handshake, who have no session yet.
  let opening = 0;
  const hasRoom = () => {
    if (mesh.sessions.size + opening >= MAX_ROUTES) return false;
    let unknown = opening, oldest: RouteSession | null = null;
    for (const session of mesh.sessions) {
      if (session.peer !== null || session.solicited !== null || session.closing !== null) continue;
      oldest ??= session;
      unknown++;
    }
    if (unknown < MAX_UNKNOWN) return true;
    // Whoever just connects and waits must not keep all others out.
    if (oldest === null || clock.now() - oldest.startedAt < PATIENCE_MS) return false;
    oldest.close("maximumConnectionsExceeded", ERROR_TEXT.connections);
    return true;
  };
  // In the clear it would not be understood.
  const refusal = () =>
    environment.tls() === null
      ? byteStringBytes(`-ERR '${ERROR_TEXT.connections}'\r\n`)
      : new Uint8Array(0);
  const secured = async (tls: RouteTls, connection: Connection, id: number, scope: Scope) => {
    opening++;
    let found: Secured | null;
    try {
      found = await acceptRouteTls(environment, tls, connection, id, scope.signal);
    } finally {
      opening--;
    }
    if (found === null) return;
    await new RouteSession(environment, found.connection, id, null, found.certificate).run(scope);
  };
  const welcome = admitted(
    paced(connections, clock),
    () => hasRoom() ? "admit" : goodbye(refusal()),
    { scope: routes },
  );
  for await (const { id, connection } of tagged(welcome, nextId)) {
    if (routes.state !== "running") {
      connection.close();
      continue;
    }
    routes.spawn(
      `route:${id}`,
      (scope) => {
        const tls = environment.tls();
        return tls === null
          ? new RouteSession(environment, connection, id, null).run(scope)
          : secured(tls, connection, id, scope);
      },
    );
  }
}
