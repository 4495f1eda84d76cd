/**
 * S2: encoding and decoding JSON messages at every level, in streams of the sizes that an outbox
 * flushes.
 *
 *     deno bench -A bench/s2_bench.ts
 *
 * One iteration is 1 MiB of messages, so that 1 ms is about 1 GB/s. The names say what the streams
 * take of the input.
 *
 * @module
 */
import { S2Decoder, S2Encoder, type S2Level } from "../src/cluster/s2/mod.ts";
import { routedEvents } from "../tests/support/json_events.ts";

const INPUT_BYTES = 1 << 20;
const LEVELS: readonly S2Level[] = ["uncompressed", "fast", "better", "best"];

const input = routedEvents(INPUT_BYTES);
const into = new Uint8Array(131_072);

for (const streamBytes of [2048, 65_536, 131_072, INPUT_BYTES]) {
  const group = `streams of ${streamBytes >> 10} KiB`;
  for (const level of LEVELS) {
    const encoder = new S2Encoder(level), decoder = new S2Decoder();
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < INPUT_BYTES; at += streamBytes) {
      pieces.push(input.subarray(at, at + streamBytes));
    }
    const streams = pieces.map((piece) => encoder.encode(piece).slice());
    const bytes = streams.reduce((sum, stream) => sum + stream.length, 0);
    const percent = (100 * bytes / INPUT_BYTES).toFixed(1);

    Deno.bench(`encode ${level}, ${percent} %, ${group}`, { group }, () => {
      for (const piece of pieces) encoder.encode(piece);
    });
    Deno.bench(`decode ${level}, ${group}`, { group }, () => {
      for (const stream of streams) {
        decoder.write(stream);
        while (decoder.read(into) > 0);
      }
    });
  }
}
