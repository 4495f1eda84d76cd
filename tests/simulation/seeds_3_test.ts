import { simulatePart } from "./seeds.ts";

Deno.test("whole clusters keep their promises through all faults, part 3", () => simulatePart(3));
