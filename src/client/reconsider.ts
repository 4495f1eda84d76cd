/**
 * What becomes of clients when those who may connect are others.
 *
 * @module
 */
import type { Identity } from "../auth/mod.ts";
import type { ClientEnvironment } from "./environment.ts";

/** How many clients are looked at between two looks at the clock. */
const LOOKED_AT_A_TIME = 256;
/** How many are asked for their secrets at the same time: as many checks of passwords may wait. */
const ASKED_AT_A_TIME = 128;

/**
 * Closes those who may not be here any more, and takes from the others what they may not do any more;
 * nothing happens to whom nothing has changed for.
 *
 * @param isGone Whether a user is there no more: its clients are closed without a word, as by
 * nats-server. Others that are not let in get the usual text.
 */
export async function reconsiderClients(
  environment: ClientEnvironment,
  isGone: (identity: Identity) => boolean,
  rest: () => Promise<void> | undefined,
): Promise<void> {
  let looked = 0;
  let asked: Promise<void>[] = [];
  for (const session of [...environment.sessions.values()]) {
    if (++looked % LOOKED_AT_A_TIME === 0) await rest();
    const { identity, closing } = session;
    if (identity === null || closing !== null) continue;
    const asking = session.reconsider(isGone(identity));
    if (asking === undefined) continue;
    asked.push(asking);
    if (asked.length < ASKED_AT_A_TIME) continue;
    await Promise.all(asked);
    asked = [];
  }
  await Promise.all(asked);
}
