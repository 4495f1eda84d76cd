import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";

const FILE_LIMIT = 64;

/** Lines of a stream, until one starts with `prefix`. */
async function lineStarting(lines: AsyncIterator<string>, prefix: string): Promise<string> {
  for (;;) {
    const { value, done } = await lines.next();
    assert(!done, `the server ended before it said ${prefix}`);
    if (value.startsWith(prefix)) return value;
    assert(!value.startsWith("panic"), value);
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** Whether the server answers on `connection`: it has been accepted. */
async function echo(connection: Deno.Conn): Promise<void> {
  await connection.write(new TextEncoder().encode("PING"));
  assertEquals(await connection.read(new Uint8Array(16)), 4);
}

Deno.test({
  name: "running out of file descriptors does not end accepting",
  ignore: Deno.build.os === "windows",
  async fn() {
    const program = new URL("accept_file_limit_server.ts", import.meta.url).pathname;
    const run = `ulimit -n ${FILE_LIMIT}; exec "$0" run -A --no-check "$1"`;
    await using server = new Deno.Command("bash", {
      args: ["-c", run, Deno.execPath(), program],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = linesOf(server.stdout);
    const port = Number((await lineStarting(lines, "port")).split(" ")[1]);
    const connect = () => Deno.connect({ hostname: "127.0.0.1", port });

    // The kernel completes them all; the server can take fewer than its limit.
    const crowd = await Promise.all(Array.from({ length: FILE_LIMIT + 16 }, connect));
    await echo(crowd[0]!);
    assertMatch(await lineStarting(lines, "failure"), /too many open files/);
    assertMatch(await lineStarting(lines, "failure"), /too many open files/, "and goes on trying");
    const waiting = crowd.pop()!;
    for (const connection of crowd) connection.close();

    await echo(waiting);
    const late = await connect();
    await echo(late);
    waiting.close();
    late.close();
    await server.stdin.close();
    const total = Number((await lineStarting(lines, "total")).split(" ")[1]);
    assertGreater(total, FILE_LIMIT, "more than it could ever hold at once");
    assertEquals(await lines.next(), { done: true, value: undefined });
    assertEquals((await server.status).code, 0);
  },
});
