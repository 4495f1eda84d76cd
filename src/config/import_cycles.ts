/**
 * Imports that lead back to where they began: a request, or a message, would go round for ever.
 *
 * @module
 */
import { subjectCovers } from "../protocol/mod.ts";
import { SubjectTree } from "./subject_tree.ts";

/** What is imported. */
export type ImportKind = "stream" | "service";

/** One import. */
export interface ImportEdge {
  /** Name of the importing account. */
  readonly importer: string;
  /** Name of the exporting account. */
  readonly exporter: string;
  /** Subject in the exporting account. */
  readonly remote: string;
  /** Subject in the importing account, with wildcards in the place of references to them. */
  readonly local: string;
}

/** Through how many accounts a way is followed: nats-server's limit. */
const LONGEST_WAY = 1024;

/**
 * For every import that closes a circle, the accounts along it, the importer first and last. The
 * imports before it count, and those after it do not, so that one of them is told and not all. As in
 * nats-server, a circle is one in which subjects overlap, whether or not a message would pass it.
 *
 * @param exports Whether an account exports a stream that covers a subject.
 */
export function importCycles(
  edges: readonly ImportEdge[],
  kind: ImportKind,
  exports: (account: string, subject: string) => boolean,
): ReadonlyMap<ImportEdge, readonly string[]> {
  const found = new Map<ImportEdge, readonly string[]>();
  const groups = groupsOf(edges);
  const imports = new Map<string, SubjectTree<ImportEdge>>();
  for (const edge of edges) {
    const { importer, exporter, local, remote } = edge;
    // What leads out of its group of accounts does not come back.
    if (groups.get(importer) !== groups.get(exporter)) continue;
    const subjects = kind === "service" ? [local] : [...new Set([local, remote])];
    const way = subjects.map((subject) => wayBack(importer, exporter, subject))
      .find((one) => one !== undefined);
    if (way !== undefined) {
      found.set(edge, way);
      continue;
    }
    const tree = imports.get(importer) ?? new SubjectTree();
    imports.set(importer, tree);
    tree.add(kind === "service" ? remote : local, edge);
  }
  return found;

  function wayBack(from: string, to: string, subject: string): readonly string[] | undefined {
    const visited = new Set([from]), seen = new Set<string>();
    return follow(to, subject, visited, seen);
  }

  function follow(
    account: string,
    subject: string,
    visited: Set<string>,
    seen: Set<string>,
  ): readonly string[] | undefined {
    if (visited.size >= LONGEST_WAY) return [...visited];
    const key = JSON.stringify([account, subject]);
    if (seen.has(key) || (kind === "stream" && !exports(account, subject))) return undefined;
    seen.add(key);
    for (const edge of imports.get(account)?.colliding(subject) ?? []) {
      if (visited.has(edge.exporter)) return [...visited, account, edge.exporter];
      const isNew = !visited.has(account);
      visited.add(account);
      const next = subjectCovers(subject, edge.local) ? edge.local : subject;
      const way = follow(edge.exporter, next, visited, seen);
      if (way !== undefined) return way;
      if (isNew) visited.delete(account);
    }
    return undefined;
  }
}

/**
 * The group of every account that imports: accounts in different groups have no way to each other and
 * back. (Tarjan's strongly connected components, without recursion.)
 */
function groupsOf(edges: readonly ImportEdge[]): ReadonlyMap<string, number> {
  const exporters = new Map<string, string[]>();
  for (const { importer, exporter } of edges) {
    const known = exporters.get(importer);
    if (known === undefined) exporters.set(importer, [exporter]);
    else known.push(exporter);
  }
  const groups = new Map<string, number>();
  const order = new Map<string, number>(), lowest = new Map<string, number>();
  const open: string[] = [];
  const lower = (name: string, value: number | undefined) =>
    lowest.set(name, Math.min(lowest.get(name) ?? Infinity, value ?? Infinity));
  for (const start of exporters.keys()) {
    if (order.has(start)) continue;
    const work: { readonly name: string; next: number }[] = [];
    const enter = (name: string) => {
      order.set(name, order.size);
      lower(name, order.get(name));
      open.push(name);
      work.push({ name, next: 0 });
    };
    enter(start);
    for (let top = work.at(-1); top !== undefined; top = work.at(-1)) {
      const next = exporters.get(top.name)?.[top.next++];
      if (next !== undefined) {
        if (!order.has(next)) enter(next);
        else if (!groups.has(next)) lower(top.name, order.get(next));
        continue;
      }
      work.pop();
      const above = work.at(-1);
      if (above !== undefined) lower(above.name, lowest.get(top.name));
      if (lowest.get(top.name) !== order.get(top.name)) continue;
      const group = groups.size;
      for (let name = open.pop(); name !== undefined; name = open.pop()) {
        groups.set(name, group);
        if (name === top.name) break;
      }
    }
  }
  return groups;
}
