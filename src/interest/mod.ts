/**
 * Who wants which subject: subscriptions, queue groups, and the cache of what they come to.
 *
 * @module
 */
export type { Interested } from "./audience.ts";
export * from "./interest.ts";
export { Match } from "./match.ts";
export { MatchedGroup, type Members } from "./queue_group.ts";
export * from "./subject_verdicts.ts";
