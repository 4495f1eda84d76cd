/**
 * Subjects as claims have them.
 *
 * @module
 */

/** What is wrong with a subject, in words; null when nothing is. */
export function subjectProblem(subject: string): string | null {
  const named = JSON.stringify(subject);
  if (subject === "") return "a subject is empty";
  if (subject.includes(" ")) return `the subject ${named} has spaces`;
  if (subject.startsWith(".") || subject.endsWith(".") || subject.includes("..")) {
    return `the subject ${named} has an empty token`;
  }
  return null;
}

/** What is wrong with an entry of permissions: a subject, for subscriptions also with a queue group. */
export function permissionProblem(entry: string, mayHaveQueue: boolean): string | null {
  const parts = entry.split(" ");
  if (parts.length > 2) return `the permission ${JSON.stringify(entry)} has too many spaces`;
  if (parts.length === 2 && !mayHaveQueue) {
    return `the permission ${JSON.stringify(entry)} may not have a queue group`;
  }
  return parts.map(subjectProblem).find((problem) => problem !== null) ?? null;
}

/**
 * Whether everything that `narrow` can be is covered by `wide`, as tools that make tokens see it: a `>` at
 * the end of `narrow` is a token like any other, which `*` covers. Who may import goes by `subjectCovers`.
 */
export function isContained(narrow: string, wide: string): boolean {
  const inner = narrow.split("."), outer = wide.split(".");
  if (inner.length < outer.length) return false;
  if (inner.length > outer.length && outer.at(-1) !== ">") return false;
  return outer.every((token, index) =>
    token === "*" || token === inner[index] || (token === ">" && index === outer.length - 1)
  );
}

/** The subject of an import's own side with every `$1` as `*`, as others see it. */
export function withoutReferences(subject: string): string {
  return subject.split(".").map((token) => /^\$\d+$/.test(token) ? "*" : token).join(".");
}

/** What is wrong with the own side of an import of `source`. */
export function renamingProblem(local: string, source: string): string | null {
  const problem = subjectProblem(local);
  if (problem !== null) return problem;
  const endsOpen = (subject: string) => subject === ">" || subject.endsWith(".>");
  const named = JSON.stringify(local);
  if (endsOpen(local) !== endsOpen(source)) {
    return `${named} and ${JSON.stringify(source)} must both end in > or neither`;
  }
  const wildcards = source.split(".").filter((token) => token === "*").length;
  let used = 0;
  for (const token of local.split(".")) {
    const reference = /^\$(\d+)$/.exec(token);
    if (reference !== null && Number(reference[1]) > wildcards) {
      return `${named} refers to ${token}, which ${JSON.stringify(source)} does not have`;
    }
    if (reference !== null || token === "*") used++;
  }
  return used === wildcards ? null : `${named} does not use every * of ${JSON.stringify(source)}`;
}
