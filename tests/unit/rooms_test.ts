/** Who imports whom: what CONTRIBUTING.md promises of floors and rooms. */
import { assert, assertEquals } from "@std/assert";

const top = new URL("../../", import.meta.url);
/** Rooms by floor; what is not in a room is on the broker's. */
const FLOORS: Readonly<Record<string, number>> = {
  platform: 0,
  supervisor: 1,
  protocol: 1,
  log: 1,
  config: 2,
  connection: 2,
  interest: 2,
  account: 3,
  auth: 3,
  client: 4,
  cluster: 4,
  monitor: 4,
  command: 6,
  nats: 6,
};
const BROKERS_FLOOR = 5;
/** What only the room `platform` may use. */
const OUTSIDE =
  /\b(?:Deno\.|Date\.now|Math\.random|performance\.now|getRandomValues|setTimeout|setInterval)/;

interface SourceFile {
  /** From the top, such as `src/auth/jwt.ts`. */
  readonly path: string;
  /** Without comments. */
  readonly code: string;
}

async function* sources(folder = "src/"): AsyncGenerator<SourceFile> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, top))) {
    const path = folder + name;
    if (isDirectory) yield* sources(`${path}/`);
    else if (name.endsWith(".ts")) {
      const text = await Deno.readTextFile(new URL(path, top));
      yield { path, code: text.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "") };
    }
  }
}

/** The files of this project that a file imports, from the top. */
function importsOf({ path, code }: SourceFile): string[] {
  return [
    ...code.matchAll(/^(?:import|export|\}) [^;]*?"(\.[^"]+)";/gm),
    ...code.matchAll(/^import "(\.[^"]+)";/gm),
  ]
    .map(([, specifier]) => new URL(specifier!, new URL(path, top)).href.slice(top.href.length));
}

function roomOf(path: string): string | null {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? null;
}

function floorOf(path: string): number {
  const room = roomOf(path);
  if (room === null) return BROKERS_FLOOR;
  assert(room in FLOORS, `${room} has no floor`);
  return FLOORS[room]!;
}

Deno.test("rooms import only from the floors below, by the other room's mod.ts", async () => {
  const wrong: string[] = [];
  let imports = 0;
  for await (const file of sources()) {
    for (const other of importsOf(file)) {
      imports++;
      const room = roomOf(other);
      if (room === roomOf(file.path)) continue;
      const isBelow = floorOf(other) < floorOf(file.path);
      if (!isBelow || (room !== null && !other.endsWith("/mod.ts"))) {
        wrong.push(`${file.path} imports ${other}`);
      }
    }
  }
  assertEquals(wrong, []);
  assert(imports > 1000, "the imports are found at all");
});

Deno.test("the outside world is reached by the room platform alone", async () => {
  const wrong: string[] = [];
  for await (const { path, code } of sources()) {
    if (roomOf(path) !== "platform" && OUTSIDE.test(code)) wrong.push(path);
  }
  assertEquals(wrong, []);
});
