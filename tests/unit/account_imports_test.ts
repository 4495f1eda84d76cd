import { assert, assertEquals, assertMatch } from "@std/assert";
import { type BrokerSettings, MemoryBroker, type MemoryClient } from "../support/memory_broker.ts";

/** The accounts of `wire/route-accounts-imports-services.txt`, and some more. */
const SETTINGS: BrokerSettings = {
  accounts: {
    APP: {
      users: [{ user: "app", password: "x" }],
      exports: [
        { stream: "pub.>" },
        { service: "svc.>" },
        { service: "str.>", response_type: "stream" },
        { service: "chk.>", response_type: "chunked" },
        { stream: "only.>", accounts: ["OTH"] },
        { stream: "swap.*.*" },
        { service: "calc.*.*" },
      ],
    },
    OTH: {
      users: [{ user: "oth", password: "x" }],
      imports: [
        { stream: { account: "APP", subject: "pub.>" }, prefix: "app" },
        { stream: { account: "APP", subject: "only.>" } },
        { stream: { account: "APP", subject: "swap.*.*" }, to: "swapped.$2.$1" },
        { service: { account: "APP", subject: "svc.time" }, to: "time" },
        { service: { account: "APP", subject: "svc.shared" }, to: "shared", share: true },
        { service: { account: "APP", subject: "str.>" } },
        { service: { account: "APP", subject: "chk.>" } },
        { service: { account: "APP", subject: "calc.*.*" }, to: "sum.$2.$1" },
      ],
    },
  },
};

async function pair(world: MemoryBroker): Promise<[MemoryClient, MemoryClient]> {
  return [
    await world.connect({ user: "app", pass: "x" }),
    await world.connect({ user: "oth", pass: "x", name: "n", lang: "l", version: "1" }),
  ];
}

Deno.test("messages of an imported stream arrive under the importer's subject, others do not", async () => {
  await using world = await MemoryBroker.start(SETTINGS);
  const [app, oth] = await pair(world);
  await world.exchange(oth, "SUB app.pub.* 1\r\nSUB > 2\r\nSUB app.pub.x q 3\r\n");
  await world.exchange(app, "PUB pub.x 1\r\na\r\nPUB pub.x.y 1\r\nb\r\nPUB app.pub.x 1\r\nc\r\n");
  assertEquals(
    new Set(oth.take().split(/(?=MSG)/)),
    new Set([
      "MSG app.pub.x 1 1\r\na\r\n",
      "MSG app.pub.x 2 1\r\na\r\n",
      "MSG app.pub.x 3 1\r\na\r\n",
      "MSG app.pub.x.y 2 1\r\nb\r\n",
    ]),
  );
  await world.exchange(app, "SUB > 9\r\n");
  await world.exchange(oth, "PUB pub.x 1\r\na\r\nPUB app.pub.x 1\r\na\r\n");
  assertEquals(app.take(), "");
});

Deno.test("a stream's tokens change places, and come back where they were", async () => {
  await using world = await MemoryBroker.start(SETTINGS);
  const [app, oth] = await pair(world);
  await world.exchange(oth, "SUB swapped.b.* 1\r\nSUB swapped.*.a 2\r\nSUB swapped.x.y 3\r\n");
  await world.exchange(app, "PUB swap.a.b 0\r\n\r\nPUB swap.a.c 0\r\n\r\nPUB swap.y.x 0\r\n\r\n");
  assertEquals(
    oth.take().split(/(?=MSG)/).sort(),
    [
      "MSG swapped.b.a 1 0\r\n\r\n",
      "MSG swapped.b.a 2 0\r\n\r\n",
      "MSG swapped.c.a 2 0\r\n\r\n",
      "MSG swapped.x.y 3 0\r\n\r\n",
    ],
  );
});

Deno.test("a subscription that ends takes its part of an imported stream with it", async () => {
  await using world = await MemoryBroker.start(SETTINGS);
  const [app, oth] = await pair(world);
  await world.exchange(oth, "SUB app.pub.x 1\r\nUNSUB 1 2\r\nSUB app.pub.y 2\r\nUNSUB 2\r\n");
  await world.exchange(app, "PUB pub.x 0\r\n\r\n".repeat(3) + "PUB pub.y 0\r\n\r\n");
  assertEquals(oth.take(), "MSG app.pub.x 1 0\r\n\r\n".repeat(2));
  assertEquals(world.broker.statistics.subscriptions, 0);
  await world.exchange(oth, "SUB app.pub.z 3\r\nSUB only.a 4\r\n");
  assertEquals(world.broker.statistics.subscriptions, 4);
  await oth.close();
  await world.settle();
  assertEquals(world.broker.statistics.subscriptions, 0);
});

Deno.test("a request to an imported service is answered once, and says who asks", async () => {
  await using world = await MemoryBroker.start(SETTINGS);
  const [app, oth] = await pair(world);
  await world.exchange(app, "SUB svc.> 1\r\n");
  await world.exchange(oth, "SUB in 7\r\nPUB time in 1\r\nq\r\n");
  const asked = app.take();
  const found = /^HMSG svc\.time 1 (_R_\.\w{6}\.\w{6}) (\d+) (\d+)\r\n(.*)\r\n\r\nq\r\n$/s.exec(
    asked,
  );
  assert(found !== null, asked);
  const [, reply, headerLength, size, headers] = found;
  assertEquals(headers, 'NATS/1.0\r\nNats-Request-Info: {"acc":"OTH"}');
  assertEquals([Number(headerLength), Number(size)], [headers!.length + 4, headers!.length + 5]);
  await world.exchange(app, `PUB ${reply} 1\r\na\r\nPUB ${reply} 1\r\nb\r\n`);
  assertEquals(oth.take(), "MSG in 7 1\r\na\r\n");
});

Deno.test("what a client says of itself as a requester never passes", async () => {
  await using world = await MemoryBroker.start(SETTINGS);
  const [app, oth] = await pair(world);
  await world.exchange(app, "SUB svc.> 1\r\n");
  const spoofed =
    'NATS/1.0\r\nnats-request-info: {"acc":"$SYS"}\r\nA: 1\r\nNats-Request-Info: x\r\n\r\n';
  await world.exchange(oth, `HPUB time in ${spoofed.length} ${spoofed.length}\r\n${spoofed}\r\n`);
  const asked = app.take();
  assertMatch(asked, /NATS\/1\.0\r\nA: 1\r\nNats-Request-Info: \{"acc":"OTH"\}\r\n\r\n\r\n$/);
  assert(!asked.includes("$SYS"), asked);
});

Deno.test("nor does it in spellings that only some clients read", async () => {
  await using world = await MemoryBroker.start(SETTINGS);
  const [app, oth] = await pair(world);
  await world.exchange(app, "SUB svc.> 1\r\n");
  const spoofed = 'Nats-Request-Info: {"acc":"$SYS"}';
  for (
    const [headers, left] of [
      [`A: 1\n${spoofed}`, "A: 1\r\n"],
      [`A: 1\n${spoofed}\nB: 2`, "A: 1\nB: 2\r\n"],
      [`${spoofed}\n${spoofed}`, ""],
      [`\n${spoofed}`, ""],
      [` \t${spoofed}`, ""],
      ['nats-request-info : {"acc":"$SYS"}', ""],
    ]
  ) {
    const block = `NATS/1.0\r\n${headers}\r\n\r\n`;
    await world.exchange(oth, `HPUB time in ${block.length} ${block.length}\r\n${block}\r\n`);
    const asked = app.take();
    const expected = `\r\nNATS/1.0\r\n${left}Nats-Request-Info: {"acc":"OTH"}\r\n\r\n\r\n`;
    assertEquals(asked.slice(asked.indexOf("\r\n")), expected);
  }
});

Deno.test("who shares is told of in full", async () => {
  await using world = await MemoryBroker.start(SETTINGS);
  const [app, oth] = await pair(world);
  await world.exchange(app, "SUB svc.> 1\r\n");
  await world.exchange(oth, "PUB shared in 0\r\n\r\n");
  const info = JSON.parse(/Nats-Request-Info: (.*)\r\n/.exec(app.take())![1]!);
  const { start, server, id, ...rest } = info;
  assertMatch(start, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assertEquals(server, world.broker.name);
  assertEquals(id, 2);
  assertEquals(rest, {
    host: "memory",
    acc: "OTH",
    user: "oth",
    name: "n",
    lang: "l",
    ver: "1",
    kind: "Client",
    client_type: "nats",
  });
});

Deno.test("services answer as often as their kind says", async () => {
  await using world = await MemoryBroker.start(SETTINGS);
  const [app, oth] = await pair(world);
  await world.exchange(app, "SUB str.> 1\r\nSUB chk.> 2\r\n");
  await world.exchange(oth, "SUB in.> 7\r\nPUB str.x in.s 0\r\n\r\nPUB chk.x in.c 0\r\n\r\n");
  const [stream, chunked] = app.take().match(/_R_\.\w+\.\w+/g)!;
  await world.exchange(
    app,
    `PUB ${stream} 1\r\na\r\nPUB ${stream} 1\r\nb\r\nPUB ${stream} 0\r\n\r\nPUB ${stream} 1\r\nc\r\n`,
  );
  assertEquals(oth.take(), "MSG in.s 7 1\r\na\r\nMSG in.s 7 1\r\nb\r\nMSG in.s 7 0\r\n\r\n");
  await world.exchange(
    app,
    `PUB ${chunked} 1\r\na\r\nPUB ${chunked} 0\r\n\r\nPUB ${chunked} 1\r\nb\r\n`,
  );
  assertEquals(oth.take(), "MSG in.c 7 1\r\na\r\nMSG in.c 7 0\r\n\r\n");
});

Deno.test("answers come in time or not at all", async () => {
  await using world = await MemoryBroker.start(SETTINGS);
  const [app, oth] = await pair(world);
  await world.exchange(app, "SUB svc.> 1\r\n");
  await world.exchange(oth, "SUB in 7\r\nPUB time in 0\r\n\r\n");
  const [reply] = app.take().match(/_R_\.\w+\.\w+/g)!;
  await world.clock.advance(130_000);
  app.take(), oth.take();
  await world.exchange(app, `PUB ${reply} 1\r\na\r\n`);
  assertEquals(oth.take(), "");
});

Deno.test("nobody there to answer is told under the requester's subject", async () => {
  await using world = await MemoryBroker.start(SETTINGS);
  const [, oth] = await pair(world);
  assertEquals(
    await world.exchange(oth, "SUB in 7\r\nPUB time in 0\r\n\r\n"),
    "HMSG in 7 36 36\r\nNATS/1.0 503\r\nNats-Subject: time\r\n\r\n\r\n",
  );
});

Deno.test("a service's tokens change places", async () => {
  await using world = await MemoryBroker.start(SETTINGS);
  const [app, oth] = await pair(world);
  await world.exchange(app, "SUB calc.> 1\r\n");
  await world.exchange(oth, "PUB sum.b.a 0\r\n\r\n");
  assertMatch(app.take(), /^HMSG calc\.a\.b 1 /);
});

Deno.test("mapped messages are other messages, and permissions see those", async () => {
  await using world = await MemoryBroker.start({
    authorization: {
      users: [{
        user: "u",
        password: "x",
        permissions: { publish: { deny: "new.secret" }, subscribe: ">" },
      }],
    },
    mappings: { "old.*": "new.$1" },
  });
  const client = await world.connect({ user: "u", pass: "x" });
  assertEquals(
    await world.exchange(
      client,
      "SUB > 1\r\nPUB old.a 1\r\nx\r\nPUB old.secret 0\r\n\r\nPUB old.x.y 0\r\n\r\nPUB old.a r 0\r\n\r\n",
    ),
    "MSG new.a 1 1\r\nx\r\n-ERR 'Permissions Violation for Publish to \"new.secret\"'\r\n" +
      "MSG old.x.y 1 0\r\n\r\nMSG new.a 1 r 0\r\n\r\n",
  );
});

Deno.test("a measured service tells its account how long it took", async () => {
  await using world = await MemoryBroker.start({
    accounts: {
      APP: {
        users: [{ user: "app", password: "x" }],
        exports: [
          { service: "svc", latency: { sampling: 100, subject: "took" } },
          { service: "traced", latency: { sampling: "headers", subject: "took" } },
        ],
      },
      OTH: {
        users: [{ user: "oth", password: "x" }],
        imports: [
          { service: { account: "APP", subject: "svc" } },
          { service: { account: "APP", subject: "traced" } },
        ],
      },
    },
  });
  const [app, oth] = await pair(world);
  await world.exchange(app, "SUB svc 1\r\nSUB traced 3\r\nSUB took 2\r\n");
  const measure = async (request: string) => {
    await world.exchange(oth, request);
    const [reply] = app.take().match(/_R_\.\w+\.\w+/)!;
    await world.clock.advance(300);
    const told = await world.exchange(app, `PUB ${reply} 1\r\na\r\n`);
    const found = /MSG took 2 \d+\r\n(.*)\r\n/.exec(told);
    return found === null ? null : JSON.parse(found[1]!);
  };
  const metric = await measure("SUB in 7\r\nPUB svc in 0\r\n\r\n");
  assertEquals(metric.type, "io.nats.server.metric.v1.service_latency");
  assertEquals([metric.status, metric.requestor], [200, { acc: "OTH" }]);
  assertEquals([metric.responder.user, metric.responder.acc], ["app", "APP"]);
  assertEquals([metric.service, metric.total], [300_000_000, 300_000_000]);
  const traced = (state: string) => {
    const headers = `NATS/1.0\r\nX-B3-Sampled: ${state}\r\n\r\n`;
    return `HPUB traced in ${headers.length} ${headers.length}\r\n${headers}\r\n`;
  };
  assertEquals(await measure(traced("0")), null);
  assertEquals((await measure(traced("1"))).header, { "X-B3-Sampled": ["1"] });
  assertEquals(await measure("PUB traced in 0\r\n\r\n"), null);
});

Deno.test("a service under an imported stream's subject is not asked by the stream, after a reload either", async () => {
  const settings = (weight: number): BrokerSettings => ({
    accounts: {
      APP: {
        users: [{ user: "app", password: "x" }],
        exports: [{ stream: "pub.>" }, { service: "svc.>" }],
      },
      OTH: {
        users: [{ user: "oth", password: "x" }],
        imports: [
          { stream: { account: "APP", subject: "pub.>" } },
          { service: { account: "APP", subject: "svc.time" }, to: "pub.time" },
        ],
        mappings: { "old": [{ destination: "new", weight }] },
      },
    },
  });
  await using world = await MemoryBroker.start(settings(100));
  const [app, oth] = await pair(world);
  await world.exchange(app, "SUB svc.> 1\r\n");
  const before = world.broker.statistics.subscriptions;
  for (const weight of [90, 80]) {
    const { outcome } = await world.broker.reload({ host: "memory", ...settings(weight) });
    assertEquals(outcome, "applied");
    assertEquals(world.broker.statistics.subscriptions, before);
    assertEquals(await world.exchange(app, "PUB pub.time 1\r\nq\r\n"), "");
    await world.exchange(oth, "PUB pub.time 1\r\nq\r\n");
    assertMatch(app.take(), /^HMSG svc\.time 1 .*q\r\n$/s);
  }
});

Deno.test("an answer whose subject is mapped to nothing is dropped", async () => {
  for (const [weight, received] of [[0, ""], [100, "MSG in 7 1\r\na\r\n"]] as const) {
    await using world = await MemoryBroker.start({
      accounts: {
        APP: { users: [{ user: "app", password: "x" }], exports: [{ service: "svc" }] },
        OTH: {
          users: [{ user: "oth", password: "x" }],
          imports: [{ service: { account: "APP", subject: "svc" } }],
          mappings: { in: [{ destination: "in", weight }] },
        },
      },
    });
    const [app, oth] = await pair(world);
    await world.exchange(app, "SUB svc 1\r\n");
    await world.exchange(oth, "SUB > 7\r\nPUB svc in 0\r\n\r\n");
    const reply = /_R_\S+/.exec(app.take())![0];
    oth.take();
    await world.exchange(app, `PUB ${reply} 1\r\na\r\n`);
    assertEquals(oth.take(), received);
  }
});
