// deno-lint-ignore-file no-console -- a command says what it did.
/**
 * Compiles the kernels of S2: `src/cluster/s2/assembly/` into `src/cluster/s2/kernels_wasm.ts`.
 *
 *     deno task build:s2             # after a change of the sources; commit the result with them
 *     deno task build:s2 --check     # changes nothing, and fails when the result is another one
 *
 * @module
 */
import asc from "npm:assemblyscript@0.28.20/asc";
import { sourcesSha256 } from "./s2_sources.ts";

const ROOM = new URL("../src/cluster/s2/", import.meta.url);
const TARGET = new URL("kernels_wasm.ts", ROOM);

/**
 * Optimized for speed, without a runtime: nothing is allocated, and nothing is imported. Warning 201
 * says that addresses are used as 32-bit numbers. Pages of memory: at first, and for blocks of 4 MiB.
 */
const OPTIONS = [
  ...["assembly/index.ts", "--outFile", "kernels.wasm", "--baseDir", "."],
  ...["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--disableWarning", "201"],
  ...["--initialMemory", "8", "--maximumMemory", "160"],
];

let wasm: Uint8Array | undefined;
const { error, stderr } = await asc.main(OPTIONS, {
  readFile(name: string): string | null {
    try {
      return Deno.readTextFileSync(new URL(name, ROOM));
    } catch {
      return null;
    }
  },
  writeFile(_name: string, contents: Uint8Array | string): void {
    if (contents instanceof Uint8Array) wasm = contents;
  },
  listFiles: () => [],
});
if (error !== null || wasm === undefined) {
  console.error(stderr.toString());
  Deno.exit(1);
}

const generated = `/**
 * The kernels of S2, compiled from \`assembly/\` by \`deno task build:s2\`. Do not edit.
 *
 * @module
 */

/** SHA-256 of the sources that this was compiled from. */
export const SOURCES_SHA256 = "${await sourcesSha256()}";

/** The module, ${wasm.length} bytes, in base64. */
export const WASM_BASE64 =
  "${wasm.toBase64().match(/.{1,92}/g)!.join('" +\n  "')}";
`;

if (!Deno.args.includes("--check")) {
  Deno.writeTextFileSync(TARGET, generated);
  console.log(`kernels_wasm.ts: ${wasm.length} bytes of WebAssembly`);
} else if (Deno.readTextFileSync(TARGET) !== generated) {
  console.error("kernels_wasm.ts is not what its sources compile to: run deno task build:s2");
  Deno.exit(1);
}
