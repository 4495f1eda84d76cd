/**
 * Generated permissions compared with the real nats-server: every message, every subscription, every
 * delivery that a wildcard brings, and every answer. `MATRIX_SEED` chooses others.
 */
import { assert, assertEquals } from "@std/assert";
import { startBroker } from "../support/broker.ts";
import { findNatsServer, startNatsServer } from "../support/nats_server.ts";
import { ReferencePermissions } from "../support/reference_permissions.ts";
import { askServer, generateUsers, LITERALS, matrixConfig } from "./permission_matrix.ts";

const SEED = Number(Deno.env.get("MATRIX_SEED") ?? 4);
const USERS = 150;

const binary = await findNatsServer("2.15");

Deno.test({
  name: `generated permissions decide as nats-server 2.15 does (seed ${SEED})`,
  ignore: binary === undefined,
  fn: async () => {
    const users = generateUsers(SEED, USERS), config = matrixConfig(users);
    await using official = await startNatsServer(binary!, JSON.stringify(config));
    await using broker = await startBroker(config);
    const [wanted, found] = [
      await askServer(official, users),
      await askServer(broker.address, users),
    ];
    let decisions = 0, refusals = 0, deliveries = 0, heldBack = 0;
    for (const { user, permissions, subjects, subscriptions } of users) {
      const theirs = wanted.get(user)!, ours = found.get(user)!;
      const what = `${user}: ${JSON.stringify(permissions)}`;
      assertEquals(ours.published, theirs.published, what);
      assertEquals(ours.subscribed, theirs.subscribed, what);
      assertEquals(ours.answered, theirs.answered, what);
      decisions += subjects.length + subscriptions.length;
      refusals += (theirs.published + theirs.subscribed).split("-ERR").length - 1;
      // What nats-server delivers although no entry allows it is held back by denats, and only that.
      const reference = new ReferencePermissions(permissions);
      for (const [one, received] of Object.entries(theirs.delivered)) {
        const [subject, queue] = one.split(" ");
        const allowed = received.filter((literal) =>
          reference.gets(subject!, queue === "-" ? null : queue!, literal)
        );
        assertEquals(ours.delivered[one], allowed, `${what}: SUB ${one}`);
        const matching = LITERALS.filter((literal) => reference.matches(subject!, literal));
        decisions += matching.length;
        deliveries += received.length;
        heldBack += matching.length - received.length;
      }
      assertEquals(Object.keys(ours.delivered), Object.keys(theirs.delivered));
    }
    assert(decisions >= 10_000, `only ${decisions} decisions`);
    // Neither of the answers must be a rarity, or little would be compared.
    assert(
      refusals > 2000 && refusals < decisions - 2000,
      `${refusals} of ${decisions} are refused`,
    );
    assert(deliveries > 1000 && heldBack > 50, `${deliveries} delivered, ${heldBack} held back`);
  },
});
