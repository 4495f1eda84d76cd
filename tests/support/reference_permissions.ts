/**
 * Permissions by the book: every question is answered from the settings, token by token.
 *
 * @module
 */
import type { PermissionSettings } from "../../src/config/mod.ts";

type Entry = { subject: string; queue: string | null };

/** The rules of nats-server 2.15.1, for entries of ASCII that are valid. */
export class ReferencePermissions {
  readonly #settings: PermissionSettings;

  /** Reads nothing before it is asked. */
  constructor(settings: PermissionSettings) {
    this.#settings = settings;
  }

  /** Whether a subscription to `pattern` gets `subject`, whose wildcards are tokens like others. */
  matches(pattern: string, subject: string): boolean {
    const wanted = pattern.split("."), tokens = subject.split(".");
    if (tokens.includes("")) return false;
    if (wanted.at(-1) === ">") {
      if (tokens.length < wanted.length) return false;
      wanted.pop();
    } else if (tokens.length !== wanted.length) return false;
    return wanted.every((want, i) => want === "*" || want === tokens[i]);
  }

  /** Whether `pattern` gets all that `subject` gets. */
  covers(pattern: string, subject: string): boolean {
    if (subject.endsWith(">") && !pattern.endsWith(">")) return false;
    return this.matches(pattern, subject);
  }

  /** Whether `subject` may be published to. */
  mayPublish(subject: string): boolean {
    const { publish, allow_responses } = this.#settings;
    const allow = publish?.allow ?? [], deny = publish?.deny ?? [];
    const isListed = allow.length > 0 || allow_responses !== undefined;
    return (!isListed || allow.some((pattern) => this.matches(pattern, subject))) &&
      !deny.some((pattern) => this.matches(pattern, subject));
  }

  /** Whether `subject` may be subscribed to. */
  maySubscribe(subject: string, queue: string | null): boolean {
    const about = ({ subject: pattern }: Entry) => this.matches(pattern, subject);
    const allow = this.#entries("allow"), found = allow.filter(about);
    const grouped = queue === null ? [] : found.filter((entry) => entry.queue !== null);
    const allowed = allow.length === 0 ||
      (grouped.length > 0
        ? grouped.some((entry) => this.#isAboutGroup(entry, queue!))
        : found.some((entry) => entry.queue === null));
    return allowed &&
      !this.#entries("deny").filter(about).some((entry) => this.#isFor(entry, queue));
  }

  /** Whether an allowed subscription to `pattern` gets `subject`, which it matches. */
  gets(pattern: string, queue: string | null, subject: string): boolean {
    if (!/(^|\.)[*>](\.|$)/.test(pattern)) return true;
    const denied = this.#entries("deny").some((entry) =>
      this.#isFor(entry, queue) && this.matches(entry.subject, subject)
    );
    const allow = this.#entries("allow").filter((entry) => this.#isFor(entry, queue));
    const covered = this.#entries("allow").length === 0 ||
      allow.some((entry) => this.covers(entry.subject, pattern));
    return !denied && (covered || allow.some((entry) => this.matches(entry.subject, subject)));
  }

  #entries(list: "allow" | "deny"): Entry[] {
    return (this.#settings.subscribe?.[list] ?? []).map((entry) => {
      const [subject, queue] = entry.split(" ");
      return { subject: subject!, queue: queue ?? null };
    });
  }

  #isFor(entry: Entry, queue: string | null): boolean {
    return entry.queue === null || queue !== null && this.#isAboutGroup(entry, queue);
  }

  #isAboutGroup(entry: Entry, queue: string): boolean {
    return entry.queue === queue ||
      /[*>]/.test(entry.queue!) && this.covers(entry.queue!, queue);
  }
}
