import { assertEquals } from "@std/assert";
import { Lifecycle } from "../../src/monitor/mod.ts";

Deno.test("listeners hear the events they asked for, in the order they asked, until disposed", () => {
  const heard: string[] = [];
  const lifecycle = new Lifecycle(() => heard.push("thrown"));
  const first = lifecycle.on("closing", ({ drain }) => heard.push(`first ${drain}`));
  lifecycle.on("closing", ({ drain }) => heard.push(`second ${drain}`));
  lifecycle.on("closed", () => heard.push("closed"));
  lifecycle.emit("closing", { drain: true });
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  lifecycle.emit("closing", { drain: false });
  lifecycle.emit("panic", { path: "broker", error: null });
  assertEquals(heard, ["first true", "second true", "second false"]);
});

Deno.test("one function registered twice is called twice, and disposed one at a time", () => {
  let calls = 0;
  const lifecycle = new Lifecycle(() => {}), listener = () => calls++;
  const first = lifecycle.on("closed", listener);
  lifecycle.on("closed", listener);
  lifecycle.emit("closed", {});
  first[Symbol.dispose]();
  lifecycle.emit("closed", {});
  assertEquals(calls, 3);
});

Deno.test("what a listener throws reaches neither the others nor whoever emits", () => {
  const errors: unknown[] = [], heard: string[] = [];
  const lifecycle = new Lifecycle((error) => errors.push(error));
  lifecycle.on("closed", () => {
    throw new RangeError("listener");
  });
  lifecycle.on("closed", () => heard.push("other"));
  lifecycle.emit("closed", {});
  assertEquals(heard, ["other"]);
  assertEquals(errors.map(String), ["RangeError: listener"]);
});

Deno.test("a listener may take itself away while it is told", () => {
  const heard: string[] = [];
  const lifecycle = new Lifecycle(() => {});
  const once = lifecycle.on("closed", () => {
    heard.push("once");
    once[Symbol.dispose]();
  });
  lifecycle.on("closed", () => heard.push("always"));
  lifecycle.emit("closed", {});
  lifecycle.emit("closed", {});
  assertEquals(heard, ["once", "always", "always"]);
});
