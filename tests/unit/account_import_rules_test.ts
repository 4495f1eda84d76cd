/** What nats-server does where imports, exports and mappings meet; each seen there first. */
import { assertEquals, assertMatch } from "@std/assert";
import { type BrokerSettings, MemoryBroker, type MemoryClient } from "../support/memory_broker.ts";

/** An account with one user of its name. */
function account(name: string, rest: Record<string, unknown>): Record<string, unknown> {
  return { [name]: { users: [{ user: name, password: "x" }], ...rest } };
}

/** Starts accounts and connects one client to each, in order. */
async function start(
  world: AsyncDisposableStack,
  accounts: Record<string, unknown>,
): Promise<[MemoryBroker, ...MemoryClient[]]> {
  const broker = world.use(await MemoryBroker.start({ accounts } as BrokerSettings));
  const clients: MemoryClient[] = [];
  for (const user of Object.keys(accounts)) {
    clients.push(await broker.connect({ user, pass: "x" }));
  }
  return [broker, ...clients];
}

Deno.test("an imported stream cannot be exported in turn", async () => {
  await using stack = new AsyncDisposableStack();
  const [broker, a, b, c] = await start(stack, {
    ...account("A", { exports: [{ stream: "s.*" }] }),
    ...account("B", {
      exports: [{ stream: "t.*" }],
      imports: [{ stream: { account: "A", subject: "s.*" }, to: "t.$1" }],
    }),
    ...account("C", { imports: [{ stream: { account: "B", subject: "t.*" } }] }),
  }) as [MemoryBroker, MemoryClient, MemoryClient, MemoryClient];
  await broker.exchange(b, "SUB t.* 1\r\n");
  await broker.exchange(c, "SUB t.* 1\r\n");
  await broker.exchange(a, "PUB s.x 1\r\na\r\n");
  const got = await broker.exchange(b, "PUB t.y 1\r\nb\r\n");
  assertEquals(got, "MSG t.x 1 1\r\na\r\nMSG t.y 1 1\r\nb\r\n");
  assertEquals(c.take(), "MSG t.y 1 1\r\nb\r\n");
});

Deno.test("requests to a service are not part of a stream of the same subject", async () => {
  await using stack = new AsyncDisposableStack();
  const [broker, a, b, c] = await start(stack, {
    ...account("A", { exports: [{ service: "x" }, { stream: "x" }] }),
    ...account("B", { imports: [{ stream: { account: "A", subject: "x" } }] }),
    ...account("C", { imports: [{ service: { account: "A", subject: "x" } }] }),
  }) as [MemoryBroker, MemoryClient, MemoryClient, MemoryClient];
  await broker.exchange(a, "SUB x 1\r\n");
  await broker.exchange(b, "SUB x 1\r\n");
  await broker.exchange(c, "PUB x 1\r\nc\r\n");
  assertMatch(a.take(), /^HMSG x 1 \d+ \d+\r\n[^]*\r\nc\r\n$/);
  assertEquals(b.take(), "");
  await broker.exchange(a, "PUB x 1\r\na\r\n");
  assertEquals(b.take(), "MSG x 1 1\r\na\r\n");
});

Deno.test("mappings of the exporting account apply to requests, the importer's to answers", async () => {
  await using stack = new AsyncDisposableStack();
  const [broker, a, b] = await start(stack, {
    ...account("A", {
      exports: [{ service: "svc.*" }],
      mappings: { "svc.old": "svc.new", "svc.gone": [{ destination: "svc.gone", weight: 0 }] },
    }),
    ...account("B", {
      imports: [{ service: { account: "A", subject: "svc.*" } }],
      mappings: { "in.a": "in.b" },
    }),
  }) as [MemoryBroker, MemoryClient, MemoryClient];
  await broker.exchange(a, "SUB svc.* 1\r\n");
  await broker.exchange(b, "SUB in.* 1\r\nPUB svc.gone 0\r\n\r\nPUB svc.old in.a 1\r\nq\r\n");
  const asked = a.take();
  assertMatch(asked, /^HMSG svc\.new 1 _R_\S+ \d+ \d+\r\n[^]*\r\nq\r\n$/);
  const reply = /_R_\S+/.exec(asked)![0];
  await broker.exchange(a, `PUB ${reply} 1\r\nr\r\n`);
  assertEquals(b.take(), "MSG in.b 1 1\r\nr\r\n");
});

Deno.test("an answer of nothing at all ends a stream of answers, one with headers does not", async () => {
  await using stack = new AsyncDisposableStack();
  const [broker, a, b] = await start(stack, {
    ...account("A", {
      exports: [{ service: "s", response_type: "stream" }, {
        service: "c",
        response_type: "chunked",
      }],
    }),
    ...account("B", {
      imports: [
        { service: { account: "A", subject: "s" } },
        { service: { account: "A", subject: "c" } },
      ],
    }),
  }) as [MemoryBroker, MemoryClient, MemoryClient];
  await broker.exchange(a, "SUB * 1\r\n");
  await broker.exchange(b, "SUB in 1\r\n");
  for (const service of ["s", "c"]) {
    await broker.exchange(b, `PUB ${service} in 1\r\nq\r\n`);
    const reply = /_R_\S+/.exec(a.take())![0];
    const answers = [
      `PUB ${reply} 1\r\n1\r\n`,
      `HPUB ${reply} 12 12\r\nNATS/1.0\r\n\r\n\r\n`,
      `PUB ${reply} 1\r\n2\r\n`,
      `PUB ${reply} 0\r\n\r\n`,
      `PUB ${reply} 1\r\n3\r\n`,
    ];
    await broker.exchange(a, answers.join(""));
    assertEquals(
      b.take(),
      "MSG in 1 1\r\n1\r\nHMSG in 1 12 12\r\nNATS/1.0\r\n\r\n\r\nMSG in 1 1\r\n2\r\nMSG in 1 0\r\n\r\n",
      service,
    );
  }
});

Deno.test("a request goes on through an account that shares: the server is told besides", async () => {
  await using stack = new AsyncDisposableStack();
  const [broker, a, , c] = await start(stack, {
    ...account("A", { exports: [{ service: "x" }] }),
    ...account("B", {
      exports: [{ service: "y" }],
      imports: [{ service: { account: "A", subject: "x" }, to: "y", share: true }],
    }),
    ...account("C", { imports: [{ service: { account: "B", subject: "y" } }] }),
  }) as [MemoryBroker, MemoryClient, MemoryClient, MemoryClient];
  await broker.exchange(a, "SUB x 1\r\n");
  await broker.exchange(c, "PUB y 1\r\nq\r\n");
  const info = JSON.parse(/Nats-Request-Info: (.*)\r\n/.exec(a.take())![1]!);
  assertEquals(info, { acc: "C", svc: "B", server: broker.broker.name });
});

Deno.test("who answers cannot pass for somebody else where the answer is a request in turn", async () => {
  await using world = new AsyncDisposableStack();
  const [broker, e, p, i] = await start(world, {
    ...account("E", { exports: [{ service: "svc" }] }),
    ...account("P", { exports: [{ service: "priv" }] }),
    ...account("I", {
      imports: [
        { service: { account: "E", subject: "svc" } },
        { service: { account: "P", subject: "priv" } },
      ],
    }),
  });
  await broker.exchange(e!, "SUB svc 1\r\n");
  await broker.exchange(p!, "SUB priv 1\r\n");
  await broker.exchange(i!, "PUB svc priv 0\r\n\r\n");
  const reply = /_R_\.\S+/.exec(e!.take())?.[0];
  const spoofed = 'NATS/1.0\r\nNats-Request-Info: {"acc":"V","user":"root"}\r\nA: 1\r\n\r\n';
  await broker.exchange(e!, `HPUB ${reply} ${spoofed.length} ${spoofed.length}\r\n${spoofed}\r\n`);
  assertMatch(
    p!.take(),
    /^HMSG priv 1 \d+ \d+\r\nNATS\/1\.0\r\nA: 1\r\nNats-Request-Info: \{"acc":"E"\}\r\n\r\n\r\n$/,
  );
});

Deno.test("what was measured is a stream that others may import", async () => {
  await using world = new AsyncDisposableStack();
  const [broker, e, i, m] = await start(world, {
    ...account("E", {
      exports: [{ service: "svc", latency: { sampling: 100, subject: "took" } }, {
        stream: "took",
      }],
    }),
    ...account("I", { imports: [{ service: { account: "E", subject: "svc" } }] }),
    ...account("M", { imports: [{ stream: { account: "E", subject: "took" } }] }),
  });
  await broker.exchange(e!, "SUB svc 1\r\n");
  await broker.exchange(m!, "SUB took 1\r\n");
  await broker.exchange(i!, "SUB in 1\r\nPUB svc in 0\r\n\r\n");
  await broker.exchange(e!, `PUB ${/_R_\.\S+/.exec(e!.take())?.[0]} 0\r\n\r\n`);
  assertMatch(m!.take(), /^MSG took 1 \d+\r\n\{.*"requestor":\{"acc":"I"\}.*\}\r\n$/);
});
