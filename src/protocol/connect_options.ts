/**
 * The JSON of CONNECT.
 *
 * @module
 */
import { byteStringBytes } from "./byte_string.ts";

/** What a client may say in CONNECT. Fields that it does not send keep their previous value. */
export interface ConnectOptions {
  /** Whether commands are acknowledged with +OK. */
  verbose: boolean;
  /** Whether publish subjects are checked. */
  pedantic: boolean;
  /** Whether its own messages are delivered to its own subscriptions. */
  echo: boolean;
  /** Whether it understands headers. */
  headers: boolean;
  /** Whether it wants 503 answers. */
  no_responders: boolean;
  /** 1: it understands INFO at any time. */
  protocol: number;
  /** Its name. */
  name: string;
  /** Its client library's language. */
  lang: string;
  /** Its client library's version. */
  version: string;
  /** User name. */
  user: string;
  /** Password. */
  pass: string;
  /** Token. */
  auth_token: string;
  /** User JWT. */
  jwt: string;
  /** Public user key. */
  nkey: string;
  /** Signature of the nonce. */
  sig: string;
  /** Obsolete; its presence is refused. */
  account: string;
  /** Obsolete. */
  new_account: boolean;
  /** Ignored. */
  tls_required: boolean;
  /** Signature of a trusted proxy. */
  proxy_sig: string;
  /** Of other servers only; ignored. */
  remote_account: string;
}

/** What holds before any CONNECT. */
export const DEFAULT_CONNECT_OPTIONS: Readonly<ConnectOptions> = {
  verbose: true,
  pedantic: true,
  echo: true,
  headers: false,
  no_responders: false,
  protocol: 0,
  name: "",
  lang: "",
  version: "",
  user: "",
  pass: "",
  auth_token: "",
  jwt: "",
  nkey: "",
  sig: "",
  account: "",
  new_account: false,
  tls_required: false,
  proxy_sig: "",
  remote_account: "",
};

const FIELDS = new Map<string, keyof ConnectOptions>(
  (Object.keys(DEFAULT_CONNECT_OPTIONS) as (keyof ConnectOptions)[]).map((key) => [key, key]),
);

/** Fields that mean nothing from a client, but must be objects when they are there. */
const OBJECT_FIELDS: ReadonlySet<string> = new Set(["import", "export"]);

/**
 * Reads CONNECT's JSON (a byte string) over `previous`, as Go's `encoding/json` does for
 * nats-server: names match in any case, unknown ones are ignored, `null` changes nothing, and a
 * whole number must be written as one.
 *
 * @returns the options, or null when it is not JSON or a field has the wrong type.
 */
export function parseConnectOptions(
  json: string,
  previous: Readonly<ConnectOptions>,
): Readonly<ConnectOptions> | null {
  const value = parseJson(json);
  if (value === null) return previous;
  if (typeof value !== "object" || Array.isArray(value)) return null;
  const options: Record<string, unknown> = compactCopy(previous);
  for (const [name, given] of Object.entries(value)) {
    if (given === null) continue;
    const lower = name.toLowerCase();
    if (OBJECT_FIELDS.has(lower) && (typeof given !== "object" || Array.isArray(given))) {
      return null;
    }
    const key = FIELDS.get(lower);
    if (key === undefined) continue;
    if (typeof given !== typeof DEFAULT_CONNECT_OPTIONS[key]) return null;
    if (typeof given === "number" && !isInt64(given)) return null;
    options[key] = given;
  }
  return options as unknown as ConnectOptions;
}

function isInt64(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 63;
}

/**
 * A copy that keeps its fields within the object. A spread would not, and every connection keeps
 * its options.
 */
function compactCopy(o: Readonly<ConnectOptions>): ConnectOptions & Record<string, unknown> {
  return {
    verbose: o.verbose,
    pedantic: o.pedantic,
    echo: o.echo,
    headers: o.headers,
    no_responders: o.no_responders,
    protocol: o.protocol,
    name: o.name,
    lang: o.lang,
    version: o.version,
    user: o.user,
    pass: o.pass,
    auth_token: o.auth_token,
    jwt: o.jwt,
    nkey: o.nkey,
    sig: o.sig,
    account: o.account,
    new_account: o.new_account,
    tls_required: o.tls_required,
    proxy_sig: o.proxy_sig,
    remote_account: o.remote_account,
  };
}

/** Whether a JSON text (a byte string) could be a server's INFO: an object whose known fields fit. */
export function isInfoJson(json: string): boolean {
  const value = parseJson(json);
  if (value === null) return true;
  if (typeof value !== "object" || Array.isArray(value)) return false;
  return Object.entries(value).every(([name, given]) => {
    const type = INFO_FIELDS.get(name.toLowerCase());
    if (given === null || type === undefined) return true;
    if (type === "strings") {
      return Array.isArray(given) &&
        given.every((item) => item === null || typeof item === "string");
    }
    return typeof given === type && (typeof given !== "number" || isInt64(given));
  });
}

/** Types of the fields of nats-server's `Info`. */
const INFO_FIELDS: ReadonlyMap<string, "string" | "number" | "boolean" | "strings"> = new Map([
  ...[
    "server_id server_name version git_commit go host client_ip nonce cluster domain ip",
    "remote_account xkey gateway gateway_url gateway_cmd ln_ocl import_account origin",
  ].flatMap((names) => names.split(" ").map((name) => [name, "string"] as const)),
  ..."proto port max_payload client_id api_lvl gateway_cmd_payload route_pool_size route_pool_idx"
    .split(" ").map((name) => [name, "number"] as const),
  ...[
    "headers auth_required tls_required tls_verify tls_available jetstream dynamic_cluster ldm",
    "lnoc lnocu no_pool connect_info acc_is_sys gateway_iom gateway_nrp",
  ].flatMap((names) => names.split(" ").map((name) => [name, "boolean"] as const)),
  ..."connect_urls ws_connect_urls gateway_urls leafnode_urls".split(" ").map((name) =>
    [name, "strings"] as const
  ),
]);

/** A byte order mark is no JSON, so it must not be swallowed. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
/** A first, cheap look: only a number with a fraction or an exponent needs the second one. */
const INEXACT_NUMBER = /:\s*-?\d+[.eE]/;

/**
 * The value of a JSON text given as a byte string, or undefined when it is none, or when one of its
 * own fields is a whole number written with a fraction or an exponent.
 */
function parseJson(json: string): unknown {
  try {
    const text = utf8.decode(byteStringBytes(json));
    if (!INEXACT_NUMBER.test(text)) return JSON.parse(text);
    return parseExactly(text);
  } catch {
    return undefined;
  }
}

/** What JSON.parse tells its reviver in newer editions of ECMAScript. */
interface ReviverContext {
  readonly source?: string;
}

function parseExactly(text: string): unknown {
  const inexact = new Map<unknown, string[]>();
  const revive = function (this: unknown, key: string, value: unknown, context?: ReviverContext) {
    if (typeof value === "number" && /[.eE]/.test(context?.source ?? "")) {
      const keys = inexact.get(this);
      if (keys === undefined) inexact.set(this, [key]);
      else keys.push(key);
    }
    return value;
  };
  const value: unknown = JSON.parse(text, revive);
  const names = inexact.get(value) ?? [];
  return names.some((name) => WHOLE_FIELDS.has(name.toLowerCase())) ? undefined : value;
}

const WHOLE_FIELDS: ReadonlySet<string> = new Set([
  "protocol",
  ...[...INFO_FIELDS].filter(([, type]) => type === "number").map(([name]) => name),
]);
