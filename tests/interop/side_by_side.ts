/**
 * Plays conversations to two sets of servers and reports where their answers differ.
 *
 * @module
 */
import type { ServerAddress } from "../support/conversation.ts";
import { startNatsServer } from "../support/nats_server.ts";
import {
  AUTHORIZATIONS,
  type Conversation,
  describe,
  LIMITS,
  type Outcome,
  play,
  type ServerKind,
} from "./generated_conversation.ts";

/** One server of each kind; disposing it stops them. */
export interface ServerSet extends AsyncDisposable {
  /** Where each listens. */
  readonly addresses: Readonly<Record<ServerKind, ServerAddress>>;
}

/** How many conversations run at once. */
const PARALLEL_LIMIT = 8;

/** Seed of the conversations, overridable by `DIFFERENTIAL_SEED` in the environment. */
export const SEED = Number(Deno.env.get("DIFFERENTIAL_SEED") ?? 20_261_122);

/** Starts servers of every kind with `start`; if one fails, the others are stopped. */
export async function startSet<Server extends AsyncDisposable>(
  start: (kind: ServerKind) => Promise<Server>,
  addressOf: (server: Server) => ServerAddress,
): Promise<ServerSet> {
  await using stack = new AsyncDisposableStack();
  const startOne = async (kind: ServerKind) => addressOf(stack.use(await start(kind)));
  const addresses = {
    open: await startOne("open"),
    token: await startOne("token"),
    user: await startOne("user"),
  };
  const owned = stack.move();
  return { addresses, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Starts nats-servers of every kind. */
export function startNatsServers(binary: string): Promise<ServerSet> {
  return startSet(
    (kind) => startNatsServer(binary, JSON.stringify(settingsFor(kind))),
    (server) => server,
  );
}

/** The configuration of a server of one kind, with the names both servers share. */
export function settingsFor(kind: ServerKind) {
  const authorization = AUTHORIZATIONS[kind];
  return authorization === undefined ? LIMITS : { ...LIMITS, authorization };
}

/** Plays every conversation to both and returns a description of each difference, in order. */
export async function differences(
  conversations: readonly Conversation[],
  left: ServerSet,
  right: ServerSet,
): Promise<string[]> {
  const found: { index: number; text: string }[] = [];
  let next = 0;
  const worker = async () => {
    for (;;) {
      const index = next++;
      const conversation = conversations[index];
      if (conversation === undefined) return;
      const [expected, actual] = await Promise.all([
        playOrExplain(conversation, left),
        playOrExplain(conversation, right),
      ]);
      if (JSON.stringify(expected) === JSON.stringify(actual)) continue;
      found.push({ index, text: describeDifference(conversation, expected, actual) });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_LIMIT }, worker));
  return found.sort((a, b) => a.index - b.index).map(({ text }) => text);
}

/** A server that does not answer at all is a difference like any other. */
async function playOrExplain(
  conversation: Conversation,
  set: ServerSet,
): Promise<Outcome | string> {
  try {
    return await play(conversation, set.addresses);
  } catch (error) {
    return String(error);
  }
}

function describeDifference(
  conversation: Conversation,
  expected: Outcome | string,
  actual: Outcome | string,
): string {
  const lines = [describe(conversation)];
  if (typeof expected === "string" || typeof actual === "string") {
    lines.push(
      `   expected: ${JSON.stringify(expected)}`,
      `   actual:   ${JSON.stringify(actual)}`,
    );
    return lines.join("\n");
  }
  for (const part of ["info", "opening", "answer", "closed", "fences", "observed"] as const) {
    const [left, right] = [show(expected[part]), show(actual[part])];
    if (left === right) continue;
    lines.push(`   ${part}:`, `     expected: ${left}`, `     actual:   ${right}`);
  }
  return lines.join("\n");
}

function show(part: Outcome[keyof Outcome]): string {
  return typeof part === "object" ? part.join("") || "(nothing)" : String(part);
}
