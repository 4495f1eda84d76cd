/**
 * The listener of routes.
 *
 * @module
 */
import { accepted, admitted, goodbye, paced, tagged } from "../connection/mod.ts";
import type { Listener } from "../platform/mod.ts";
import { byteStringBytes, ERROR_TEXT } from "../protocol/mod.ts";
import type { Scope } from "../supervisor/mod.ts";
import type { RouteEnvironment } from "./environment.ts";
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
  const hasRoom = () => {
    if (mesh.sessions.size >= MAX_ROUTES) return false;
    let unknown = 0, oldest: RouteSession | null = null;
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
  const welcome = admitted(
    paced(connections, clock),
    () => hasRoom() ? "admit" : goodbye(byteStringBytes(`-ERR '${ERROR_TEXT.connections}'\r\n`)),
    { scope: routes },
  );
  for await (const { id, connection } of tagged(welcome, nextId)) {
    if (routes.state !== "running") {
      connection.close();
      continue;
    }
    routes.spawn(
      `route:${id}`,
      (scope) => new RouteSession(environment, connection, id, null).run(scope),
    );
  }
}
