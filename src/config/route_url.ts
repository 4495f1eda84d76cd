/**
 * Addresses of other servers of a cluster, with what is shown to them.
 *
 * @module
 */
import { type Kind, quoteText, Refusal } from "./kind.ts";
import { splitHostAndPort } from "./text_kinds.ts";

/** Where routes are listened for when nothing else is said: nats-server's own defaults. */
export const defaultClusterListen = { host: "0.0.0.0", port: 6222 } as const;

/** Where another server of the cluster listens for routes, and what it asks for. */
export interface RouteUrl {
  /** Address or host name; IPv6 without brackets. */
  readonly host: string;
  /** Port, 1-65535. */
  readonly port: number;
  /** User to show, not percent-encoded. */
  readonly user?: string;
  /** Password to show, not percent-encoded. */
  readonly password?: string;
}

/** A route as a log line may have it: without its password. */
export function showRouteUrl(url: RouteUrl): string {
  return formatRouteUrl(url.password === undefined ? url : { ...url, password: "***" });
}

/** The URL of a route, `nats-route://user:password@host:port`. */
function formatRouteUrl({ host, port, user, password }: RouteUrl): string {
  const secret = password === undefined ? "" : `:${encodeURIComponent(password)}`;
  const who = user === undefined ? "" : `${encodeURIComponent(user)}${secret}@`;
  const address = host.includes(":") ? `[${host.replaceAll("%", "%25")}]` : host;
  return `nats-route://${who}${address}:${port}`;
}

/** Another server of the cluster: `nats-route://user:password@host:port`; the port may be left out. */
export function routeUrl(): Kind<string, RouteUrl> {
  const expected = `a route such as "nats-route://host:${defaultClusterListen.port}"`;
  return {
    inputType: "string",
    outputType: "RouteUrl",
    outputFrom: "./route_url.ts",
    json: { type: "string", minLength: 1 },
    secret: true,
    read: (input) => {
      const parts = readUrl(input, expected);
      if (parts instanceof Refusal) return parts;
      const { host, port = defaultClusterListen.port, user, password } = parts;
      if (host === undefined) return new Refusal(expected, "it has no host");
      if (port === -1) return new Refusal(expected, portHint);
      return Object.freeze({
        host,
        port,
        ...(user === undefined ? {} : { user }),
        ...(password === undefined ? {} : { password }),
      });
    },
    format: (url) => quoteText(formatRouteUrl(url)),
    mask: (url) => quoteText(showRouteUrl(url)),
  };
}

/** What the flag `--cluster` says. */
export interface ClusterUrl {
  /** Address to listen on; absent for the default. */
  readonly host?: string | undefined;
  /** Port to listen on, -1 for a random one. */
  readonly port: number;
  /** User that routes must show. */
  readonly user?: string | undefined;
  /** Its password. */
  readonly password?: string | undefined;
}

/** Where to listen for routes, `nats://user:password@host:port`, as the flag `--cluster` takes it. */
export function readClusterUrl(text: string): ClusterUrl | Refusal {
  const expected = `a URL such as "nats://host:${defaultClusterListen.port}"`;
  const written = /^[+-]?\d+$/.test(text) ? `:${text}` : text;
  const parts = readUrl(written, expected);
  if (parts instanceof Refusal) return parts;
  const { port, user, password } = parts;
  if (port === undefined) return new Refusal(expected, "it has no port");
  if (user !== undefined && password === undefined) {
    return new Refusal(expected, "the user has no password");
  }
  return { ...parts, port };
}

interface Parts {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
}

const portHint = "a port is a number from 1 to 65535";
const encodingHint = "write %40 for @, %2F for / and so on in user and password";

/** The parts of a URL of nats-server; a scheme need not be there. */
function readUrl(input: unknown, expected: string): Parts | Refusal {
  if (typeof input !== "string" || input.trim() === "" || !input.isWellFormed()) {
    return new Refusal(expected);
  }
  const [, scheme, rest = ""] = /^(?:([A-Za-z][\w+.-]*):\/\/)?([^]*)$/.exec(input.trim()) ?? [];
  switch (scheme?.toLowerCase()) {
    case undefined:
    case "nats":
    case "nats-route":
    // Says nothing: whether there is TLS between servers is a setting of the cluster.
    case "tls":
      break;
    default:
      return new Refusal(expected, "its scheme is nats-route or nats");
  }
  const [authority = "", ...path] = rest.split(/[/?#]/);
  if (path.join("") !== "") {
    return new Refusal(expected, rest.includes("@") ? encodingHint : "it ends with the port");
  }
  const at = authority.lastIndexOf("@");
  const who = at < 0 ? {} : readUserInfo(authority.slice(0, at));
  if (who === undefined) return new Refusal(expected, encodingHint);
  if (who.user === undefined && who.password !== undefined) {
    return new Refusal(expected, "the password has no user");
  }
  const address = authority.slice(at + 1);
  const where = splitHostAndPort(address.replace(/%25(?=[^\]]*\])/, "%"));
  if (where !== undefined) return { ...who, ...where };
  return new Refusal(expected, /^[^:]*:[^:]*$|\]:/.test(address) ? portHint : undefined);
}

/** User and password; `undefined` when their percent-encoding is wrong. */
function readUserInfo(text: string): Pick<Parts, "user" | "password"> | undefined {
  const colon = text.indexOf(":");
  const name = colon < 0 ? text : text.slice(0, colon);
  try {
    const user = decodeURIComponent(name);
    const password = colon < 0 ? undefined : decodeURIComponent(text.slice(colon + 1));
    return {
      ...(user === "" ? {} : { user }),
      ...(password === undefined ? {} : { password }),
    };
  } catch {
    return undefined;
  }
}
