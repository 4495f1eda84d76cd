/**
 * What clients of two members see of messages and interest.
 *
 * @module
 */
import { headers } from "@nats-io/transport-node";
import { assert, assertEquals } from "@std/assert";
import { ACCOUNTS } from "../support/cluster_config.ts";
import { delivered, freshSubject, settled } from "../support/cluster_side.ts";
import { MessageSequence } from "../support/message_sequence.ts";
import { Received, soon } from "../support/nats_client.ts";
import { inEachAccount, type Scenario } from "./cluster_pair.ts";

/** `max_payload` of both, in bytes. */
const MAX_PAYLOAD = 1_048_576;

/** How many messages are counted in each account and direction. */
const COUNTED = 5000;

const EVERY_BYTE = Uint8Array.from({ length: 512 }, (_, index) => index);

/** A message on one side reaches a subscription on the other as it was. */
export const publishing: Scenario = {
  name: "a message arrives on the other side as it was sent",
  async run({ sides, directions }) {
    for (const [from, to] of directions) {
      const subject = freshSubject("plain");
      using received = new Received(to.client(), subject);
      await settled(sides);
      from.client().publish(subject);
      from.client().publish(subject, "text\r\n");
      from.client().publish(subject, EVERY_BYTE, { reply: "answer.here" });
      await received.count(3);
      await delivered(from, sides);
      const [empty, text, bytes, ...more] = received.messages;
      assertEquals(more.length, 0);
      assertEquals([empty!.subject, empty!.data.length, empty!.reply ?? ""], [subject, 0, ""]);
      assertEquals(text!.string(), "text\r\n");
      assertEquals(difference(bytes!.data, EVERY_BYTE), []);
      assertEquals(bytes!.reply, "answer.here");
    }
  },
};

/** Several subscriptions to one subject. */
export const copies: Scenario = {
  name: "every subscription gets one copy, on both sides",
  async run({ sides, directions }) {
    for (const [from, to] of directions) {
      const subject = freshSubject("copies");
      await using other = await to.connect();
      using first = new Received(to.client(), subject);
      using second = new Received(to.client(), subject);
      using third = new Received(other, subject);
      using local = new Received(from.client(), subject);
      await settled(sides);
      const texts = Array.from({ length: 20 }, (_, index) => `${index}`);
      for (const text of texts) from.client().publish(subject, text);
      await delivered(from, sides);
      for (const one of [first, second, third, local]) assertEquals(one.texts, texts);
    }
  },
};

/** Subscriptions with wildcards, which overlap. */
export const wildcards: Scenario = {
  name: "wildcards match across, and overlapping ones get one copy each",
  async run({ sides, directions }) {
    for (const [from, to] of directions) {
      const root = freshSubject("wild");
      const patterns = [`${root}.*`, `${root}.>`, `${root}.*.c`, `${root}.a`, `${root}.a.*`];
      const received = patterns.map((pattern) => new Received(to.client(), pattern));
      await settled(sides);
      for (const tail of [".a", ".a.c", ".b", ".b.c.d", ""]) {
        from.client().publish(root + tail, tail);
      }
      await delivered(from, sides);
      assertEquals(received.map((one) => one.texts), [
        [".a", ".b"],
        [".a", ".a.c", ".b", ".b.c.d"],
        [".a.c"],
        [".a"],
        [".a.c"],
      ]);
      assert(
        received.every((one) =>
          one.messages.every(({ subject, data }) =>
            subject === root + new TextDecoder().decode(data)
          )
        ),
      );
      for (const one of received) one[Symbol.dispose]();
    }
  },
};

/** Headers travel, with and without payload and reply. */
export const withHeaders: Scenario = {
  name: "headers arrive on the other side as they were sent",
  async run({ sides, directions }) {
    for (const [from, to] of directions) {
      const subject = freshSubject("headers");
      using received = new Received(to.client(), subject);
      await settled(sides);
      const sent = headers();
      sent.append("Name", "one");
      sent.append("Name", "two");
      sent.append("Other", "a: b");
      from.client().publish(subject, EVERY_BYTE, { headers: sent, reply: "answer.here" });
      from.client().publish(subject, "", { headers: sent });
      from.client().publish(subject, "plain");
      await received.count(3);
      await delivered(from, sides);
      assertEquals(received.messages.length, 3);
      for (const message of received.messages.slice(0, 2)) {
        assertEquals(message.headers?.values("Name"), ["one", "two"]);
        assertEquals(message.headers?.get("Other"), "a: b");
      }
      assertEquals(difference(received.messages[0]!.data, EVERY_BYTE), []);
      assertEquals(received.messages[0]!.reply, "answer.here");
      assertEquals(received.messages[1]!.data.length, 0);
      assertEquals(received.messages[2]!.headers, undefined);
    }
  },
};

/** The largest payloads, of which compression makes much or nothing. */
export const largePayloads: Scenario = {
  name: "payloads of up to 1 MiB arrive unchanged, both ways at once",
  async run({ sides, directions }) {
    const payloads = [
      noise(MAX_PAYLOAD),
      new Uint8Array(MAX_PAYLOAD),
      noise(65_537),
      new TextEncoder().encode("denats ".repeat(30_000)),
      noise(MAX_PAYLOAD - 1),
    ];
    const subjects = directions.map(() => freshSubject("large"));
    const received = directions.map(([, to], index) => new Received(to.client(), subjects[index]!));
    await settled(sides);
    await Promise.all(directions.map(async ([from], index) => {
      for (const payload of payloads) from.client().publish(subjects[index]!, payload);
      await received[index]!.count(payloads.length);
    }));
    for (const one of received) {
      const faults = one.messages.flatMap(({ data }, index) => difference(data, payloads[index]!));
      assertEquals(faults, []);
      one[Symbol.dispose]();
    }
  },
};

/** Many messages of three accounts in both directions. */
export const counting: Scenario = {
  name: "numbered messages at full speed arrive exactly once and in order",
  async run({ sides, directions }) {
    await inEachAccount(async (account) => {
      const streams = directions.map(([from, to]) => {
        const subject = freshSubject("counted"), sequence = new MessageSequence();
        const subscription = to.client(account).subscribe(subject, {
          callback: (error, message) => {
            if (error !== null) throw error;
            sequence.add(Number(message.string().trimEnd()));
          },
        });
        return { from, to, subject, sequence, subscription };
      });
      await settled(sides, account);
      await Promise.all(streams.map(async ({ from, subject }) => {
        for (let number = 0; number < COUNTED; number++) {
          // Of many sizes, so that messages end at every place of a buffer.
          from.client(account).publish(subject, String(number).padEnd(8 + number % 300));
        }
        await delivered(from, sides, account);
      }));
      for (const { sequence, subscription } of streams) {
        assertEquals(sequence.summary, `${COUNTED} in order`);
        subscription.unsubscribe();
      }
    });
  },
};

/** Three accounts with the same subjects. */
export const isolation: Scenario = {
  name: "each account works across, and none gets anything of another",
  async run({ sides }) {
    const root = freshSubject("isolated");
    const received = sides.map((side) =>
      ACCOUNTS.map((account) => new Received(side.client(account), `${root}.>`))
    );
    await inEachAccount((account) => settled(sides, account));
    await inEachAccount(async (account) => {
      for (const from of sides) {
        from.client(account).publish(`${root}.x`, `${account} from ${from.name}`);
        await delivered(from, sides, account);
      }
    });
    for (const ofSide of received) {
      for (const [index, one] of ofSide.entries()) {
        const expected = sides.map((side) => `${ACCOUNTS[index]} from ${side.name}`);
        assertEquals(one.texts.sort(), expected.sort());
        one[Symbol.dispose]();
      }
    }
    await soon(Promise.all(ACCOUNTS.map((account) => settled(sides, account))));
  },
};

/** Bytes that no compression makes smaller. */
function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(at + 65_536, length)));
  }
  return bytes;
}

/** What differs, if anything: whole payloads are too long to be shown. */
function difference(actual: Uint8Array, expected: Uint8Array): string[] {
  if (actual.length !== expected.length) return [`${actual.length} bytes of ${expected.length}`];
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  return at === -1 ? [] : [`byte ${at} of ${expected.length} differs`];
}
