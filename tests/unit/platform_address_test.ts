import { assertEquals } from "@std/assert";
import { hostsOf } from "../../src/platform/mod.ts";

Deno.test("a listener is there under the addresses that its host stands for", () => {
  const own = () => ["127.0.0.1", "10.0.0.1", "::1", "2001:db8::1"];
  assertEquals(hostsOf("0.0.0.0", own), ["127.0.0.1", "10.0.0.1"]);
  assertEquals(hostsOf("::", own), own());
  assertEquals(hostsOf("10.0.0.9", own), ["10.0.0.9"]);
});
