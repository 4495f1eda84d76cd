/**
 * The security bulletins of nats-server from 2023 to 2026 (https://advisories.nats.io), each with the
 * tests that show that denats does not have the same weakness, or why there is nothing to test.
 *
 * @module
 */

/** One bulletin. */
export interface Bulletin {
  /** Its number there. */
  readonly id: string;
  /** The names that others know it by. */
  readonly aliases: readonly string[];
  /** What is weak. */
  readonly title: string;
  /** `file: name` of tests, in `tests/`; nothing where the part that is weak does not exist. */
  readonly tests: readonly string[];
  /** Which part that is. */
  readonly missing?: string;
}

const OWN = "unit/security_bulletins_test.ts";
const LEAF = "leaf nodes", WEBSOCKET = "WebSocket", MQTT = "MQTT";

function tested(id: string, aliases: string, title: string, ...tests: string[]): Bulletin {
  return { id, aliases: aliases.split(" "), title, tests };
}

function without(missing: string, id: string, aliases: string, title: string): Bulletin {
  return { id, aliases: aliases.split(" "), title, tests: [], missing };
}

/** All bulletins, oldest first. */
export const BULLETINS: readonly Bulletin[] = [
  tested(
    "2023-01",
    "CVE-2023-47090 GHSA-fr2g-9hjm-wr23",
    "Accounts for the system alone open the others, in spite of an authorization block",
    `${OWN}: accounts for the system alone do not open what an authorization block closes`,
  ),
  without(
    "requests of the auth callout that are encrypted by Go's nkeys; others' are tested with the callout",
    "2023-02",
    "CVE-2023-46129 GHSA-mr45-rx8q-wcm9",
    "Curve keys encrypt with an all-zero key",
  ),
  tested(
    "2025-01",
    "CVE-2025-30215 GHSA-fhg8-qxh5-7q3w",
    "Requests of the JetStream API reach assets of other accounts",
    `${OWN}: a request of the JetStream API says the account that it comes from, whatever it claims`,
  ),
  tested(
    "2026-01",
    "CVE-2025-68121",
    "Resumed TLS sessions outlive changed authorities",
    "unit/connection_tls_context_test.ts: who was verified by other authorities does not resume a session",
    "e2e/tls_resumption_test.ts: what one port was content with does not get anybody in on another",
  ),
  without(
    WEBSOCKET,
    "2026-02",
    "CVE-2026-27571 GHSA-qrvq-68c2-7grw",
    "Compressed messages exhaust memory before authentication",
  ),
  without(
    WEBSOCKET,
    "2026-03",
    "CVE-2026-27889 GHSA-pq2q-rcw4-3hr6",
    "A frame crashes the server before authentication",
  ),
  tested(
    "2026-04",
    "CVE-2026-29785 GHSA-52jh-2xxh-pwh6",
    "Compression asked for before authentication crashes the server (leaf nodes; routes here)",
    `${OWN}: nothing but CONNECT is heard on the route port before authentication`,
  ),
  without(MQTT, "2026-05", "CVE-2026-33216 GHSA-v722-jcv5-w7mc", "Monitoring shows passwords"),
  without(MQTT, "2026-06", "CVE-2026-33215 GHSA-fcjp-h8cc-6879", "Client ids take sessions over"),
  without(
    MQTT,
    "2026-07",
    "CVE-2026-33217 GHSA-jxxm-27vp-c3m5",
    "Permissions do not hold in $MQTT",
  ),
  without(
    LEAF,
    "2026-08",
    "CVE-2026-33246 GHSA-55h8-8g96-x4hj",
    "Leaf nodes pass on Nats-Request-Info of their own",
  ),
  tested(
    "2026-09",
    "CVE-2026-33223 GHSA-pwx7-fx9r-hr4h",
    "Clients say in Nats-Request-Info who they are",
    `${OWN}: no spelling of Nats-Request-Info lets a client say who it is`,
    "unit/account_imports_test.ts: what a client says of itself as a requester never passes",
  ),
  tested(
    "2026-10",
    "CVE-2026-33218 GHSA-vprv-35vv-q339",
    "A malformed message crashes the server before authentication (leaf nodes; all ports here)",
    `${OWN}: malformed frames before authentication are refused, and nobody else notices`,
  ),
  without(
    WEBSOCKET,
    "2026-11",
    "CVE-2026-33219 GHSA-8r68-gvr4-jh7j",
    "Memory grows with what is sent before authentication",
  ),
  without(
    "streams, whose API is that of the other servers of the cluster",
    "2026-12",
    "CVE-2026-33222 GHSA-9983-vrx2-fg9c",
    "Streams are restored under other names",
  ),
  tested(
    "2026-13",
    "CVE-2026-33248 GHSA-3f24-pcvm-5jqc",
    "Subjects of certificates are not compared in full",
    "unit/auth_user_rights_test.ts: a certificate's subject is compared part by part",
  ),
  without(
    "monitoring of the command line",
    "2026-14",
    "CVE-2026-33247 GHSA-x6g4-f6q3-fqvv",
    "Monitoring shows credentials of the command line",
  ),
  tested(
    "2026-15",
    "CVE-2026-33249 GHSA-8m2x-3m6q-6w8j",
    "Reports of message tracing go where their sender may not publish",
    `${OWN}: nobody has a message traced to where it may not publish`,
  ),
  tested(
    "2026-16",
    "GHSA-38x3-76xf-cq45",
    "With no_auth_user, routes need no credentials",
    `${OWN}: no_auth_user lets nobody in on the route port`,
  ),
  tested(
    "2026-17",
    "GHSA-wh7g-5m82-pmhr",
    "A wildcard that overlaps what is denied gets it",
    `${OWN}: a subscription that overlaps what is denied gets the rest, in a group as well`,
  ),
  tested(
    "2026-18",
    "GHSA-jx8g-9g95-6322",
    "Rules about groups override what is denied to all",
    `${OWN}: what is denied to all is denied to every queue group`,
  ),
  tested(
    "2026-19",
    "GHSA-3g5q-cfh2-cq67",
    "INFO twice before authentication crashes the server (leaf nodes; routes here)",
    `${OWN}: nothing but CONNECT is heard on the route port before authentication`,
  ),
  without(
    LEAF,
    "2026-20",
    "CVE-2026-58254 GHSA-p3j5-5hrq-p75h",
    "Leaf nodes have messages traced to where they may not publish",
  ),
  without(MQTT, "2026-21", "GHSA-4g68-3pwx-5vfj", "Permissions do not hold for PUBREL"),
  tested(
    "2026-22",
    "GHSA-qrcv-3558-gj4f",
    "Subjects carry commands to other servers (MQTT; clients here)",
    `${OWN}: no subject carries a command to another server`,
  ),
  tested(
    "2026-23",
    "GHSA-g33f-6538-grxh",
    "A truncated key in a JWT crashes the server before authentication",
    `${OWN}: truncated keys in a JWT are no more than refused`,
    "unit/auth_operator_test.ts: no claims, however signed, are more than refused",
  ),
  tested(
    "2026-24",
    "GHSA-hmmp-q8cx-v964",
    "no_auth_user is let in without CONNECT however it is connected",
    `${OWN}: no_auth_user must be connected as it may be, with CONNECT and without`,
  ),
  tested(
    "2026-25",
    "GHSA-r72h-j7qq-v6qg",
    "Unfinished packets fill memory before authentication (MQTT; CONNECT here)",
    `${OWN}: what is unfinished before authentication is bounded`,
  ),
  without(MQTT, "2026-26", "GHSA-7qmq-8cc4-hxwg", "Replayed messages bypass what is denied"),
  without(WEBSOCKET, "2026-27", "GHSA-p957-7v2w-g93g", "A path crashes servers without MQTT"),
  without(
    "requests for lists of connections",
    "2026-28",
    "GHSA-q59r-vq66-pxc2",
    "Overflowing page numbers crash the server",
  ),
];
