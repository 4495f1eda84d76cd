/**
 * The permissions of a signing key, made those of one user: `{{name()}}`, `{{subject()}}`,
 * `{{account-name()}}`, `{{account-subject()}}`, `{{tag(x)}}` and `{{account-tag(x)}}` are filled in.
 *
 * @module
 */
import { isValidSubscriptionSubject } from "../protocol/mod.ts";
import type { SubjectLists, UserSettings } from "./user_settings.ts";

/** What templates are filled with. */
export interface TemplateValues {
  /** Name of the user. */
  readonly name: string;
  /** Public key of the user. */
  readonly subject: string;
  /** Tags of the user. */
  readonly tags: readonly string[];
  /** Name of its account. */
  readonly accountName: string;
  /** Public key of its account. */
  readonly accountSubject: string;
  /** Tags of its account. */
  readonly accountTags: readonly string[];
}

/** A template that cannot be filled in for a user. */
export class TemplateError extends Error {
  /** Always `"TemplateError"`. */
  override readonly name = "TemplateError";
}

/** Most subjects that one list may become: tags multiply. */
export const TEMPLATE_SUBJECTS_MAX = 4096;

/** Stands in for a tag that is missing: nothing with a space is a subject. */
const MISSING = " ";

const placeholder = /\{\{([^}]+)\}\}/g;

/**
 * The settings of a template with its permissions filled in. What may be used and becomes no subject is
 * left out, and where nothing is left of it, nothing may be used; what may not be used must become one.
 *
 * @throws {TemplateError} when a template asks for something else, a denied subject cannot be made, or
 * there would be more than {@linkcode TEMPLATE_SUBJECTS_MAX} subjects.
 */
export function fillTemplate(template: UserSettings, values: TemplateValues): UserSettings {
  return {
    ...template,
    publish: fillLists(template.publish, values),
    subscribe: fillLists(template.subscribe, values),
  };
}

function fillLists({ allow, deny }: SubjectLists, values: TemplateValues): SubjectLists {
  const allowed = fillList(allow, values, false);
  const denied = fillList(deny, values, true);
  const lostAll = allow.length > 0 && allowed.length === 0 && !denied.includes(">");
  return { allow: allowed, deny: lostAll ? [...denied, ">"] : denied };
}

function fillList(
  list: readonly string[],
  values: TemplateValues,
  mustBeSubjects: boolean,
): readonly string[] {
  // As in nats-server a list without templates is not looked at.
  if (!list.some((entry) => entry.search(placeholder) >= 0)) return list;
  const filled: string[] = [];
  for (const entry of list) {
    for (const subject of fillEntry(entry, values, TEMPLATE_SUBJECTS_MAX - filled.length)) {
      if (isValidSubject(subject)) filled.push(subject);
      else if (mustBeSubjects) {
        throw new TemplateError(`the template ${JSON.stringify(entry)} becomes no subject`);
      }
    }
  }
  return filled;
}

/**
 * Every subject that an entry becomes: one for each combination of the tags that it names. What it names
 * twice is the same both times.
 */
function fillEntry(entry: string, values: TemplateValues, most: number): string[] {
  const found = [...entry.matchAll(placeholder)].map(([text, operation]) => ({
    text,
    choices: valuesOf(operation!.trim(), entry, values),
  }));
  const combinations = found.reduce((product, { choices }) => product * choices.length, 1);
  if (combinations > most) {
    throw new TemplateError(`a template becomes more than ${TEMPLATE_SUBJECTS_MAX} subjects`);
  }
  let subjects = [entry];
  for (const { text, choices } of new Map(found.map((it) => [it.text, it])).values()) {
    subjects = subjects.flatMap((subject) =>
      choices.map((choice) => subject.replaceAll(text, () => choice))
    );
  }
  return subjects;
}

/** What an operation gives. */
function valuesOf(operation: string, entry: string, values: TemplateValues): readonly string[] {
  switch (operation.toLowerCase()) {
    case "name()":
      return [values.name];
    case "subject()":
      return [values.subject];
    case "account-name()":
      return [values.accountName];
    case "account-subject()":
      return [values.accountSubject];
  }
  const tag = /^(account-)?tag\((.*)\)$/i.exec(operation);
  if (tag === null) {
    throw new TemplateError(
      `the template ${JSON.stringify(entry)} asks for ${JSON.stringify(operation)}`,
    );
  }
  // nats-server knows these two by their small letters only, and finds no tag otherwise.
  if (!/^(account-)?tag/.test(operation)) return [MISSING];
  const prefix = `${tag[2]!.toLowerCase()}:`;
  const tags = tag[1] === undefined ? values.tags : values.accountTags;
  const found = tags.filter((it) => it.startsWith(prefix)).map((it) => it.slice(prefix.length));
  return found.length > 0 ? found : [MISSING];
}

/** Permissions of subscriptions may not have a queue group here, as in nats-server. */
function isValidSubject(subject: string): boolean {
  return isValidSubscriptionSubject(subject) && !/[\t\n\f\r ]/.test(subject);
}
