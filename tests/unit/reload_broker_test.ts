import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { type BrokerSettings, MemoryBroker, type MemoryClient } from "../support/memory_broker.ts";

/** The lines of the log that are about reloads, without their times. */
function reloadLines({ log }: MemoryBroker): string[] {
  return log.filter((line) => /[Rr]eload/.test(line)).map((line) =>
    line.replace(/^.*\[(?=[A-Z]{3}\])/, "[")
  );
}

async function closed(memory: MemoryBroker, client: MemoryClient): Promise<boolean> {
  await memory.settle();
  return client.ended;
}

Deno.test("A smaller max_payload holds at once, and clients are told of it", async () => {
  await using memory = await MemoryBroker.start({});
  const client = await memory.connect(), old = await memory.connect({ protocol: 0 });
  const { outcome } = await memory.broker.reload({ host: "memory", max_payload: 10 });
  assertEquals(outcome, "applied");
  await memory.settle();
  assertStringIncludes(client.take(), '"max_payload":10,');
  assertEquals(old.take(), "");
  assertEquals(memory.broker.config.max_payload, 10);
  const text = await memory.exchange(client, `PUB a 11\r\n${"x".repeat(11)}\r\n`);
  assertEquals(text, "-ERR 'Maximum Payload Violation'\r\n");
  const silent = await memory.connectUngreeted();
  await memory.settle();
  assertStringIncludes(silent.take(), '"max_payload":10,');
  assertEquals(reloadLines(memory), [
    "[INF] Reloaded: max_payload = 10",
    "[INF] Reloaded server configuration changes=1",
  ]);
});

Deno.test("A reload that is refused leaves everything as it was", async () => {
  await using memory = await MemoryBroker.start({});
  const client = await memory.connect();
  const { broker } = memory, before = broker.config;
  const { outcome, plan } = await broker.reload({
    host: "memory",
    max_payload: 10,
    max_pending: "32MB",
    authorization: { token: "t" },
  });
  assertEquals([outcome, plan.verdict], ["refused", "restart"]);
  assert(broker.config === before);
  assertEquals(await memory.exchange(client, "PUB a 11\r\nhello world\r\nPING\r\n"), "PONG\r\n");
  await memory.connect();
  assertEquals(broker.statistics.connections, 2);
});

Deno.test("Of too many clients those go that came last", async () => {
  await using memory = await MemoryBroker.start({});
  const clients = [];
  for (let i = 0; i < 4; i++) clients.push(await memory.connect());
  await memory.broker.reload({ host: "memory", max_connections: 2 });
  await memory.settle();
  assertEquals(clients.map((client) => client.take()), [
    "",
    "",
    "-ERR 'maximum connections exceeded'\r\n",
    "-ERR 'maximum connections exceeded'\r\n",
  ]);
  const late = await memory.connectUngreeted();
  await memory.settle();
  assertStringIncludes(late.take(), "-ERR 'maximum connections exceeded'");
  await memory.broker.reload({ host: "memory", max_connections: 3 });
  const next = await memory.connect();
  assertEquals(await memory.exchange(next, "PING\r\n"), "PONG\r\n");
});

Deno.test("A client whose user is gone is closed without a word, the others are not touched", async () => {
  const users = [{ user: "a", password: "1" }, { user: "b", password: "2" }];
  await using memory = await MemoryBroker.start({ authorization: { users } });
  const a = await memory.connect({ user: "a", pass: "1" });
  const b = await memory.connect({ user: "b", pass: "2" });
  await memory.exchange(b, "SUB x 1\r\n");
  await memory.broker.reload({ host: "memory", authorization: { users: users.slice(1) } });
  assert(await closed(memory, a));
  assertEquals(a.take(), "");
  assertFalse(await closed(memory, b));
  assertEquals(
    await memory.exchange(b, "PUB x 2\r\nhi\r\nPING\r\n"),
    "MSG x 1 2\r\nhi\r\nPONG\r\n",
  );
  const late = await memory.connectSilently();
  assertEquals(
    await memory.exchange(late, 'CONNECT {"user":"a","pass":"1"}\r\nPING\r\n'),
    "-ERR 'Authorization Violation'\r\n",
  );
});

Deno.test("A client that showed a password which is none any more is told so", async () => {
  const users = (one: string) => [{ user: "a", password: one }, { user: "b", password: "2" }];
  await using memory = await MemoryBroker.start({ authorization: { users: users("1") } });
  const a = await memory.connect({ user: "a", pass: "1" });
  const b = await memory.connect({ user: "b", pass: "2" });
  await memory.broker.reload({ host: "memory", authorization: { users: users("new") } });
  await memory.settle();
  assertEquals(a.take(), "-ERR 'Authorization Violation'\r\n");
  assertEquals(await memory.exchange(b, "PING\r\n"), "PONG\r\n");
  const again = await memory.connect({ user: "a", pass: "new" });
  assertEquals(await memory.exchange(again, "PING\r\n"), "PONG\r\n");
});

Deno.test("A password that is only written otherwise closes nobody", async () => {
  const users = (password: string) => [{ user: "a", password }];
  await using memory = await MemoryBroker.start({ authorization: { users: users("secret") } });
  const a = await memory.connect({ user: "a", pass: "secret" });
  const hash = "$2b$04$ihVRQFPJ4ljAbQc5pbILFurvCLhMkFMGjEWtHnBvKEzsMhE2jR0cK";
  const right = await import("bcryptjs").then(({ default: bcrypt }) =>
    bcrypt.hashSync("secret", 4)
  );
  await memory.broker.reload({ host: "memory", authorization: { users: users(right) } });
  assertEquals(await memory.exchange(a, "PING\r\n"), "PONG\r\n");
  await memory.broker.reload({ host: "memory", authorization: { users: users(hash) } });
  assertEquals(await a.takeUntil("-ERR"), "-ERR 'Authorization Violation'\r\n");
});

Deno.test("Who needed no credentials needs them now", async () => {
  await using memory = await MemoryBroker.start({});
  const client = await memory.connect(), silent = await memory.connectSilently();
  const active = await memory.connectSilently();
  await memory.exchange(active, "SUB x 1\r\n");
  await memory.broker.reload({ host: "memory", authorization: { token: "t" } });
  await memory.settle();
  assertEquals(client.take(), "-ERR 'Authorization Violation'\r\n");
  assertEquals(active.take(), "-ERR 'Authorization Violation'\r\n");
  const connect = 'CONNECT {"auth_token":"t","verbose":false}\r\nPING\r\n';
  assertEquals(await memory.exchange(silent, connect), "PONG\r\n");
  const late = await memory.connectUngreeted();
  await memory.settle();
  assertStringIncludes(late.take(), '"auth_required":true');
  await memory.broker.reload({ host: "memory", authorization: { token: "other" } });
  await memory.settle();
  assertEquals(silent.take(), "-ERR 'Authorization Violation'\r\n");
});

Deno.test("A check of a password that is under way goes by the users there are at its end", async () => {
  const { default: bcrypt } = await import("bcryptjs");
  const password = bcrypt.hashSync("secret", 8);
  const users = [{ user: "a", password }, { user: "b", password: "2" }];
  await using memory = await MemoryBroker.start({ authorization: { users } });
  const client = await memory.connectSilently();
  client.send('CONNECT {"user":"a","pass":"secret","verbose":false}\r\nPING\r\n');
  await memory.settle();
  await memory.broker.reload({ host: "memory", authorization: { users: users.slice(1) } });
  assertEquals(await client.takeUntil("\r\n"), "-ERR 'Authorization Violation'\r\n");
});

Deno.test("Subscriptions that are not allowed any more end, the rest goes on", async () => {
  const of = (permissions?: { subscribe: string[] }) => ({
    authorization: { users: [{ user: "a", password: "1", ...(permissions && { permissions }) }] },
  });
  await using memory = await MemoryBroker.start(of());
  const a = await memory.connect({ user: "a", pass: "1" });
  await memory.exchange(a, "SUB foo 1\r\nSUB bar 2\r\n");
  await memory.broker.reload({ host: "memory", ...of({ subscribe: ["foo"] }) });
  await memory.settle();
  assertEquals(a.take(), '-ERR \'Permissions Violation for Subscription to "bar" (sid "2")\'\r\n');
  assertEquals(
    await memory.exchange(a, "PUB bar 1\r\nx\r\nPUB foo 1\r\ny\r\nPING\r\n"),
    "MSG foo 1 1\r\ny\r\nPONG\r\n",
  );
  await memory.broker.reload({ host: "memory", ...of() });
  assertEquals(await memory.exchange(a, "SUB bar 3\r\nPUB bar 1\r\nx\r\n"), "MSG bar 3 1\r\nx\r\n");
});

Deno.test("Accounts come, go, change hands and change", async () => {
  const user = (name: string) => ({ user: name, password: name });
  const config = { A: { users: [user("a")] }, B: { users: [user("b")] } };
  await using memory = await MemoryBroker.start({ accounts: config });
  const a = await memory.connect({ user: "a", pass: "a" });
  const b = await memory.connect({ user: "b", pass: "b" });
  await memory.broker.reload({
    host: "memory",
    accounts: {
      A: { users: [user("a")], exports: [{ stream: "s.>" }] },
      C: { users: [user("c")], imports: [{ stream: { account: "A", subject: "s.>" } }] },
    },
  });
  assert(await closed(memory, b));
  assertEquals(b.take(), "");
  const c = await memory.connect({ user: "c", pass: "c" });
  await memory.exchange(c, "SUB s.x 1\r\n");
  await memory.exchange(a, "PUB s.x 2\r\nhi\r\n");
  assertEquals(c.take(), "MSG s.x 1 2\r\nhi\r\n");
  await memory.broker.reload({
    host: "memory",
    accounts: { A: { users: [user("c")] }, C: { users: [user("a")] } },
  });
  assert(await closed(memory, a));
  assert(await closed(memory, c));
  assertEquals([a.take(), c.take()], ["", ""]);
});

Deno.test("Who has more subscriptions than the account allows now is closed", async () => {
  const of = (max_subscriptions: number) => ({
    accounts: { A: { users: [{ user: "a" }], limits: { max_subscriptions } } },
  });
  await using memory = await MemoryBroker.start(of(10));
  const a = await memory.connect({ user: "a" }), b = await memory.connect({ user: "a" });
  await memory.exchange(a, "SUB x 1\r\nSUB y 2\r\n");
  await memory.exchange(b, "SUB x 1\r\n");
  await memory.broker.reload({ host: "memory", ...of(1) });
  await memory.settle();
  assertEquals(a.take(), "-ERR 'maximum subscriptions exceeded'\r\n");
  assertEquals(await memory.exchange(b, "PING\r\n"), "PONG\r\n");
});

Deno.test("Tracing begins and ends with those who are connected", async () => {
  await using memory = await MemoryBroker.start({});
  const client = await memory.connect();
  await memory.exchange(client, "PING\r\n");
  assertFalse(memory.log.some((line) => line.includes("[TRC]")));
  await memory.broker.reload({ host: "memory", trace: true });
  await memory.exchange(client, "SUB traced 1\r\n");
  assert(memory.log.some((line) => line.includes("<<- [SUB traced 1]")));
  await memory.broker.reload({ host: "memory" });
  await memory.exchange(client, "SUB untraced 2\r\n");
  assertFalse(memory.log.some((line) => line.includes("[SUB untraced 2]")));
});

Deno.test("The advertised address is told to clients", async () => {
  await using memory = await MemoryBroker.start({});
  const client = await memory.connect();
  await memory.broker.reload({ host: "memory", client_advertise: "outside:4333" });
  await memory.settle();
  assertStringIncludes(client.take(), '"host":"outside","port":4333');
});

Deno.test("A quiet client is pinged at the interval that holds then", async () => {
  await using memory = await MemoryBroker.start({ ping_interval: "10s" });
  const client = await memory.connect();
  await memory.advance(3000);
  assertEquals(client.take(), "PING\r\n");
  client.send("PONG\r\n");
  await memory.broker.reload({ host: "memory", ping_interval: "1s", ping_max: 1 });
  await memory.advance(13_000);
  assertStringIncludes(client.take(), "-ERR 'Stale Connection'");
});

Deno.test("A configuration that is wrong changes nothing and tells what is wrong", async () => {
  await using memory = await MemoryBroker.start({});
  const before = memory.broker.config;
  const error = await memory.broker.reload({ max_payload: "lots" }).then(
    () => null,
    (error) => error,
  );
  assertStringIncludes(String(error), "max_payload: expected");
  assert(memory.broker.config === before);
});

Deno.test("Who may do the same as before may still answer what it was asked before", async () => {
  const settings = (destination: string): BrokerSettings => ({
    accounts: {
      A: {
        users: [
          { user: "r", password: "x", permissions: { subscribe: "svc", allow_responses: true } },
          { user: "q", password: "x" },
        ],
        mappings: { old: [{ destination, weight: 100 }] },
      },
    },
  });
  await using memory = await MemoryBroker.start(settings("new"));
  const responder = await memory.connect({ user: "r", pass: "x" });
  const asker = await memory.connect({ user: "q", pass: "x" });
  await memory.exchange(responder, "SUB svc 1\r\nUNSUB 1 2\r\n");
  await memory.exchange(asker, "SUB in 1\r\nPUB svc in 0\r\n\r\n");
  assertEquals(responder.take(), "MSG svc 1 in 0\r\n\r\n");
  await memory.broker.reload({ host: "memory", ...settings("newer") });
  assertEquals(await memory.exchange(responder, "PUB in 1\r\na\r\nPING\r\n"), "PONG\r\n");
  assertEquals(asker.take(), "MSG in 1 1\r\na\r\n");
  // What was counted before counts on.
  await memory.exchange(asker, "PUB svc 0\r\n\r\nPUB svc 0\r\n\r\n");
  assertEquals(responder.take(), "MSG svc 1 0\r\n\r\n");
});

Deno.test("Who was asked may still answer after its account has changed", async () => {
  const user = { password: "x" };
  const permissions = { subscribe: { allow: ["q"] }, allow_responses: { max: 1, expires: "1m" } };
  const users = [{ ...user, user: "asks" }, { ...user, user: "answers", permissions }];
  const changed = (mappings: Record<string, string>) => ({
    host: "memory",
    accounts: { A: { users, mappings } },
  });
  await using memory = await MemoryBroker.start(changed({}));
  const asks = await memory.connect({ user: "asks", pass: "x" });
  const answers = await memory.connect({ user: "answers", pass: "x" });
  await memory.exchange(answers, "SUB q 1\r\n");
  await memory.exchange(asks, "SUB in 1\r\nPUB q in 1\r\n?\r\n");
  assertEquals(answers.take(), "MSG q 1 in 1\r\n?\r\n");
  const { outcome } = await memory.broker.reload(changed({ a: "b" }));
  assertEquals(outcome, "applied");
  const answer = "PUB in 1\r\n!\r\n";
  assertEquals(await memory.exchange(answers, answer), "");
  assertEquals(asks.take(), "MSG in 1 1\r\n!\r\n");
  const refusal = "-ERR 'Permissions Violation for Publish to \"in\"'\r\n";
  assertEquals(await memory.exchange(answers, answer), refusal);
  // Nor may somebody else who comes over the same connection, be it the same user.
  await memory.exchange(asks, "PUB q in 1\r\n?\r\n");
  await memory.exchange(answers, 'CONNECT {"user":"answers","pass":"x","verbose":false}\r\n');
  assertEquals(await memory.exchange(answers, answer), refusal);
});

Deno.test("Of too many clients of an account those go that came last", async () => {
  const settings = (most: number): BrokerSettings => ({
    accounts: {
      A: { users: [{ user: "a", password: "x" }], limits: { max_connections: most } },
      B: { users: [{ user: "b", password: "x" }], limits: { max_connections: 1 } },
    },
  });
  await using memory = await MemoryBroker.start(settings(5));
  const clients = [];
  for (const user of ["a", "a", "b", "a"]) clients.push(await memory.connect({ user, pass: "x" }));
  await memory.broker.reload({ host: "memory", ...settings(2) });
  await memory.settle();
  assertEquals(clients.map((client) => client.take()), [
    "",
    "",
    "",
    "-ERR 'maximum account active connections exceeded'\r\n",
  ]);
});
