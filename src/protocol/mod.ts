/**
 * The NATS protocol: bytes into commands and commands into bytes. No I/O, no state of the broker.
 *
 * @module
 */
export * from "./ack.ts";
export * from "./byte_string.ts";
export * from "./client_commands.ts";
export * from "./client_message.ts";
export * from "./client_parser.ts";
export * from "./close_reason.ts";
export {
  COMMAND_TABLE,
  type ConnectionKind,
  type ConnectionState,
  type Deaf,
  type StateRow,
  type Treatment,
} from "./command_table.ts";
export * from "./connect_options.ts";
export * from "./error_text.ts";
export * from "./message_writer.ts";
export * from "./rewrite.ts";
export * from "./nkey.ts";
export * from "./route_commands.ts";
export * from "./route_info.ts";
export * from "./route_parser.ts";
export * from "./route_writer.ts";
export * from "./server_info.ts";
export * from "./slab.ts";
export * from "./subject.ts";
export * from "./subject_hash.ts";
export * from "./subject_mapping.ts";
export * from "./subject_overlap.ts";
export * from "./subject_transform.ts";
export * from "./transform_error.ts";
export type { Draw } from "./transform_token.ts";
export * from "./version.ts";
