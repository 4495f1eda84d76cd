/** The configuration that docs/accounts.md shows is a good one. */
import { assert, assertEquals } from "@std/assert";
import { loadConfig } from "../../src/config/mod.ts";

Deno.test("the example of the page on accounts is a good configuration", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/accounts.md", import.meta.url));
  const [, text] = /^```yaml\n([^]*?)^```$/m.exec(page) ?? [];
  assert(text);
  const { accounts, system_account } = await loadConfig({
    text,
    file: "docs/accounts.md",
    env: (name) => /^(WEB|AUDIT|ADMIN)_PASSWORD$/.test(name) ? "secret" : undefined,
    files: { readText: () => Promise.reject(new Error("nothing to read")) },
  });
  assertEquals(Object.keys(accounts ?? {}), ["ORDERS", "WEB", "AUDIT", "SYS"]);
  assertEquals(system_account, "SYS");
  assertEquals(accounts?.WEB?.imports?.map(({ to }) => to), ["shop.price.$1", "shop.done.>"]);
  assertEquals(accounts?.ORDERS?.users[1]?.permissions?.allow_responses, {
    max: 1,
    expires: 120_000,
  });
});
