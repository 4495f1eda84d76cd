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

const known = new Map<string, boolean>();

/** Whether a subscription's subject matches the subject of a message. */
export function subjectMatches(pattern: string, subject: string): boolean {
  if (pattern === subject) return true;
  if (!pattern.includes("*") && !pattern.includes(">")) return false;
  const key = `${pattern} ${subject}`, remembered = known.get(key);
  if (remembered !== undefined) return remembered;
  const matches = matchTokens(pattern.split("."), subject.split("."));
  known.set(key, matches);
  return matches;
}

function matchTokens(pattern: readonly string[], subject: readonly string[]): boolean {
  for (const [index, token] of pattern.entries()) {
    if (token === ">") return subject.length > index;
    if (index >= subject.length || (token !== "*" && token !== subject[index])) return false;
  }
  return pattern.length === subject.length;
}
