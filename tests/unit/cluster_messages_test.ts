import { assert, assertEquals, assertLess } from "@std/assert";
import { SeededRandom } from "../../src/platform/mod.ts";
import { MemoryBroker, type MemoryClient } from "../support/memory_broker.ts";
import { clustered, framesIn, RoutePeer, startClustered } from "../support/route_peer.ts";

/** A client publishes; everything comes to rest. */
async function publish(world: MemoryBroker, client: MemoryClient, text: string): Promise<void> {
  client.send(text);
  await world.settle();
}

Deno.test("one frame for a peer, however much of its interest matches", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  using one = new RoutePeer(world, "S1", 7001);
  using two = new RoutePeer(world, "S2", 7002);
  const [a, b] = [await one.join(), await two.join()];
  await a.exchange(
    "RS+ $G a.b\r\nRS+ $G a.*\r\nRS+ $G >\r\nLS+ LEAF1 $G a.b\r\nRS+ $G a.b q 1\r\n",
  );
  await b.exchange("RS+ $G a.*\r\n");
  await publish(world, client, "PUB a.b 2\r\nhi\r\n");
  assertEquals(a.take(), "RMSG $G a.b | q 2\r\nhi\r\n");
  assertEquals(b.take(), "RMSG $G a.b 2\r\nhi\r\n");
});

Deno.test("every form of RMSG and HMSG goes out as nats-server writes it", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  using peer = new RoutePeer(world);
  const link = await peer.join();
  await link.exchange("RS+ $G plain\r\nRS+ $G work q1 1\r\nRS+ $G work q2 1\r\n");
  const forms: [string, string][] = [
    ["PUB plain 2\r\nhi\r\n", "RMSG $G plain 2\r\nhi\r\n"],
    ["PUB plain r.1 2\r\nhi\r\n", "RMSG $G plain r.1 2\r\nhi\r\n"],
    ["PUB plain 0\r\n\r\n", "RMSG $G plain 0\r\n\r\n"],
    ["PUB work 2\r\nw1\r\n", "RMSG $G work | q1 q2 2\r\nw1\r\n"],
    ["PUB work r.1 2\r\nw2\r\n", "RMSG $G work + r.1 q1 q2 2\r\nw2\r\n"],
    [
      "HPUB plain 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
      "HMSG $G plain 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
    ],
    [
      "HPUB plain r.2 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
      "HMSG $G plain r.2 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
    ],
    [
      "HPUB work r.2 12 14\r\nNATS/1.0\r\n\r\nw3\r\n",
      "HMSG $G work + r.2 q1 q2 12 14\r\nNATS/1.0\r\n\r\nw3\r\n",
    ],
    [
      "HPUB work 12 12\r\nNATS/1.0\r\n\r\n\r\n",
      "HMSG $G work | q1 q2 12 12\r\nNATS/1.0\r\n\r\n\r\n",
    ],
    // Not canonical at all.
    ["pub \t plain \t 002 \r\nhi\r\n", "RMSG $G plain 002\r\nhi\r\n"],
  ];
  for (const [sent, received] of forms) {
    await publish(world, client, sent);
    assertEquals(link.take(), received, sent);
  }
});

Deno.test("headers are stripped for a peer without, also in a list", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  using peer = new RoutePeer(world, "SF", 7001, { headers: false });
  const link = await peer.join();
  await link.exchange("RS+ $G plain\r\nRS+ $G work q1 1\r\n");
  await publish(
    world,
    client,
    "HPUB plain r 12 14\r\nNATS/1.0\r\n\r\nhi\r\nHPUB work r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
  );
  assertEquals(link.take(), "RMSG $G plain r 2\r\nhi\r\nRMSG $G work + r q1 2\r\nhi\r\n");
});

Deno.test("large messages pass whole in both directions, far above max_payload", async () => {
  await using world = await startClustered({}, { max_payload: "1MiB" });
  const client = await world.connect();
  await world.exchange(client, "SUB foo 1\r\n");
  using peer = new RoutePeer(world);
  const link = await peer.join();
  await link.exchange("RS+ $G bar\r\n");
  const payload = "x".repeat(1_000_000), twice = payload + payload;
  void publish(world, client, `PUB bar r ${payload.length}\r\n${payload}\r\n`);
  await client.send("");
  await world.advance(100);
  assertEquals(link.take() === `RMSG $G bar r ${payload.length}\r\n${payload}\r\n`, true);
  const sent = link.send(`RMSG $G foo ${twice.length}\r\n${twice}\r\n`);
  await world.advance(500);
  await sent;
  assertEquals(client.take() === `MSG foo 1 ${twice.length}\r\n${twice}\r\n`, true);
});

Deno.test("a message from a route goes to every local subscription, and to no other route", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  await world.exchange(client, "SUB foo 1\r\nSUB * 2\r\nSUB foo q 3\r\n");
  using one = new RoutePeer(world, "S1", 7001);
  using two = new RoutePeer(world, "S2", 7002);
  const [a, b] = [await one.join(), await two.join()];
  await b.exchange("RS+ $G foo\r\nRS+ $G >\r\nRS+ $G foo q 9\r\n");
  await a.exchange("RS+ $G foo\r\nRMSG $G foo r.1 2\r\nhi\r\n");
  assertEquals(sorted(client.take()), ["MSG foo 1 r.1 2\r\nhi\r\n", "MSG foo 2 r.1 2\r\nhi\r\n"]);
  assertEquals(a.take() + b.take(), "", "nor back");
  assertEquals(await a.exchange("RMSG $G nobody r.1 2\r\nhi\r\n"), "");
});

/** The messages in what a client has received, sorted. */
function sorted(text: string): string[] {
  return text.split(/(?=H?MSG )/).sort();
}

Deno.test("a message from a route goes to one member of each group that it names", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  await world.exchange(
    client,
    "SUB work q1 1\r\nSUB work q1 2\r\nSUB work.> q1 5\r\nSUB work q2 3\r\nSUB work q3 4\r\n",
  );
  using peer = new RoutePeer(world);
  const link = await peer.join();
  let q1 = 0;
  const members = new Set<string>();
  for (let i = 0; i < 40; i++) {
    await link.exchange("RMSG $G work | q1 q3 1\r\nx\r\n");
    const sids = [...client.take().matchAll(/MSG work (\d)/g)].map((match) => match[1]!).sort();
    assertEquals(sids.length, 2);
    assertEquals(sids[1], "4");
    members.add(sids[0]!);
    q1++;
  }
  assertEquals([q1, [...members].sort().join()], [40, "1,2"], "either member, at random");
  assertEquals(await link.exchange("RMSG $G work 1\r\nx\r\n"), "", "no list, no group");
  assertEquals(client.take(), "");
});

Deno.test("a message for a group whose last member has left goes on to one other server", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  using one = new RoutePeer(world, "S1", 7001);
  using two = new RoutePeer(world, "S2", 7002);
  const [a, b] = [await one.join(), await two.join()];
  await a.exchange("RS+ $G work q1 1\r\n");
  await b.exchange("RS+ $G work q1 1\r\nRS+ $G work\r\n");
  await a.exchange("RMSG $G work + r q1 2\r\nhi\r\n");
  assertEquals([a.take(), b.take()], ["", "RMSG $G work + r q1 2\r\nhi\r\n"]);
  // Not back to where it came from, and not for groups that the list does not name.
  await b.exchange("RS- $G work q1\r\n");
  await a.exchange("RMSG $G work | q1 2\r\nhi\r\nRMSG $G work | q9 2\r\nhi\r\n");
  assertEquals([a.take(), b.take(), client.take()], ["", "", ""]);
});

Deno.test("each member of a group in the cluster is chosen with the same chance", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  await world.exchange(client, "SUB work q 1\r\n");
  using one = new RoutePeer(world, "S1", 7001);
  using two = new RoutePeer(world, "S2", 7002);
  const [a, b] = [await one.join(), await two.join()];
  await a.exchange("RS+ $G work q 2\r\n");
  await b.exchange("RS+ $G work q 1\r\n");
  const count = 4000;
  await publish(world, client, "PUB work 0\r\n\r\n".repeat(count));
  const local = client.take().split("MSG work 1 0").length - 1;
  const [atA, atB] = [a, b].map((link) => link.take().split("RMSG $G work | q 0").length - 1);
  assertEquals(local + atA! + atB!, count);
  for (const [got, share] of [[local, 1], [atA!, 2], [atB!, 1]] as const) {
    // Five standard deviations.
    const p = share / 4, deviation = Math.sqrt(count * p * (1 - p));
    assertLess(Math.abs(got - count * p), 5 * deviation, `${got} for a share of ${share}`);
  }
});

Deno.test("groups are chosen for independently, and the list names those a server was chosen for", async () => {
  await using world = await MemoryBroker.start(clustered(), new SeededRandom(7));
  const client = await world.connect();
  using one = new RoutePeer(world, "S1", 7001);
  using two = new RoutePeer(world, "S2", 7002);
  const [a, b] = [await one.join(), await two.join()];
  await a.exchange("RS+ $G work q1 1\r\nRS+ $G work q2 1\r\nRS+ $G work\r\n");
  await b.exchange("RS+ $G work q1 1\r\nRS+ $G work q2 1\r\n");
  const seen = new Set<string>();
  for (let i = 0; i < 60; i++) {
    await publish(world, client, "PUB work 0\r\n\r\n");
    seen.add(`${a.take()}${b.take()}`.replaceAll("\r\n", ""));
  }
  assertEquals([...seen].sort(), [
    "RMSG $G work 0RMSG $G work | q1 q2 0",
    "RMSG $G work | q1 0RMSG $G work | q2 0",
    "RMSG $G work | q1 q2 0",
    "RMSG $G work | q2 0RMSG $G work | q1 0",
  ]);
});

Deno.test("members on leaf nodes of a peer are chosen only when there are no others", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  using one = new RoutePeer(world, "S1", 7001);
  using two = new RoutePeer(world, "S2", 7002);
  const [a, b] = [await one.join(), await two.join()];
  await a.exchange("LS+ LEAF1 $G work q 50\r\n");
  await publish(world, client, "PUB work 0\r\n\r\n");
  assertEquals(a.take(), "RMSG $G work | q 0\r\n\r\n");
  await b.exchange("RS+ $G work q 1\r\n");
  await publish(world, client, "PUB work 0\r\n\r\n".repeat(20));
  assertEquals([a.take(), b.take()], ["", "RMSG $G work | q 0\r\n\r\n".repeat(20)]);
  await b.exchange("RS- $G work q\r\n");
  await world.exchange(client, "SUB work q 1\r\n");
  await publish(world, client, "PUB work 0\r\n\r\n".repeat(20));
  assertEquals(client.take(), "MSG work 1 0\r\n\r\n".repeat(20));
  assertEquals(framesIn(a.take()), "RS+ $G work q 1\r\n");
});

Deno.test("no echo: the publisher's own member of a group is passed over for another server's", async () => {
  await using world = await startClustered();
  const client = await world.connect({ echo: false });
  await world.exchange(client, "SUB work q 1\r\nSUB foo 2\r\n");
  using peer = new RoutePeer(world);
  const link = await peer.join();
  await publish(world, client, "PUB work 0\r\n\r\nPUB foo 0\r\n\r\n");
  assertEquals(client.take(), "");
  await link.exchange("RS+ $G work q 1\r\nRS+ $G foo\r\n");
  await publish(world, client, "PUB work 0\r\n\r\n".repeat(9) + "PUB foo 0\r\n\r\n");
  assertEquals(link.take(), "RMSG $G work | q 0\r\n\r\n".repeat(9) + "RMSG $G foo 0\r\n\r\n");
  assertEquals(client.take(), "");
  // What comes from a route is nobody's own.
  await link.exchange("RMSG $G work | q 0\r\n\r\nRMSG $G foo 0\r\n\r\n");
  assertEquals(client.take(), "MSG work 1 0\r\n\r\nMSG foo 2 0\r\n\r\n");
});

Deno.test("no responders: only where nobody is interested anywhere", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  await world.exchange(client, "SUB inbox 1\r\n");
  using peer = new RoutePeer(world);
  const link = await peer.join();
  await publish(world, client, "PUB svc inbox 0\r\n\r\n");
  const answer = client.take();
  assert(/^HMSG inbox 1 (\d+) \1\r\nNATS\/1.0 503\r\n/.test(answer), answer);
  assertEquals(link.take(), "", "nothing of it crosses a route");
  for (const interest of ["svc", "svc q 1"]) {
    await link.exchange(`RS+ $G ${interest}\r\n`);
    await publish(world, client, "PUB svc inbox 0\r\n\r\n");
    assertEquals(client.take(), "");
    assert(link.take().startsWith("RMSG $G svc "));
    await link.exchange(`RS- $G ${interest.replace(" 1", "")}\r\n`);
  }
  await publish(world, client, "PUB svc inbox 0\r\n\r\n");
  assertEquals(client.take(), answer);
  // A request that comes over a route gets no such answer from here.
  assertEquals(await link.exchange("RMSG $G nobody inbox 0\r\n\r\n"), "");
  assertEquals(client.take(), "");
});

Deno.test("acknowledgements of JetStream name the subject that clients are to see", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  const plain = await world.connect({ headers: false, no_responders: false });
  await world.exchange(client, "SUB _INBOX.q.> 7\r\n");
  await world.exchange(plain, "SUB _INBOX.q.1 8\r\n");
  using peer = new RoutePeer(world);
  const link = await peer.join();
  const ack = "$JS.ACK.S.CON.1.2.2.17.0", take = () => [client.take(), plain.take()];
  await link.exchange(`RMSG $G _INBOX.q.1 ${ack}@orders.zz 1\r\nx\r\n`);
  assertEquals(take(), [
    `MSG orders.zz 7 ${ack} 1\r\nx\r\n`,
    `MSG orders.zz 8 ${ack} 1\r\nx\r\n`,
  ]);
  await link.exchange(`HMSG $G _INBOX.q.1 ${ack}@o.a 12 13\r\nNATS/1.0\r\n\r\nx\r\n`);
  assertEquals(take(), [
    `HMSG o.a 7 ${ack} 12 13\r\nNATS/1.0\r\n\r\nx\r\n`,
    `MSG o.a 8 ${ack} 1\r\nx\r\n`,
  ]);
  const domain = "$JS.ACK._.szMpdrwD.S.CON.1.1.1.17.0.x";
  await link.exchange(`RMSG $G _INBOX.q.1 ${domain}@a.b 1\r\nx\r\n`);
  assertEquals(take()[0], `MSG a.b 7 ${domain} 1\r\nx\r\n`);
  // Without a subject, with too few dots, or something else before: as it is.
  for (const reply of [ack, `${ack}@`, "$JS.ACK.S.CON.1@orders", "JS.ACK.S.CON.1.2.2.17.0@o"]) {
    await link.exchange(`RMSG $G _INBOX.q.1 ${reply} 1\r\nx\r\n`);
    assertEquals(take()[0], `MSG _INBOX.q.1 7 ${reply} 1\r\nx\r\n`);
  }
});

Deno.test("a message in a queue list is unpacked too", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  await world.exchange(client, "SUB deliver q 7\r\n");
  using peer = new RoutePeer(world);
  const link = await peer.join();
  const ack = "$JS.ACK.S.CON.1.2.2.17.0";
  await link.exchange(`RMSG $G deliver + ${ack}@orders.zz q 1\r\nx\r\n`);
  assertEquals(client.take(), `MSG orders.zz 7 ${ack} 1\r\nx\r\n`);
});

Deno.test("what goes on to another server is not unpacked, whoever else got it unpacked", async () => {
  await using world = await startClustered();
  const plain = await world.connect({ headers: false, no_responders: false });
  await world.exchange(plain, "SUB deliver 7\r\n");
  using one = new RoutePeer(world, "S1", 7001);
  using two = new RoutePeer(world, "S2", 7002, { headers: false });
  const [a, b] = [await one.join(), await two.join()];
  await b.exchange("RS+ $G deliver q 1\r\n");
  const ack = "$JS.ACK.S.CON.1.2.2.17.0";
  await a.exchange(`HMSG $G deliver + ${ack}@orders.zz q 12 13\r\nNATS/1.0\r\n\r\nx\r\n`);
  assertEquals(plain.take(), `MSG orders.zz 7 ${ack} 1\r\nx\r\n`);
  assertEquals(framesIn(b.take()), `RMSG $G deliver + ${ack}@orders.zz q 1\r\nx\r\n`);
});

Deno.test("messages of a leaf node come with its cluster and are delivered as any", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  await world.exchange(client, "SUB bar 1\r\nSUB bar q 2\r\n");
  using peer = new RoutePeer(world);
  const link = await peer.join();
  await link.exchange(
    "LMSG LEAF1 $G bar rep 0 1\r\nz\r\nLMSG LEAF1 $G bar | q 0 1\r\ny\r\n" +
      "LMSG LEAF1 $G bar 12 13\r\nNATS/1.0\r\n\r\nx\r\n",
  );
  assertEquals(
    client.take(),
    "MSG bar 1 rep 1\r\nz\r\nMSG bar 1 1\r\ny\r\nMSG bar 2 1\r\ny\r\n" +
      "HMSG bar 1 12 13\r\nNATS/1.0\r\n\r\nx\r\n",
  );
});
