/**
 * The entries of a list of permissions.
 *
 * @module
 */
import { Interest } from "../interest/mod.ts";
import {
  encodeByteString,
  hasWildcard,
  isValidSubscriptionSubject,
  subjectCovers,
  subjectMatches,
  subjectMatchesBytes,
} from "../protocol/mod.ts";

/** The lists that permissions are made of. */
export type PermissionList =
  | "publish.allow"
  | "publish.deny"
  | "subscribe.allow"
  | "subscribe.deny"
  | "allow_responses";

/** One entry of a list. */
export interface PermissionRule {
  /** The list it stands in. */
  readonly list: PermissionList;
  /** The entry as it was written. */
  readonly entry: string;
  /** Its subject, possibly with wildcards, as a byte string. */
  readonly subject: string;
  /** The queue group it is about, possibly with wildcards, as a byte string; null for all. */
  readonly group: string | null;
}

/** Up to so many patterns are compared one by one; with more it is quicker to ask a trie. */
const COMPARED_RULES = 24;

/** A pattern in a trie. */
interface IndexedRule {
  readonly subject: string;
  readonly queue: null;
  readonly rule: PermissionRule;
}

/** Rules to be found by subject. */
export class RuleSet {
  /** The rules, in their order. */
  readonly rules: readonly PermissionRule[];
  readonly #index: Interest<IndexedRule> | null;

  /** Takes rules with valid subjects. */
  constructor(rules: readonly PermissionRule[]) {
    this.rules = rules;
    this.#index = rules.length > COMPARED_RULES ? new Interest({ cacheEntries: 4 }) : null;
    for (const rule of rules) {
      this.#index?.insert({ subject: rule.subject, queue: null, rule });
    }
  }

  /** Whether a rule is about the literal subject that the bytes spell; `hash` is its `hashSubject`. */
  matches(bytes: Uint8Array, start: number, end: number, hash: number): boolean {
    if (this.#index !== null) return !this.#index.match(bytes, start, end, hash).empty;
    for (const rule of this.rules) {
      if (subjectMatchesBytes(rule.subject, 0, bytes, start, end)) return true;
    }
    return false;
  }

  /**
   * The rules about `subject`, a byte string, in their order. Wildcards in it are ordinary tokens:
   * that is how nats-server looks up what somebody wants to subscribe to.
   */
  about(subject: string): PermissionRule[] {
    if (this.#index === null) {
      return this.rules.filter((rule) => subjectMatches(rule.subject, subject));
    }
    const found = this.#index.matchString(subject).plain.map(({ rule }) => rule);
    return found.length < 2 ? found : found.sort((a, b) => this.#order(a) - this.#order(b));
  }

  #order(rule: PermissionRule): number {
    return this.rules.indexOf(rule);
  }
}

/** A list of permissions, read. */
export interface RuleLists {
  /** The rules without a queue group. */
  readonly plain: RuleSet;
  /** The rules about a queue group. */
  readonly grouped: RuleSet;
  /** All of them, in the list's order. */
  readonly all: readonly PermissionRule[];
}

/**
 * Reads the entries of a list. An entry of two words is a subject and a queue group where `list` is
 * about subscriptions. What is no valid entry allows nothing; as a rule that denies publishing it
 * counts for its first word at least, as in nats-server.
 */
export function readRules(list: PermissionList, entries: readonly string[]): RuleLists {
  const all: PermissionRule[] = [];
  for (const entry of entries) {
    const [first, second, ...rest] = encodeByteString(entry).split(/[ \t\r\n\v\f]+/).filter(
      Boolean,
    );
    if (first === undefined || rest.length > 0 || !isValidSubscriptionSubject(first)) continue;
    if (second !== undefined) {
      if (list === "publish.allow" || !isValidSubscriptionSubject(second)) continue;
    }
    const group = list === "publish.deny" ? null : second ?? null;
    all.push({ list, entry, subject: first, group });
  }
  return {
    plain: new RuleSet(all.filter(({ group }) => group === null)),
    grouped: new RuleSet(all.filter(({ group }) => group !== null)),
    all,
  };
}

/** Whether a rule about queue groups is about the group `queue`, a byte string. */
export function isAboutGroup(rule: PermissionRule, queue: string): boolean {
  const group = rule.group!;
  // Wildcards are valid names of groups as well, and then mean themselves, too.
  return group === queue ||
    hasWildcard(group) && isValidSubscriptionSubject(queue) && subjectCovers(group, queue);
}
