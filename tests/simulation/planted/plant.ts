/**
 * A copy of the project with a bug in it.
 *
 * @module
 */
import type { PlantedBug } from "./planted_bug.ts";

/** What the simulation needs, from the project's folder. */
const NEEDED: readonly string[] = [
  "src",
  "std",
  "tests/simulation",
  "tests/support",
  "mod.ts",
  "deno.json",
  "deno.lock",
];

const project = new URL("../../../", import.meta.url);

/**
 * Copies what the simulation needs to a folder, and changes it.
 *
 * @throws {Error} when the place is not found, or not found only once.
 */
export async function plant(bug: PlantedBug, folder: string): Promise<void> {
  await Promise.all(
    NEEDED.map((path) => copy(new URL(path, project).pathname, `${folder}/${path}`)),
  );
  const path = `${folder}/${bug.file}`, parts = (await Deno.readTextFile(path)).split(bug.find);
  if (parts.length !== 2) {
    throw new Error(
      `the place to plant "${bug.name}" is ${parts.length - 1} times in ${bug.file}, not once`,
    );
  }
  await Deno.writeTextFile(path, parts.join(bug.replace));
}

async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) {
    await Deno.copyFile(from, to);
    return;
  }
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) await copy(`${from}/${name}`, `${to}/${name}`);
}
