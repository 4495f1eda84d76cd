/**
 * The weaknesses of `tests/support/security_bulletins.ts`, tried on denats. Names of tests are those of
 * that table.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  MemoryResolver,
  OperatorAccounts,
  OperatorAuthenticator,
  readOperators,
  Refusal,
} from "../../src/auth/mod.ts";
import { silentLog } from "../../src/log/mod.ts";
import { SeededRandom, VirtualClock } from "../../src/platform/mod.ts";
import {
  type BrokerSettings,
  connectFrame,
  MemoryBroker,
  type MemoryClient,
} from "../support/memory_broker.ts";
import {
  accountToken,
  newAccount,
  newOperator,
  newUser,
  operatorToken,
  signNonce,
  tokenOf,
  unlimitedUser,
} from "../support/operator_tokens.ts";
import { clustered, framesIn, RoutePeer, startClustered } from "../support/route_peer.ts";
import { BULLETINS } from "../support/security_bulletins.ts";
import { peerWith } from "../support/identities.ts";

const VIOLATION = "-ERR 'Authorization Violation'\r\n";

Deno.test("every bulletin has its tests, or a part that is missing here", async () => {
  const texts = new Map<string, string>();
  for (const { id, tests, missing } of BULLETINS) {
    assertEquals(tests.length > 0, missing === undefined, id);
    for (const test of tests) {
      const [file, name] = test.split(": ");
      const url = new URL(`../${file}`, import.meta.url);
      if (!texts.has(file!)) texts.set(file!, await Deno.readTextFile(url));
      assert(texts.get(file!)!.includes(`"${name}"`), `${id}: there is no test ${test}`);
    }
  }
  assertEquals(BULLETINS.length, 31);
});

const users = (...users: object[]) => ({ authorization: { users } }) as BrokerSettings;

/** A broker in which `watch` sees everything of $G. */
async function watched(settings: BrokerSettings): Promise<[MemoryBroker, MemoryClient]> {
  const world = await MemoryBroker.start(settings);
  const watch = await world.connect({ user: "watch", pass: "w" });
  await world.exchange(watch, "SUB > 1\r\n");
  return [world, watch];
}

const WATCH = { user: "watch", password: "w" };

function hpub(subject: string, headers: string, reply = ""): string {
  const block = `NATS/1.0\r\n${headers}\r\n`;
  return `HPUB ${subject} ${
    reply === "" ? "" : `${reply} `
  }${block.length} ${block.length}\r\n${block}\r\n`;
}

Deno.test("accounts for the system alone do not open what an authorization block closes", async () => {
  await using world = await MemoryBroker.start({
    accounts: { $SYS: { users: [{ user: "sys", password: "s" }] } },
    ...users({ user: "a", password: "p" }),
  });
  for (const said of ["PING\r\n", "PUB a 0\r\n\r\n", connectFrame() + "PING\r\n"]) {
    const client = await world.connectSilently();
    assertEquals(await world.exchange(client, said), VIOLATION, said);
    assert(client.ended);
  }
});

Deno.test("what comes with CONNECT or before it is not heard unless CONNECT is good", async () => {
  const [world, watch] = await watched(users(WATCH, { user: "a", password: "p" }));
  await using _ = world;
  const message = "PUB x 1\r\nx\r\n";
  for (
    const said of [
      message,
      `pub x 1\r\nx\r\n${connectFrame({ user: "a", pass: "p" })}`,
      connectFrame({ user: "a", pass: "wrong" }) + message,
      connectFrame({ user: "a", pass: "wrong" }) + connectFrame({ user: "a", pass: "p" }) + message,
      `SUB > 1\r\n${connectFrame({ user: "a", pass: "p" })}`,
      connectFrame() + message.repeat(100),
    ]
  ) {
    for (const pieces of [[said], said]) {
      const client = await world.connectSilently();
      for (const piece of pieces) client.send(piece);
      await world.settle();
      assertEquals([client.take(), client.ended], [VIOLATION, true], said);
    }
  }
  assertEquals(watch.take(), "", "nobody has published anything");
  assertEquals(world.broker.statistics.subscriptions, 1, "nobody has subscribed");
});

Deno.test("a request of the JetStream API says the account that it comes from, whatever it claims", async () => {
  await using world = await startClustered({}, {
    accounts: {
      A: { users: [{ user: "a", password: "p" }], jetstream: true },
      B: { users: [{ user: "b", password: "p" }], jetstream: true },
      $SYS: { users: [{ user: "sys", password: "s" }] },
    },
  });
  const system = await world.connect({ user: "sys", pass: "s" });
  await world.exchange(system, "SUB $JS.API.> 1\r\n");
  const a = await world.connect({ user: "a", pass: "p" });
  const claim = 'Nats-Request-Info: {"acc":"B","svc":"B","name":"B"}\r\n';
  await world.exchange(a, hpub("$JS.API.STREAM.DELETE.ORDERS", claim, "in"));
  const asked = system.take();
  assertMatch(asked, /^HMSG \$JS\.API\.STREAM\.DELETE\.ORDERS 1 _R_\./);
  assertMatch(asked, /Nats-Request-Info: \{[^\r]*"acc":"A"/);
  assert(!asked.includes('"B"'), asked);
});

Deno.test("no spelling of Nats-Request-Info lets a client say who it is", async () => {
  await using world = await MemoryBroker.start({
    accounts: {
      APP: { users: [{ user: "app", password: "x" }], exports: [{ service: "svc" }] },
      OTH: {
        users: [{ user: "oth", password: "x" }],
        imports: [{ service: { account: "APP", subject: "svc" }, share: true }],
      },
    },
  });
  const app = await world.connect({ user: "app", pass: "x" });
  await world.exchange(app, "SUB svc 1\r\n");
  const other = await world.connect({ user: "oth", pass: "x" });
  const name = "Nats-Request-Info", claim = '{"acc":"$SYS","user":"admin"}';
  const spellings = [
    `${name}: ${claim}\r\n`,
    `${name}:${claim}\r\n`,
    `${name.toLowerCase()}: ${claim}\r\n`,
    `${name.toUpperCase()}:\t${claim}\r\n`,
    `${name}: ${claim}\r\n`.repeat(3),
    `A: 1\r\n${name}: ${claim}\r\nB: 2\r\n${name.toLowerCase()}: ${claim}\r\n`,
    `${name}: {\r\n${name}: ${claim}\r\n`,
    `${name}-: x\r\n${name}: ${claim}\r\n`,
    `X${name}: x\r\n${name}: ${claim}\r\n`,
  ];
  for (const headers of spellings) {
    await world.exchange(other, hpub("svc", headers, "in"));
    const asked = app.take();
    assert(!asked.includes("$SYS") && !asked.includes("admin"), `${headers} -> ${asked}`);
    const found = [...asked.matchAll(/^nats-request-info:[ \t]*(.*)\r$/gmi)];
    assertEquals(found.length, 1, asked);
    assertEquals(JSON.parse(found[0]![1]!).acc, "OTH");
  }
});

/** What is no frame of a client's, or is one and comes too early. */
function malformed(random: SeededRandom): string[] {
  const bytes = (length: number) =>
    String.fromCharCode(...Array.from({ length }, () => random.below(256)));
  return [
    "\0\0\0\0",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
    "CONNECT\r\n",
    "CONNECT []\r\n",
    "CONNECT {\r\n",
    'CONNECT {"user":{}}\r\n',
    'CONNECT {"user":1e999,"pass":null}\r\n',
    `CONNECT ${"[".repeat(4000)}\r\n`,
    `CONNECT {"a":${'{"a":'.repeat(500)}\r\n`,
    'CONNECT {"jwt":"a.b.c","sig":"!"}\r\n',
    'CONNECT {"nkey":"U","sig":"A"}\r\n',
    'CONNECT {"__proto__":{"user":"watch","pass":"w"}}\r\n',
    'CONNECT {"constructor":{"prototype":{"user":"watch"}}}\r\n',
    "PUB x 99999999999999999999\r\n",
    "HPUB x -1 -1\r\n",
    "INFO {}\r\nINFO {}\r\n",
    "RS+ $G x\r\nRMSG $G x 1\r\nx\r\n",
    "-ERR 'x'\r\n",
    ...Array.from({ length: 60 }, () => bytes(1 + random.below(200))),
    ...Array.from({ length: 60 }, () => `CONNECT ${bytes(1 + random.below(200))}\r\n`),
  ];
}

Deno.test("malformed frames before authentication are refused, and nobody else notices", async () => {
  const [world, watch] = await watched(users(WATCH, { user: "a", password: "p" }));
  await using _ = world;
  for (const said of malformed(new SeededRandom(4))) {
    const client = await world.connectSilently();
    client.send(`${said}\r\nPUB x 1\r\nx\r\nSUB > 1\r\n`);
    await world.settle();
    const answer = client.take();
    const answers = ["", VIOLATION, "-ERR 'Unknown Protocol Operation'\r\n"];
    assert(answers.includes(answer), `${JSON.stringify(said)} -> ${answer}`);
    await world.advance(2500);
    assert(client.ended, `${JSON.stringify(said)} is let in`);
    await world.exchange(watch, "PONG\r\n");
  }
  assertEquals(await world.exchange(watch, "PING\r\n"), "PONG\r\n", "the others are served");
  assertEquals(world.broker.statistics.subscriptions, 1);
});

Deno.test("what is unfinished before authentication is bounded", async () => {
  await using world = await MemoryBroker.start({ max_control_line: 1024, ...users(WATCH) });
  const client = await world.connectSilently();
  client.send(`CONNECT {"user":"${"x".repeat(2000)}`);
  await world.settle();
  assertEquals([client.take(), client.ended], ["-ERR 'maximum control line exceeded'\r\n", true]);
  const slow = await world.connectSilently();
  slow.send("CONNECT {");
  await world.advance(2100);
  assertEquals([slow.take(), slow.ended], ["-ERR 'Authentication Timeout'\r\n", true]);
});

const EARLY_ON_ROUTES = [
  "RS+ $G >\r\n",
  "rs+ $G >\r\n",
  "RMSG $G x 1\r\nx\r\n",
  "PING\r\n",
  "PUB x 1\r\nx\r\n",
  'INFO {"server_id":"NX","compression":"s2_auto"}\r\n',
  'INFO {"server_id":"NX"}\r\nINFO {"server_id":"NX"}\r\n',
  "+OK\r\n",
  "\r\n",
];

async function refusesOnRoutes(settings: BrokerSettings, compression?: string): Promise<void> {
  const authorization = { user: "route", password: "r" };
  const cluster = { authorization, ...(compression !== undefined && { compression }) };
  const world = await MemoryBroker.start(
    clustered(cluster as Parameters<typeof clustered>[0], settings),
  );
  await using _ = world;
  const watch = await world.connect({ user: "watch", pass: "w" });
  await world.exchange(watch, "SUB > 1\r\n");
  for (const early of EARLY_ON_ROUTES) {
    using peer = new RoutePeer(world);
    const link = await peer.dial();
    link.take();
    link.send(early);
    await world.settle();
    assertEquals([link.take(), link.ended], [VIOLATION, true], early);
    // In one write with CONNECT that shows the wrong password.
    using other = new RoutePeer(world, "SG", 7002);
    const late = await other.dial();
    late.take();
    late.send(other.connectLine({ user: "route", pass: "x" }) + other.infoLine() + early);
    await world.settle();
    assertEquals([late.take(), late.ended], [VIOLATION, true], early);
  }
  assertEquals(await world.exchange(watch, "PUB x 0\r\n\r\n"), "MSG x 1 0\r\n\r\n");
  assertEquals(world.broker.routes(), []);
}

Deno.test("nothing but CONNECT is heard on the route port before authentication", async () => {
  await refusesOnRoutes(users(WATCH));
  await refusesOnRoutes(users(WATCH), "s2_auto");
});

Deno.test("no_auth_user lets nobody in on the route port", async () => {
  await refusesOnRoutes({ ...users(WATCH), no_auth_user: "watch" });
});

Deno.test("what only servers say is refused from clients, whoever they are", async () => {
  const [world, watch] = await watched({ ...users(WATCH), no_auth_user: "watch" });
  await using _ = world;
  for (
    const said of [
      "RS+ $G >\r\n",
      "RMSG $G x 1\r\nx\r\n",
      "LS+ a\r\n",
      "LMSG a 1\r\nx\r\n",
      "A+ A\r\n",
    ]
  ) {
    for (const before of ["", connectFrame({ user: "watch", pass: "w" })]) {
      const client = await world.connectSilently();
      const answer = await world.exchange(client, before + said);
      assertEquals([answer, client.ended], ["-ERR 'Unknown Protocol Operation'\r\n", true], said);
    }
  }
  assertEquals(watch.take(), "");
});

Deno.test("no_auth_user must be connected as it may be, with CONNECT and without", async () => {
  const guest = { user: "guest", password: "g", allowed_connection_types: ["WEBSOCKET"] };
  const [world, watch] = await watched({ ...users(WATCH, guest), no_auth_user: "guest" });
  await using _ = world;
  for (
    const said of [
      "PUB x 1\r\nx\r\n",
      "SUB > 1\r\n",
      "PING\r\n",
      connectFrame() + "PUB x 1\r\nx\r\n",
    ]
  ) {
    const client = await world.connectSilently();
    assertEquals(await world.exchange(client, said), VIOLATION, said);
    assert(client.ended);
  }
  assertEquals(watch.take(), "");
});

Deno.test("no_auth_user is held to its permissions before CONNECT as well", async () => {
  const guest = {
    user: "guest",
    password: "g",
    permissions: { publish: "open.>", subscribe: "open.>" },
  };
  const [world, watch] = await watched({ ...users(WATCH, guest), no_auth_user: "guest" });
  await using _ = world;
  const client = await world.connectSilently();
  assertEquals(
    await world.exchange(client, "PUB secret 1\r\nx\r\nSUB > 1\r\nPUB open.x 1\r\ny\r\n"),
    `-ERR 'Permissions Violation for Publish to "secret"'\r\n` +
      `-ERR 'Permissions Violation for Subscription to ">"'\r\n+OK\r\n`,
  );
  assertEquals(watch.take(), "MSG open.x 1 1\r\ny\r\n");
});

Deno.test("nobody has a message traced to where it may not publish", async () => {
  const permissions = { publish: { allow: ["app.>"], deny: ["app.secret"] } };
  const [world, watch] = await watched(users(WATCH, { user: "a", password: "p", permissions }));
  await using _ = world;
  const client = await world.connect({ user: "a", pass: "p" });
  for (const destination of ["secret.place", "app.secret", "$SYS.x"]) {
    for (
      const headers of [
        `Nats-Trace-Dest: ${destination}\r\n`,
        `A: 1\r\nNats-Trace-Dest:${destination} \r\nNats-Trace-Only: true\r\n`,
        `Nats-Trace-Dest: app.fine\r\nNats-Trace-Dest: ${destination}\r\n`,
      ]
    ) {
      assertEquals(
        await world.exchange(client, hpub("app.x", headers)),
        `-ERR 'Permissions Violation for Publish to "${destination}"'\r\n`,
      );
    }
  }
  assertEquals(watch.take(), "", "such a message is not delivered either");
  for (
    const headers of [
      "Nats-Trace-Dest: app.fine\r\n",
      "Nats-Trace-Dest: trace disabled\r\n",
      "X-Nats-Trace-Dest: secret\r\n",
      "Other: Nats-Trace-Dest: secret\r\n",
    ]
  ) {
    assertEquals(await world.exchange(client, hpub("app.x", headers)), "");
    assertMatch(watch.take(), /^HMSG app\.x 1 /);
  }
});

Deno.test("a subscription that overlaps what is denied gets the rest, in a group as well", async () => {
  const permissions = { subscribe: { allow: ["foo.>"], deny: ["foo.*.secret", "foo.bar.*"] } };
  await using world = await MemoryBroker.start(
    users(WATCH, { user: "a", password: "p", permissions }),
  );
  const publisher = await world.connect({ user: "watch", pass: "w" });
  for (
    const subscription of ["foo.*.* 1", "foo.*.* q 1", "foo.> 1", "foo.> q 1", "foo.baz.* q 1"]
  ) {
    const client = await world.connect({ user: "a", pass: "p" });
    assertEquals(await world.exchange(client, `SUB ${subscription}\r\nPING\r\n`), "PONG\r\n");
    const subjects = ["foo.bar.a", "foo.baz.secret", "foo.bar.secret", "foo.baz.a"];
    for (const subject of subjects) await world.exchange(publisher, `PUB ${subject} 0\r\n\r\n`);
    assertEquals(client.take(), "MSG foo.baz.a 1 0\r\n\r\n", subscription);
    await client.close();
    await world.settle();
  }
  // Another member that may have it gets what the first may not.
  const denied = await world.connect({ user: "a", pass: "p" });
  const member = await world.connect({ user: "watch", pass: "w" });
  await world.exchange(denied, "SUB foo.*.* q 1\r\n");
  await world.exchange(member, "SUB foo.*.* q 2\r\n");
  for (let i = 0; i < 20; i++) await world.exchange(publisher, "PUB foo.bar.a 0\r\n\r\n");
  assertEquals([denied.take(), member.take()], ["", "MSG foo.bar.a 2 0\r\n\r\n".repeat(20)]);
});

Deno.test("what is denied to all is denied to every queue group", async () => {
  const permissions = { subscribe: { deny: ["secret", "secret other", "s.> other"] } };
  await using world = await MemoryBroker.start(users({ user: "a", password: "p", permissions }));
  const client = await world.connect({ user: "a", pass: "p" });
  for (const [subject, queue] of [["secret", "q"], ["secret", "other"], ["s.x", "other"]]) {
    assertEquals(
      await world.exchange(client, `SUB ${subject} ${queue} 1\r\n`),
      `-ERR 'Permissions Violation for Subscription to "${subject}" using queue "${queue}"'\r\n`,
    );
  }
  assertEquals(await world.exchange(client, "SUB s.x q 1\r\nSUB s.x 2\r\nPING\r\n"), "PONG\r\n");
});

Deno.test("no subject carries a command to another server", async () => {
  await using world = await startClustered();
  using peer = new RoutePeer(world);
  const link = await peer.join();
  await link.exchange("RS+ $G >\r\n");
  const client = await world.connect({ verbose: false });
  const bad = ["a\rRS+ $SYS >\r", "a\r\rPING", "a\0b", "a\rRMSG $SYS x 0\r\r"];
  for (const [i, subject] of bad.entries()) {
    await world.exchange(client, `SUB ${subject.replaceAll(" ", ".")} ${i}\r\n`);
    await world.exchange(client, `PUB ${subject.replaceAll(" ", ".")} 0\r\n\r\n`);
  }
  // Without a line feed nothing begins a command; every line must be one that is meant.
  const lines = framesIn(link.take()).split("\n").filter((line) => line !== "" && line !== "\r");
  for (const line of lines) assertMatch(line, /^(?:RS\+|RMSG) \$G a[^\n]*\r$/);
  assert(lines.length >= bad.length, lines.join());
  assertEquals(await world.exchange(client, "PING\r\n"), "PONG\r\n");
});

Deno.test("truncated keys in a JWT are no more than refused", async () => {
  const operator = newOperator(), account = newAccount(), user = newUser();
  const clock = new VirtualClock({ startMs: Date.now() });
  const resolver = new MemoryResolver({ [account.key]: accountToken(account, operator) });
  const operators = await readOperators(
    { resolver: { type: "memory" }, operator: [operatorToken(operator)] },
    { accounts: false, users: false, authCallout: false },
    {
      readText: () => Promise.reject(new Error("there is no file")),
      version: "2.15.1",
      nowMs: clock.now(),
      warn: () => {},
    },
  );
  const accounts = new OperatorAccounts({ operators, resolver, clock, log: silentLog });
  const authenticator = new OperatorAuthenticator({ operators, accounts, clock });
  const nonce = "AAAAAAAAAAAAAAA", sig = signNonce(user, nonce);
  const peer = peerWith({ hostname: "127.0.0.1", nonce });
  const shown = (fields: object, nats: object = {}) => {
    const claims = { ...unlimitedUser, type: "user", version: 2, ...nats };
    const jwt = tokenOf({ jti: "x", sub: user.key, nats: claims, ...fields }, account);
    return authenticator.authenticate({ jwt, sig }, peer);
  };
  const { key } = account;
  for (const wrong of ["", "A", key.slice(0, 8), key.slice(0, 55), `${key}A`, "AA==", `${key}\0`]) {
    const decisions = [
      await shown({ iss: wrong }),
      await shown({ sub: wrong }),
      await shown({ iss: wrong, sub: wrong }, { issuer_account: wrong }),
      // An empty one is none, and the account is the issuer.
      ...(wrong === "" ? [] : [await shown({}, { issuer_account: wrong })]),
    ];
    for (const decision of decisions) assert(decision instanceof Refusal, wrong);
  }
  assert(!(await shown({}) instanceof Refusal), "a good token is let in afterwards");
  await accounts.close();
});
