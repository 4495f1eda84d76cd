/**
 * What a token says that a user may do, and what it holds the user to: a user's own, the template of a
 * signing key, or the defaults of an account.
 *
 * @module
 */
import type {
  PermissionSettings,
  ResponsePermission,
  TimeRange,
  UserLimits,
} from "../config/mod.ts";
import { isTimeZone, secondsOfDay } from "./allowed_times.ts";
import { ClaimsReader } from "./claims_reader.ts";
import { parseNetwork } from "./network.ts";
import { permissionProblem } from "./subject_claims.ts";

/** Subjects that may and may not be used; an empty `allow` allows everything. */
export interface SubjectLists {
  /** Subjects allowed. */
  readonly allow: readonly string[];
  /** Subjects denied. */
  readonly deny: readonly string[];
}

/** What a token says of permissions. */
export interface PermissionClaims {
  /** Subjects to publish to. */
  readonly publish: SubjectLists;
  /** Subjects to subscribe to, possibly with a queue group behind a space. */
  readonly subscribe: SubjectLists;
  /** Whether requests may be answered. */
  readonly responses?: ResponsePermission | undefined;
}

/** Everything that a token says of what a user may do. */
export interface UserSettings extends PermissionClaims {
  /** What each connection is held to. */
  readonly limits: UserLimits;
  /** Networks to connect from; from anywhere when empty. */
  readonly sources: readonly string[];
  /** When to be connected; always when empty. */
  readonly times: readonly TimeRange[];
  /** Time zone of {@linkcode times}. */
  readonly timeZone: string;
  /** Whether the token alone is enough, without a signature of the nonce. */
  readonly bearer: boolean;
  /** Whether the user must come through a trusted proxy. */
  readonly proxyRequired: boolean;
  /** How the user may be connected, possibly in ways unknown here; in any way when empty. */
  readonly connectionTypes: readonly string[];
}

/** nats-server's, where a token has 0 for them. */
const DEFAULT_RESPONSES_MAX = 1;
const DEFAULT_RESPONSES_EXPIRE_MS = 120_000;

const NANOSECONDS_PER_MS = 1_000_000;

/**
 * Reads what a user may do.
 *
 * @param absentLimit What a limit is that is not there: a template has none then, a user 0.
 * @throws {ClaimsError} when a field has the wrong type.
 */
export function readUserSettings(nats: ClaimsReader, absentLimit: 0 | -1): UserSettings {
  return {
    ...readPermissions(nats),
    limits: readUserLimits(nats, absentLimit),
    sources: readSources(nats),
    times: nats.objects("times").map((time) => ({
      start: time.text("start"),
      end: time.text("end"),
    })),
    timeZone: nats.text("times_location"),
    bearer: nats.flag("bearer_token"),
    proxyRequired: nats.flag("proxy_required"),
    connectionTypes: nats.texts("allowed_connection_types") ?? [],
  };
}

/**
 * Reads `pub`, `sub` and `resp`.
 *
 * @throws {ClaimsError} when a field has the wrong type.
 */
export function readPermissions(nats: ClaimsReader): PermissionClaims {
  const responses = nats.optionalObject("resp");
  return {
    publish: readLists(nats.object("pub")),
    subscribe: readLists(nats.object("sub")),
    responses: responses && {
      max: responses.integer("max") || DEFAULT_RESPONSES_MAX,
      expires: responses.integer("ttl") / NANOSECONDS_PER_MS || DEFAULT_RESPONSES_EXPIRE_MS,
    },
  };
}

/** The same for the engine of permissions; undefined where nothing is said at all. */
export function permissionSettings(claims: PermissionClaims): PermissionSettings | undefined {
  const publish = settingsOf(claims.publish), subscribe = settingsOf(claims.subscribe);
  const { responses } = claims;
  if (publish === undefined && subscribe === undefined && responses === undefined) return undefined;
  return {
    ...(publish && { publish }),
    ...(subscribe && { subscribe }),
    ...(responses && { allow_responses: responses }),
  };
}

/** What is wrong with permissions, one sentence each. */
export function permissionProblems(claims: PermissionClaims): string[] {
  const problems = [
    ...[...claims.publish.allow, ...claims.publish.deny].map((it) => permissionProblem(it, false)),
    ...[...claims.subscribe.allow, ...claims.subscribe.deny]
      .map((it) => permissionProblem(it, true)),
  ];
  return problems.filter((problem) => problem !== null);
}

/** What is wrong with the settings of a user, one sentence each. */
export function userSettingsProblems(settings: UserSettings): string[] {
  const { sources, times, timeZone } = settings;
  return [
    ...permissionProblems(settings),
    ...sources.filter((it) => parseNetwork(it) === null)
      .map((it) => `src: ${JSON.stringify(it)} is not a network such as 10.0.0.0/8`),
    ...times.flatMap(({ start, end }) => [start, end]).filter((it) => secondsOfDay(it) === null)
      .map((it) => `times: ${JSON.stringify(it)} is not a time of day as hh:mm:ss`),
    ...(isTimeZone(timeZone)
      ? []
      : [`times_location: there is no time zone ${JSON.stringify(timeZone)}`]),
  ];
}

/** The fields that {@linkcode saysNothing} looks at, and what their being absent is the same as. */
const settingFields: Readonly<Record<string, unknown>> = {
  src: null,
  times: null,
  allowed_connection_types: null,
  resp: null,
  times_location: "",
  subs: 0,
  data: 0,
  payload: 0,
  bearer_token: false,
  proxy_required: false,
};

/** Whether a token leaves all of a user's settings out, as that of a scoped user must. */
export function saysNothing(nats: ClaimsReader): boolean {
  const isSilent = (key: string) => !nats.has(key) || nats.raw(key) === settingFields[key];
  const hasNoLists = (key: string) => {
    const lists = nats.object(key);
    return !lists.has("allow") && !lists.has("deny");
  };
  return Object.keys(settingFields).every(isSilent) && hasNoLists("pub") && hasNoLists("sub");
}

function readLists(lists: ClaimsReader): SubjectLists {
  return { allow: lists.texts("allow") ?? [], deny: lists.texts("deny") ?? [] };
}

function settingsOf({ allow, deny }: SubjectLists): PermissionSettings["publish"] {
  if (allow.length === 0 && deny.length === 0) return undefined;
  return { ...(allow.length > 0 && { allow }), ...(deny.length > 0 && { deny }) };
}

/** Networks as a list, or as one text with commas. */
function readSources(nats: ClaimsReader): string[] {
  if (typeof nats.raw("src") !== "string") return nats.texts("src") ?? [];
  const all = nats.text("src").toLowerCase().split(",").map((it) => it.trim());
  return [...new Set(all.filter((it) => it !== ""))];
}

function readUserLimits(nats: ClaimsReader, absent: 0 | -1): UserLimits {
  const subscriptions = nats.integer("subs", absent), payload = nats.integer("payload", absent);
  // Nothing of nats-server looks at it, and tokens made by hand leave it out.
  const data = nats.integer("data", absent);
  return {
    ...(subscriptions >= 0 && { subscriptions }),
    ...(payload >= 0 && { payload }),
    ...(data > 0 && { data }),
  };
}
