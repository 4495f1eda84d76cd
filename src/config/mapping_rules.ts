/**
 * Whether subjects can be mapped as they are asked to be.
 *
 * @module
 */
import { SubjectTransform, TransformError } from "../protocol/mod.ts";
import type { MappingDestination } from "./account_definition.ts";
import type { Report, Rule } from "./fields.ts";
import type { Path } from "./problem.ts";
import { isSubject } from "./text_kinds.ts";

/** Mappings by the subject that they are for. */
type Mappings = Readonly<Record<string, readonly MappingDestination[]>>;

/** The settings that {@link mappingsFit} compares. */
interface MappedAccounts {
  readonly mappings?: Mappings | undefined;
  readonly accounts?:
    | Readonly<Record<string, { readonly mappings?: Mappings | undefined }>>
    | undefined;
}

/** Every destination can be made of its subject, and no message goes to more than one. */
export const mappingsFit: Rule<MappedAccounts> = ({ mappings, accounts = {} }, report) => {
  if (mappings !== undefined) checkMappings(mappings, ["mappings"], report);
  for (const [name, account] of Object.entries(accounts)) {
    if (account.mappings === undefined) continue;
    checkMappings(account.mappings, ["accounts", name, "mappings"], report);
  }
};

function checkMappings(mappings: Mappings, path: Path, report: Report): void {
  for (const [source, destinations] of Object.entries(mappings)) {
    const here = [...path, source];
    if (!isSubject(source)) {
      report([here], { expected: "a subject as the key", found: JSON.stringify(source) });
      continue;
    }
    const total = new Map<string | undefined, number>(), seen = new Set<string>();
    for (const [index, { destination, weight = 100, cluster }] of destinations.entries()) {
      checkDestination(source, destination, [...here, index, "destination"], report);
      if (seen.has(destination)) {
        report([[...here, index, "destination"]], {
          expected: "every destination once",
          found: `${JSON.stringify(destination)} again`,
        });
      }
      seen.add(destination);
      const before = total.get(cluster) ?? 0;
      total.set(cluster, before + weight);
      if (before > 100 || before + weight <= 100) continue;
      report([[...here, index, "weight"]], {
        expected: "weights of no more than 100 together",
        found: `${before + weight}${cluster === undefined ? "" : ` in cluster ${cluster}`}`,
      });
    }
  }
}

function checkDestination(source: string, destination: string, path: Path, report: Report): void {
  try {
    SubjectTransform.compile(source, destination, "mapping");
  } catch (error) {
    if (!(error instanceof TransformError)) throw error;
    report([path], {
      expected: `a subject that ${source} can be mapped to`,
      found: JSON.stringify(destination),
      hint: error.message,
    });
  }
}
