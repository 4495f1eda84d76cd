/**
 * What an account's token says.
 *
 * @module
 */
import type { AccountDefinition, AccountLimits, ExportDefinition } from "../config/mod.ts";
import { isNkey } from "../protocol/mod.ts";
import { type CommonClaims, openClaims } from "./claims.ts";
import { ClaimsError, ClaimsReader } from "./claims_reader.ts";
import { type ImportClaims, readExports, readImports, readMappings } from "./export_claims.ts";
import {
  permissionProblems,
  permissionSettings,
  readPermissions,
  readUserSettings,
  type UserSettings,
} from "./user_settings.ts";

/** Who an account leaves it to, whom it lets in. */
export interface ExternalAuthorization {
  /** Public keys of the users that are let in without being asked for, such as the service's own. */
  readonly authUsers: readonly string[];
  /** Public keys of the accounts that users may be put into besides the account itself; `*` is any. */
  readonly allowedAccounts: readonly string[];
  /** Public curve key that requests are sealed for; empty where they are not. */
  readonly xkey: string;
}

/** The claims of an account. */
export interface AccountClaims extends CommonClaims {
  /** The account, but for its imports. */
  readonly definition: Omit<AccountDefinition, "imports">;
  /** What it imports. */
  readonly imports: readonly ImportClaims[];
  /** Keys that sign for it, and what their users may do where the key says it. */
  readonly signingKeys: ReadonlyMap<string, UserSettings | null>;
  /** Until when users are revoked: public key or `*` to seconds since 1970. */
  readonly revocations: Readonly<Record<string, number>>;
  /** Whether its users must sign. */
  readonly disallowBearer: boolean;
  /** Whether it may use JetStream. */
  readonly jetstream: boolean;
  /** Who else is asked about its users; null where nobody is. */
  readonly authorization: ExternalAuthorization | null;
  /** What is wrong with it, one sentence each; an account with any is not served. */
  readonly problems: readonly string[];
}

/** A number of imports or exports that is not limited. */
const NO_LIMIT = -1;

const LONGEST_INFO = 8 * 1024;

/**
 * Reads the claims of an account.
 *
 * @param payload What {@linkcode readJwt} found.
 * @throws {ClaimsError} when they are not those of an account, or a field has the wrong type.
 */
export function readAccountClaims(payload: unknown): AccountClaims {
  const { common, nats } = openClaims(payload, "account");
  const exports = readExports(nats), imports = readImports(nats), mappings = readMappings(nats);
  const defaults = readPermissions(nats.object("default_permissions"));
  const default_permissions = permissionSettings(defaults);
  const limits = nats.object("limits");
  const signingKeys = readSigningKeys(nats);
  const authorization = readAuthorization(nats.object("authorization"));
  const definition = {
    exports: exports.value,
    ...(Object.keys(mappings.value).length > 0 && { mappings: mappings.value }),
    ...(default_permissions && { default_permissions }),
    limits: readAccountLimits(limits),
  };
  return {
    ...common,
    definition,
    imports: imports.value,
    signingKeys,
    revocations: nats.integers("revocations"),
    disallowBearer: limits.flag("disallow_bearer"),
    jetstream: usesJetStream(limits),
    authorization: authorization.authUsers.length > 0 ? authorization : null,
    problems: [
      ...imports.problems,
      ...exports.problems,
      ...limitProblems(limits, imports.value.length, definition.exports),
      ...permissionProblems(defaults),
      ...mappings.problems,
      ...authorizationProblems(authorization),
      ...[...signingKeys.keys()].filter((key) => !isNkey(key, "account"))
        .map((key) => `signing_keys: ${JSON.stringify(key)} is not the key of an account`),
      ...infoProblems(nats),
    ],
  };
}

function readAccountLimits(limits: ClaimsReader): AccountLimits {
  return {
    max_connections: limits.integer("conn"),
    max_subscriptions: limits.integer("subs"),
    max_payload: limits.integer("payload"),
    max_leafnodes: limits.integer("leaf"),
  };
}

function usesJetStream(limits: ClaimsReader): boolean {
  const tiers = limits.object("tiered_limits");
  const names = tiers.names();
  const has = (storage: ClaimsReader) =>
    storage.integer("mem_storage") !== 0 || storage.integer("disk_storage") !== 0;
  return names.length > 0 ? names.some((name) => has(tiers.object(name))) : has(limits);
}

function limitProblems(
  limits: ClaimsReader,
  imports: number,
  exports: readonly ExportDefinition[],
): string[] {
  const problems: string[] = [];
  const mostImports = limits.integer("imports"), mostExports = limits.integer("exports");
  if (mostImports !== NO_LIMIT && imports > mostImports) {
    problems.push(`it has ${imports} imports, and its operator allows ${mostImports}`);
  }
  if (mostExports === NO_LIMIT) return problems;
  if (exports.length > mostExports) {
    problems.push(`it has ${exports.length} exports, and its operator allows ${mostExports}`);
  }
  const hasWildcards = exports.some(({ stream, service }) =>
    (stream ?? service ?? "").split(".").some((token) => token === "*" || token === ">")
  );
  if (hasWildcards && !limits.flag("wildcards")) {
    problems.push("it has exports with wildcards, which its operator does not allow");
  }
  return problems;
}

function readSigningKeys(nats: ClaimsReader): Map<string, UserSettings | null> {
  const keys = new Map<string, UserSettings | null>();
  for (const item of nats.items("signing_keys") ?? []) {
    if (typeof item === "string") {
      keys.set(item, null);
      continue;
    }
    const scope = new ClaimsReader(item, "signing_keys");
    const kind = scope.text("kind");
    if (kind !== "user_scope") {
      throw new ClaimsError(`a signing key has the scope ${JSON.stringify(kind)}`);
    }
    keys.set(scope.text("key"), readUserSettings(scope.object("template"), NO_LIMIT));
  }
  return keys;
}

function readAuthorization(claims: ClaimsReader): ExternalAuthorization {
  return {
    authUsers: claims.texts("auth_users") ?? [],
    allowedAccounts: claims.texts("allowed_accounts") ?? [],
    xkey: claims.text("xkey"),
  };
}

function authorizationProblems(authorization: ExternalAuthorization): string[] {
  const { authUsers, allowedAccounts, xkey } = authorization;
  const problems: string[] = [];
  if (allowedAccounts.length > 0 && authUsers.length === 0) {
    problems.push("authorization has allowed_accounts but no auth_users");
  }
  if (authUsers.some((key) => !isNkey(key, "user"))) {
    problems.push("authorization.auth_users has something else than keys of users");
  }
  if (allowedAccounts.some((key) => key !== "*" && !isNkey(key, "account"))) {
    problems.push("authorization.allowed_accounts has something else than keys of accounts");
  }
  if (allowedAccounts.includes("*") && allowedAccounts.length > 1) {
    problems.push("authorization.allowed_accounts has * and others");
  }
  if (xkey !== "" && !isNkey(xkey, "curve")) {
    problems.push("authorization.xkey is not a curve key");
  }
  return problems;
}

function infoProblems(nats: ClaimsReader): string[] {
  const problems: string[] = [];
  const trace = nats.optionalObject("trace");
  const sampling = trace?.integer("sampling") ?? 0;
  if (sampling < 0 || sampling > 100) problems.push("trace.sampling is not 1 to 100");
  if (nats.text("description").length > LONGEST_INFO) problems.push("description is too long");
  const url = nats.text("info_url");
  const traffic = nats.text("cluster_traffic");
  if (!["", "system", "owner"].includes(traffic)) {
    problems.push(`cluster_traffic is ${JSON.stringify(traffic)}`);
  }
  if (url !== "" && (url.length > LONGEST_INFO || !URL.canParse(url) || new URL(url).host === "")) {
    problems.push("info_url is not a URL with a host");
  }
  return problems;
}
