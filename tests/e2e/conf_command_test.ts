/**
 * The command with files in nats-server's own format: starting, checking, converting.
 */
import { connect } from "@nats-io/transport-node";
import { assertEquals, assertMatch } from "@std/assert";
import { runCommand, RunningCommand } from "../support/command.ts";

/** A folder of files, gone at the end of the test. */
async function folderOf(
  files: Record<string, string>,
): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "denats-conf-" });
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

const example = {
  "nats.conf": `
listen: "127.0.0.1:-1"   # a free port
include users.conf
http_port: 8222
`,
  "users.conf": `
PASSWORD: $DENATS_TEST_PASSWORD
authorization {
  users = [ { user: anna, password: $PASSWORD } ]
}
jetstream { store_dir: /tmp }
`,
};

Deno.test("an existing configuration of nats-server starts denats", async () => {
  await using folder = await folderOf(example);
  const file = `${folder.path}/nats.conf`;
  const env = { DENATS_TEST_PASSWORD: "geheim" };
  const refused = await runCommand(["-c", file], { env });
  assertEquals([refused.code, refused.stderr], [
    1,
    `denats: the configuration has 2 problems:
  ${file}:4:1: http_port: not supported by this version of denats
  ${folder.path}/users.conf:6:1: jetstream: not supported by this version of denats
`,
  ]);
  await using command = new RunningCommand(["-c", file, "-a", "127.0.0.1", "-p", "-1"], {
    env: { ...env, DENATS_IGNORE_UNSUPPORTED: "1" },
  });
  const { hostname, port } = await command.listening();
  const client = await connect({
    servers: `${hostname}:${port}`,
    user: "anna",
    pass: "geheim",
    reconnect: false,
  });
  await client.flush();
  await client.close();
  command.kill("SIGTERM");
  const { code, stderr } = await command.outcome();
  assertEquals(code, 0);
  assertMatch(stderr, /\[WRN\] \S+nats\.conf:4:1: http_port: not supported .*\(ignored\)/);
  assertMatch(stderr, /\[WRN\] \S+users\.conf:6:1: jetstream: not supported .*\(ignored\)/);
});

Deno.test("denats convert prints YAML, and names what is not in it", async () => {
  await using folder = await folderOf(example);
  const file = `${folder.path}/nats.conf`;
  const env = { DENATS_TEST_PASSWORD: "geheim" };
  const converted = await runCommand(["convert", file], { env });
  const yaml = `# The server
listen: "127.0.0.1:-1"

# Who may connect
authorization:
  users:
    - user: "anna"
      password: "geheim"
`;
  assertEquals(converted, {
    code: 1,
    stdout: yaml,
    stderr: `denats: ${file}:4:1: http_port: not supported by this version of denats
denats: ${folder.path}/users.conf:6:1: jetstream: not supported by this version of denats
`,
  });
  const ignoring = await runCommand(["convert", file, "--ignore-unsupported"], { env });
  assertEquals([ignoring.code, ignoring.stdout], [0, yaml]);
  assertMatch(ignoring.stderr, /^denats: warning: [^\n]*http_port[^\n]*\ndenats: warning: /);
  const missing = await runCommand(["convert", `${folder.path}/gone.conf`]);
  assertEquals([missing.code, missing.stdout], [1, ""]);
  assertMatch(missing.stderr, /^denats: cannot read \S+gone\.conf: no such file or folder\n$/);
  const none = await runCommand(["convert"]);
  assertEquals(none.stderr, "denats: an argument is missing; see denats convert --help\n");
});
