/**
 * Who is closed with an -ERR may still be sending. A connection that is closed with input unread is
 * reset, and the -ERR is lost with it: so the broker ends its own direction and reads on until the
 * peer, which has the -ERR, hangs up.
 */
import { assert, assertEquals } from "@std/assert";
import { type BrokerSettings, connectFrame, MemoryBroker } from "../support/memory_broker.ts";

/** How a client comes to be closed, and what it is told. */
interface Fault {
  readonly settings: BrokerSettings;
  /** What it sends; after that `waitMs` pass. */
  readonly sent: string;
  readonly waitMs?: number;
  readonly told: RegExp;
}

const FAULTS: Readonly<Record<string, Fault>> = {
  "a payload that is too large": {
    settings: { max_payload: 100 },
    sent: "PUB a 101\r\n",
    told: /^-ERR 'Maximum Payload Violation'\r\n$/,
  },
  "a line that is too long": {
    settings: { max_control_line: 100 },
    sent: `SUB ${"s".repeat(101)}`,
    told: /^-ERR 'maximum control line exceeded'\r\n$/,
  },
  "credentials that are wrong": {
    settings: { authorization: { token: "right" } },
    sent: connectFrame({ auth_token: "wrong" }),
    told: /^-ERR 'Authorization Violation'\r\n$/,
  },
  "credentials that do not come": {
    settings: { authorization: { token: "right", timeout: "2s" } },
    sent: "",
    waitMs: 2100,
    told: /^-ERR 'Authentication Timeout'\r\n$/,
  },
  "a protocol from the future": {
    settings: {},
    sent: connectFrame({ protocol: 2 }),
    told: /^-ERR 'invalid client protocol'\r\n$/,
  },
  "PINGs that are not answered": {
    settings: { ping_interval: "1s", ping_max: 1 },
    sent: connectFrame(),
    waitMs: 3500,
    told: /^(PING\r\n)+-ERR 'Stale Connection'\r\n$/,
  },
};

for (const [what, { settings, sent, waitMs = 0, told }] of Object.entries(FAULTS)) {
  Deno.test(`after the -ERR for ${what} the broker reads on until the peer hangs up`, async () => {
    await using world = await MemoryBroker.start(settings);
    const client = await world.connectSilently();
    let answer = await world.exchange(client, sent);
    for (let waitedMs = 0; waitedMs < waitMs && !client.ended; waitedMs += 100) {
      await world.advance(100);
    }
    answer += client.take();
    assert(told.test(answer), answer);
    assert(client.ended, "the broker has ended its direction");
    for (let i = 0; i < 50; i++) client.send("x".repeat(10_000));
    await world.settle();
    assertEquals(client.unsentBytes, 0, "and takes what comes");
    assertEquals([client.take(), world.ended], ["", []]);
    client.close();
    await world.settle();
    assertEquals([world.ended.length, world.broker.statistics.connections], [1, 0]);
  });
}
