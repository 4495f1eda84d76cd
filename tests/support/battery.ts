/**
 * The battery of `tests/e2e/client_protocol_battery.txt`: what a client sends and what nats-server
 * 2.15.1 was measured to answer, one fresh connection a row.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { RawClient, type ServerAddress } from "./conversation.ts";
import { comparable, splitFrames } from "./server_frames.ts";
import { unescape } from "./wire_text.ts";

/** One row of the battery. */
export interface BatteryRow {
  /** Its heading, unique. */
  readonly name: string;
  /** Byte string of the CONNECT that opens the conversation, whose answer is not part of the row. */
  readonly opening: string | undefined;
  /** Byte string sent. */
  readonly send: string;
  /** Byte string that answers it. */
  readonly receive: string;
  /** Whether the server closes the connection after that. */
  readonly closed: boolean;
}

/** The configuration that the rows were measured with. */
export const BATTERY_LIMITS = { max_payload: 100, max_control_line: 1024, max_pending: 1_000_000 };

/** {@link BATTERY_LIMITS} as a configuration file that both formats can read. */
export const BATTERY_CONFIG = Object.entries(BATTERY_LIMITS)
  .map(([key, value]) => `${key}: ${value}\n`).join("");

const STANDARD_CONNECT = {
  verbose: false,
  pedantic: false,
  echo: true,
  headers: true,
  no_responders: true,
  protocol: 1,
};

/** How each `CONNECT[...]` of the battery differs from the standard one. */
const OPENINGS: Readonly<Record<string, Partial<typeof STANDARD_CONNECT>>> = {
  "std": {},
  "verbose": { verbose: true },
  "pedantic": { pedantic: true },
  "echo:false": { echo: false },
  "no_responders:false": { no_responders: false },
  "no headers": { headers: false, no_responders: false },
};

/** Reads the battery's rows. */
export async function readBattery(): Promise<BatteryRow[]> {
  const text = await Deno.readTextFile(
    new URL("../e2e/client_protocol_battery.txt", import.meta.url),
  );
  return text.split(/^== /m).slice(1).map(readRow);
}

function readRow(text: string): BatteryRow {
  const [name = "", send, receive] = text.split("\n");
  const sent = /^ {3}send: (?:CONNECT\[([^\]]+)\] )?(.*)$/.exec(send ?? "");
  const received = /^ {3}recv: (.*?)( {3}CLOSED)?$/.exec(receive ?? "");
  if (!sent || !received) throw new SyntaxError(`the battery's row "${name}" is malformed`);
  const options = sent[1] === undefined ? undefined : OPENINGS[sent[1]];
  if (sent[1] !== undefined && !options) throw new SyntaxError(`unknown CONNECT[${sent[1]}]`);
  return {
    name,
    opening: options &&
      `CONNECT ${JSON.stringify({ ...STANDARD_CONNECT, ...options })}\r\nPING\r\n`,
    send: unescape(sent[2] ?? ""),
    receive: received[1] === "(nothing)" ? "" : unescape(received[1] ?? ""),
    closed: received[2] !== undefined,
  };
}

/** Plays one row to a server and asserts that the answer is the one measured. */
export async function playRow(row: BatteryRow, server: ServerAddress): Promise<void> {
  using client = await RawClient.connect(server);
  await client.receiveLine();
  if (row.opening !== undefined) {
    const opened = await client.exchange(row.opening);
    assertEquals(opened.closed, false, "closed in answer to CONNECT");
  }
  const answer = await client.exchange(row.send);
  assertEquals(
    { received: comparable(splitFrames(answer.text)), closed: answer.closed },
    { received: comparable(splitFrames(row.receive)), closed: row.closed },
  );
}
