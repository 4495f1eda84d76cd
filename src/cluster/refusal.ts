/**
 * Why a peer is not taken, in nats-server's words.
 *
 * @module
 */
import { type CloseReason, ERROR_TEXT, type RouteFault } from "../protocol/mod.ts";

/** How a connection is turned away. */
export interface Refusal {
  /** Why it is closed. */
  readonly reason: CloseReason;
  /** What is sent as -ERR, or null for nothing. */
  readonly text: string | null;
  /** What the log says, where that is more than the text. */
  readonly log?: string;
}

/** What a connection is closed with when the parser cannot go on. */
export const ROUTE_FAULTS: Readonly<Record<RouteFault, Refusal>> = {
  "unknown operation": { reason: "parseError", text: ERROR_TEXT.unknownOperation },
  "control line": { reason: "maximumControlLineExceeded", text: ERROR_TEXT.controlLine },
  "arguments": { reason: "parseError", text: null },
  "payload size": { reason: "maximumPayloadExceeded", text: ERROR_TEXT.payload },
  "not connected": { reason: "authenticationFailure", text: ERROR_TEXT.authorization },
};

/** A client on the wrong port. */
export const CLIENT_ON_ROUTE_PORT: Refusal = {
  reason: "wrongPort",
  text: "attempted to connect to route port",
};

/** A port for clients was dialled. */
export const ROUTE_ON_CLIENT_PORT: Refusal = {
  reason: "wrongPort",
  text: null,
  log: "Attempted to connect to a client port, routes need the port of the cluster",
};

/** A gateway on the wrong port. */
export function gatewayOnRoutePort(name: string): Refusal {
  return {
    reason: "wrongPort",
    text: `Rejecting connection from gateway "${name}" on the Route port`,
  };
}

/** A server of another cluster; told only in answer to CONNECT. */
export function otherCluster(theirs: string, ours: string, told: boolean): Refusal {
  const text = `Rejecting connection, cluster name "${theirs}" does not match "${ours}"`;
  return { reason: "clusterNameConflict", text: told ? text : null, log: text };
}

/** This server itself, which is nothing wrong: routes may name every server. */
export const SELF: Refusal = { reason: "duplicateRoute", text: null };

/** Another server with this one's name. */
export function sameName(name: string): Refusal {
  return {
    reason: "duplicateServerName",
    text: null,
    log: `Remote server has a duplicate name: ${JSON.stringify(name)}`,
  };
}

/** There is such a connection already. */
export const DUPLICATE: Refusal = { reason: "duplicateRoute", text: null };

/** An index that is not one of the pool's. */
export function badPoolIndex(index: number, poolSize: number): Refusal {
  return {
    reason: "protocolViolation",
    text: `Invalid route pool index: ${index} - pool size is ${poolSize}`,
  };
}

/** Only whoever dials says the index. */
export function unwantedPoolIndex(index: number): Refusal {
  return {
    reason: "protocolViolation",
    text: `Route pool index should not be set but is set to ${index}`,
  };
}

/** Servers of version 2.10 insist on pools of the same size. */
export function poolSizeMismatch(ours: number, theirs: number): Refusal {
  return {
    reason: "protocolViolation",
    text: `Mismatch route pool size: ${ours} vs ${theirs}`,
  };
}

/** Somebody wants more connections than make sense. */
export function poolTooLarge(size: number, most: number): Refusal {
  return {
    reason: "protocolViolation",
    text: `Route pool size ${size} is larger than ${most}`,
  };
}

/** One of both has no pool. */
export function noDedicatedRoutes(account: string): Refusal {
  return {
    reason: "protocolViolation",
    text: `Not possible to have a dedicated route for account "${account}" between those servers`,
  };
}

/** An account that is not known here. */
export function unknownAccount(account: string): Refusal {
  return {
    reason: "missingAccount",
    text: `Unable to lookup account "${account}": account missing`,
  };
}

/** An account that has no connection of its own here. */
export function notDedicated(account: string): Refusal {
  return { reason: "missingAccount", text: `No route for account "${account}"` };
}
