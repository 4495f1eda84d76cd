/**
 * A program that opens many connections to a server and says nothing on any of them. Prints a line
 * when all are open, and another one, a {@link CrowdReport}, when the server has closed the last.
 *
 * `deno run -A silent_crowd.ts <hostname> <port> <count>`
 *
 * @module
 */

/** How a crowd that says nothing was sent away. */
export interface CrowdReport {
  /** What the server sent after its INFO, and how many connections it sent that to. */
  readonly lastWords: Record<string, number>;
  /** The shortest time from opening a connection to its end, in milliseconds. */
  readonly firstMs: number;
  /** The longest time from opening a connection to its end, in milliseconds. */
  readonly lastMs: number;
}

/** How many connections are being opened at any time: fewer than a listener has waiting. */
const AT_A_TIME = 100;

const [hostname = "", port, count] = Deno.args;
const lastWords: Record<string, number> = {};
let unopened = Number(count), firstMs = Infinity, lastMs = 0;
const ends: Promise<void>[] = [];

/** What `connection` gets after INFO until its end, which is also when the server resets it. */
async function wordsAfterInfo(connection: Deno.TcpConn): Promise<string> {
  const decoder = new TextDecoder(), bytes = new Uint8Array(1024);
  let text = "";
  try {
    for (let read; (read = await connection.read(bytes)) !== null;) {
      text += decoder.decode(bytes.subarray(0, read));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    text += "(reset)";
  }
  return text.replace(/^INFO \{.*\} ?\r\n/, "");
}

async function stayToEnd(connection: Deno.TcpConn, startedAtMs: number): Promise<void> {
  const words = await wordsAfterInfo(connection);
  const tookMs = performance.now() - startedAtMs;
  connection.close();
  lastWords[words] = (lastWords[words] ?? 0) + 1;
  firstMs = Math.min(firstMs, tookMs);
  lastMs = Math.max(lastMs, tookMs);
}

async function open(): Promise<void> {
  while (unopened-- > 0) {
    const startedAtMs = performance.now();
    const connection = await Deno.connect({ hostname, port: Number(port) });
    ends.push(stayToEnd(connection, startedAtMs));
  }
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

await Promise.all(Array.from({ length: AT_A_TIME }, open));
print("open");
await Promise.all(ends);
print(JSON.stringify({ lastWords, firstMs, lastMs } satisfies CrowdReport));
