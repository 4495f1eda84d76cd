/**
 * Why a client may publish or subscribe, or may not.
 *
 * @module
 */
import {
  decodeByteString,
  subjectCovers,
  subjectMatches,
  subjectsOverlap,
} from "../protocol/mod.ts";
import { isAboutGroup, type PermissionList, type PermissionRule } from "./permission_rules.ts";
import type { Permissions } from "./permissions.ts";

/** An entry that has to do with a decision, as it was written. */
export interface NamedRule {
  /** The list it stands in. */
  readonly list: PermissionList;
  /** The entry; null for the list as a whole, because none of its entries matches. */
  readonly entry: string | null;
}

/** An entry that would have allowed what was refused, but for a difference. */
export interface NearestRule extends NamedRule {
  /** In words, why it did not. */
  readonly difference: string;
}

/** A decision, and where it comes from. */
export interface Explanation {
  /** Whether it is allowed. */
  readonly allowed: boolean;
  /** What made the decision; null when no rule says anything about it, and all of that is allowed. */
  readonly rule: NamedRule | null;
  /** The decision in words. */
  readonly reason: string;
  /** If it is refused: what comes nearest to allowing it; null when nothing does. */
  readonly nearest: NearestRule | null;
  /** Entries that hold back some of what an allowed subscription would get. */
  readonly heldBack: readonly NamedRule[];
  /** What holds besides, in words; null when there is nothing to say. */
  readonly note: string | null;
}

/** The explanation where there are no permissions. */
export const UNRESTRICTED: Explanation = {
  allowed: true,
  rule: null,
  reason: "no rule restricts it",
  nearest: null,
  heldBack: [],
  note: null,
};

/** Why `subject` (a byte string) may be published to, or not. */
export function explainPublish(permissions: Permissions, subject: string): Explanation {
  const { publishAllow, publishDeny, responses } = permissions;
  const allowing = publishAllow?.plain.about(subject)[0];
  const denying = publishDeny.plain.about(subject)[0];
  const note = responses === null
    ? null
    : `it may also publish ${
      responses.max < 0 ? "any number of messages" : `up to ${count(responses.max, "message")}`
    } to the reply subject of a message it receives${
      responses.expires < 0 ? "" : `, within ${responses.expires} ms`
    }`;
  if (denying !== undefined && (publishAllow === null || allowing !== undefined)) {
    return refusal(denying, allowing === undefined ? null : butFor(allowing, denying), note);
  }
  if (publishAllow === null) return permission(null, "no rule restricts it", [], null);
  if (allowing !== undefined) {
    return permission(name(allowing), `${ruleLabel(name(allowing))} matches it`, [], null);
  }
  if (publishAllow.all.length === 0) {
    return {
      allowed: false,
      rule: { list: responses === null ? "publish.allow" : "allow_responses", entry: null },
      reason: responses === null
        ? "publish.allow has no valid entry"
        : "allow_responses without publish.allow leaves nothing to publish but answers",
      nearest: null,
      heldBack: [],
      note,
    };
  }
  return {
    ...noneMatches("publish.allow"),
    nearest: nearestTo(subject, publishAllow.plain.rules, null),
    note,
  };
}

/** Why `subject` may be subscribed to, or not; both are byte strings. */
export function explainSubscribe(
  permissions: Permissions,
  subject: string,
  queue: string | null,
): Explanation {
  const { subscribeAllow, subscribeDeny } = permissions;
  let allowing: PermissionRule | undefined;
  if (subscribeAllow !== null) {
    const plain = subscribeAllow.plain.about(subject);
    const grouped = queue === null ? [] : subscribeAllow.grouped.about(subject);
    allowing = grouped.length > 0 ? grouped.find((rule) => isAboutGroup(rule, queue!)) : plain[0];
    if (allowing === undefined) {
      return {
        ...noneMatches("subscribe.allow"),
        nearest: nearestTo(subject, subscribeAllow.all, queue),
      };
    }
  }
  const denying = subscribeDeny.plain.about(subject)[0] ??
    (queue === null
      ? undefined
      : subscribeDeny.grouped.about(subject).find((rule) => isAboutGroup(rule, queue)));
  if (denying !== undefined) {
    return refusal(denying, allowing === undefined ? null : butFor(allowing, denying), null);
  }
  const held = permissions.deliveryFilter(subject, queue) === null
    ? []
    : subscribeDeny.all.filter((rule) =>
      (rule.group === null || queue !== null && isAboutGroup(rule, queue)) &&
      subjectsOverlap(rule.subject, subject)
    );
  if (allowing === undefined) return permission(null, "no rule restricts it", held, null);
  const covered = subscribeAllow!.all.some((rule) =>
    (rule.group === null || queue !== null && isAboutGroup(rule, queue)) &&
    subjectCovers(rule.subject, subject)
  );
  return permission(
    name(allowing),
    `${ruleLabel(name(allowing))} matches it`,
    held,
    covered
      ? null
      : "it is wider than what is allowed: messages that no entry allows are held back",
  );
}

function permission(
  rule: NamedRule | null,
  reason: string,
  held: readonly PermissionRule[],
  note: string | null,
): Explanation {
  return { allowed: true, rule, reason, nearest: null, heldBack: held.map(name), note };
}

function refusal(
  denying: PermissionRule,
  nearest: NearestRule | null,
  note: string | null,
): Explanation {
  const reason = `${ruleLabel(name(denying))} matches it`;
  return { allowed: false, rule: name(denying), reason, nearest, heldBack: [], note };
}

function noneMatches(list: PermissionList): Explanation {
  return {
    allowed: false,
    rule: { list, entry: null },
    reason: `no entry of ${list} matches it`,
    nearest: null,
    heldBack: [],
    note: null,
  };
}

function butFor(allowing: PermissionRule, denying: PermissionRule): NearestRule {
  return { ...name(allowing), difference: `${ruleLabel(name(denying))} overrules it` };
}

function name({ list, entry }: PermissionRule): NamedRule {
  return { list, entry };
}

/** A rule as people write it: `publish.allow "a.>"`. */
export function ruleLabel({ list, entry }: NamedRule): string {
  return entry === null ? list : `${list} ${JSON.stringify(entry)}`;
}

/** Of rules none of which allows it the one that agrees with the most tokens. */
function nearestTo(
  subject: string,
  rules: readonly PermissionRule[],
  queue: string | null,
): NearestRule | null {
  let best: PermissionRule | null = null, bestScore = -1;
  for (const rule of rules) {
    const score = similarity(rule.subject, subject);
    if (score > bestScore) [best, bestScore] = [rule, score];
  }
  return best === null ? null : { ...name(best), difference: difference(best, subject, queue) };
}

/** Agreeing tokens count, those at the beginning double; a right number of them decides a tie. */
function similarity(pattern: string, subject: string): number {
  if (subjectMatches(pattern, subject)) return Infinity;
  const wanted = pattern.split("."), tokens = subject.split(".");
  let score = 0, leading = true;
  for (const [i, want] of wanted.entries()) {
    const token = tokens[i];
    const agrees = token !== undefined && (want === ">" || want === "*" || want === token);
    leading &&= agrees;
    // A literal that is the same says more than a wildcard, which agrees with everything.
    if (agrees) score += (leading ? 4 : 2) * (want === token ? 2 : 1);
  }
  return score + Number(wanted.length === tokens.length);
}

function difference(rule: PermissionRule, subject: string, queue: string | null): string {
  if (subjectMatches(rule.subject, subject)) {
    if (rule.group !== null && queue === null) return "it is for a queue group only";
    const shown = rule.group === null ? "none" : text(rule.group);
    return `its queue group is ${shown}`;
  }
  const wanted = rule.subject.split("."), tokens = subject.split(".");
  for (const [i, want] of wanted.entries()) {
    const token = tokens[i];
    if (token === undefined) {
      return `it has ${count(wanted.length, "token")}, the subject ${tokens.length}`;
    }
    if (token === "") return `token ${i + 1} is empty`;
    if (want === ">" || want === "*" || want === token) continue;
    return token === "*" || token === ">"
      ? `token ${i + 1} is the wildcard ${text(token)}, allowed is only ${text(want)}`
      : `token ${i + 1} is ${text(token)} instead of ${text(want)}`;
  }
  return tokens.includes("")
    ? "the subject has an empty token"
    : `it has ${count(wanted.length, "token")}, the subject ${tokens.length}`;
}

function text(bytes: string): string {
  return JSON.stringify(decodeByteString(bytes));
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
