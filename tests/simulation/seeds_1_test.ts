import { simulatePart } from "./seeds.ts";

Deno.test("whole clusters keep their promises through all faults, part 1", () => simulatePart(1));
