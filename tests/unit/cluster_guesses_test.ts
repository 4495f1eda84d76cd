import { assertEquals } from "@std/assert";
import { PasswordVerifier } from "../../src/auth/mod.ts";
import { clusterFacts } from "../../src/cluster_parts.ts";
import { normaliseConfig } from "../../src/config/mod.ts";
import { SeededRandom, VirtualClock } from "../../src/platform/mod.ts";

Deno.test("who guesses the password of routes has to wait, and others need not", async () => {
  const clock = new VirtualClock(), verifier = new PasswordVerifier({ clock });
  const config = normaliseConfig({
    cluster: { name: "c", authorization: { user: "r", password: "right" } },
  });
  const { authenticate } = clusterFacts(config, config.cluster!, {
    identity: { id: "N", name: "n" },
    address: { hostname: "10.0.0.1", port: 4222 },
    routeAddress: { hostname: "10.0.0.1", port: 6222 },
    verifier,
    clock,
    random: new SeededRandom(1),
  });
  const show = (password: string, from: string) => authenticate!("r", password, null, from);
  assertEquals(await show("right", "10.0.0.9"), true);
  for (let i = 0; i < 11; i++) assertEquals(await show(`wrong ${i}`, "10.0.0.8"), false);
  assertEquals(await show("right", "10.0.0.8"), false, "unseen");
  assertEquals(await show("right", "10.0.0.9"), true);
  await clock.advance(2000);
  assertEquals(await show("right", "10.0.0.8"), true);
  await verifier.close();
});
