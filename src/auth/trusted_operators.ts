/**
 * The operators that a server trusts, from its configuration.
 *
 * @module
 */
import type { Config, ResolverConfig } from "../config/mod.ts";
import { isNkey } from "../protocol/mod.ts";
import { outOfDate, secondsOf } from "./claims.ts";
import { ClaimsError } from "./claims_reader.ts";
import { JwtError, readJwt } from "./jwt.ts";
import {
  type OperatorClaims,
  readOperatorClaims,
  serverVersionProblem,
  trustedKeysOf,
} from "./operator_claims.ts";
import { readUserClaims } from "./user_claims.ts";

/** The settings of operator mode, as the configuration has them. */
export type OperatorSettings = Pick<
  Config,
  | "operator"
  | "trusted_keys"
  | "system_account"
  | "resolver"
  | "resolver_preload"
  | "resolver_pinned_accounts"
  | "default_sentinel"
>;

/** Settings that hold only outside of operator mode; what of them is configured. */
export interface OtherCredentials {
  /** Whether accounts are configured. */
  readonly accounts: boolean;
  /** Whether users, nkeys or a token are. */
  readonly users: boolean;
  /** The configured `no_auth_user`. */
  readonly noAuthUser?: string | undefined;
  /** Whether an auth callout is. */
  readonly authCallout: boolean;
}

/** The operators that are trusted. */
export interface TrustedOperators {
  /** Their JWTs, read; none where only keys are trusted. */
  readonly operators: readonly OperatorClaims[];
  /** Those JWTs themselves, as INFO and monitoring show them. */
  readonly tokens: readonly string[];
  /** Keys whose signature on an account is good. */
  readonly keys: ReadonlySet<string>;
  /** Those of them whose accounts may not sign users with their own keys. */
  readonly strictKeys: ReadonlySet<string>;
  /** Public key of the system account; null where none is named. */
  readonly systemAccount: string | null;
  /** Where accounts are found. */
  readonly resolver: ResolverConfig;
  /** The only accounts whose users may connect; null for all. */
  readonly pinnedAccounts: ReadonlySet<string> | null;
  /** JWT that a client without one is taken to show; null where there is none. */
  readonly defaultSentinel: string | null;
}

/** Operator mode is not configured as it must be; the message says what to change. */
export class OperatorError extends Error {
  /** Always `"OperatorError"`. */
  override readonly name = "OperatorError";
}

/** What {@linkcode readOperators} needs besides the settings. */
export interface OperatorSources {
  /** Reads the text of a file. */
  readonly readText: (path: string) => Promise<string>;
  /** Version of this server, three numbers. */
  readonly version: string;
  /** Wall-clock milliseconds. */
  readonly nowMs: number;
  /** Called with what is odd but can be lived with. */
  readonly warn: (message: string) => void;
}

/** Whether settings ask for operator mode. */
export function isOperatorMode(settings: OperatorSettings): boolean {
  const { operator = [], trusted_keys = [] } = settings;
  return operator.length > 0 || trusted_keys.length > 0;
}

/**
 * Reads the JWTs of the operators and checks that the settings go together, as nats-server does.
 *
 * @throws {OperatorError} when a JWT cannot be read or is none, or settings contradict each other.
 */
export async function readOperators(
  settings: OperatorSettings,
  others: OtherCredentials,
  sources: OperatorSources,
): Promise<TrustedOperators> {
  const { operator = [], trusted_keys = [], default_sentinel } = settings;
  const read = await Promise.all(operator.map((one) => readOperator(one, sources)));
  const operators = read.map(({ claims }) => claims);
  checkOthers(operators, trusted_keys, others);
  const resolver = resolverOf(settings, operators);
  const keys = new Set([...operators.flatMap(trustedKeysOf), ...trusted_keys]);
  for (const key of keys) {
    if (!isNkey(key, "operator")) {
      throw new OperatorError(`trusted_keys: ${JSON.stringify(key)} is not the key of an operator`);
    }
  }
  const systemAccount = systemAccountOf(settings, operators, resolver);
  const pinned = settings.resolver_pinned_accounts;
  if (default_sentinel) await checkSentinel(default_sentinel);
  return {
    operators,
    tokens: read.map(({ token }) => token),
    keys,
    strictKeys: new Set(
      operators.flatMap((it) => it.strictSigningKeyUsage ? it.signingKeys : []),
    ),
    systemAccount,
    resolver,
    // The system must not be locked out of its own server.
    pinnedAccounts: pinned === undefined
      ? null
      : new Set([...pinned, ...(systemAccount === null ? [] : [systemAccount])]),
    defaultSentinel: default_sentinel || null,
  };
}

/** The token in a text that may have lines around it such as `-----BEGIN NATS OPERATOR JWT-----`. */
export function undecorated(text: string): string {
  const inner = /-{3,}[^\n]*BEGIN[^\n]*-{3,}\s*\n\s*([\w.-]+)\s*\n/.exec(text);
  return inner?.[1] ?? text.trim();
}

async function readOperator(
  pathOrToken: string,
  { readText, version, nowMs, warn }: OperatorSources,
): Promise<{ claims: OperatorClaims; token: string }> {
  const isInline = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(pathOrToken.trim());
  const where = isInline ? "the operator's JWT" : `the operator's JWT in ${pathOrToken}`;
  const token = undecorated(isInline ? pathOrToken : await readText(pathOrToken));
  try {
    const claims = readOperatorClaims(await readJwt(token, { type: "operator" }));
    const problem = serverVersionProblem(claims, version);
    if (problem !== null) throw new OperatorError(`${where}: ${problem}`);
    const stale = outOfDate(claims, secondsOf(nowMs));
    if (stale !== null) warn(`${where}: ${stale}, which is not looked at`);
    return { claims, token };
  } catch (error) {
    if (error instanceof JwtError || error instanceof ClaimsError) {
      throw new OperatorError(`${where} cannot be used: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function checkOthers(
  operators: readonly OperatorClaims[],
  trustedKeys: readonly string[],
  { accounts, users, noAuthUser, authCallout }: OtherCredentials,
): void {
  const refuse = (what: string, instead: string) => {
    throw new OperatorError(`${what} cannot be configured beside an operator: ${instead}`);
  };
  if (operators.length > 0 && trustedKeys.length > 0) {
    throw new OperatorError("operator and trusted_keys cannot both be configured: leave one out");
  }
  if (accounts) refuse("accounts", "the resolver has them");
  if (users) refuse("users", "they show JWTs that their accounts signed");
  if (noAuthUser) refuse("no_auth_user", "default_sentinel is what comes closest");
  if (authCallout) refuse("auth_callout", "an account's JWT asks for it");
}

function resolverOf(
  { resolver }: OperatorSettings,
  operators: readonly OperatorClaims[],
): ResolverConfig {
  if (resolver !== undefined) return resolver;
  const url = operators.length === 1 ? operators[0]!.accountServerUrl : "";
  if (!/^https?:/i.test(url)) {
    throw new OperatorError(
      "operators need a resolver: set resolver to MEMORY, URL(...) or a map with type and dir",
    );
  }
  return { type: "url", url: `${url.replace(/\/+$/, "")}/accounts` };
}

function systemAccountOf(
  { system_account: configured }: OperatorSettings,
  operators: readonly OperatorClaims[],
  resolver: ResolverConfig,
): string | null {
  const named = operators.map((it) => it.systemAccount).filter((key) => key !== "");
  if (configured !== undefined) {
    if (named.length > 0 && !named.includes(configured)) {
      throw new OperatorError(
        "system_account is another one than the operator's JWT names: leave it out",
      );
    }
    return configured;
  }
  const first = operators[0]?.systemAccount ?? "";
  if (first === "" && (resolver.type === "full" || resolver.type === "cache")) {
    throw new OperatorError(
      `a resolver of type ${resolver.type} needs the system account: set system_account, ` +
        "or have the operator's JWT name it",
    );
  }
  // Of several operators none speaks for all.
  return operators.length === 1 && first !== "" ? first : null;
}

async function checkSentinel(token: string): Promise<void> {
  let claims;
  try {
    claims = readUserClaims(await readJwt(token, { type: "user" }));
  } catch (error) {
    if (error instanceof JwtError || error instanceof ClaimsError) {
      throw new OperatorError("default_sentinel is not the JWT of a user", { cause: error });
    }
    throw error;
  }
  const mayBeBearer = claims.isIssuedForAccount && claims.isScoped;
  if (!claims.settings.bearer && !mayBeBearer) {
    throw new OperatorError("default_sentinel must be the JWT of a bearer");
  }
}
