/**
 * INFO and CONNECT between servers.
 *
 * @module
 */
import { decodeByteString, encodeByteString } from "./byte_string.ts";

/** Subjects that may pass, and such that may not. */
export interface SubjectFilter {
  /** Only these; all if absent. */
  readonly allow?: readonly string[] | undefined;
  /** Not these. */
  readonly deny?: readonly string[] | undefined;
}

/** How far news of a server travel: nats-server's `gossip_mode`. */
export const GOSSIP = { default: 0, disabled: 1, override: 2 } as const;

/** INFO of a server to another; fields as in nats-server's `Info`. Absent fields are as there. */
export interface RouteInfo {
  /** The server's id. */
  readonly server_id: string;
  /** The server's name, which must be its own in the cluster. */
  readonly server_name: string;
  /** The nats-server version whose behaviour it has. */
  readonly version: string;
  /** Level of the protocol between servers; 2 knows accounts. */
  readonly proto: number;
  /** What it runs on. */
  readonly go?: string;
  /** Address of its route listener, as configured. */
  readonly host: string;
  /** Port of its route listener. */
  readonly port: number;
  /** Whether it understands HMSG. */
  readonly headers: boolean;
  /** Whether routes to it must show credentials. */
  readonly auth_required?: boolean;
  /** Whether TLS comes first. */
  readonly tls_required?: boolean;
  /** Whether who dials it must show a certificate. */
  readonly tls_verify?: boolean;
  /** Largest message of its clients. */
  readonly max_payload: number;
  /** URL under which others are to dial it. */
  readonly ip?: string;
  /** Means nothing here, but is expected. */
  readonly nonce?: string;
  /** Set only by a listener for clients. */
  readonly client_id?: number;
  /** Name of its cluster; empty when it does not say. */
  readonly cluster: string;
  /** Whether that name was made up. */
  readonly cluster_dynamic?: boolean;
  /** Where its clients may connect to, as host:port. */
  readonly connect_urls?: readonly string[];
  /** Whether it is about to go. */
  readonly ldm?: boolean;
  /** Mode of compression: what it is configured to, or what was agreed on. */
  readonly compression?: string;
  /** What it wants of others. */
  readonly import?: SubjectFilter;
  /** What it lets others want of it. */
  readonly export?: SubjectFilter;
  /** Whether it understands LS+ and LMSG. */
  readonly lnoc?: boolean;
  /** Whether it wants LS- with the origin. */
  readonly lnocu?: boolean;
  /** How many connections it wants to each peer, besides those of single accounts; 0 or absent: one. */
  readonly route_pool_size?: number;
  /** Which of them this is; absent for the first. */
  readonly route_pool_idx?: number;
  /** The account that this connection is for alone. */
  readonly route_account?: string;
  /** In the exchange about an account that gets a connection of its own: its id. */
  readonly route_acc_add_reqid?: string;
  /** One of {@link GOSSIP}; absent for the default. */
  readonly gossip_mode?: number;
  /** denats' version, where it is one: two denats agree on what else both would give up. */
  readonly denats?: string;
}

/** CONNECT of a server to another. */
export interface RouteConnect {
  /** Its id. */
  readonly name: string;
  /** Name of its cluster. */
  readonly cluster: string;
  /** Whether that name was made up. */
  readonly cluster_dynamic: boolean;
  /** Its user. */
  readonly user: string;
  /** The user's password. */
  readonly pass: string;
  /** Whether it wants +OK. */
  readonly verbose: boolean;
  /** Whether it understands HMSG. */
  readonly headers: boolean;
  /** Set only by clients. */
  readonly lang: string;
  /** Set only by gateways. */
  readonly gateway: string;
}

type Fields<T> = Readonly<
  Record<keyof T & string, "string" | "number" | "boolean" | "strings" | "filter">
>;

const INFO_FIELDS: Fields<RouteInfo> = {
  server_id: "string",
  server_name: "string",
  version: "string",
  proto: "number",
  go: "string",
  host: "string",
  port: "number",
  headers: "boolean",
  auth_required: "boolean",
  tls_required: "boolean",
  tls_verify: "boolean",
  max_payload: "number",
  ip: "string",
  nonce: "string",
  client_id: "number",
  cluster: "string",
  cluster_dynamic: "boolean",
  connect_urls: "strings",
  ldm: "boolean",
  compression: "string",
  import: "filter",
  export: "filter",
  lnoc: "boolean",
  lnocu: "boolean",
  route_pool_size: "number",
  route_pool_idx: "number",
  route_account: "string",
  route_acc_add_reqid: "string",
  gossip_mode: "number",
  denats: "string",
};

const CONNECT_FIELDS: Fields<RouteConnect> = {
  name: "string",
  cluster: "string",
  cluster_dynamic: "boolean",
  user: "string",
  pass: "string",
  verbose: "boolean",
  headers: "boolean",
  lang: "string",
  gateway: "string",
};

const NO_INFO: RouteInfo = {
  server_id: "",
  server_name: "",
  version: "",
  proto: 0,
  host: "",
  port: 0,
  headers: false,
  max_payload: 0,
  cluster: "",
};

const NO_CONNECT: RouteConnect = {
  name: "",
  cluster: "",
  cluster_dynamic: false,
  user: "",
  pass: "",
  verbose: false,
  headers: false,
  lang: "",
  gateway: "",
};

/** Reads a peer's INFO (a byte string); null when it is none. Fields that it does not know are left out. */
export function parseRouteInfo(json: string): RouteInfo | null {
  return parseFields(json, INFO_FIELDS, NO_INFO);
}

/** Reads a peer's CONNECT (a byte string); null when it is none. */
export function parseRouteConnect(json: string): RouteConnect | null {
  return parseFields(json, CONNECT_FIELDS, NO_CONNECT);
}

function parseFields<T extends object>(json: string, fields: Fields<T>, none: T): T | null {
  let value: unknown;
  try {
    value = JSON.parse(decodeByteString(json));
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const read = { ...none } as Record<string, unknown>;
  for (const [name, given] of Object.entries(value)) {
    const type = Object.hasOwn(fields, name) ? fields[name as keyof T & string] : undefined;
    if (type === undefined || given === null) continue;
    if (!fits(given, type)) return null;
    read[name] = given;
  }
  return read as T;
}

function fits(value: unknown, type: Fields<RouteInfo>[keyof RouteInfo]): boolean {
  switch (type) {
    case "strings":
      return isStrings(value);
    case "filter":
      return typeof value === "object" && value !== null &&
        Object.values(value).every((list) => list === null || isStrings(list));
    case "number":
      return Number.isSafeInteger(value);
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
  }
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/**
 * The INFO frame, a byte string. `own` is for what a server says of itself: like nats-server it then
 * puts a blank before the line end, and none into what it passes on.
 */
export function routeInfoFrame(info: RouteInfo, own: boolean): string {
  return `INFO ${encodeByteString(JSON.stringify(info))}${own ? " " : ""}\r\n`;
}

/** The CONNECT frame of a server that dials another, a byte string. */
export function routeConnectFrame(connect: {
  readonly id: string;
  readonly cluster: string;
  readonly clusterDynamic: boolean;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly tls?: boolean;
}): string {
  const { user, password } = connect;
  const json = JSON.stringify({
    echo: true,
    verbose: false,
    pedantic: false,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { pass: password }),
    tls_required: connect.tls ?? false,
    headers: true,
    name: connect.id,
    cluster: connect.cluster,
    ...(connect.clusterDynamic && { cluster_dynamic: true }),
    lnoc: true,
  });
  return `CONNECT ${encodeByteString(json)}\r\n`;
}
