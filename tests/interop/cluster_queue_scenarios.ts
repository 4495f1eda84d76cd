/**
 * What clients of two members see of queue groups.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { delivered, freshSubject, settled, type Side } from "../support/cluster_side.ts";
import { eventually } from "../support/eventually.ts";
import { Received } from "../support/nats_client.ts";
import type { Scenario } from "./cluster_pair.ts";

/** How many messages are spread over a group. */
const SPREAD = 2000;

/**
 * How far a member's share may be from the expected one, in standard deviations. A fair server is
 * beyond that once in ten thousand million times.
 */
const DEVIATIONS = 6.5;

/** How long it may take until a group is served evenly, in milliseconds. */
const SPREAD_LIMIT_MS = 3000;

/** A queue group with members on both sides. */
export const spreading: Scenario = {
  name: "a queue group is served evenly over the members of both sides",
  async run({ sides, directions }) {
    for (const [few, many] of directions) {
      const subject = freshSubject("queue");
      await using another = await many.connect();
      const queue = { queue: "workers" };
      const members = [
        new Received(few.client(), subject, queue),
        new Received(many.client(), subject, queue),
        new Received(many.client(), subject, queue),
        new Received(another, subject, queue),
      ];
      await settled(sides);
      for (const from of sides) await spread(from, sides, subject, members);
      // Two of the three leave, so one is left on each side.
      for (const member of members.splice(2)) member.subscription.unsubscribe();
      await settled(sides);
      for (const from of sides) await spread(from, sides, subject, members);
      for (const member of members) member[Symbol.dispose]();
    }
  },
};

/**
 * Publishes on one side and compares what each member has got. Servers may tell each other a little
 * later how many members there are, so the shares may be uneven at first.
 */
async function spread(
  from: Side,
  sides: readonly Side[],
  subject: string,
  members: readonly Received[],
): Promise<void> {
  const share = 1 / members.length;
  const bound = DEVIATIONS * Math.sqrt(SPREAD * share * (1 - share));
  let counts: readonly number[] = [];
  await eventually(
    () =>
      `from ${from.name}: ${counts} of ${SPREAD}, more than ${bound.toFixed()} from even shares`,
    async () => {
      for (const member of members) member.messages.length = 0;
      for (let number = 0; number < SPREAD; number++) from.client().publish(subject, `${number}`);
      await delivered(from, sides);
      const numbers = members.flatMap(({ texts }) => texts.map(Number)).sort((a, b) => a - b);
      assertEquals(numbers.length, SPREAD, "messages that the group got");
      assert(numbers.every((number, index) => number === index), "each message once");
      counts = members.map(({ messages }) => messages.length);
      return counts.every((count) => Math.abs(count - SPREAD * share) <= bound);
    },
    SPREAD_LIMIT_MS,
  );
}

/** Groups with members on one side only, both sides, and plain subscriptions beside them. */
export const mixed: Scenario = {
  name: "plain subscriptions and queue groups on one subject do not disturb each other",
  async run({ sides, directions }) {
    const count = 200;
    for (const [from, to] of directions) {
      const subject = freshSubject("mixed");
      const plain = [
        new Received(from.client(), subject),
        new Received(to.client(), subject),
        new Received(to.client(), subject.replace(/\d+$/, "*")),
      ];
      const groups = [
        sides.map((side) => new Received(side.client(), subject, { queue: "both" })),
        [new Received(to.client(), subject, { queue: "there" })],
        [new Received(from.client(), subject, { queue: "here" })],
        sides.map((side) => new Received(side.client(), subject, { queue: "three" }))
          .concat(new Received(to.client(), subject, { queue: "three" })),
      ];
      await settled(sides);
      for (let number = 0; number < count; number++) from.client().publish(subject, `${number}`);
      await delivered(from, sides);
      const all = Array.from({ length: count }, (_, number) => `${number}`);
      for (const one of plain) assertEquals(one.texts, all);
      for (const group of groups) {
        const got = group.flatMap(({ texts }) => texts);
        assertEquals(got.map(Number).sort((a, b) => a - b).map(String), all);
      }
      assert(groups[0]!.every(({ messages }) => messages.length > 0), "both sides have a share");
      for (const one of [...plain, ...groups.flat()]) one[Symbol.dispose]();
    }
  },
};

/** A group whose members on the publisher's side leave. */
export const moving: Scenario = {
  name: "a queue group goes on with the members of the other side",
  async run({ sides, directions }) {
    for (const [from, to] of directions) {
      const subject = freshSubject("moving");
      const local = new Received(from.client(), subject, { queue: "movers" });
      using remote = new Received(to.client(), subject, { queue: "movers" });
      await settled(sides);
      local[Symbol.dispose]();
      await settled(sides);
      for (let number = 0; number < 100; number++) from.client().publish(subject);
      await delivered(from, sides);
      assertEquals([local.messages.length, remote.messages.length], [0, 100]);
    }
  },
};
