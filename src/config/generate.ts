/**
 * Rewrites the files that are generated from the schema: `deno run -A src/config/generate.ts`.
 *
 * @module
 */
import { DenoFiles } from "../platform/mod.ts";
import { generatedFiles } from "./generated_files.ts";

if (import.meta.main) {
  const files = new DenoFiles();
  for (const { path, text } of generatedFiles()) {
    const top = decodeURIComponent(new URL("../../", import.meta.url).pathname);
    await files.writeText(top + path, text);
  }
}
