/**
 * The subjects of a simulation: few, so that they meet.
 *
 * @module
 */

/** What is published to. */
export const SUBJECTS: readonly string[] = [
  "a.x",
  "a.y",
  "b.x",
  "b.y",
  "c",
  "d.e.f",
  "d.e.g",
  "lonely",
];

/** What is subscribed to. */
export const PATTERNS: readonly string[] = [
  ...SUBJECTS,
  "a.*",
  "*.x",
  "b.>",
  "d.*.f",
  "d.>",
  "*",
];

/** The queue groups. */
export const QUEUES: readonly string[] = ["q", "r"];

/** What is known of each pattern already, by subject. */
const known = new Map<string, Map<string, boolean>>();

/** Whether a subscription's subject matches the subject of a message. */
export function subjectMatches(pattern: string, subject: string): boolean {
  if (pattern === subject) return true;
  if (pattern[0] === "_" && !subject.startsWith(pattern.slice(0, -1))) return false;
  let ofPattern = known.get(pattern);
  if (ofPattern === undefined) known.set(pattern, ofPattern = new Map());
  const remembered = ofPattern.get(subject);
  if (remembered !== undefined) return remembered;
  const matches = matchTokens(pattern.split("."), subject.split("."));
  // Inboxes are of one run; those of thousands would be too many.
  if (!subject.startsWith("_")) ofPattern.set(subject, matches);
  return matches;
}

function matchTokens(pattern: readonly string[], subject: readonly string[]): boolean {
  for (const [index, token] of pattern.entries()) {
    if (token === ">") return subject.length > index;
    if (index >= subject.length || (token !== "*" && token !== subject[index])) return false;
  }
  return pattern.length === subject.length;
}
