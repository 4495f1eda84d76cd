/**
 * What becomes of clients where there may be fewer than before. Those who came last go first: they have
 * waited least for their place.
 *
 * @module
 */
import { ERROR_TEXT } from "../protocol/mod.ts";
import type { ClientEnvironment } from "./environment.ts";
import type { ClientSession } from "./session.ts";

/** Closes clients where the server has more than `most`. */
export function closeSurplus({ sessions, statistics }: ClientEnvironment, most: number): void {
  let surplus = sessions.size - statistics.closingConnections - most;
  if (surplus <= 0) return;
  for (const session of [...sessions.values()].reverse()) {
    if (session.closing !== null) continue;
    session.close("maximumConnectionsExceeded", ERROR_TEXT.connections);
    if (--surplus === 0) return;
  }
}

/**
 * Closes clients, as nats-server does, where one of the named accounts has more here than it may have.
 *
 * @param sessions In the order in which they came.
 */
export function closeSurplusOf(
  sessions: Iterable<ClientSession>,
  accounts: ReadonlySet<string>,
): void {
  const byAccount = new Map<string, ClientSession[]>();
  for (const session of sessions) {
    const { account, closing } = session;
    if (account === null || closing !== null || !accounts.has(account.name)) continue;
    const { max_connections: most = -1 } = account.limits;
    if (most < 0 || account.connections <= most) continue;
    const clients = byAccount.get(account.name);
    if (clients === undefined) byAccount.set(account.name, [session]);
    else clients.push(session);
  }
  for (const clients of byAccount.values()) {
    const account = clients[0]!.account!, most = account.limits.max_connections ?? -1;
    while (account.connections > most && clients.length > 0) clients.pop()!.closeAsSurplus();
  }
}
