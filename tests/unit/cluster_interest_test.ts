import { assert, assertEquals } from "@std/assert";
import { accountSlot } from "../../src/cluster/account_slot.ts";
import type { MemoryBroker } from "../support/memory_broker.ts";
import { framesIn, RoutePeer, startClustered } from "../support/route_peer.ts";
import { utf8 } from "../support/wire_text.ts";

/** Long enough for queue groups' sizes to be told. */
const WEIGHTS_MS = 60;

/** What `link` gets of interest after some time, in the order of the alphabet. */
async function told(world: MemoryBroker, link: { take(): string }): Promise<string[]> {
  await world.advance(WEIGHTS_MS);
  return framesIn(link.take()).split("\r\n").slice(0, -1).sort();
}

Deno.test("plain interest is told at the first subscription and at the end of the last", async () => {
  await using world = await startClustered();
  const [a, b] = [await world.connect(), await world.connect()];
  using peer = new RoutePeer(world);
  const link = await peer.join();
  a.send("SUB foo 1\r\n");
  await world.settle();
  assertEquals(link.take(), "RS+ $G foo\r\n", "at once");
  a.send("SUB foo 2\r\n");
  b.send("SUB foo 3\r\nSUB a.*.> 4\r\n");
  assertEquals(await told(world, link), ["RS+ $G a.*.>"], "wildcards as they are");
  a.send("UNSUB 1\r\nUNSUB 2\r\n");
  assertEquals(await told(world, link), []);
  b.close();
  assertEquals(await told(world, link), ["RS- $G a.*.>", "RS- $G foo"]);
});

Deno.test("queue groups are told with their number of members, at its every change", async () => {
  await using world = await startClustered();
  const [a, b] = [await world.connect(), await world.connect()];
  using peer = new RoutePeer(world);
  const link = await peer.join();
  a.send("SUB work q1 1\r\n");
  await world.settle();
  assertEquals(link.take(), "RS+ $G work q1 1\r\n", "the first member at once");
  b.send("SUB work q1 1\r\n");
  assertEquals(await told(world, link), ["RS+ $G work q1 2"]);
  b.send("SUB work q2 2\r\nSUB work 3\r\n");
  assertEquals(await told(world, link), ["RS+ $G work", "RS+ $G work q2 1"]);
  a.send("SUB work q1 4\r\nUNSUB 4\r\nUNSUB 1\r\n");
  assertEquals(await told(world, link), ["RS+ $G work q1 1"]);
  b.close();
  assertEquals(
    await told(world, link),
    ["RS- $G work", "RS- $G work q1", "RS- $G work q2"],
    "RS- without a weight",
  );
});

Deno.test("a subscription with a limit is told of until it is used up", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  using peer = new RoutePeer(world);
  const link = await peer.join();
  client.send("SUB foo 1\r\nUNSUB 1 2\r\n");
  await world.settle();
  assertEquals(link.take(), "RS+ $G foo\r\n");
  assertEquals(await link.exchange("RMSG $G foo 1\r\na\r\n"), "");
  assertEquals(await link.exchange("RMSG $G foo 1\r\nb\r\n"), "RS- $G foo\r\n");
  assertEquals(client.take(), "MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\n");
});

Deno.test("a new peer is told everything there is, and never what other servers want", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  client.send("SUB a 1\r\nSUB b q 2\r\nSUB b q 3\r\n");
  await world.settle();
  using first = new RoutePeer(world, "S1", 7001);
  using second = new RoutePeer(world, "S2", 7002);
  await (await first.join()).exchange("RS+ $G remote\r\nRS+ $G remote q 3\r\n");
  const link = await second.dial();
  link.take();
  assertEquals(framesIn(await link.join()).split("\r\n").sort().join(), ",RS+ $G a,RS+ $G b q 2");
});

Deno.test("subjects and queue groups of any bytes keep them", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  using peer = new RoutePeer(world);
  const link = await peer.join();
  const subject = utf8("größe") + "\xff\x01", group = utf8("q\u{1f600}");
  client.send(`SUB ${subject} ${group} 1\r\nSUB ${subject} 2\r\n`);
  assertEquals(await told(world, link), [
    `RS+ $G ${subject}`,
    `RS+ $G ${subject} ${group} 1`,
  ]);
  await link.exchange(`RMSG $G ${subject} | ${group} 1\r\nx\r\n`);
  assertEquals(
    client.take().split("\r\n").filter((line) => line.startsWith("MSG")).sort(),
    [`MSG ${subject} 1 1`, `MSG ${subject} 2 1`],
  );
  await link.exchange(`RS+ $G ${subject}\r\n`);
  client.send(`PUB ${subject} 1\r\nx\r\n`);
  await world.settle();
  assert(link.take().includes(`RMSG $G ${subject} 1\r\nx\r\n`));
});

Deno.test("RS+ goes out before a message of the same client", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  using peer = new RoutePeer(world);
  const link = await peer.join();
  await link.exchange("RS+ $G service\r\n");
  client.send("SUB _INBOX.1.* 1\r\nPUB service _INBOX.1.1 2\r\nhi\r\nUNSUB 1\r\n");
  await world.settle();
  assertEquals(
    link.take(),
    "RS+ $G _INBOX.1.*\r\nRMSG $G service _INBOX.1.1 2\r\nhi\r\nRS- $G _INBOX.1.*\r\n",
  );
});

Deno.test("interest that a peer takes back is gone, each kind by itself", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  using peer = new RoutePeer(world);
  const link = await peer.join();
  await link.exchange(
    "RS+ $G foo\r\nRS+ $G foo\r\nRS+ $G foo q 2\r\nLS+ LEAF1 $G foo\r\nLS+ LEAF1 $G foo lq 1\r\n",
  );
  const interest = () =>
    world.broker.remoteInterest(peer.id).map(({ subject, queue, weight }) =>
      `${subject} ${queue} ${weight}`
    ).sort();
  assertEquals(interest(), ["foo lq 1", "foo null 1", "foo null 1", "foo q 2"]);
  await link.exchange("RS+ $G foo q 7\r\nRS- $G foo\r\n");
  assertEquals(interest(), ["foo lq 1", "foo null 1", "foo q 7"]);
  client.send("PUB foo 0\r\n\r\n");
  await world.settle();
  assertEquals(link.take(), "RMSG $G foo | q lq 0\r\n\r\n");
  await link.exchange("RS- $G foo q\r\nLS- LEAF1 $G foo\r\nLS- LEAF1 $G foo lq\r\n");
  assertEquals(interest(), []);
  client.send("PUB foo 0\r\n\r\n");
  await world.settle();
  assertEquals(link.take(), "");
});

Deno.test("a peer without lnocu leaves the origin out of LS-, and 2.9 writes two blanks", async () => {
  await using world = await startClustered();
  using peer = new RoutePeer(world, "SF", 7001, { lnocu: undefined });
  const link = await peer.join();
  await link.exchange("LS+ LEAF1 $G foo\r\nLS+ LEAF1 $G foo q 1\r\nLS+ LEAF1 $G bar\r\n");
  assertEquals(world.broker.remoteInterest(peer.id).length, 3);
  await link.exchange("LS-  $G foo\r\nLS- $G foo q\r\nLS- $G bar\r\n");
  assertEquals(world.broker.remoteInterest(peer.id), []);
});

Deno.test("only interest that may be imported is told, and what may not be exported is ignored", async () => {
  await using world = await startClustered({
    permissions: {
      import: { allow: ["foo", "bar.>"], deny: ["bar.secret"] },
      export: { allow: ["out.*"], deny: ["out.no"] },
    },
  });
  const client = await world.connect();
  using peer = new RoutePeer(world);
  const link = await peer.dial();
  const info = link.take();
  assert(info.includes(`"import":{"allow":["foo","bar.>"],"deny":["bar.secret"]}`), info);
  assert(info.includes(`"export":{"allow":["out.*"],"deny":["out.no"]}`));
  await link.join();
  client.send(
    "SUB foo 1\r\nSUB bar.a 2\r\nSUB bar.secret 3\r\nSUB > 4\r\nSUB baz 5\r\nSUB bar.* 6\r\n",
  );
  assertEquals(await told(world, link), ["RS+ $G bar.*", "RS+ $G bar.a", "RS+ $G foo"]);
  await link.exchange("RS+ $G out.a\r\nRS+ $G out.no\r\nRS+ $G >\r\nRS+ $G other q 1\r\n");
  assertEquals(world.broker.remoteInterest(peer.id).map(({ subject }) => subject), ["out.a"]);
  // Messages themselves are not checked.
  client.take();
  await link.exchange("RMSG $G baz 1\r\nx\r\n");
  assertEquals(client.take(), "MSG baz 4 1\r\nx\r\nMSG baz 5 1\r\nx\r\n");
  client.send("UNSUB 3\r\nUNSUB 1\r\n");
  assertEquals(await told(world, link), ["RS- $G foo"]);
});

// --- Accounts -----------------------------------------------------------------------------------

/** Two accounts with a user each. */
const ACCOUNTS = {
  accounts: {
    APP: { users: [{ user: "app", password: "a" }] },
    ACME: { users: [{ user: "acme", password: "b" }] },
  },
};
const APP = { user: "app", pass: "a" }, ACME = { user: "acme", pass: "b" };

Deno.test("the slot of an account, by a table of nats-server's", () => {
  const table: [string, ...number[]][] = [
    ["$G", 0, 2, 0, 3, 6, 8],
    ["$SYS", 0, 0, 0, 0, 3, 0],
    ["A", 0, 0, 0, 2, 6, 2],
    ["B", 1, 0, 1, 4, 0, 9],
    ["APP", 0, 1, 0, 4, 1, 4],
    ["OTH", 0, 1, 2, 4, 0, 4],
    ["ACME", 1, 1, 3, 3, 6, 3],
    ["tenant-1", 1, 2, 3, 1, 5, 1],
    ["é", 1, 0, 1, 2, 2, 7],
  ];
  for (const [name, ...slots] of table) {
    assertEquals([2, 3, 4, 5, 7, 10].map((size) => accountSlot(name, size)), slots, name);
    assertEquals([-1, 0, 1].map((size) => accountSlot(name, size)), [0, 0, 0]);
  }
});

Deno.test("accounts are apart, and an unknown one is ignored and logged", async () => {
  await using world = await startClustered({}, ACCOUNTS);
  const app = await world.connect(APP), acme = await world.connect(ACME);
  using peer = new RoutePeer(world);
  const link = await peer.join();
  app.send("SUB foo 1\r\n");
  acme.send("SUB bar 1\r\n");
  assertEquals(await told(world, link), ["RS+ ACME bar", "RS+ APP foo"]);
  await link.exchange("RS+ APP bar\r\nRS+ NOPE bar\r\nRMSG NOPE foo 1\r\nx\r\n");
  assert(world.log.some((line) => line.includes("NOPE")));
  acme.send("PUB bar 1\r\nx\r\n");
  app.send("PUB bar 1\r\ny\r\n");
  await world.settle();
  assertEquals(link.take(), "RMSG APP bar 1\r\ny\r\n");
  await link.exchange("RMSG ACME foo 1\r\nx\r\nRMSG APP foo 1\r\ny\r\nRMSG ACME bar 1\r\nz\r\n");
  assertEquals(app.take(), "MSG foo 1 1\r\ny\r\n");
  assertEquals(acme.take(), "MSG bar 1 1\r\nx\r\nMSG bar 1 1\r\nz\r\n");
});

Deno.test("names of accounts are UTF-8 on the wire", async () => {
  const names = ["größe", "账户"];
  await using world = await startClustered({ pool_size: 1, accounts: ["账户"] }, {
    accounts: Object.fromEntries(
      names.map((name, i) => [name, { users: [{ user: `u${i}`, password: "p" }] }]),
    ),
  });
  using peer = new RoutePeer(world, "SF", 7001, { route_pool_size: 1 });
  const pool = await peer.join();
  const own = await peer.dial();
  own.take();
  await own.exchange(peer.connectLine() + utf8(peer.infoLine({ route_account: "账户" })));
  assert(!own.ended);
  for (const [i, name] of names.entries()) {
    const client = await world.connect({ user: `u${i}`, pass: "p" });
    const link = i === 0 ? pool : own, head = i === 0 ? utf8(name) + " " : "";
    client.send("SUB foo 1\r\n");
    await world.settle();
    assertEquals(framesIn(link.take()), `RS+ ${head}foo\r\n`);
    await link.exchange(`RS+ ${head}bar\r\n`);
    client.send("PUB bar 1\r\nx\r\n");
    await world.settle();
    assertEquals(framesIn(link.take()), `RMSG ${head}bar 1\r\nx\r\n`);
    await link.exchange(`RMSG ${head}foo 1\r\ny\r\n`);
    assertEquals(client.take().replace(/INFO .*\r\n/, ""), "MSG foo 1 1\r\ny\r\n");
  }
  // And so they are in an -ERR.
  const refused = await peer.dial();
  refused.take();
  const text = await refused.exchange(
    peer.connectLine() + utf8(peer.infoLine({ route_account: "不" })),
  );
  assertEquals(text, `-ERR 'Unable to lookup account "${utf8("不")}": account missing'\r\n`);
  assert(world.log.some((line) => line.includes(`account "不"`)));
});

Deno.test("an account's interest goes over the slot of its hash, by this side's pool size", async () => {
  await using world = await startClustered({ pool_size: 3 }, ACCOUNTS);
  const app = await world.connect(APP);
  app.send("SUB foo 1\r\n");
  using peer = new RoutePeer(world);
  const links = [];
  for (let slot = 0; slot < 5; slot++) {
    const link = await peer.dial();
    link.take();
    await link.join({ route_pool_size: 5, route_pool_idx: slot }).then((text) =>
      assertEquals(
        framesIn(text),
        slot === accountSlot("APP", 3) ? "RS+ APP foo\r\n" : "",
        `${slot}`,
      )
    );
    links.push(link);
  }
  assertEquals(world.broker.routes()[0]!.poolSize, 5);
  // RS+ is taken on any, and what matches it goes there.
  await links[4]!.exchange("RS+ APP bar\r\n");
  app.send("PUB bar 1\r\nx\r\n");
  await world.settle();
  assertEquals(links.map((link) => framesIn(link.take())).join("|"), "||||RMSG APP bar 1\r\nx\r\n");
  // Messages are taken on any, too.
  await links[0]!.exchange("RMSG APP foo 1\r\nx\r\n");
  assertEquals(app.take().replace(/INFO .*\r\n/, ""), "MSG foo 1 1\r\nx\r\n");
});

Deno.test("a connection for one account names none, in either direction", async () => {
  await using world = await startClustered({ pool_size: 1, accounts: ["APP"] }, ACCOUNTS);
  const app = await world.connect(APP);
  app.send("SUB foo 1\r\nSUB work q 2\r\n");
  using peer = new RoutePeer(world, "SF", 7001, { route_pool_size: 1 });
  const pool = await peer.dial();
  pool.take();
  assertEquals(framesIn(await pool.join()), "", "not over the pool");
  const link = await peer.dial();
  link.take();
  const text = framesIn(await link.join({ route_account: "APP" }));
  assertEquals(text.split("\r\n").sort().join("|"), "|RS+ foo|RS+ work q 1");
  await link.exchange("RS+ bar\r\nRS+ bar bq 2\r\nLS+ LEAF1 leaf\r\n");
  app.send("PUB bar r.1 1\r\nx\r\nHPUB bar 12 13\r\nNATS/1.0\r\n\r\ny\r\nPUB leaf 1\r\nz\r\n");
  await world.settle();
  assertEquals(
    framesIn(link.take()),
    "RMSG bar + r.1 bq 1\r\nx\r\nHMSG bar | bq 12 13\r\nNATS/1.0\r\n\r\ny\r\nRMSG leaf 1\r\nz\r\n",
  );
  await link.exchange(
    "RMSG foo 1\r\na\r\nRMSG foo r 1\r\nb\r\nRMSG work | q 1\r\nc\r\nHMSG work + r q 12 13\r\n" +
      "NATS/1.0\r\n\r\nd\r\nLMSG LEAF1 foo 0 1\r\ne\r\n",
  );
  assertEquals(
    app.take().replace(/INFO .*\r\n/, ""),
    "MSG foo 1 1\r\na\r\nMSG foo 1 r 1\r\nb\r\nMSG work 2 1\r\nc\r\nHMSG work 2 r 12 13\r\n" +
      "NATS/1.0\r\n\r\nd\r\nMSG foo 1 1\r\ne\r\n",
  );
  app.send("UNSUB 1\r\nUNSUB 2\r\n");
  assertEquals(await told(world, link), ["RS- foo", "RS- work q"]);
  await link.exchange("RS- bar\r\nRS- bar bq\r\nLS- LEAF1 leaf\r\n");
  assertEquals(world.broker.remoteInterest(peer.id), []);
});

Deno.test("a peer without a pool gets the dedicated accounts over its one connection, by name", async () => {
  await using world = await startClustered({ pool_size: 3, accounts: ["APP"] }, ACCOUNTS);
  const app = await world.connect(APP);
  app.send("SUB foo 1\r\n");
  using peer = new RoutePeer(world);
  const link = await peer.dial();
  link.take();
  assertEquals(framesIn(await link.join()), "RS+ APP foo\r\n");
});
