import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { runCommand } from "../../src/command/mod.ts";
import { MemoryFiles } from "../support/memory_files.ts";

/** Runs `denats plan` on two files in memory. */
async function plan(before: string, after: string, ...flags: string[]) {
  const files = new MemoryFiles();
  await files.writeText("old.yaml", before);
  await files.writeText("new.yaml", after);
  let stdout = "", stderr = "";
  const code = await runCommand(["plan", ...flags, "old.yaml", "new.yaml"], {
    stdout: (text) => (stdout += text, true),
    stderr: (text) => (stderr += text, true),
    files,
    env: (name) => name === "SECRET" ? "s3cr3t" : undefined,
  });
  return { code, stdout, stderr };
}

Deno.test("Nothing that differs is exit code 0", async () => {
  assertEquals(await plan("ping_interval: 120s", "ping_interval: 2m"), {
    code: 0,
    stdout: "Nothing differs.\n",
    stderr: "",
  });
});

Deno.test("What a running server applies is exit code 0", async () => {
  const { code, stdout } = await plan("{}", "max_payload: 2000");
  assertEquals(code, 0);
  assertStringIncludes(stdout, "~ max_payload: 1048576 -> 2000");
  assertStringIncludes(stdout, "A running server applies all of it.");
});

Deno.test("What denats does not support yet is ignored where that is asked for", async () => {
  const before = "http: 8222", after = "http: 8222\nmax_payload: 2000";
  const { code, stderr } = await plan(before, after);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "http: not supported by this version of denats");
  const ignoring = await plan(before, after, "--ignore-unsupported");
  assertEquals([ignoring.code, ignoring.stderr], [0, ""]);
  assertStringIncludes(ignoring.stdout, "~ max_payload: 1048576 -> 2000");
});

Deno.test("What needs a restart, or is refused, is exit code 2", async () => {
  assertEquals((await plan("{}", "port: 4333")).code, 2);
  const users = "accounts: { A: { users: [{ user: a }] } }\n";
  const { code, stdout } = await plan(users, `${users}no_auth_user: a`);
  assertEquals(code, 2);
  assertStringIncludes(stdout, "Refused:\n  + no_auth_user: a\n");
});

Deno.test("A plan as JSON has the same, and no secret", async () => {
  const before = "authorization: { users: [{ user: u, password: '$" + "{SECRET}' }] }";
  const { code, stdout } = await plan(before, `ping_max: 2\n${before}`, "--json");
  assertEquals(code, 0);
  assertFalse(stdout.includes("s3cr3t"));
  assertEquals(JSON.parse(stdout), { verdict: "unchanged", changes: [] });
  const other = await plan(before, before.replace("$" + "{SECRET}", "an0ther"), "--json");
  assertFalse(/s3cr3t|an0ther/.test(other.stdout));
  assertEquals(JSON.parse(other.stdout), {
    verdict: "applied",
    changes: [{
      path: "authorization.users.u.password",
      kind: "changed",
      before: "***",
      after: "***",
      effect: "applied",
      note: "clients that showed another are closed",
    }],
  });
});

Deno.test("A file that is wrong, or one too few, is exit code 1", async () => {
  const wrong = await plan("{}", "max_payload: lots");
  assertEquals([wrong.code, wrong.stdout], [1, ""]);
  assertStringIncludes(wrong.stderr, "new.yaml:1:14: max_payload: expected");
  const world = {
    stdout: () => true,
    stderr: () => true,
    files: new MemoryFiles(),
    env: () => undefined,
  };
  assertEquals(await runCommand(["plan", "old.yaml"], world), 1);
  assertEquals(await runCommand(["plan", "old.yaml", "new.yaml"], world), 1);
  let help = "";
  const code = await runCommand(["plan", "--help"], {
    ...world,
    stdout: (text) => (help += text, true),
  });
  assertEquals(code, 0);
  assert(
    help.startsWith("Usage: denats plan [--ignore-unsupported] [--json] <old file> <new file>\n"),
  );
});
