/**
 * What goes wrong with clients, and who is told.
 *
 * @module
 */
import type { ClientLimits } from "./limits.ts";
import { type ClientFault, type CloseReason, ERROR_TEXT } from "../protocol/mod.ts";

/** What a fault of the parser means for the connection; no text where nats-server sends none. */
export const FAULTS: Readonly<Record<ClientFault, { reason: CloseReason; text: string | null }>> = {
  "unknown operation": { reason: "protocolViolation", text: ERROR_TEXT.unknownOperation },
  "control line": { reason: "maximumControlLineExceeded", text: ERROR_TEXT.controlLine },
  "payload size": { reason: "maximumPayloadExceeded", text: ERROR_TEXT.payload },
  "arguments": { reason: "protocolViolation", text: null },
  "headers": { reason: "messageHeaderViolation", text: null },
  "not connected": { reason: "authenticationFailure", text: ERROR_TEXT.authorization },
};

/** Ends that nobody needs to look into: the closing lines of the debug level are enough. */
export const QUIET_REASONS: ReadonlySet<CloseReason> = new Set([
  "clientClosed",
  "readError",
  "writeError",
  "serverShutdown",
  "internalError",
  // Logged with what was shown.
  "authenticationFailure",
  "parseError",
]);

/** The limit that a connection closed for a reason has exceeded, for the log. */
export const LIMITS_OF: Readonly<
  Partial<Record<CloseReason, (limits: ClientLimits) => Readonly<Record<string, number>>>>
> = {
  maximumPayloadExceeded: ({ max_payload }) => ({ max_payload }),
  maximumControlLineExceeded: ({ max_control_line }) => ({ max_control_line }),
  slowConsumerPendingBytes: ({ max_pending }) => ({ max_pending }),
  slowConsumerWriteDeadline: ({ write_deadline }) => ({ write_deadline }),
  staleConnection: ({ ping_interval, ping_max }) => ({ ping_interval, ping_max }),
  authenticationTimeout: ({ auth_timeout }) => ({ auth_timeout }),
};
