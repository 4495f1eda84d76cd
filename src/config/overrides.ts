/**
 * Settings from flags, put over those of a file.
 *
 * @module
 */
import { check } from "./checking.ts";
import { isMap } from "./prepare.ts";
import type { Finding, Path } from "./problem.ts";
import { configSchema, type SchemaOutput } from "./schema.ts";

/** A value that overrides the file's, and the flag it came from. */
export interface Override {
  /** The flag as it is written, such as `"--port"`. */
  readonly source: string;
  /** The key path of the setting. */
  readonly path: Path;
  /** The value, as text or a list of texts; `undefined` takes the file's away. */
  readonly value: string | readonly string[] | undefined;
}

/** Flags as they are put over a file. */
export interface Settled {
  /** What is overridden. */
  readonly overrides: readonly Override[];
  /** What is wrong with the flags beside this file. */
  readonly findings: readonly Finding[];
  /** A token that is good beside the file's users. */
  readonly token?: string | undefined;
}

/** Whether two paths are the same. */
export function samePath(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((step, index) => step === b[index]);
}

/** The key paths of settings that do not go together. */
const paths = {
  token: ["authorization", "token"],
  user: ["authorization", "user"],
  password: ["authorization", "password"],
  trace: ["trace"],
  traceVerbose: ["trace_verbose"],
  clusterPort: ["cluster", "port"],
  routes: ["cluster", "routes"],
  tls: ["tls"],
  certificate: ["tls", "cert_file"],
  key: ["tls", "key_file"],
} as const;

/**
 * The flags that are put over a file, as nats-server does it: where the file has a token or a list of
 * users, that stands, and a user from the flags is nobody; a token from the flags is good beside a
 * list of users, and comes back as `token`, since a file may not have both.
 */
export function settle(
  values: Readonly<Record<string, unknown>>,
  given: readonly Override[],
): Settled {
  const { token: tokenPath, user, password, trace, traceVerbose } = paths;
  const last = (path: Path) => given.findLast((item) => samePath(item.path, path));
  const { overrides: inCluster, findings: ofCluster } = settleCluster(values, given);
  const { overrides: withTls, findings: ofTls } = settleTls(inCluster);
  const findings = [...ofCluster, ...ofTls];
  let overrides = withTls, token: string | undefined;
  const without = (...paths: Path[]) =>
    overrides.filter((item) => !paths.some((path) => samePath(item.path, path)));
  const { authorization } = values;
  const inFile = (key: string) => isMap(authorization) && authorization[key] !== undefined;
  // With users of accounts any of these is refused, by the file's checks.
  const users = inFile("users") && !hasAccountUsers(values);
  const byToken = last(tokenPath)?.value;
  if (byToken === undefined && (inFile("token") || users)) {
    overrides = without(user, password);
  } else if (typeof byToken === "string" && users) {
    overrides = without(tokenPath, user, password);
    token = byToken;
  }
  const off = last(trace);
  if (off?.value === "false" && last(traceVerbose)?.value !== "true") {
    // Which would trace all the same.
    overrides = [...overrides, { ...off, path: traceVerbose }];
  }
  return { overrides, findings, token };
}

function hasAccountUsers({ accounts }: Readonly<Record<string, unknown>>): boolean {
  return isMap(accounts) &&
    Object.values(accounts).some((account) =>
      isMap(account) && Array.isArray(account.users) && account.users.length > 0
    );
}

/**
 * Flags on the cluster where there is none, which they do not make: routes are refused and the others
 * have no effect, as in nats-server. `--cluster` makes one, and always says its port.
 */
function settleCluster(
  values: Readonly<Record<string, unknown>>,
  given: readonly Override[],
): Pick<Settled, "overrides" | "findings"> {
  const about = given.filter(({ path }) => path[0] === "cluster");
  if (values.cluster !== undefined || about.some(({ path }) => samePath(path, paths.clusterPort))) {
    return { overrides: given, findings: [] };
  }
  const routes = about.find(({ path }) => samePath(path, paths.routes));
  return {
    overrides: given.filter((item) => !about.includes(item)),
    findings: routes === undefined ? [] : [{
      source: routes.source,
      path: ["cluster"],
      expected: "a cluster for the routes",
      found: "none",
      hint: "give --cluster too, or cluster in the file",
    }],
  };
}

/**
 * As in nats-server, flags on TLS replace all that the file says of it; one that is false takes it
 * away.
 */
function settleTls(given: readonly Override[]): Pick<Settled, "overrides" | "findings"> {
  const about = given.filter(({ path }) => path[0] === "tls"), [first] = about;
  if (first === undefined) return { overrides: given, findings: [] };
  const others = given.filter((item) => !about.includes(item));
  const none: Override = { source: first.source, path: paths.tls, value: undefined };
  if (about.some(({ value }) => value === "false")) {
    return { overrides: [...others, none], findings: [] };
  }
  const missing = ([
    [paths.certificate, "--tlscert"],
    [paths.key, "--tlskey"],
  ] as const).filter(([path]) => !about.some((item) => samePath(item.path, path)));
  return {
    overrides: [...others, none, ...about.filter(({ path }) => path.length > 1)],
    findings: missing.map(([path, flag]) => ({
      source: first.source,
      path,
      expected: `${flag} beside it`,
      found: "none",
    })),
  };
}

/** A configuration with a token from the flags beside a list of users. */
export function withToken(config: SchemaOutput, token: string | undefined): SchemaOutput {
  if (token === undefined) return config;
  const authorization = Object.freeze({ ...config.authorization, token });
  return Object.freeze({ ...config, authorization });
}

/** `values` with the flags put over them. */
export function override(
  values: Readonly<Record<string, unknown>>,
  overrides: readonly Override[],
): Readonly<Record<string, unknown>> {
  let result = values;
  const overridden = (...path: Path) => overrides.some((item) => samePath(item.path, path));
  if (overridden("host") || overridden("port")) result = withoutListen(result);
  // A token given by a flag replaces the file's user.
  const byToken = overridden("authorization", "token");
  const byUser = overridden("authorization", "user") || overridden("authorization", "password");
  if (byToken && !byUser && isMap(result.authorization)) {
    const { user: _user, password: _password, ...kept } = result.authorization;
    result = { ...result, authorization: kept };
  }
  for (const { path, value } of overrides) result = withValue(result, path, value);
  return result;
}

/**
 * `values` with `listen` taken apart into `host` and `port`, so that each can be overridden alone;
 * unchanged when `listen` is wrong or contradicts them, which is then reported.
 */
function withoutListen(
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { listen, host, port, ...rest } = values;
  if (listen === undefined) return values;
  const checked = check(configSchema, { listen, host, port });
  if (!("value" in checked)) return values;
  return { ...rest, host: checked.value.host, port: checked.value.port };
}

function withValue(
  values: Readonly<Record<string, unknown>>,
  path: Path,
  value: Override["value"],
): Readonly<Record<string, unknown>> {
  const [key, ...rest] = path;
  if (key === undefined) return values;
  if (value === undefined && !Object.hasOwn(values, key)) return values;
  if (rest.length === 0) {
    const { [key]: _replaced, ...others } = values;
    return value === undefined ? others : { ...others, [key]: value };
  }
  const below = values[key] ?? {};
  // A text where a map belongs is wrong whatever the flags say.
  return isMap(below) ? { ...values, [key]: withValue(below, rest, value) } : values;
}
