/**
 * What becomes of clients when those who may connect are others.
 *
 * @module
 */
import { type Identity, Refusal } from "../auth/mod.ts";
import type { ClientEnvironment } from "./environment.ts";

/** What becomes of a client: nothing, its user is gone, or it is asked once more who it is. */
export type Fate = "stays" | "gone" | "asked";

/** How many clients are looked at between two looks at the clock. */
const LOOKED_AT_A_TIME = 256;
/** How many are asked at the same time: as many checks of passwords may wait. */
const ASKED_AT_A_TIME = 128;

/**
 * Closes those who may not be here any more. Whose user is gone is closed without a word, as by
 * nats-server; who is asked once more and not let in gets the usual text.
 *
 * @param fateOf Decides by who a client is.
 */
export async function reconsiderClients(
  environment: ClientEnvironment,
  fateOf: (identity: Identity) => Fate,
  rest: () => Promise<void> | undefined,
): Promise<void> {
  let looked = 0;
  let asked: Promise<void>[] = [];
  for (const session of [...environment.sessions.values()]) {
    if (++looked % LOOKED_AT_A_TIME === 0) await rest();
    const { identity, closing } = session;
    if (identity === null || closing !== null) continue;
    switch (fateOf(identity)) {
      case "gone":
        session.revise(new Refusal("the user is no longer configured"), null);
        break;
      case "asked":
        asked.push(session.reconsider());
    }
    if (asked.length < ASKED_AT_A_TIME) continue;
    await Promise.all(asked);
    asked = [];
  }
  await Promise.all(asked);
}
