import { assertEquals, assertRejects } from "@std/assert";
import { Mesh } from "../support/mesh.ts";
import { connect } from "@nats-io/transport-node";
import { eventually } from "../support/eventually.ts";

const SETTINGS = {
  accounts: {
    A: { users: [{ user: "a", password: "x" }], limits: { max_connections: 2 } },
    B: { users: [{ user: "b", password: "x" }] },
  },
};

Deno.test("the connections of an account count over the whole cluster", async () => {
  await using mesh = await Mesh.start(2, SETTINGS);
  await mesh.full();
  const [first, second] = mesh.brokers.map(({ address }) => address.port);
  const join = (port: number | undefined, user: string) =>
    connect({ port: port!, user, pass: "x", reconnect: false });
  const clients = [await join(first, "a"), await join(first, "a")];
  await assertRejects(() => join(first, "a"), Error, "maximum account active connections");
  let refused = "nothing";
  await eventually(() => `a refusal by the other server, not ${refused}`, async () => {
    try {
      const client = await join(second, "a");
      await client.close();
      return false;
    } catch (error) {
      refused = String(error);
      return refused.includes("maximum account active connections");
    }
  });
  // Others are not concerned.
  clients.push(await join(second, "b"));
  await clients.shift()!.close();
  await eventually("a place on the other server", async () => {
    try {
      clients.push(await join(second, "a"));
      return true;
    } catch {
      return false;
    }
  });
  assertEquals(clients.length, 3);
  await Promise.all(clients.map((client) => client.close()));
});
