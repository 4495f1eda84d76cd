// deno-lint-ignore-file no-console -- a program whose purpose is to print a figure
/**
 * How long a configuration of many accounts takes to be read, checked and completed, and how much
 * memory that takes: `deno run -A bench/config_load.ts [accounts] [users]`.
 *
 * Half of the users have permissions of their own, some by anchors; every tenth account imports a
 * service of the first. It prints one line of JSON.
 *
 * @module
 */
import { loadConfig } from "../src/config/mod.ts";

const accountCount = Number(Deno.args[0] ?? 10_000);
const userCount = Number(Deno.args[1] ?? 10);

/** A configuration of `accountCount` accounts of `userCount` users. */
export function manyAccounts(accountCount: number, userCount: number): string {
  const lines = ["port: -1", "accounts:"];
  for (let account = 0; account < accountCount; account++) {
    lines.push(`  ACC${account}:`, "    users:");
    for (let user = 0; user < userCount; user++) {
      const name = `user_${account}_${user}`;
      const permissions = user === 0
        ? `, permissions: { publish: { allow: ["a${account}.>", "b.*.c"], deny: "a.secret" }, ` +
          `subscribe: ["_INBOX.>", "c.${user}.* workers"], allow_responses: true }`
        : "";
      lines.push(`      - { user: ${name}, password: p4ss_${account}_${user}${permissions} }`);
    }
    if (account === 0) lines.push("    exports:", '      - { service: "time.*" }');
    else if (account % 10 === 0) {
      lines.push(
        "    imports:",
        `      - { service: { account: ACC0, subject: "time.*" }, to: "t.$1" }`,
      );
    }
    if (account % 10 === 1) lines.push("    mappings: { 'old.*': 'new.$1' }");
  }
  return `${lines.join("\n")}\n`;
}

if (import.meta.main) {
  const text = manyAccounts(accountCount, userCount);
  const files = { readText: () => Promise.reject(new Error("nothing to read")) };
  const before = Deno.memoryUsage().rss;
  const start = performance.now();
  const config = await loadConfig({ text, file: "many.yaml", env: () => undefined, files });
  const elapsed = performance.now() - start;
  console.log(JSON.stringify({
    accounts: Object.keys(config.accounts ?? {}).length,
    users: userCount,
    megabytes: Math.round(text.length / 1e5) / 10,
    load_ms: Math.round(elapsed),
    rss_before_mib: Math.round(before / 2 ** 20),
    rss_mib: Math.round(Deno.memoryUsage().rss / 2 ** 20),
  }));
}
