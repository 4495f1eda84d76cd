/**
 * What a client may publish and subscribe to.
 *
 * @module
 */
import type { PermissionSettings, ResponsePermission } from "../config/mod.ts";
import { SubjectVerdicts } from "../interest/mod.ts";
import { byteString, hasWildcard, subjectCovers, subjectsOverlap } from "../protocol/mod.ts";
import { CompiledPermissions } from "./compiled_permissions.ts";
import { explainPublish, explainSubscribe, type Explanation } from "./permission_explanation.ts";
import {
  isAboutGroup,
  type PermissionRule,
  readRules,
  type RuleLists,
} from "./permission_rules.ts";

/** What of the messages on its subject a subscription does not get. */
export interface DeliveryFilter {
  /**
   * Whether it gets those whose subject the bytes from `start` to `end` spell, and whose
   * `hashSubject` is `hash`. It always says the same of a subject.
   */
  allows(bytes: Uint8Array, start: number, end: number, hash: number): boolean;
}

/** What nats-server takes where nothing is said of how to answer, or 0. */
const DEFAULT_RESPONSES: ResponsePermission = { max: 1, expires: 120_000 };
/** For so many queue groups the filters are kept; others are made for each subscription. */
const KEPT_FILTERS = 64;

/**
 * The permissions of a user: immutable, and shared by all who have the same. They decide as nats-server
 * 2.15 does. What a client asks for is compared with the entries as if its wildcards were ordinary
 * tokens, so that `a.>` is let through by `a.*`; what it then gets that no entry allows is held back by
 * the filter of deliveries, which nats-server does not do.
 */
export class Permissions {
  /** Whether some subjects must not be published to; false when that needs no check. */
  readonly publishes: boolean;
  /** How it may answer what it is asked; null when it may not beyond what it may publish. */
  readonly responses: ResponsePermission | null;
  /** Entries of `publish.allow`; null when all is allowed but what is denied. */
  readonly publishAllow: RuleLists | null;
  /** Entries of `publish.deny`. */
  readonly publishDeny: RuleLists;
  /** Entries of `subscribe.allow`; null when all is allowed but what is denied. */
  readonly subscribeAllow: RuleLists | null;
  /** Entries of `subscribe.deny`. */
  readonly subscribeDeny: RuleLists;

  readonly #published = new SubjectVerdicts();
  readonly #filters = new Map<string, DeliveryFilter>();

  /** Reads `settings`, which should be checked already. To be had from {@linkcode Permissions.of}. */
  constructor(settings: PermissionSettings) {
    const { publish, subscribe, allow_responses } = settings;
    this.responses = allow_responses === undefined ? null : {
      max: allow_responses.max || DEFAULT_RESPONSES.max,
      expires: allow_responses.expires || DEFAULT_RESPONSES.expires,
    };
    this.publishAllow = publish?.allow?.length || this.responses !== null
      ? readRules("publish.allow", publish?.allow ?? [])
      : null;
    this.publishDeny = readRules("publish.deny", publish?.deny ?? []);
    this.subscribeAllow = subscribe?.allow?.length
      ? readRules("subscribe.allow", subscribe.allow)
      : null;
    this.subscribeDeny = readRules("subscribe.deny", subscribe?.deny ?? []);
    this.publishes = this.publishAllow !== null || this.publishDeny.all.length > 0;
  }

  /** The permissions that `settings` describe; null when they restrict nothing. */
  static of(settings: PermissionSettings | undefined): Permissions | null {
    return settings === undefined ? null : compiled.of(settings);
  }

  /** Whether nothing is restricted at all. */
  get unrestricted(): boolean {
    return !this.publishes && this.subscribeAllow === null && this.subscribeDeny.all.length === 0;
  }

  /**
   * Whether the subject that the bytes from `start` to `end` spell, whose `hashSubject` is `hash`, may
   * be published to. Answers to requests are for {@linkcode AllowedReplies}.
   */
  mayPublish(bytes: Uint8Array, start: number, end: number, hash: number): boolean {
    const known = this.#published.find(bytes, start, end, hash);
    if (known >= 0) return known === 1;
    const verdict = (this.publishAllow === null ||
      this.publishAllow.plain.matches(bytes, start, end, hash)) &&
      !this.publishDeny.plain.matches(bytes, start, end, hash);
    this.#published.keep(bytes, start, end, hash, verdict);
    return verdict;
  }

  /**
   * Whether `subject` may be subscribed to, as a member of the queue group `queue` unless that is null;
   * both are byte strings. A subject that is no valid one is refused where there is a list of allowed
   * ones, and let through otherwise.
   */
  maySubscribe(subject: string, queue: string | null): boolean {
    const { subscribeAllow: allow, subscribeDeny: deny } = this;
    if (allow !== null && !isAllowed(allow, subject, queue)) return false;
    if (deny.plain.about(subject).length > 0) return false;
    return queue === null ||
      !deny.grouped.about(subject).some((rule) => isAboutGroup(rule, queue));
  }

  /**
   * What a subscription that is allowed must not get of what is published to its subject; null when
   * there can be no such message. Both are byte strings.
   */
  deliveryFilter(subject: string, queue: string | null): DeliveryFilter | null {
    // All that a literal subject gets was decided when it was subscribed to.
    if (!hasWildcard(subject)) return null;
    const denying = (
      rule: PermissionRule,
    ) => (rule.group === null || queue !== null && isAboutGroup(rule, queue));
    const held = this.subscribeDeny.all.some((rule) =>
      denying(rule) && subjectsOverlap(rule.subject, subject)
    );
    const covered = this.subscribeAllow === null ||
      this.subscribeAllow.all.some((rule) => denying(rule) && subjectCovers(rule.subject, subject));
    if (!held && covered) return null;
    const grouped = queue !== null &&
      (this.subscribeDeny.grouped.rules.length > 0 ||
        (this.subscribeAllow?.grouped.rules.length ?? 0) > 0);
    // No group's name contains a blank, so that none looks like another key.
    const key = `${covered ? "deny" : "all"}${grouped ? ` ${queue}` : ""}`;
    const kept = this.#filters.get(key);
    if (kept !== undefined) return kept;
    const filter = new RuleFilter(
      covered ? null : this.subscribeAllow,
      this.subscribeDeny,
      grouped ? queue : null,
    );
    if (this.#filters.size < KEPT_FILTERS) this.#filters.set(key, filter);
    return filter;
  }

  /** Why `subject` (a byte string) may be published to, or not. */
  explainPublish(subject: string): Explanation {
    return explainPublish(this, subject);
  }

  /** Why `subject` may be subscribed to, or not; both are byte strings. */
  explainSubscribe(subject: string, queue: string | null): Explanation {
    return explainSubscribe(this, subject, queue);
  }
}

const compiled = new CompiledPermissions((settings) => {
  const permissions = new Permissions(settings);
  return permissions.unrestricted ? null : permissions;
});

/** Whether the list lets somebody subscribe. Entries about groups overrule those that are not. */
function isAllowed(allow: RuleLists, subject: string, queue: string | null): boolean {
  if (queue !== null) {
    const grouped = allow.grouped.about(subject);
    if (grouped.length > 0) return grouped.some((rule) => isAboutGroup(rule, queue));
  }
  return allow.plain.about(subject).length > 0;
}

/** What deny rules, and allow rules that do not cover it, leave of a subscription. */
class RuleFilter implements DeliveryFilter {
  readonly #allow: RuleLists | null;
  readonly #deny: RuleLists;
  readonly #queue: string | null;
  readonly #verdicts = new SubjectVerdicts();

  constructor(allow: RuleLists | null, deny: RuleLists, queue: string | null) {
    this.#allow = allow;
    this.#deny = deny;
    this.#queue = queue;
  }

  allows(bytes: Uint8Array, start: number, end: number, hash: number): boolean {
    const known = this.#verdicts.find(bytes, start, end, hash);
    if (known >= 0) return known === 1;
    const verdict = (this.#allow === null || this.#isIn(this.#allow, bytes, start, end, hash)) &&
      !this.#isIn(this.#deny, bytes, start, end, hash);
    this.#verdicts.keep(bytes, start, end, hash, verdict);
    return verdict;
  }

  #isIn(lists: RuleLists, bytes: Uint8Array, start: number, end: number, hash: number): boolean {
    if (lists.plain.matches(bytes, start, end, hash)) return true;
    const queue = this.#queue;
    return queue !== null && lists.grouped.rules.length > 0 &&
      lists.grouped.about(byteString(bytes, start, end)).some((rule) => isAboutGroup(rule, queue));
  }
}
