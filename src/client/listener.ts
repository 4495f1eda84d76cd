/**
 * The listener of clients.
 *
 * @module
 */
import { accepted, admitted, goodbye, paced, tagged } from "../connection/mod.ts";
import type { Connection, Listener } from "../platform/mod.ts";
import { byteStringBytes, ERROR_TEXT } from "../protocol/mod.ts";
import type { Scope } from "../supervisor/mod.ts";
import type { ClientEnvironment } from "./environment.ts";
import { clientInfo, type ClientTls, newOpening, openSecurely } from "./opening.ts";
import { ClientSession } from "./session.ts";

/** What the listener of clients needs besides the sessions' environment. */
export interface ClientListenerOptions {
  /** Open; closed when `signal` is aborted. */
  readonly listener: Listener;
  /** Where sessions are tasks. */
  readonly clients: Scope;
  /** Ends accepting. */
  readonly signal: AbortSignal;
  /** Most clients at a time, as it is now. */
  readonly maxConnections: () => number;
  /** The id of the next connection. */
  readonly nextId: () => number;
}

/** Accepts clients until the signal is aborted. */
export async function acceptClients(
  environment: ClientEnvironment,
  options: ClientListenerOptions,
): Promise<void> {
  const { listener, clients, signal, nextId } = options;
  const { clock, random, acceptLog, sessions, statistics } = environment;
  const connections = accepted(listener, {
    clock,
    random,
    signal,
    onError: ({ error, failures, retryInMs }) =>
      acceptLog.error(`Client accept failed, trying again: ${error.message}`, {
        failures,
        retryInMs,
      }),
  });
  const refuse = (connection: Connection) => {
    acceptLog.limited("max_connections", 1000)?.error(ERROR_TEXT.connections, {
      address: connection.remoteAddress.hostname,
      max_connections: options.maxConnections(),
    });
    // Whoever is to hear nothing before TLS cannot be told more than that.
    const info = environment.tls()?.handshakeFirst === true
      ? ""
      : clientInfo(environment.info(), newOpening(environment), {
        client_id: nextId(),
        client_ip: connection.remoteAddress.hostname,
      });
    return goodbye(byteStringBytes(`${info}-ERR '${ERROR_TEXT.connections}'\r\n`));
  };
  // Those that are being closed make room, but only as many as there are places: their sockets exist.
  const hasRoom = () => {
    const most = options.maxConnections();
    const count = sessions.size + statistics.openingConnections;
    return count - statistics.closingConnections < most && count < 2 * most;
  };
  const welcome = admitted(
    paced(connections, clock),
    (connection) => hasRoom() ? "admit" : refuse(connection),
    { scope: clients },
  );
  for await (const { id, connection } of tagged(welcome, nextId)) {
    startClient(environment, clients, connection, id, environment.tls());
  }
}

/** Starts the session of a connection as a task of `clients`, after TLS where there is any. */
export function startClient(
  environment: ClientEnvironment,
  clients: Scope,
  connection: Connection,
  id: number,
  tls: ClientTls | null,
): void {
  if (clients.state !== "running") {
    connection.close();
    return;
  }
  clients.spawn(
    `client:${id}`,
    (scope) =>
      tls === null
        ? new ClientSession(environment, connection, id).run(scope)
        : runSecurely(environment, connection, id, tls, scope),
  );
}

/** Starts the session of a connection within the process. */
export function startInProcess(
  environment: ClientEnvironment,
  clients: Scope,
  connection: Connection,
  id: number,
): void {
  const opening = newOpening(environment, "IN_PROCESS");
  clients.spawn(
    `client:${id}`,
    (scope) => new ClientSession(environment, connection, id, opening).run(scope),
  );
}

async function runSecurely(
  environment: ClientEnvironment,
  connection: Connection,
  id: number,
  tls: ClientTls,
  scope: Scope,
): Promise<void> {
  const opened = await openSecurely(environment, tls, connection, id, scope);
  if (opened === null) return;
  await new ClientSession(environment, opened.connection, id, opened.opening).run(scope);
}
