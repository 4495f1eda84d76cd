/** Routes to other servers: how they are written, and that their passwords are not told. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ConfigError, normaliseConfig, type RouteUrl, showRouteUrl } from "../../src/config/mod.ts";
import { clusterOf, refusal } from "../support/cluster_settings.ts";

Deno.test("routes are URLs, and a scheme and a port need not be there", async () => {
  const cases: [string, RouteUrl][] = [
    ["nats-route://one:1", { host: "one", port: 1 }],
    ["nats://one:1/", { host: "one", port: 1 }],
    ["NATS://one", { host: "one", port: 6222 }],
    ["one:1", { host: "one", port: 1 }],
    ["one", { host: "one", port: 6222 }],
    [" one ", { host: "one", port: 6222 }],
    ["[::1]:1", { host: "::1", port: 1 }],
    ["nats://[::1]", { host: "::1", port: 6222 }],
    ["nats://[fe80::1%25eth0]:1", { host: "fe80::1%eth0", port: 1 }],
    ["nats://u@one", { host: "one", port: 6222, user: "u" }],
    ["u:p@one", { host: "one", port: 6222, user: "u", password: "p" }],
    ["nats://u:@one", { host: "one", port: 6222, user: "u", password: "" }],
    ["nats://u:5e7@one", { host: "one", port: 6222, user: "u", password: "5e7" }],
    ["nats://a%40b:p%3A%2F%25@one", {
      host: "one",
      port: 6222,
      user: "a@b",
      password: "p:/%",
    }],
    ["nats://u:p@q@one", { host: "one", port: 6222, user: "u", password: "p@q" }],
    ["nats://u:${PASSWORD}@one", { host: "one", port: 6222, user: "u", password: "p@ss" }],
  ];
  for (const [text, expected] of cases) {
    const { routes } = await clusterOf(`routes: [${JSON.stringify(text)}]`);
    assertEquals(routes, [expected], text);
  }
});

Deno.test("what cannot be connected to is refused, and not shown", async () => {
  const port = "a port is a number from 1 to 65535";
  const encode = "write %40 for @, %2F for / and so on in user and password";
  const cases: [string, string | undefined][] = [
    ["", undefined],
    ["nats://u:sesame@", "it has no host"],
    ["nats://", "it has no host"],
    ["nats://u:sesame@one:0", port],
    ["nats://u:sesame@one:65536", port],
    ["nats://u:sesame@one:-1", port],
    ["u:sesame", port],
    ["nats://u:sesame@[::1]:x", port],
    ["nats://u:sesame@::1:6222", undefined],
    ["nats://u:sesame@a b", undefined],
    ["http://u:sesame@one", "its scheme is nats-route or nats"],
    ["nats://one:1/sesame", "it ends with the port"],
    ["nats://u:se/same@one", encode],
    ["nats://u:se%zzsame@one", encode],
    ["nats://u:se%ffsame@one", encode],
    ["nats://:sesame@one", "the password has no user"],
  ];
  for (const [text, hint] of cases) {
    const found = text === "" ? "nothing (an empty text)" : "a text (not shown)";
    assertEquals(await refusal(`cluster: {routes: [${JSON.stringify(text)}]}`), [
      `cluster.routes[0]: expected a route such as "nats-route://host:6222", found ${found}` +
      (hint === undefined ? "" : ` (${hint})`),
    ]);
  }
  assertEquals(await refusal("cluster: {routes: sesame}"), [
    "cluster.routes: expected a list, found a text (not shown)",
  ]);
});

Deno.test("no text makes the reader of routes throw, and a shown route hides its password", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    try {
      normaliseConfig({ cluster: { routes: [text, `nats://u:${text}@one`] } });
    } catch (error) {
      assert(error instanceof ConfigError, String(error));
    }
  }));
  assertEquals(
    showRouteUrl({ host: "::1", port: 1, user: "a@b", password: "sesame" }),
    "nats-route://a%40b:***@[::1]:1",
  );
  assertEquals(showRouteUrl({ host: "one", port: 1, user: "u" }), "nats-route://u@one:1");
});

Deno.test("the same route twice is one route", async () => {
  const { routes } = await clusterOf(
    "routes: ['nats://one:6222', 'nats-route://ONE', 'nats://u:p@one', 'nats://one:6223']",
  );
  assertEquals(routes.map(({ port, user }) => [port, user]), [
    [6222, undefined],
    [6222, "u"],
    [6223, undefined],
  ]);
});
