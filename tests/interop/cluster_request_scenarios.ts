/**
 * What clients of two members see of requests, responders and interest that is withdrawn.
 *
 * @module
 */
import { createInbox, headers, type NatsConnection } from "@nats-io/transport-node";
import { assertEquals } from "@std/assert";
import { delivered, freshSubject, settled, type Side } from "../support/cluster_side.ts";
import { eventually } from "../support/eventually.ts";
import { Received, soon } from "../support/nats_client.ts";
import type { Scenario } from "./cluster_pair.ts";

/** Answers every request with its text in capitals. */
function answer(client: NatsConnection, subject: string, queue?: string): { stop(): void } {
  const subscription = client.subscribe(subject, {
    ...(queue === undefined ? {} : { queue }),
    callback: (error, message) => {
      if (error !== null) throw error;
      const echoed = headers();
      echoed.set("Echo", message.headers?.get("Ask") ?? "none");
      message.respond(message.string().toUpperCase(), { headers: echoed });
    },
  });
  return { stop: () => subscription.unsubscribe() };
}

/**
 * Everything that comes back for one request, as codes or texts, once all that was under way has
 * arrived.
 */
async function answers(from: Side, sides: readonly Side[], subject: string): Promise<string[]> {
  const inbox = createInbox();
  using received = new Received(from.client(), inbox);
  // A responder on the other side must be able to reach the inbox.
  await settled(sides);
  from.client().publish(subject, "request", { reply: inbox });
  await received.count(1);
  for (const side of sides) await delivered(side, sides);
  return received.messages.map((message) =>
    message.headers?.code === 503 ? "503" : message.string()
  );
}

/** Requests with one inbox for all and with one each. */
export const requests: Scenario = {
  name: "requests are answered from the other side, many at once",
  async run({ sides, directions }) {
    for (const [from, to] of directions) {
      const subject = freshSubject("service");
      const responder = answer(to.client(), subject);
      await settled(sides);
      const ask = headers();
      ask.set("Ask", "me");
      for (const noMux of [false, true]) {
        const replies = await soon(Promise.all(
          Array.from(
            { length: 50 },
            (_, index) =>
              from.client().request(subject, `question ${index}`, {
                timeout: 9000,
                noMux,
                headers: ask,
              }),
          ),
        ));
        assertEquals(
          replies.map((reply) => [reply.string(), reply.headers?.get("Echo")]),
          replies.map((_, index) => [`QUESTION ${index}`, "me"]),
        );
      }
      responder.stop();
    }
  },
};

/** The answer 503 where nobody listens. */
export const noResponders: Scenario = {
  name: "no responders are reported only while nobody on either side would answer",
  async run({ sides, directions }) {
    for (const [from, to] of directions) {
      for (const queue of [undefined, "responders"]) {
        const subject = freshSubject("nobody");
        assertEquals(await answers(from, sides, subject), ["503"]);
        const responder = answer(to.client(), subject, queue);
        await settled(sides);
        assertEquals(await answers(from, sides, subject), ["REQUEST"]);
        assertEquals(await answers(to, sides, subject), ["REQUEST"]);
        responder.stop();
        await settled(sides);
        assertEquals(await answers(from, sides, subject), ["503"]);
        assertEquals(await answers(to, sides, subject), ["503"]);
      }
    }
  },
};

/** A client that responds and goes away without a word. */
export const leaving: Scenario = {
  name: "what a client wanted is withdrawn when it has gone",
  async run({ sides, directions }) {
    for (const [from, to] of directions) {
      const subject = freshSubject("leaving");
      const client = await to.connect();
      answer(client, subject);
      answer(client, `${subject}.>`, "group");
      await client.flush();
      await settled(sides);
      assertEquals(await answers(from, sides, subject), ["REQUEST"]);
      assertEquals(await answers(from, sides, `${subject}.x`), ["REQUEST"]);
      await client.close();
      await withdrawn(from, subject);
      await withdrawn(from, `${subject}.x`);
    }
  },
};

/** Two subscriptions of one subject, of which one ends. */
export const withdrawing: Scenario = {
  name: "interest lasts until the last subscription has ended",
  async run({ sides, directions }) {
    for (const [from, to] of directions) {
      const subject = freshSubject("withdrawn");
      const first = new Received(to.client(), subject);
      const second = new Received(to.client(), subject);
      await settled(sides);
      from.client().publish(subject, "both");
      await delivered(from, sides);
      first[Symbol.dispose]();
      await settled(sides);
      from.client().publish(subject, "second");
      await delivered(from, sides);
      second[Symbol.dispose]();
      await settled(sides);
      assertEquals(await answers(from, sides, subject), ["503"]);
      assertEquals([first.texts, second.texts], [["both"], ["both", "second"]]);
    }
  },
};

/** UNSUB with a number of messages. */
export const limited: Scenario = {
  name: "a subscription with a limit gets so many messages and then withdraws its interest",
  async run({ sides, directions }) {
    for (const [from, to] of directions) {
      const subject = freshSubject("limited");
      using received = new Received(to.client(), subject, { max: 5 });
      await settled(sides);
      for (let number = 0; number < 20; number++) from.client().publish(subject, `${number}`);
      await delivered(from, sides);
      assertEquals(received.texts, ["0", "1", "2", "3", "4"]);
      await withdrawn(from, subject);
    }
  },
};

/** Waits until a request is answered that there are no responders. */
async function withdrawn(from: Side, subject: string): Promise<void> {
  const inbox = createInbox();
  using received = new Received(from.client(), inbox);
  await eventually(`interest in ${subject} is withdrawn`, async () => {
    from.client().publish(subject, "request", { reply: inbox });
    await from.client().flush();
    return received.messages.some((message) => message.headers?.code === 503);
  });
}
