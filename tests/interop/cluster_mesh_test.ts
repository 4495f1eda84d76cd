/** Three servers, of which one is killed and comes back while the others are busy. */
import { assert, assertEquals } from "@std/assert";
import { type ClusterGroup, startGroup } from "../support/cluster_group.ts";
import type { ServerKind } from "../support/cluster_config.ts";
import { available, DENATS } from "../support/cluster_server.ts";
import { delivered, freshSubject, meshed, settled, type Side } from "../support/cluster_side.ts";
import { eventually } from "../support/eventually.ts";
import { MessageSequence } from "../support/message_sequence.ts";
import { Received } from "../support/nats_client.ts";

/** Messages that a publisher sends between two looks at what else has happened. */
const BATCH = 50;

/** Messages of each publisher, at the least, before the kill, while a member is gone, and after. */
const SHARE = 2000;

const MESHES: readonly (readonly [ServerKind, ServerKind, ServerKind])[] = [
  [DENATS, "2.15", "2.10"],
  [DENATS, DENATS, "2.15"],
  [DENATS, "2.9", "2.15"],
];

for (const kinds of MESHES) {
  for (const victim of kinds.keys()) {
    // Of two servers of one kind it makes no difference which is killed.
    if (kinds.indexOf(kinds[victim]!) !== victim) continue;
    Deno.test({
      name: `cluster: ${kinds.join(" + ")}, and ${kinds[victim]} is killed under load`,
      ignore: !await available(kinds),
      fn: async () => {
        await using group = await startGroup(
          kinds.map((kind, index) => ({ kind, dials: [0, 1, 2].filter((one) => one !== index) })),
        );
        await playKill(group, victim);
      },
    });
  }
}

/** What one server publishes, and how it arrives at each of the others that stay. */
interface Load {
  readonly from: Side;
  readonly subject: string;
  readonly sequences: readonly MessageSequence[];
  /** How often a queue group of all that stay has got each message. */
  readonly shared: number[];
  sent: number;
}

async function playKill(group: ClusterGroup, victim: number): Promise<void> {
  const { sides } = group;
  const victimSide = sides[victim]!;
  const survivors = sides.filter((side) => side !== victimSide);
  await meshed(sides);

  // Every survivor publishes to subscriptions on every survivor; the victim has one of each, too.
  const loads: Load[] = survivors.map((from) => {
    const subject = freshSubject("load");
    const sequences = survivors.map((to) => sequenceOn(to, subject)), shared: number[] = [];
    for (const to of survivors) shareOn(to, subject, shared);
    sequenceOn(victimSide, subject);
    return { from, subject, sequences, shared, sent: 0 };
  });
  const lastWords = freshSubject("last");
  const heard = survivors.map((to) => sequenceOn(to, lastWords));
  await settled(sides);

  let over = false, killed = false;
  const dying = (async () => {
    const client = victimSide.client(), closed = client.closed();
    for (let number = 0; !killed && !client.isClosed();) {
      for (let i = 0; i < BATCH; i++) client.publish(lastWords, `${number++}`);
      // What was being flushed when the victim died stays so.
      await Promise.race([client.flush(), closed]);
    }
  })();
  const publishing = Promise.all(loads.map(async (load) => {
    while (!over) {
      const client = load.from.client();
      for (let i = 0; i < BATCH; i++) client.publish(load.subject, `${load.sent++}`);
      await client.flush();
    }
  }));
  const more = async () => {
    const goals = loads.map((load) => load.sent + SHARE);
    await eventually(
      "the publishers go on",
      () => loads.every((load, index) => load.sent >= goals[index]!),
    );
  };
  let returned: { load: Load; sequence: MessageSequence }[];
  try {
    await more();
    await victimSide.server.kill("SIGKILL");
    killed = true;
    await dying;
    await more();
    await victimSide.server.restart();
    await victimSide.reconnect();
    await meshed(sides);
    // From here on the one that has come back misses nothing either.
    returned = loads.map((load) => ({
      load,
      sequence: sequenceOn(victimSide, load.subject, "first"),
    }));
    await settled(sides);
    await more();
  } finally {
    over = killed = true;
    await Promise.all([publishing, dying]);
  }
  for (const { from } of loads) await delivered(from, sides);

  for (const { from, sent, sequences, shared } of loads) {
    assertEquals(shared.length, sent, `messages of ${from.name} to a group`);
    assert(shared.every((times) => times === 1), `messages of ${from.name} to a group, once each`);
    const summaries = sequences.map(({ summary }) => summary);
    assertEquals(
      summaries,
      survivors.map(() => `${sent} in order`),
      `${from.name}\n${group.report}`,
    );
  }
  // Of what the victim has published the end may be lost, and nothing else.
  for (const { next, summary } of heard) assertEquals(summary, `${next} in order`, "last words");
  for (const { load, sequence } of returned) {
    assertEquals(sequence.summary, `${load.sent} in order`, `${load.from.name} to the victim`);
  }
  await sharedByAll(sides, victimSide);
}

/** A queue group with a member everywhere is served everywhere. */
async function sharedByAll(sides: readonly Side[], from: Side): Promise<void> {
  const subject = freshSubject("shared"), count = 600;
  const members = sides.map((side) => new Received(side.client(), subject, { queue: "all" }));
  await settled(sides);
  for (let number = 0; number < count; number++) from.client().publish(subject);
  await delivered(from, sides);
  const counts = members.map(({ messages }) => messages.length);
  assertEquals(counts.reduce((sum, one) => sum + one), count);
  // A third each; less than a sixth of 600 happens once in 10^20 times.
  assert(counts.every((one) => one > count / 6), `${counts}`);
  for (const member of members) member[Symbol.dispose]();
}

/** Takes part in the group, and counts each message in `shared`. */
function shareOn(side: Side, subject: string, shared: number[]): void {
  side.client().subscribe(subject, {
    queue: "survivors",
    callback: (error, message) => {
      if (error !== null) throw error;
      const number = Number(message.string());
      shared[number] = (shared[number] ?? 0) + 1;
    },
  });
}

/** Subscribes and counts; `"first"`: from whatever comes first. */
function sequenceOn(side: Side, subject: string, start?: "first"): MessageSequence {
  const sequence = new MessageSequence();
  let begun = start !== "first";
  side.client().subscribe(subject, {
    callback: (error, message) => {
      if (error !== null) throw error;
      const number = Number(message.string());
      if (!begun) sequence.next = number;
      begun = true;
      sequence.add(number);
    },
  });
  return sequence;
}
