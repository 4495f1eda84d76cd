/**
 * Who asks a service, and who answers, as others learn it.
 *
 * @module
 */
import type { Requester } from "./subscriber.ts";

/** Names of this server and its cluster. */
export interface ServerNames {
  /** The server's name. */
  readonly name: string;
  /** The cluster's name; null without one. */
  readonly cluster: string | null;
}

/** What is told of a client; the fields of nats-server's `ClientInfo`. */
export type RequestInfo = Readonly<Record<string, unknown>>;

/** Only the account, and how long messages are under way. */
export function briefInfo(account: string, who: Requester): RequestInfo {
  const rtt = nanoseconds(who.rttMs);
  return { acc: account, ...(rtt > 0 && { rtt }) };
}

/** Everything. */
export function fullInfo(account: string, who: Requester, server: ServerNames): RequestInfo {
  const rtt = nanoseconds(who.rttMs);
  return {
    start: new Date(who.startedAt).toISOString(),
    host: who.hostname,
    id: who.id,
    acc: account,
    ...(who.user !== null && who.user !== "" && { user: who.user }),
    ...(who.name !== "" && { name: who.name }),
    ...(who.lang !== "" && { lang: who.lang }),
    ...(who.version !== "" && { ver: who.version }),
    ...(rtt > 0 && { rtt }),
    ...placeOf(server),
    kind: "Client",
    client_type: "nats",
  };
}

/** The server of whoever asks. */
export function placeOf({ name, cluster }: ServerNames): RequestInfo {
  return { server: name, ...(cluster !== null && { cluster }) };
}

/** Milliseconds as nats-server writes spans of time. */
export function nanoseconds(ms: number): number {
  return Math.max(0, Math.round(ms * 1e6));
}
