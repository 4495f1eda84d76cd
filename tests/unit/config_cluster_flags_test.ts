/** The flags of the cluster, which are put over a file's. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConfigError, FlagError, parseFlags } from "../../src/config/mod.ts";
import { clusterDefaults, clusterOf, load } from "../support/cluster_settings.ts";

Deno.test("flags make a cluster and override the file's", async () => {
  const { cluster } = await load(
    "",
    ..."--cluster nats://u:p%40ss@127.0.0.1:-1 -routes nats://a:sesame@one:1,two".split(" "),
    ..."--cluster_name east --no_advertise --connect_retries 3 --cluster_advertise c:1".split(" "),
  );
  assertEquals(cluster, {
    ...clusterDefaults,
    name: "east",
    host: "127.0.0.1",
    port: -1,
    advertise: "c:1",
    no_advertise: true,
    routes: [
      { host: "one", port: 1, user: "a", password: "sesame" },
      { host: "two", port: 6222 },
    ],
    connect_retries: 3,
    authorization: { user: "u", password: "p@ss", timeout: 2000 },
  });
  const file = "listen: 'a:1', routes: [one], no_advertise: true, name: west, " +
    "authorization: {user: u, password: p, timeout: 5s}";
  const over = await clusterOf(file, "-cluster_listen", "nats://b:2", "--no_advertise=false");
  assertEquals([over.host, over.port, over.name, over.no_advertise], ["b", 2, "west", false]);
  // As in nats-server, the flag's URL says that there are no credentials.
  assertEquals(over.authorization, { timeout: 5000 });
  const routes = (await clusterOf(file, "--routes", "two:2")).routes;
  assertEquals(routes, [{ host: "two", port: 2 }]);
  for (const url of [":7", "7", "nats://:7"]) {
    const bare = await clusterOf(file, "--cluster", url);
    assertEquals([bare.host, bare.port], ["0.0.0.0", 7]);
  }
});

Deno.test("without a cluster, flags for one have no effect, and routes are refused", async () => {
  const flags = "--cluster_name east --no_advertise --connect_retries 3 --cluster_advertise c:1";
  assertEquals((await load("", ...flags.split(" "))).cluster, undefined);
  const { problems, message } = await assertRejects(
    () => load("cluster:\n", "--routes", "nats://u:sesame@one"),
    ConfigError,
  );
  assertEquals(
    message,
    "--routes: cluster: expected a cluster for the routes, found none " +
      "(give --cluster too, or cluster in the file)",
  );
  assertEquals(problems.length, 1);
});

Deno.test("what is wrong with a flag of the cluster is said without the password", () => {
  const route = `expected a route such as "nats-route://host:6222", found a text (not shown)`;
  const url = `flag --cluster: expected a URL such as "nats://host:6222", found a text (not shown)`;
  const port = "(a port is a number from 1 to 65535)";
  const cases: [string[], string][] = [
    [["--routes", "one,nats://u:sesame@two:0"], `flag --routes: ${route} ${port}`],
    [["--routes", "one,,two"], `flag --routes: ${route}`],
    [["--cluster", "nats://u:sesame@one"], `${url} (it has no port)`],
    [["--cluster", "nats://sesame@one:1"], `${url} (the user has no password)`],
    [["--cluster", "nats://u:sesame@one:0"], `${url} ${port}`],
    [
      ["--cluster_listen", "http://u:sesame@one:1"],
      `${url} (its scheme is nats-route or nats)`,
    ],
    [["--cluster_name", "a b"], 'flag --cluster_name: expected a name without spaces, found "a b"'],
    [["--cluster="], "flag --cluster needs a value: <url>"],
  ];
  for (const [args, expected] of cases) {
    assertEquals(assertThrows(() => parseFlags(args), FlagError).message, expected);
  }
});

Deno.test("a problem that a flag makes is told of the flag", async () => {
  const { message } = await assertRejects(
    () => load("", "--cluster", "nats://u:sesame@0.0.0.0:4222"),
    ConfigError,
  );
  assertEquals(
    message,
    "--cluster: cluster.port: expected a port for the cluster that differs from the port for " +
      "clients, found 4222 for both",
  );
});
