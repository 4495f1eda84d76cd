/**
 * Whether exports and imports of accounts go together.
 *
 * @module
 */
import {
  destinationPattern,
  hasWildcard,
  numberWildcards,
  SubjectTransform,
  TransformError,
} from "../protocol/mod.ts";
import type { ExportDefinition, ImportDefinition, ImportSource } from "./account_definition.ts";
import { hasNoSystem } from "./accounts_section.ts";
import type { Report, Rule } from "./fields.ts";
import { importCycles, type ImportEdge, type ImportKind } from "./import_cycles.ts";
import type { Path } from "./problem.ts";
import { SubjectTree } from "./subject_tree.ts";

/** What of an account the rules here compare. */
export interface ExchangingAccount {
  /** What others may have. */
  readonly exports?: readonly ExportDefinition[] | undefined;
  /** What it has of others. */
  readonly imports?: readonly ImportDefinition[] | undefined;
}

/** The settings that {@link exchangesFit} compares. */
export interface Exchanges {
  /** Accounts by name. */
  readonly accounts?: Readonly<Record<string, ExchangingAccount>> | undefined;
  /** The account of the system, where it is named. */
  readonly system_account?: string | undefined;
  /** Whether there may be no account of the system. */
  readonly no_system_account?: boolean;
}

/** An export, ready to be asked for. */
interface Export {
  readonly subject: string;
  readonly index: number;
  /** The accounts that may import it; everybody may where it is null. */
  readonly permitted: ReadonlySet<string> | null;
  /** See {@link ExportDefinition.account_token_position}. */
  readonly position: number | undefined;
}

/** What an account exports, by kind. */
type Offer = Readonly<Record<ImportKind, SubjectTree<Export>>>;

/** Every import is of something that is exported, to this account, and leads nowhere back. */
export const exchangesFit: Rule<Exchanges> = (values, report) => {
  const { accounts = {} } = values;
  const systemless = hasNoSystem(values);
  const offers = new Map<string, Offer>();
  for (const [name, { exports }] of Object.entries(accounts)) {
    if (exports === undefined) continue;
    const path = ["accounts", name, "exports"];
    offers.set(name, offerOf(exports, path, report, accounts));
    checkLatencies(exports, path, report, offers.get(name), systemless);
  }
  const places = new Map<ImportEdge, Path>();
  const edges: Record<ImportKind, ImportEdge[]> = { stream: [], service: [] };
  for (const [importer, { imports = [] }] of Object.entries(accounts)) {
    const seen = new Map<string, number>();
    for (const [index, one] of imports.entries()) {
      const path = ["accounts", importer, "imports", index];
      const kind = one.service === undefined ? "stream" : "service";
      const source = one[kind];
      if (source === undefined) continue;
      const { account: exporter, subject: remote } = source;
      if (!isOffered(source, kind, importer, path, report, accounts, offers)) continue;
      const local = localSubject(one, remote, path, report);
      if (local === undefined || !isNew(kind, source, local, seen, path, report)) continue;
      const edge = { importer, exporter, remote, local };
      edges[kind].push(edge);
      places.set(edge, path);
    }
  }
  const exportsStream = (account: string, subject: string) =>
    [...offers.get(account)?.stream.covering(subject) ?? []].length > 0;
  for (const kind of ["stream", "service"] as const) {
    for (const [edge, way] of importCycles(edges[kind], kind, exportsStream)) {
      report([[...places.get(edge) ?? [], kind]], {
        expected: "an import that does not lead back to its account",
        found: way[0] === way.at(-1)
          ? `a circle: ${way.join(" imports from ")}`
          : `imports through ${way.length} accounts`,
      });
    }
  }
};

function offerOf(
  exports: readonly ExportDefinition[],
  path: Path,
  report: Report,
  accounts: object,
): Offer {
  const offer = { stream: new SubjectTree<Export>(), service: new SubjectTree<Export>() };
  for (const [index, one] of exports.entries()) {
    const kind = one.service === undefined ? "stream" : "service";
    const subject = one[kind];
    if (subject === undefined) continue;
    const [first] = offer[kind].at(subject);
    if (first !== undefined) {
      report([[...path, index, kind]], {
        expected: "every subject once",
        found: `${JSON.stringify(subject)}, which exports[${first.index}] is already`,
      });
    }
    one.accounts?.forEach((name, position) => {
      if (Object.hasOwn(accounts, name)) return;
      report([[...path, index, "accounts", position]], {
        expected: "the name of one of accounts",
        found: JSON.stringify(name),
      });
    });
    offer[kind].add(subject, {
      subject,
      index,
      permitted: one.accounts === undefined ? null : new Set(one.accounts),
      position: one.account_token_position,
    });
  }
  return offer;
}

function checkLatencies(
  exports: readonly ExportDefinition[],
  path: Path,
  report: Report,
  offer: Offer | undefined,
  systemless: boolean,
): void {
  for (const [index, { latency }] of exports.entries()) {
    if (latency === undefined) continue;
    const [service] = offer?.service.covering(latency.subject) ?? [];
    if (systemless) {
      report([[...path, index, "latency"], ["no_system_account"]], {
        expected: "an account of the system where services are measured",
        found: "no_system_account",
      });
    } else if (service !== undefined) {
      report([[...path, index, "latency", "subject"]], {
        expected: "a subject that is none of the account's services",
        found: `${JSON.stringify(latency.subject)}, which is of exports[${service.index}]`,
      });
    }
  }
}

/** Whether `importer` may have what it imports. */
function isOffered(
  { account: exporter, subject }: ImportSource,
  kind: ImportKind,
  importer: string,
  path: Path,
  report: Report,
  accounts: object,
  offers: ReadonlyMap<string, Offer>,
): boolean {
  if (!Object.hasOwn(accounts, exporter)) {
    report([[...path, kind, "account"]], {
      expected: "the name of one of accounts",
      found: JSON.stringify(exporter),
    });
    return false;
  }
  const offer = offers.get(exporter);
  const exact = offer?.[kind].at(subject) ?? [];
  const candidates = exact.length > 0 ? exact : [...offer?.[kind].covering(subject) ?? []];
  const tokens = subject.split(".");
  if (
    candidates.some(({ permitted, position }) =>
      position !== undefined
        ? tokens[position - 1] === importer
        : permitted === null || permitted.has(importer)
    )
  ) return true;
  const [first] = candidates;
  const noun = `a ${kind}`;
  report([[...path, kind, "subject"]], {
    expected: `a subject that ${exporter} exports as ${noun} to ${importer}`,
    found: JSON.stringify(subject),
    hint: first === undefined
      ? hintOnOffer(subject, kind, exporter, offer)
      : first.position !== undefined
      ? `token ${first.position} must be the name of the importing account`
      : `exports[${first.index}] of ${exporter} is for others`,
  });
  return false;
}

function hintOnOffer(
  subject: string,
  kind: ImportKind,
  exporter: string,
  offer: Offer | undefined,
): string | undefined {
  const other = kind === "stream" ? "service" : "stream";
  for (const part of offer?.[kind].colliding(subject) ?? []) {
    return `${exporter} exports ${part.subject}, which is less`;
  }
  for (const part of offer?.[other].covering(subject) ?? []) {
    return `${exporter} exports ${part.subject} as a ${other}`;
  }
  return undefined;
}

/** The subject in the importing account as a pattern; `undefined` where there can be none. */
function localSubject(
  { to, prefix, stream, service }: ImportDefinition,
  remote: string,
  path: Path,
  report: Report,
): string | undefined {
  const local = prefix === undefined ? to ?? remote : `${prefix}.${remote}`;
  if (local === remote || !hasWildcard(remote)) return local;
  try {
    SubjectTransform.compile(remote, numberWildcards(local), "import");
    return destinationPattern(local);
  } catch (error) {
    if (!(error instanceof TransformError)) throw error;
    report([[...path, prefix === undefined ? "to" : "prefix"]], {
      expected: `a subject that stands for ${(stream ?? service)?.subject}, ` +
        "each of its wildcards once",
      found: JSON.stringify(to ?? prefix),
      hint: error.message,
    });
    return undefined;
  }
}

/** Whether nothing else is imported like that: a stream once, a service in one place once. */
function isNew(
  kind: ImportKind,
  { account, subject }: ImportSource,
  local: string,
  seen: Map<string, number>,
  path: Path,
  report: Report,
): boolean {
  const key = JSON.stringify([kind, account, kind === "stream" ? subject : local]);
  const first = seen.get(key);
  const index = path.at(-1);
  if (first === undefined) {
    if (typeof index === "number") seen.set(key, index);
    return true;
  }
  report([[...path, kind]], {
    expected: kind === "stream"
      ? "every stream of an account once"
      : "one service of an account for every subject",
    found: kind === "stream"
      ? `${subject} of ${account}, which imports[${first}] is already`
      : `${local} again, which imports[${first}] is already`,
  });
  return false;
}
