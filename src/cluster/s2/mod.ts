/**
 * S2, the compression between nats-servers: streams of bytes into chunks and back.
 *
 * @module
 */
export { S2Decoder } from "./decoder.ts";
export { S2Encoder } from "./encoder.ts";
export { S2Error, type S2Level } from "./format.ts";
