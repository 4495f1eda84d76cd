/** The command as its operator meets it: flags, configuration, files, signals, exit codes. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CertificateFolder, TestAuthority } from "../support/certificates.ts";
import { FAULTY_COMMAND, runCommand, RunningCommand } from "../support/command.ts";
import { RawClient } from "../support/conversation.ts";

/** The port of every broker here, chosen by the system, on the loopback address. */
const ANYWHERE = ["-a", "127.0.0.1", "-p", "-1"];

const CONNECT = `CONNECT {"verbose":false,"pedantic":false,"protocol":1}\r\nPING\r\n`;

/** A folder for the files of one test. */
async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "denats-command-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Asserts that nothing in `text` matches `pattern`. */
function assertAbsent(text: string, pattern: RegExp): void {
  assert(!pattern.test(text), `${pattern} in:\n${text}`);
}

/** Ends a command by a signal, and asserts that it ended well. */
async function endWell(command: RunningCommand, signal: Deno.Signal = "SIGTERM"): Promise<string> {
  command.kill(signal);
  const { code, stderr } = await command.outcome();
  assertEquals(code, 0, stderr);
  return stderr;
}

Deno.test("version, help and schema go to the standard output and start nothing", async () => {
  for (const flag of ["-v", "--version", "version"]) {
    const { code, stdout, stderr } = await runCommand([flag]);
    assertEquals([code, stderr], [0, ""], flag);
    assertMatch(stdout, /^denats: v\d+\.\d+\.\d+ .*2\.15\.1.*\n$/);
  }
  const help = await runCommand(["-h"]);
  assertEquals([help.code, help.stderr], [0, ""]);
  assertMatch(help.stdout, /^Usage: /);
  const schema = await runCommand(["--json-schema"]);
  assertEquals([schema.code, schema.stderr], [0, ""]);
  const { properties } = JSON.parse(schema.stdout) as { properties: Record<string, unknown> };
  assert("max_payload" in properties && "authorization" in properties);
});

Deno.test("help is true: every flag that it names works, by every name", async () => {
  const { stdout: help } = await runCommand(["--help"]);
  const samples: Record<string, { value: string; shown: RegExp }> = {
    host: { value: "127.0.0.7", shown: /^host: "127\.0\.0\.7"$/m },
    port: { value: "-1", shown: /^port: -1$/m },
    name: { value: "the-name", shown: /^server_name: "the-name"$/m },
    "host:port": { value: "front:4333", shown: /^client_advertise: "front:4333"$/m },
    dir: { value: "ports-here", shown: /^ports_file_dir: "ports-here"$/m },
    limit: { value: "1000", shown: /^log_size_limit: 1(000|K)$/m },
    len: { value: "77", shown: /^max_traced_msg_len: 77$/m },
    user: { value: "ann", shown: /^ {2}user: "ann"$/m },
    password: { value: "5e7", shown: /^ {2}password: "\*\*\*"$/m },
    url: { value: "nats://u:5e7@127.0.0.9:6333", shown: /^ {2}host: "127\.0\.0\.9"$/m },
    urls: { value: "nats://u:5e7@one,two", shown: /^ {4}- "nats-route:\/\/u:\*\*\*@one:6222"$/m },
    number: { value: "7", shown: /^ {2}connect_retries: 7$/m },
    "--cluster_name": { value: "east", shown: /^ {2}name: "east"$/m },
    "--cluster_advertise": { value: "back:6333", shown: /^ {2}advertise: "back:6333"$/m },
  };
  const args = [], expected = [], switches = [];
  for (const line of help.split("\n").filter((line) => /^ +-/.test(line))) {
    const names = [...line.slice(0, 38).matchAll(/(?<=^| )--?[A-Za-z][\w-]*/g)].map(([name]) =>
      name
    );
    const value = /<([^>]+)>/.exec(line)?.[1];
    if (names.some((name) => /^-(t|h|v)$|^--(print-config|json-schema|signal)$/.test(name))) {
      continue;
    }
    // A token and a user do not go together.
    if (names.includes("--auth")) continue;
    if (value === undefined) switches.push(...names);
    else if (value === "file") {
      const key = names.includes("--pid") ? "pid_file" : "log_file";
      if (names.includes("--config")) continue;
      for (const name of names) args.push(name, `${key}.x`);
      expected.push(new RegExp(`^${key}: "${key}\\.x"$`, "m"));
    } else {
      const sample = samples[names[0] ?? ""] ?? samples[value];
      assert(sample, `a new kind of value: ${line}`);
      for (const name of names) args.push(name, sample.value);
      expected.push(sample.shown);
    }
  }
  assert(args.length > 30 && switches.length >= 9, "help could not be read");
  const { code, stdout, stderr } = await runCommand([...args, ...switches, "--print-config"]);
  assertEquals([code, stderr], [0, ""]);
  for (const pattern of expected) assertMatch(stdout, pattern);
  for (const key of ["debug", "trace", "trace_verbose", "logtime", "logtime_utc"]) {
    assertMatch(stdout, new RegExp(`^${key}: true$`, "m"));
  }
  assertMatch(stdout, /^ {2}no_advertise: true$/m);
  assertAbsent(stdout, /5e7/);
});

Deno.test("what cannot be is refused in one clear line, and nothing is started", async () => {
  await using folder = await temporaryFolder();
  const pidFile = `${folder.path}/pid`;
  const cases: [string[], RegExp][] = [
    [["--prot", "4222"], /unknown flag --prot \(did you mean --port\?\); see denats --help\n$/],
    [["-p", "65536"], /--port: expected a port from 1 to 65535.*"65536"/],
    [["-p", "4222x"], /--port: expected a port.*"4222x"/],
    [["-p"], /--port needs a value/],
    [["--auth", ""], /--auth needs a value/],
    [["-D=maybe"], /--debug: expected true or false, found "maybe"/],
    [["-m", "8222"], /flag -m is not supported/],
    [["serve"], /unexpected argument "serve"/],
    [["-t"], /-t checks a configuration file/],
    [
      ["-c", `${folder.path}/missing.yaml`],
      /^denats: cannot read .*missing\.yaml: no such file or folder\n$/,
    ],
    [["--pass", "geheim"], /expected a user beside the password/],
  ];
  await Promise.all(cases.map(async ([args, expected]) => {
    const { code, stdout, stderr } = await runCommand([...args, "-P", pidFile].slice(
      0,
      // A missing value must be the last argument.
      args.length === 1 && args[0] === "-p" ? 1 : undefined,
    ));
    assertEquals([code, stdout], [1, ""], args.join(" "));
    assertMatch(stderr, /^denats: [^\n]+\n$/);
    assertMatch(stderr, expected);
  }));
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

Deno.test("a file that cannot be written is one line on the standard error", async () => {
  const { code, stdout, stderr } = await runCommand([...ANYWHERE, "-P", "/nonexistent/pid"]);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^denats: cannot write \/nonexistent\/pid: no such file or folder\n$/);

  await using folder = await temporaryFolder();
  const file = `${folder.path}/file`;
  await Deno.writeTextFile(file, "");
  const ports = await runCommand([
    ...[...ANYWHERE, "-P", `${folder.path}/pid`, "--ports_file_dir", file],
  ]);
  assertEquals([ports.code, ports.stdout], [1, ""]);
  assertMatch(
    ports.stderr,
    /^denats: cannot write \S+\/file\/nats-server_\d+\.ports: a part of the path is not a folder\n$/,
  );
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["file"]);
});

Deno.test("a file that is not UTF-8 is refused; the digest is that of its bytes", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/config.yaml`;
  const text = new TextEncoder().encode("\uFEFFserver_name: one\nport: -1\n");
  await Deno.writeFile(file, text);
  const valid = await runCommand(["-t", "-c", file]);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text)).toHex();
  assertEquals([valid.code, valid.stdout], [0, ""]);
  assertStringIncludes(valid.stderr, `is valid (sha256:${digest})\n`);
  await Deno.writeFile(file, new Uint8Array([...text, ...[0x6e, 0x3a, 0x20, 0xe4, 0x0a]]));
  const { code, stderr } = await runCommand(["-c", file, ...ANYWHERE]);
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /^denats: cannot read \S+: not UTF-8 text \(line 3, byte 32 of the file\)\n$/,
  );
});

Deno.test("-t warns of a certificate that has expired or soon will", async () => {
  await using folder = await CertificateFolder.create();
  const authority = await TestAuthority.create();
  const checked = async (days: number) => {
    const notAfter = new Date(Date.now() + days * 24 * 3_600_000);
    const { cert_file, key_file } = await folder.pair("own", await authority.issue({ notAfter }));
    const file = `${folder.path}/config.yaml`;
    await Deno.writeTextFile(file, JSON.stringify({ tls: { cert_file, key_file } }));
    const { code, stderr } = await runCommand(["-t", "-c", file]);
    assertEquals(code, 0, stderr);
    return stderr;
  };
  const warning = "denats: warning: The TLS certificate for client connections ";
  assertStringIncludes(await checked(-1), `${warning}has expired: ${folder.path}/`);
  assertStringIncludes(await checked(10), `${warning}expires soon: ${folder.path}/`);
  assertAbsent(await checked(40), /warning/);
});

Deno.test("a payload above 8 MB is worth a warning, as to nats-server", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/config.yaml`;
  for (const [size, warned] of [["8MB", false], [8 * 1024 * 1024 + 1, true]] as const) {
    await Deno.writeTextFile(file, `max_payload: ${size}\n`);
    await using command = new RunningCommand(["-c", file, ...ANYWHERE]);
    await command.stderrMatch(/Server is ready/);
    const warning = /\[WRN\] Maximum payloads over 8\.00 MB are generally discouraged/;
    assertEquals(warning.test(await endWell(command)), warned);
  }
});

Deno.test("-t checks a file without starting; --print-config shows what would be used", async () => {
  await using folder = await temporaryFolder();
  const good = `${folder.path}/good.yaml`, bad = `${folder.path}/bad.yaml`;
  await Deno.writeTextFile(
    good,
    "port: 4999\nmax_payload: 2MiB\nauthorization:\n  token: ${TOKEN_OF_TEST}\n" +
      "server_name: ${NAME_OF_TEST}\npid_file: ${FOLDER_OF_TEST}/pid\n",
  );
  await Deno.writeTextFile(
    bad,
    "port: http\nmax_payloud: 5\nauthorization:\n  users:\n    - user: ann\n      pasword: hunter2\n",
  );
  const env = {
    TOKEN_OF_TEST: "5e7",
    NAME_OF_TEST: "1e3",
    FOLDER_OF_TEST: folder.path,
  };
  const [valid, invalid, printed, unset] = await Promise.all([
    runCommand(["-c", good, "-t"], { env }),
    runCommand(["-t", "-c", bad]),
    runCommand(["-c", good, "-p", "4998", "--print-config"], { env }),
    runCommand(["-c", good, "-t"], { env: { TOKEN_OF_TEST: "x", FOLDER_OF_TEST: "x" } }),
  ]);
  assertEquals([valid.code, valid.stdout], [0, ""]);
  assertMatch(
    valid.stderr,
    /^denats: configuration file \S+good\.yaml is valid \(sha256:[0-9a-f]{64}\)\n$/,
  );

  assertEquals([invalid.code, invalid.stdout], [1, ""]);
  assertStringIncludes(invalid.stderr, `${bad}:1:7: port: expected a port`);
  assertStringIncludes(invalid.stderr, `${bad}:2:1: max_payloud: `);
  assertStringIncludes(invalid.stderr, "did you mean max_payload?");
  assertStringIncludes(invalid.stderr, `${bad}:6:7: authorization.users[0].pasword: `);
  assertStringIncludes(invalid.stderr, "did you mean password?");
  assertAbsent(invalid.stderr, /hunter2/);

  assertEquals([printed.code, printed.stderr], [0, ""]);
  assertMatch(printed.stdout, /^port: 4998$/m);
  assertMatch(printed.stdout, /^max_payload: 2MB$/m);
  assertMatch(printed.stdout, /^server_name: "1e3"$/m);
  assertMatch(printed.stdout, /^ {2}token: "\*\*\*"$/m);
  assertAbsent(printed.stdout, /5e7/);

  assertEquals(unset.code, 1);
  assertMatch(unset.stderr, /good\.yaml:5:\d+: server_name: .*NAME_OF_TEST/);
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), [
    "bad.yaml",
    "good.yaml",
  ]);
});

Deno.test("what --print-config prints is a configuration of the same effect", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/printed.yaml`;
  const first = await runCommand(["-p", "4333", "-DV", "-n", "a:{b}#'c\"", "--print-config"]);
  assertEquals(first.code, 0, first.stderr);
  await Deno.writeTextFile(file, first.stdout);
  const second = await runCommand(["-c", file, "--print-config"]);
  assertEquals(second, first);
});

Deno.test("start-up says who it is and where; a ports file and a pid file tell programs", async () => {
  await using folder = await temporaryFolder();
  const config = `${folder.path}/config.yaml`;
  await Deno.writeTextFile(config, "port: 1\nserver_name: from-file\nmax_payload: 64KB\n");
  await using command = new RunningCommand([
    ...["-c", config, ...ANYWHERE, "-n", "from-flag"],
    ...["--ports_file_dir", folder.path, "-P", `${folder.path}/pid`],
  ]);
  const address = await command.listening();
  using client = await RawClient.connect(address);
  const info = JSON.parse((await client.receiveLine()).slice(5)) as Record<string, unknown>;
  assertEquals(info.server_name, "from-flag");
  assertEquals(info.max_payload, 65_536);
  assertEquals(info.port, address.port);
  assertStringIncludes(command.stderr, String(info.server_id));
  assertStringIncludes(command.stderr, "from-flag");

  const portsFile = `${folder.path}/nats-server_${command.pid}.ports`;
  assertEquals(JSON.parse(await Deno.readTextFile(portsFile)), {
    nats: [`nats://127.0.0.1:${address.port}`],
  });
  assertEquals(await Deno.readTextFile(`${folder.path}/pid`), String(command.pid));
  await endWell(command, "SIGINT");
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), [
    "config.yaml",
    "pid",
  ]);
});

Deno.test("a second broker on the same port says so and ends", async () => {
  await using first = new RunningCommand(ANYWHERE);
  const { port } = await first.listening();
  const second = await runCommand(["-a", "127.0.0.1", "-p", String(port)]);
  assertEquals([second.code, second.stdout], [1, ""]);
  assertEquals(second.stderr, `denats: address already in use: 127.0.0.1:${port}\n`);
  using client = await RawClient.connect({ hostname: "127.0.0.1", port });
  assertMatch(await client.receiveLine(), /^INFO /);
  await endWell(first);
});

Deno.test("it is ready soon after its start, and a signal at that moment ends it well", async () => {
  const elapsedMs = [];
  for (const signal of ["SIGTERM", "SIGINT", "SIGTERM"] as const) {
    const startedAtMs = performance.now();
    await using command = new RunningCommand(ANYWHERE);
    await command.listening();
    elapsedMs.push(performance.now() - startedAtMs);
    const name = signal === "SIGINT" ? "interrupt" : "terminated";
    assertMatch(
      await endWell(command, signal),
      new RegExp(
        `Trapped "${name}" signal[^]*Initiating Shutdown\\.{3}[^]*Server Exiting\\.\\.\n$`,
      ),
    );
  }
  assert(Math.min(...elapsedMs) < 1500, `ready after ${elapsedMs.map(Math.round)} ms`);
});

Deno.test("a shutdown sends what is queued, without -ERR, and takes nobody new", async () => {
  await using command = new RunningCommand(ANYWHERE);
  const address = await command.listening();
  using subscriber = await Deno.connect(address);
  using publisher = await RawClient.connect(address);
  await write(subscriber, `${CONNECT}SUB bulk 1\r\nPING\r\n`);
  const chunk = new Uint8Array(65_536);
  let received = "";
  while (received.split("PONG\r\n").length < 3) received += await read(subscriber, chunk);

  // Far more than the sockets' buffers take: most of it waits in the broker.
  const payload = "x".repeat(1023) + "\n", count = 8192;
  await publisher.send(CONNECT + `PUB bulk 1024\r\n${payload}\r\n`.repeat(count) + "PING\r\n");
  await publisher.receiveUntil((text) => text.split("PONG\r\n").length > 2);
  command.kill("SIGTERM");
  await command.stderrMatch(/Initiating Shutdown/);

  const frame = `MSG bulk 1 1024\r\n${payload}\r\n`;
  const parts = [];
  for (let text; (text = await read(subscriber, chunk)) !== "";) parts.push(text);
  const delivered = parts.join("").replaceAll("PING\r\n", "");
  assertEquals(delivered.length, frame.length * count);
  assert(delivered === frame.repeat(count), "something else was delivered");
  const { code, stderr } = await command.outcome();
  assertEquals(code, 0, stderr);
  assertAbsent(await publisher.receiveToEnd(), /-ERR/);
  assertAbsent(stderr, /\[ERR\]|\[WRN\]/);
});

Deno.test("a peer that does not read delays the end by a bounded time; a second signal ends it at once", async () => {
  for (const second of [undefined, "SIGINT", "SIGTERM"] as const) {
    await using folder = await temporaryFolder();
    await using command = new RunningCommand([...ANYWHERE, "--ports_file_dir", folder.path]);
    const address = await command.listening();
    using deaf = await RawClient.connect(address);
    using publisher = await RawClient.connect(address);
    await deaf.send(`${CONNECT}SUB bulk 1\r\nPING\r\n`);
    await deaf.receiveUntil((text) => text.split("PONG\r\n").length > 2);
    await publisher.send(
      CONNECT + `PUB bulk 65536\r\n${"x".repeat(65_536)}\r\n`.repeat(256) + "PING\r\n",
    );
    await publisher.receiveUntil((text) => text.split("PONG\r\n").length > 2);

    const startedAtMs = performance.now();
    command.kill("SIGINT");
    await command.stderrMatch(/Initiating Shutdown/);
    // The same signal right behind the first is the same Ctrl-C, passed on by a task runner.
    if (second !== undefined) command.kill(second);
    const again = second === "SIGINT" ? setInterval(() => command.kill(second), 20) : undefined;
    const { code } = await command.outcome().finally(() => clearInterval(again));
    const elapsedMs = performance.now() - startedAtMs;
    assertEquals(code, second === undefined ? 0 : 1);
    if (second === undefined) assert(elapsedMs > 1000 && elapsedMs < 6000, `took ${elapsedMs} ms`);
    if (second === "SIGINT") assert(elapsedMs > 190 && elapsedMs < 1200, `took ${elapsedMs} ms`);
    // Less than the two seconds that the deaf client would get, however slow the machine is.
    if (second === "SIGTERM") assert(elapsedMs < 1000, `took ${elapsedMs} ms`);
    assertEquals([...Deno.readDirSync(folder.path)], []);
  }
});

Deno.test("an error outside any task is logged once, and the broker serves on", async () => {
  await using command = new RunningCommand(ANYWHERE, { program: FAULTY_COMMAND });
  const address = await command.listening();
  await command.stderrMatch(/Server is ready/);
  command.kill("SIGCONT");
  await command.stderrMatch(/a planted rejection/);
  await command.stderrMatch(/a planted error/);
  using client = await RawClient.connect(address);
  await client.send(CONNECT);
  await client.receiveUntil((text) => text.includes("PONG\r\n"));
  const stderr = await endWell(command);
  assertEquals(stderr.match(/\[ERR\].*/g)?.map((line) => line.split(" error=")[0]), [
    "[ERR] Stray rejection outside any task",
    "[ERR] Stray error outside any task",
  ]);
});

Deno.test("a broker that has lost its listener says so, closes and ends with exit code 1", async () => {
  await using command = new RunningCommand(ANYWHERE, { program: FAULTY_COMMAND });
  using client = await RawClient.connect(await command.listening());
  await client.send(CONNECT);
  await client.receiveUntil((text) => text.includes("PONG\r\n"));
  command.kill("SIGWINCH");
  await client.receiveToEnd();
  const { code, stderr } = await command.outcome();
  assertEquals(code, 1, stderr);
  assertEquals(stderr.match(/Panic in \S+ .*cannot accept/g)?.length, 1, stderr);
  assertMatch(stderr, /Initiating Shutdown\.{3}[^]*Server Exiting\.\.\n$/);
});

Deno.test("in lame duck mode SIGTERM is ignored and SIGINT ends it, both in the form of the log", async () => {
  await using folder = await temporaryFolder();
  const config = `${folder.path}/json.yaml`;
  await Deno.writeTextFile(config, "log:\n  format: json\n");
  await using command = new RunningCommand([...ANYWHERE, "-c", config]);
  const [, port] = await command.stderrMatch(/connections on 127\.0\.0\.1:(\d+)"/);
  using client = await RawClient.connect({ hostname: "127.0.0.1", port: Number(port) });
  await client.send(CONNECT);
  await client.receiveUntil((text) => text.includes("PONG\r\n"));
  command.kill("SIGUSR2");
  await client.receiveUntil((text) => text.includes('"ldm":true'));
  command.kill("SIGTERM");
  await command.stderrMatch(/"terminated\\" signal: ignored/);
  // Its clients have time to leave.
  client.take();
  await client.send("PING\r\n");
  await client.receiveUntil((text) => text.includes("PONG\r\n"));
  command.kill("SIGINT");
  const { code, stderr } = await command.outcome();
  assertEquals(code, 0, stderr);
  const messages = stderr.trimEnd().split("\n").map((line) => JSON.parse(line).message as string);
  assertEquals(messages.slice(messages.indexOf("Server is ready") + 1), [
    'Trapped "user defined signal 2" signal',
    "Entering lame duck mode, stop accepting new clients",
    'Trapped "terminated" signal: ignored in lame duck mode, "interrupt" cuts it short',
    'Trapped "interrupt" signal',
    "Initiating Shutdown...",
    "Server Exiting..",
  ]);
});

/**
 * What the Deno runtime says of the debugger port that it opens on SIGUSR1. It does so some time after
 * its start only, and without regard to the program, so that these lines may or may not be there.
 */
const RUNTIME_LINES =
  /^(Debugger listening on ws:|Visit chrome:|For help, see: |Failed to start inspector server|Cannot start inspector server).*\n/gm;

Deno.test("the log file is opened anew by SIGHUP and SIGUSR1 after it was moved away", async () => {
  await using folder = await temporaryFolder();
  const log = `${folder.path}/log`;
  await using command = new RunningCommand([
    ...[...ANYWHERE, "-l", log, "-D", "--ports_file_dir", folder.path],
  ]);
  await fileMatch(folder.path, /^log$/, /Server is ready/);
  const ports = await Deno.readTextFile(`${folder.path}/nats-server_${command.pid}.ports`);
  const port = Number(/:(\d+)"/.exec(ports)?.[1]);
  for (const [signal, aside] of [["SIGHUP", `${log}.1`], ["SIGUSR1", `${log}.2`]] as const) {
    await Deno.rename(log, aside);
    const before = await Deno.readTextFile(aside);
    command.kill(signal);
    await fileMatch(folder.path, /^log$/, /reopened/);
    assertEquals(await Deno.readTextFile(aside), before);
  }
  using client = await RawClient.connect({ hostname: "127.0.0.1", port });
  await client.receiveLine();
  command.kill("SIGTERM");
  const { code, stdout, stderr } = await command.outcome();
  assertEquals([code, stdout, stderr.replaceAll(RUNTIME_LINES, "")], [0, "", ""]);
  assertMatch(await Deno.readTextFile(log), /Client connection created[^]*Server Exiting/);
});

Deno.test("traces cut payloads and hide secrets, in lines and in JSON", async () => {
  await using folder = await temporaryFolder();
  const config = `${folder.path}/json.yaml`;
  await Deno.writeTextFile(config, "log:\n  format: json\nauthorization:\n  user: ann\n");
  const secrets = ["tok-sesame", "pw-sesame", "jwt-sesame", "sig-sesame"];
  const connect = `CONNECT ${
    JSON.stringify({
      ...{ verbose: false, protocol: 1, name: "spy", auth_token: secrets[0], user: "ann" },
      ...{ pass: secrets[1], jwt: secrets[2], sig: secrets[3] },
    })
  }\r\n`;
  const rows = [
    { flags: ["-DV", "--auth", "tok-sesame"], json: false },
    { flags: ["-D", "-V", "-c", config, "--pass", "pw-sesame"], json: true },
  ];
  await Promise.all(rows.map(async ({ flags, json }) => {
    await using command = new RunningCommand([...ANYWHERE, ...flags, "--max_traced_msg_len", "10"]);
    const address = json
      ? {
        hostname: "127.0.0.1",
        port: Number((await command.stderrMatch(/127\.0\.0\.1:(\d+)/))[1]),
      }
      : await command.listening();
    using client = await RawClient.connect(address);
    await client.send(
      `${connect}SUB s.* q 9\r\nPUB s.t 26\r\nabcdefghijklmnopqrstuvwxyz\r\nPING\r\n`,
    );
    await client.receiveUntil((text) => text.includes("PONG\r\n"));
    using refused = await RawClient.connect(address);
    await refused.send(`CONNECT {"auth_token":"wrong-sesame","pass":"wrong-sesame"}\r\n`);
    await refused.receiveToEnd();
    using malformed = await RawClient.connect(address);
    await malformed.send(`CONNECT {"pass":"half-sesame\r\n`);
    await malformed.receiveToEnd();
    const log = await endWell(command);
    for (
      const traced of [
        "SUB s.* q 9",
        "PUB s.t 26",
        "abcdefghij...",
        "MSG s.t 9 26",
        "PING",
        "PONG",
        "[REDACTED]",
      ]
    ) {
      assertStringIncludes(log, traced);
    }
    assertAbsent(log, /sesame|klmn/);
    assertMatch(
      log,
      /Client connection created[^]*Client connection closed: Authentication Failure/,
    );
    if (!json) return;
    for (const line of log.trimEnd().split("\n")) {
      const { level, time } = JSON.parse(line) as Record<string, string>;
      assertMatch(String(level), /^(trace|debug|info|warn|error)$/);
      assert(!Number.isNaN(Date.parse(String(time))), line);
    }
  }));
});

/** Waits until a file of `folder` whose name matches `name` contains `content`. */
async function fileMatch(folder: string, name: RegExp, content: RegExp): Promise<void> {
  using watcher = Deno.watchFs(folder, { recursive: false });
  const timer = setTimeout(() => watcher.close(), 10_000);
  const found = () =>
    [...Deno.readDirSync(folder)].some((entry) =>
      name.test(entry.name) && content.test(Deno.readTextFileSync(`${folder}/${entry.name}`))
    );
  try {
    if (found()) return;
    for await (const _ of watcher) if (found()) return;
    throw new Error(`no file ${name} with ${content}`);
  } finally {
    clearTimeout(timer);
  }
}

async function write(connection: Deno.TcpConn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

/** What one read brings, as text; empty at the end. */
async function read(connection: Deno.TcpConn, chunk: Uint8Array): Promise<string> {
  const count = await connection.read(chunk);
  return new TextDecoder("latin1").decode(chunk.subarray(0, count ?? 0));
}
