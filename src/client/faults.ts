/**
 * What goes wrong with clients, and who is told.
 *
 * @module
 */
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
