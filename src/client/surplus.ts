/**
 * What becomes of clients whose account may have fewer than before.
 *
 * @module
 */
import type { ClientSession } from "./session.ts";

/**
 * Closes those who came last, as nats-server does, where one of the named accounts has more clients
 * here than it may have.
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
