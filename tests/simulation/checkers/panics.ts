/**
 * No broker panics, whatever happens.
 *
 * @module
 */
import { Violation } from "../violation.ts";
import type { Checked, Checker } from "./checker.ts";

/** See the module. */
export function panicsChecker({ nodes }: Checked): Checker {
  return {
    look: () => {
      for (const node of nodes) {
        if (node.state === "down" || node.broker.statistics.panics === 0) continue;
        const lines = node.log.filter((line) => /panic|stray/i.test(line));
        throw new Violation("panics", `${node.name}: ${lines.join("\n")}`);
      }
    },
  };
}
