/**
 * The program that `accept_file_limit_test.ts` runs under a lowered file limit: accepts and holds
 * connections until its standard input ends, and tells on its standard output, a line each, its
 * port, every failure to accept, and the total it accepted.
 */
import { DenoTransport, SystemClock, SystemRandom } from "../../src/platform/mod.ts";
import { Scope } from "../../src/supervisor/mod.ts";
import { accepted } from "../../src/connection/accept.ts";

const clock = new SystemClock();
const random = new SystemRandom();
const print = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));

await using root = new Scope("broker", {
  clock,
  random,
  onPanic: ({ path, error }) => print(`panic ${path} ${error}`),
});
const listener = new DenoTransport().listen({ hostname: "127.0.0.1", port: 0 });
const connections = root.child("connections");
let total = 0;
root.spawn("accept", async (scope) => {
  const onError = ({ error, failures }: { error: Error; failures: number }) =>
    print(`failure ${failures} ${error.message}`);
  const options = { clock, random, signal: scope.signal, onError, reportIntervalMs: 50 };
  for await (const connection of accepted(listener, options)) {
    connections.spawn(`connection:${++total}`, async (task) => {
      task.onCancel(() => connection.close());
      const bytes = new Uint8Array(16);
      for (;;) {
        const count = await connection.read(bytes).catch(() => null);
        if (count === null) return;
        await connection.write(bytes.subarray(0, count));
      }
    });
  }
}, { onPanic: "escalate" });
print(`port ${listener.address.port}`);
for await (const _ of Deno.stdin.readable);
print(`total ${total}`);
