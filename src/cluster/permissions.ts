/**
 * Which interest passes between servers.
 *
 * @module
 */
import { type SubjectFilter, subjectMatches } from "../protocol/mod.ts";

/**
 * Whether a filter lets a subscription's subject pass. Its wildcards count as ordinary tokens: a `>`
 * passes only where all may, as nats-server has it.
 */
export function passes(filter: SubjectFilter | null, subject: string): boolean {
  if (filter === null) return true;
  const { allow, deny } = filter;
  const matches = (pattern: string) => subjectMatches(pattern, subject);
  if (allow !== undefined && !allow.some(matches)) return false;
  return deny === undefined || !deny.some(matches);
}
