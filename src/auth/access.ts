/**
 * Why a user of a configuration may publish or subscribe, or may not.
 *
 * @module
 */
import {
  type Config,
  type ConfigInput,
  GLOBAL_ACCOUNT,
  normaliseConfig,
  type PermissionSettings,
  type UserConfig,
} from "../config/mod.ts";
import {
  decodeByteString,
  encodeByteString,
  isValidSubscriptionSubject,
  SubjectMapping,
} from "../protocol/mod.ts";
import { type Explanation, UNRESTRICTED } from "./permission_explanation.ts";
import { AUTH_CALLOUT_SUBJECT } from "./credentials.ts";
import { Permissions } from "./permissions.ts";
import { withDenial } from "./user_table.ts";

/** What is asked: exactly one of `publish` and `subscribe`. */
export interface AccessQuestion {
  /**
   * Name or public nkey of the user; without it whoever shows no credentials, or shows the token or
   * the one user that everybody has.
   */
  readonly user?: string | undefined;
  /** The account of the user, where several have one of that name. */
  readonly account?: string | undefined;
  /** The subject of a message. */
  readonly publish?: string | undefined;
  /** The subject of a subscription. */
  readonly subscribe?: string | undefined;
  /** The queue group of that subscription. */
  readonly queue?: string | undefined;
}

/** What becomes of a message under the subject that its account maps it to. */
export interface MappedAccess {
  /** That subject; null when the message is dropped. */
  readonly subject: string | null;
  /** The decision about it; null when the message is dropped. */
  readonly explanation: Explanation | null;
}

/** The answer to an {@link AccessQuestion}. */
export interface Access {
  /** Whether it is allowed, whatever the account maps the subject to. */
  readonly allowed: boolean;
  /** Who it is; null for whoever shows nothing. */
  readonly user: string | null;
  /** The account. */
  readonly account: string;
  /** Whose permissions these are; null when there are none. */
  readonly permissions: "user" | "default_permissions" | null;
  /** The decision; about the subject itself where {@linkcode mapped} is empty. */
  readonly explanation: Explanation;
  /**
   * Where the account maps the subject: what it may become, and the decisions about that, which are the
   * ones that count.
   */
  readonly mapped: readonly MappedAccess[];
}

/** The question cannot be answered from the configuration. */
export class AccessQuestionError extends Error {
  /** The class's name. */
  override readonly name = "AccessQuestionError";
}

interface Asked {
  readonly name: string | null;
  readonly account: string;
  readonly permissions: PermissionSettings | undefined;
  readonly source: Access["permissions"];
}

/**
 * Says whether a user may publish to a subject or subscribe to it, which rule decides that, and which
 * would have allowed it. `config` is what `Broker.start` takes.
 *
 * @throws {ConfigError} when the configuration is wrong.
 * @throws {AccessQuestionError} when there is no such user, or the question is incomplete.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { explain } from "../../mod.ts";
 *
 * const config = { authorization: { users: [{ user: "app", permissions: { publish: "orders.>" } }] } };
 * assert(explain(config, { user: "app", publish: "orders.7" }).allowed);
 * assert(!explain(config, { user: "app", publish: "bills.7" }).allowed);
 * ```
 */
export function explain(config: ConfigInput, question: AccessQuestion): Access {
  return explainAccess(normaliseConfig(config), question);
}

/**
 * {@link explain} for a configuration that is checked and complete.
 *
 * @throws {AccessQuestionError} when there is no such user, or the question is incomplete.
 */
export function explainAccess(config: Config, question: AccessQuestion): Access {
  const { publish, subscribe, queue } = question;
  if ((publish === undefined) === (subscribe === undefined)) {
    throw new AccessQuestionError(
      "either a subject to publish to or one to subscribe to is needed",
    );
  }
  const subject = publish ?? subscribe!;
  for (const word of [subject, queue ?? "x"]) {
    if (word === "" || /[ \t\r\n\f\v]/.test(word)) {
      throw new AccessQuestionError(`${JSON.stringify(word)} is no subject or queue group`);
    }
  }
  if (queue !== undefined && subscribe === undefined) {
    throw new AccessQuestionError("a queue group has to do with subscriptions only");
  }
  const { name, account, permissions: own, source } = findUser(config, question);
  const { auth_callout: callout } = config.authorization;
  // Of a user who is nobody's in particular nothing is known that could be denied.
  const settings = callout === undefined || source === null
    ? own
    : withDenial(own, account, { account: callout.account, subject: AUTH_CALLOUT_SUBJECT });
  const permissions = Permissions.of(settings), bytes = encodeByteString(subject);
  const about = (bytes: string) => permissions?.explainPublish(bytes) ?? UNRESTRICTED;
  const mapped = publish === undefined ? [] : mappedAccess(config, account, bytes, about);
  const explanation = publish !== undefined
    ? about(bytes)
    : explainSubscription(permissions, bytes, queue === undefined ? null : encodeByteString(queue));
  return {
    allowed: mapped.length === 0
      ? explanation.allowed
      : mapped.every(({ explanation }) => explanation?.allowed !== false),
    user: name,
    account,
    permissions: own === undefined ? null : source,
    explanation,
    mapped,
  };
}

function explainSubscription(
  permissions: Permissions | null,
  subject: string,
  queue: string | null,
): Explanation {
  const explanation = permissions?.explainSubscribe(subject, queue) ?? UNRESTRICTED;
  if (!explanation.allowed || isValidSubscriptionSubject(subject)) return explanation;
  return {
    ...UNRESTRICTED,
    allowed: false,
    reason: "it is no valid subject: a token is empty, or > is not the last one",
  };
}

/** What a message of the account may become; nothing when it stays what it is. */
function mappedAccess(
  config: Config,
  account: string,
  subject: string,
  about: (subject: string) => Explanation,
): MappedAccess[] {
  const mappings = config.accounts?.[account]?.mappings ??
    (account === GLOBAL_ACCOUNT ? config.mappings : undefined) ?? {};
  const cluster = config.cluster?.name ?? null;
  for (const [source, destinations] of Object.entries(mappings)) {
    const mapping = SubjectMapping.compile(
      encodeByteString(source),
      destinations.map((each) => ({ ...each, destination: encodeByteString(each.destination) })),
      cluster,
    );
    const outcomes = new Set<string>();
    for (let percent = 0; percent < 100; percent++) {
      let draws = 0;
      // The first number that is drawn chooses the destination; others may be part of a subject.
      const outcome = mapping.choose(subject, (count) => draws++ === 0 ? percent % count : 0);
      if (outcome === null) break;
      outcomes.add(outcome);
    }
    if (outcomes.size === 0) continue;
    return [...outcomes].map((outcome) => ({
      subject: outcome === "" ? null : decodeByteString(outcome),
      explanation: outcome === "" ? null : about(outcome),
    }));
  }
  return [];
}

function findUser(config: Config, { user, account }: AccessQuestion): Asked {
  const { authorization, accounts = {}, no_auth_user, operator, trusted_keys } = config;
  if (operator !== undefined || trusted_keys !== undefined) {
    throw new AccessQuestionError(
      "users of an operator are not in the configuration: their permissions are in their JWTs",
    );
  }
  const wanted = user ?? no_auth_user;
  if (wanted === undefined) return anybody(config, account);
  const groups: [string, readonly UserConfig[], PermissionSettings | undefined][] = [
    [GLOBAL_ACCOUNT, authorization.users ?? [], authorization.default_permissions],
    ...Object.entries(accounts).map(([name, { users, default_permissions }]) =>
      [name, users, default_permissions] as [
        string,
        readonly UserConfig[],
        typeof default_permissions,
      ]
    ),
  ];
  const found = groups.flatMap(([name, users, defaults]) =>
    users.filter((one) => one.user === wanted || one.nkey === wanted).map((one): Asked => ({
      name: wanted,
      account: name,
      permissions: one.permissions ?? defaults,
      source: one.permissions === undefined ? "default_permissions" : "user",
    }))
  ).filter((one) => account === undefined || one.account === account);
  const [one, ...others] = found;
  if (one !== undefined && others.length === 0) return one;
  const shown = JSON.stringify(wanted);
  if (others.length > 0) throw new AccessQuestionError(`several accounts have a user ${shown}`);
  if (authorization.user === wanted && (account ?? GLOBAL_ACCOUNT) === GLOBAL_ACCOUNT) {
    return { name: wanted, account: GLOBAL_ACCOUNT, permissions: undefined, source: null };
  }
  const where = account === undefined ? "" : ` in the account ${JSON.stringify(account)}`;
  throw new AccessQuestionError(`there is no user ${shown}${where}`);
}

/** Who is meant where no user is named. */
function anybody(config: Config, account: string | undefined): Asked {
  const { authorization, accounts = {} } = config;
  const hasUsers = (authorization.users?.length ?? 0) > 0 ||
    Object.entries(accounts).some(([name, { users }]) =>
      users.length > 0 && name !== (config.system_account ?? "$SYS")
    );
  if (hasUsers) {
    throw new AccessQuestionError("a user is needed: who shows no credentials is not let in");
  }
  if (account !== undefined && account !== GLOBAL_ACCOUNT) {
    throw new AccessQuestionError(`a user of the account ${JSON.stringify(account)} is needed`);
  }
  const name = authorization.user ?? (authorization.token === undefined ? null : "[REDACTED]");
  return { name, account: GLOBAL_ACCOUNT, permissions: undefined, source: null };
}
