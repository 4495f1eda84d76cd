/** The kernels of S2, in AssemblyScript. `deno task build:s2` makes `../kernels_wasm.ts` of them. */
export { maskedCrc32c } from "./crc32c";
export { decodeBlock } from "./decode";
export { encodeBest, encodeBetter, encodeFast, nextPosition } from "./encode";
export { INPUT, SLACK } from "./layout";
