/** The simulation finds what is planted, so what it does not find is probably not there. */
import { assert } from "@std/assert";
import { PLANTED_BUGS } from "./planted/bugs.ts";
import { plant } from "./planted/plant.ts";
import type { PlantedBug } from "./planted/planted_bug.ts";

/** As many as CI simulates. */
const SEEDS = 200;

/** What the simulation says of a copy with a bug in it, up to the first seed that fails. */
async function simulateWith(bug: PlantedBug): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    await plant(bug, folder);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "tests/simulation/simulate.ts", "--seeds", `${SEEDS}`, "--first"],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    return decoder.decode(stdout) + decoder.decode(stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const bug of PLANTED_BUGS) {
  Deno.test(`the simulation finds that ${bug.name}`, async () => {
    const said = await simulateWith(bug);
    const found = /^seed \d+ FAILED: ([a-z ]+): /m.exec(said)?.[1];
    assert(found !== undefined, `nothing found: ${said}`);
    assert(bug.breaks.some((invariant) => invariant === found), `found something else: ${said}`);
  });
}
