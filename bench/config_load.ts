// deno-lint-ignore-file no-console -- a program whose purpose is to print a figure
/**
 * How much CPU time and memory it costs to read, check and complete a configuration of many accounts,
 * and to start a broker of it: `deno run -A bench/config_load.ts [accounts] [users] [yaml|conf]`.
 *
 * One user of every account has permissions of its own; every tenth account imports a service of the
 * first. The file is written by one process and loaded by others, so that what writing
 * it takes is not counted. It prints one line of JSON for each: `load` reads the configuration, `start`
 * starts a broker of it, too. `peak_rss_mib` is the most memory that the whole process ever had
 * (Linux only).
 *
 * @module
 */
import process from "node:process";
import { Broker } from "../src/broker.ts";
import { loadConfig } from "../src/config/mod.ts";

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

/** The same in nats-server's format. */
export function manyAccountsConf(accountCount: number, userCount: number): string {
  const lines = ["port: -1", "accounts {"];
  for (let account = 0; account < accountCount; account++) {
    lines.push(`  ACC${account} {`, "    users = [");
    for (let user = 0; user < userCount; user++) {
      const name = `user_${account}_${user}`;
      const permissions = user === 0
        ? `, permissions: { publish: { allow: ["a${account}.>", "b.*.c"], deny: "a.secret" }, ` +
          `subscribe: ["_INBOX.>", "c.${user}.* workers"], allow_responses: true }`
        : "";
      lines.push(`      { user: ${name}, password: p4ss_${account}_${user}${permissions} }`);
    }
    lines.push("    ]");
    if (account === 0) lines.push('    exports = [ { service: "time.*" } ]');
    else if (account % 10 === 0) {
      lines.push(
        '    imports = [ { service: { account: ACC0, subject: "time.*" }, to: "t.$1" } ]',
      );
    }
    if (account % 10 === 1) lines.push('    mappings = { "old.*": "new.$1" }');
    lines.push("  }");
  }
  return `${[...lines, "}"].join("\n")}\n`;
}

/** Loads `file`, or starts a broker of it, and prints what that took. */
async function measure(what: string, file: string): Promise<void> {
  const cpuBefore = process.cpuUsage(), start = performance.now();
  const config = await loadConfig({
    file,
    env: () => undefined,
    files: { readText: (path) => Deno.readTextFile(path) },
  });
  await using _broker = what === "start" ? await Broker.run(config) : undefined;
  const elapsed = performance.now() - start, { user, system } = process.cpuUsage(cpuBefore);
  const status = await Deno.readTextFile("/proc/self/status").catch(() => "");
  const peak = /^VmHWM:\s*(\d+) kB/m.exec(status)?.[1];
  console.log(JSON.stringify({
    what,
    format: file.replace(/.*\./, ""),
    accounts: Object.keys(config.accounts ?? {}).length,
    cpu_ms: Math.round((user + system) / 1000),
    elapsed_ms: Math.round(elapsed),
    peak_rss_mib: peak === undefined ? null : Math.round(Number(peak) / 1024),
  }));
}

async function main(): Promise<void> {
  const [first = "10000", second = "10", format = "yaml"] = Deno.args;
  if (first === "load" || first === "start") return await measure(first, second);
  const write = format === "conf" ? manyAccountsConf : manyAccounts;
  const file = await Deno.makeTempFile({ suffix: `.${format}` });
  try {
    await Deno.writeTextFile(file, write(Number(first), Number(second)));
    for (const what of ["load", "start"]) {
      const args = ["run", "-A", import.meta.filename ?? "", what, file];
      await new Deno.Command(Deno.execPath(), { args, stdout: "inherit" }).spawn().status;
    }
  } finally {
    await Deno.remove(file);
  }
}

if (import.meta.main) await main();
