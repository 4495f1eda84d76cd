/**
 * The conversations of the permissions battery, measured on nats-server 2.15.1 (2.10.27 says the same):
 * who says what, and the bytes that it gets.
 */
import { assertEquals } from "@std/assert";
import { type BrokerSettings, MemoryBroker, type MemoryClient } from "../support/memory_broker.ts";

const SETTINGS: BrokerSettings = {
  authorization: {
    default_permissions: { publish: "dp.>", subscribe: ["dp.>", "_INBOX.>"] },
    users: [
      { user: "full", password: "x", permissions: { publish: ">", subscribe: ">" } },
      { user: "def", password: "x" },
      {
        user: "p",
        password: "x",
        permissions: {
          publish: { allow: ["a.>", "b.*"], deny: ["a.secret"] },
          subscribe: { allow: ["s.>", "q.x v1", "q.y", "q.y v1.*"], deny: ["s.no", "s.dq dq"] },
        },
      },
      {
        user: "denyonly",
        password: "x",
        permissions: { publish: { deny: "x" }, subscribe: { deny: ["foo.secret", "bar.>"] } },
      },
      { user: "resp", password: "x", permissions: { subscribe: "svc", allow_responses: true } },
      {
        user: "resp2",
        password: "x",
        permissions: {
          subscribe: "svc",
          publish: { allow: "pp" },
          allow_responses: { max: 2, expires: "500ms" },
        },
      },
      {
        user: "respneg",
        password: "x",
        permissions: { subscribe: "svc", allow_responses: { max: -1, expires: "-1s" } },
      },
      { user: "onlysub", password: "x", permissions: { subscribe: "foo" } },
      { user: "onlypub", password: "x", permissions: { publish: "foo" } },
    ],
  },
};

function connect(world: MemoryBroker, user: string): Promise<MemoryClient> {
  return world.connect({ user, pass: "x", protocol: 0 });
}

const pub = (subject: string) => `-ERR 'Permissions Violation for Publish to "${subject}"'\r\n`;
const sub = (subject: string, queue?: string) =>
  `-ERR 'Permissions Violation for Subscription to "${subject}"${
    queue === undefined ? "" : ` using queue "${queue}"`
  }'\r\n`;

const ROWS: readonly [user: string, sent: string, received: string][] = [
  [
    "def",
    "PUB dp.a 0\r\n\r\nPUB x 0\r\n\r\nSUB dp.x 1\r\nSUB foo 2\r\nSUB > 3\r\n",
    pub("x") + sub("foo") + sub(">"),
  ],
  [
    "p",
    "PUB a.x 0\r\n\r\nPUB a.secret 0\r\n\r\nPUB b.x 0\r\n\r\nPUB b.x.y 0\r\n\r\nPUB c 0\r\n\r\n",
    pub("a.secret") + pub("b.x.y") + pub("c"),
  ],
  [
    "p",
    "SUB s.a 1\r\nSUB s.no 2\r\nSUB s.> 3\r\nSUB s.* 4\r\nSUB > 5\r\nSUB t 6\r\n",
    sub("s.no") + sub(">") + sub("t"),
  ],
  [
    "p",
    "SUB q.x 1\r\nSUB q.x v1 2\r\nSUB q.x v2 3\r\nSUB q.y 4\r\nSUB q.y v1.a 5\r\nSUB q.y v2 6\r\n" +
    "SUB s.dq dq 7\r\nSUB s.dq other 8\r\nSUB s.dq 9\r\n",
    sub("q.x") + sub("q.x", "v2") + sub("q.y", "v2") + sub("s.dq", "dq"),
  ],
  ["onlysub", "SUB foo 1\r\nSUB bar 2\r\nPUB any 0\r\n\r\n", sub("bar")],
  ["onlypub", "PUB foo 0\r\n\r\nPUB bar 0\r\n\r\nSUB any 2\r\n", pub("bar")],
  ["resp", "PUB x 0\r\n\r\nSUB zz 1\r\n", pub("x") + sub("zz")],
  ["p", "PUB a.x zz.notallowed 0\r\n\r\n", ""],
];

for (const [i, [user, sent, received]] of ROWS.entries()) {
  Deno.test(`row ${i + 1}, user ${user}`, async () => {
    await using world = await MemoryBroker.start(SETTINGS);
    const client = await connect(world, user);
    assertEquals(await world.exchange(client, `${sent}PING\r\n`), `${received}PONG\r\n`);
  });
}

Deno.test("denied subjects are held back from wildcards", async () => {
  await using world = await MemoryBroker.start(SETTINGS);
  const client = await connect(world, "denyonly"), full = await connect(world, "full");
  assertEquals(
    await world.exchange(
      client,
      "SUB foo.secret 1\r\nSUB foo.* 2\r\nSUB > 3\r\nSUB bar.a 4\r\nPING\r\n",
    ),
    sub("foo.secret") + sub("bar.a") + "PONG\r\n",
  );
  await world.exchange(
    full,
    "PUB foo.secret 1\r\nx\r\nPUB foo.ok 1\r\ny\r\nPUB bar.b 1\r\nz\r\n",
  );
  assertEquals(
    client.take().split(/(?=MSG)/).sort(),
    ["MSG foo.ok 2 1\r\ny\r\n", "MSG foo.ok 3 1\r\ny\r\n"],
  );
  assertEquals(
    await world.exchange(client, "PUB x 0\r\n\r\nPUB y 0\r\n\r\nPING\r\n"),
    pub("x") + "MSG y 3 0\r\n\r\nPONG\r\n",
  );
});

const ANSWER = "PUB rep.1 1\r\na\r\n", OTHERS = "PUB rep.2 1\r\nb\r\nPUB pp 1\r\nc\r\n";

for (
  const [user, waitMs, refused, arrived] of [
    ["resp", 0, pub("rep.1").repeat(2) + pub("rep.2") + pub("pp"), 1],
    ["resp2", 0, pub("rep.1") + pub("rep.2"), 2],
    ["resp2", 600, pub("rep.1").repeat(3) + pub("rep.2"), 0],
    ["respneg", 1500, pub("rep.2") + pub("pp"), 3],
  ] as const
) {
  Deno.test(`the answers of ${user} after ${waitMs} ms`, async () => {
    await using world = await MemoryBroker.start({ ...SETTINGS, ping_interval: "1h" });
    const responder = await connect(world, user), full = await connect(world, "full");
    await world.exchange(responder, "SUB svc 1\r\n");
    await world.exchange(full, "SUB rep.> 9\r\nPUB svc rep.1 1\r\nq\r\n");
    assertEquals(responder.take(), "MSG svc 1 rep.1 1\r\nq\r\n");
    await world.advance(waitMs);
    assertEquals(
      await world.exchange(responder, `${ANSWER.repeat(3)}${OTHERS}PING\r\n`),
      `${refused}PONG\r\n`,
    );
    assertEquals(full.take(), "MSG rep.1 9 1\r\na\r\n".repeat(arrived));
  });
}
