/**
 * Rewrites the files and the table that are generated from the schema: `deno run -A src/config/generate.ts`.
 *
 * @module
 */
import { DenoFiles } from "../platform/mod.ts";
import { withChangeTable } from "./change_table_text.ts";
import { generatedFiles } from "./generated_files.ts";

if (import.meta.main) {
  const files = new DenoFiles();
  const top = decodeURIComponent(new URL("../../", import.meta.url).pathname);
  for (const { path, text } of generatedFiles()) {
    await files.writeText(top + path, text);
  }
  const page = `${top}docs/operations.md`;
  await files.writeText(page, withChangeTable(await files.readText(page)));
}
