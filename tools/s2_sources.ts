/**
 * The sources of the S2 kernels, to tell whether what was compiled from them still belongs to them.
 *
 * @module
 */

const ASSEMBLY = new URL("../src/cluster/s2/assembly/", import.meta.url);

/** SHA-256 of the names and texts of all sources, in hexadecimal. */
export async function sourcesSha256(): Promise<string> {
  const names = [...Deno.readDirSync(ASSEMBLY)].map(({ name }) => name).sort();
  const texts = names.map((name) => `${name}\n${Deno.readTextFileSync(new URL(name, ASSEMBLY))}`);
  const bytes = new TextEncoder().encode(texts.join(""));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
