/**
 * Why a connection was closed: the reasons that nats-server's /connz and logs name.
 *
 * @module
 */

/** The name of each reason in code, and its text in logs, events and monitoring. */
export const CLOSE_REASONS = {
  clientClosed: "Client Closed",
  authenticationTimeout: "Authentication Timeout",
  authenticationFailure: "Authentication Failure",
  slowConsumerPendingBytes: "Slow Consumer (Pending Bytes)",
  slowConsumerWriteDeadline: "Slow Consumer (Write Deadline)",
  writeError: "Write Error",
  readError: "Read Error",
  parseError: "Parse Error",
  staleConnection: "Stale Connection",
  protocolViolation: "Protocol Violation",
  badClientProtocolVersion: "Bad Client Protocol Version",
  maximumConnectionsExceeded: "Maximum Connections Exceeded",
  authenticationExpired: "Authentication Expired",
  credentialsRevoked: "Credentials Revoked",
  maximumAccountConnectionsExceeded: "Maximum Account Connections Exceeded",
  maximumPayloadExceeded: "Maximum Message Payload Exceeded",
  maximumControlLineExceeded: "Maximum Control Line Exceeded",
  maximumSubscriptionsExceeded: "Maximum Subscriptions Exceeded",
  serverShutdown: "Server Shutdown",
  noRespondersRequiresHeaders: "No Responders Requires Headers",
  messageHeaderViolation: "Message Header Violation",
  duplicateRoute: "Duplicate Route",
  clusterNameConflict: "Cluster Name Conflict",
  duplicateServerName: "Duplicate Server Name",
  routeRemoved: "Route Removed",
  wrongPort: "Incorrect Port",
  missingAccount: "Missing Account",
  internalError: "Internal Error",
} as const;

/** A key of {@link CLOSE_REASONS}. */
export type CloseReason = keyof typeof CLOSE_REASONS;
