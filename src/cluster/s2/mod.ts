/**
 * S2, the compression between nats-servers: streams of bytes into chunks and back.
 *
 * The levels have nats-server's names, and are made for what routes carry: flushes of up to 128 KiB of
 * small messages, where compressing must not cost more than what it saves. So none of them searches as
 * hard as nats-server's does. Of JSON messages in streams of 128 KiB, in percent of the input and in
 * milliseconds of CPU for 1 MiB with checksums and copying, on the same machine:
 *
 * ```
 *              nats-server        denats           what it does
 * fast       28.4 %  2.3 ms    27.9 %  2.3 ms    two of three positions, the last occurrence
 * better     26.5 %  3.9 ms    26.7 %  2.5 ms    every position, the last occurrence
 * best       24.6 %  >20 ms    26.1 %  3.1 ms    every position, the last two occurrences
 * decoding            1.0 ms            0.8 ms
 * ```
 *
 * Streams of 64 KiB and 1 MiB and other JSON compare likewise: `fast` and `better` need up to 3 % more
 * than nats-server's, `best` 5 to 7 %. What would make `best` smaller takes several times as long.
 *
 * The inner loops are WebAssembly, from AssemblyScript in `assembly/`: the same in TypeScript takes two
 * to three times as long.
 *
 * @module
 */
export { S2Decoder } from "./decoder.ts";
export { S2Encoder } from "./encoder.ts";
export { S2Error, type S2Level } from "./format.ts";
