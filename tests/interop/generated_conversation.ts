/**
 * Seeded conversations that cover every verb with every kind of fault, and the playing of one to a
 * server, so that two servers' answers can be compared byte for byte.
 *
 * Left out is what nats-server itself answers differently from run to run, or by where a read
 * happens to end:
 * - a stray CR in an argument, or a bad subject in pedantic mode, that is split across reads;
 * - which of several own subscriptions gets the answer that there are no responders;
 * - what others receive of commands behind a client's -ERR.
 *
 * @module
 */
import { type Random, SeededRandom } from "../../src/platform/mod.ts";
import {
  type Fault,
  FAULTS,
  Grammar,
  type GrammarLimits,
  type Verb,
  VERBS,
} from "../fuzz/grammar.ts";
import { type Answer, RawClient, type ServerAddress } from "../support/conversation.ts";
import { comparable, splitFrames } from "../support/server_frames.ts";
import { escape } from "../support/wire_text.ts";

/** Faults of a whole conversation, besides those of one command. */
const CONVERSATION_FAULTS = [...FAULTS, "split writes", "options", "credentials"] as const;

/** A fault of one command or of the conversation around it. */
export type ConversationFault = (typeof CONVERSATION_FAULTS)[number];

/** Every pair of a verb and a fault. */
export const PAIRS: readonly { readonly verb: Verb; readonly fault: ConversationFault }[] = VERBS
  .flatMap((verb) => CONVERSATION_FAULTS.map((fault) => ({ verb, fault })));

/** How many conversations there are of each pair. */
export const CONVERSATIONS_PER_PAIR = 5;

/** How the server that a conversation is meant for asks for credentials. */
export type ServerKind = "open" | "token" | "user";

/** The same configurations for both servers. */
export const LIMITS = { max_payload: 100, max_control_line: 1024 };

/** Right credentials of each {@link ServerKind}, as `authorization` of the configuration. */
export const AUTHORIZATIONS = {
  open: undefined,
  token: { token: "sesame" },
  user: { user: "alice", password: "secret" },
} as const;

/** What is sent, on which connections. All texts are byte strings. */
export interface Conversation {
  /** Its number, verb and fault. */
  readonly name: string;
  /** The verb it is about. */
  readonly verb: Verb;
  /** The fault it is about. */
  readonly fault: ConversationFault;
  /** The server it is meant for. */
  readonly server: ServerKind;
  /** What a second, well-behaved connection sends first; empty for no such connection. */
  readonly observer: string;
  /** Sent and answered before the rest; may be empty. */
  readonly opening: string;
  /** The rest, one write each. */
  readonly pieces: readonly string[];
}

/** What a server answered, ready to be compared. */
export interface Outcome {
  /** Frames of the INFO at the start. */
  readonly info: readonly string[];
  /** Frames that answered the opening. */
  readonly opening: readonly string[];
  /** Frames that answered the rest. */
  readonly answer: readonly string[];
  /** Whether the server closed the connection. */
  readonly closed: boolean;
  /** How many of the closing fences were answered. */
  readonly fences: number;
  /** Frames that the second connection received. */
  readonly observed: readonly string[];
}

/** nats-server's first read takes so much; a longer body is split where nobody asked for it. */
const FIRST_READ_BYTES = 512;
/** Room for the fences in that read, in bytes. */
const FENCES_BYTES = 130;

const GRAMMAR_LIMITS: GrammarLimits = {
  maxControlLine: LIMITS.max_control_line,
  maxPayload: LIMITS.max_payload,
};

/** All conversations of one seed: {@link CONVERSATIONS_PER_PAIR} per pair, then some observed ones. */
export function generateConversations(seed: number): Conversation[] {
  const random = new SeededRandom(seed);
  const conversations: Conversation[] = [];
  for (const { verb, fault } of PAIRS) {
    const texts = new Set<string>();
    while (texts.size < CONVERSATIONS_PER_PAIR) {
      const conversation = generate(conversations.length, verb, fault, false, random);
      const text = JSON.stringify([conversation.opening, conversation.pieces]);
      const known = texts.size;
      texts.add(text.replaceAll(prefixOf(conversations.length), ""));
      if (texts.size > known) conversations.push(conversation);
    }
  }
  for (const { verb, fault } of PAIRS) {
    if (verb === "-ERR" || fault === "after an error" || fault === "credentials") continue;
    conversations.push(generate(conversations.length, verb, fault, true, random));
  }
  return conversations;
}

function generate(
  number: number,
  verb: Verb,
  fault: ConversationFault,
  observed: boolean,
  random: Random,
): Conversation {
  const prefix = prefixOf(number);
  const grammar = new Grammar(random, GRAMMAR_LIMITS, prefix);
  const coin = () => random.below(2) === 0;
  const server = fault === "credentials" ? grammar.pick(["token", "user"] as const) : "open";

  let opening = "";
  if (fault === "options") opening = randomOptions(random) + "PING\r\n";
  else if (server === "open" && random.below(6) > 0) opening = usualOptions(random) + "PING\r\n";

  const setup = [
    ...(coin() ? [`SUB ${prefix}foo 1\r\n`] : []),
    ...(coin() ? [`SUB ${prefix}foo.* 2\r\n`] : []),
    ...(coin() ? [`SUB ${prefix}reply.x 3\r\n`] : []),
    ...(coin() ? [`SUB ${prefix}foo workers 4\r\n`] : []),
  ].join("");
  const followUp = coin() ? `PUB ${prefix}foo 5\r\nafter\r\n` : "PING\r\n";
  const credentials = server === "open" ? "" : randomCredentials(server, random);
  let body: string;
  do {
    body = credentials + setup + grammar.command(verb, commandFault(fault)) + followUp;
  } while (mustStayWhole(fault) && body.length + FENCES_BYTES > FIRST_READ_BYTES);

  return {
    name: `${number}: ${verb}, ${fault}${observed ? ", observed" : ""}`,
    verb,
    fault,
    server,
    observer: observed
      ? `CONNECT {"verbose":false,"headers":${coin()}}\r\n` +
        `SUB ${prefix}> 1\r\nSUB ${prefix}foo.bar others 2\r\n`
      : "",
    opening,
    pieces: fault === "split writes" ? cut(body, random) : [body],
  };
}

/** Subjects of its own for each: they run side by side and leave subscriptions behind. */
function prefixOf(number: number): string {
  return `c${number}.`;
}

function commandFault(fault: ConversationFault): Fault {
  return fault === "split writes" || fault === "options" || fault === "credentials"
    ? "none"
    : fault;
}

function mustStayWhole(fault: ConversationFault): boolean {
  return fault === "stray CR" || fault === "invalid subject";
}

function usualOptions(random: Random): string {
  const headers = random.below(5) > 0;
  return connect({
    verbose: random.below(4) === 0,
    pedantic: random.below(2) === 0,
    headers,
    no_responders: headers && random.below(2) === 0,
    protocol: random.below(2),
  });
}

function randomOptions(random: Random): string {
  const options: Record<string, unknown> = {};
  for (const option of ["verbose", "pedantic", "headers", "tls_required"]) {
    if (random.below(3) > 0) options[option] = random.below(2) === 0;
  }
  if (random.below(3) === 0) options["echo"] = false;
  else if (random.below(2) === 0) options["no_responders"] = true;
  if (random.below(2) === 0) options["protocol"] = [0, 1, 1, 1, 2, -1][random.below(6)];
  if (random.below(2) === 0) options["name"] = 'a "name"';
  if (random.below(4) === 0) options["unknown"] = [{ nested: null }];
  return connect(options);
}

function randomCredentials(server: "token" | "user", random: Random): string {
  const verbose = random.below(2) === 0;
  const right = server === "token"
    ? { auth_token: AUTHORIZATIONS.token.token }
    : { user: AUTHORIZATIONS.user.user, pass: AUTHORIZATIONS.user.password };
  switch (random.below(6)) {
    case 0:
      return connect({ verbose });
    case 1:
      return connect({ verbose, auth_token: "wrong", user: "alice", pass: "wrong" });
    case 2:
      return "";
    default:
      return connect({ verbose, protocol: random.below(2), ...right });
  }
}

function connect(options: Record<string, unknown>): string {
  return `CONNECT ${JSON.stringify(options)}\r\n`;
}

function cut(text: string, random: Random): string[] {
  const places = Array.from(
    { length: 1 + random.below(3) },
    () => 1 + random.below(text.length - 1),
  )
    .sort((a, b) => a - b);
  return [0, ...places].map((start, index) => text.slice(start, places[index]))
    .filter((piece) => piece !== "");
}

/** Plays a conversation to the server of its kind. */
export async function play(
  conversation: Conversation,
  servers: Readonly<Record<ServerKind, ServerAddress>>,
): Promise<Outcome> {
  const server = servers[conversation.server];
  using observer = await RawClient.connect(server);
  if (conversation.observer !== "") {
    await observer.receiveLine();
    await observer.exchange(conversation.observer);
  }
  using client = await RawClient.connect(server);
  const info = await client.receiveLine();
  const opening = conversation.opening === "" ? undefined : await client.exchange(
    conversation.opening,
  );
  for (const piece of conversation.pieces.slice(0, -1)) {
    await client.send(piece);
    await otherClient(server);
  }
  const answer = await client.exchange(conversation.pieces.at(-1) ?? "");
  const observed = conversation.observer === "" ? undefined : await observer.exchange("");
  return {
    info: framesOf({ text: info }),
    opening: framesOf(opening),
    answer: framesOf(answer),
    closed: answer.closed,
    fences: answer.fences,
    observed: framesOf(observed),
  };
}

/** Lets the server serve somebody else, so that it sees the previous write by itself. */
async function otherClient(server: ServerAddress): Promise<void> {
  using client = await RawClient.connect(server);
  await client.receiveLine();
}

function framesOf(answer: Pick<Answer, "text"> | undefined): string[] {
  return answer === undefined ? [] : comparable(splitFrames(answer.text));
}

/** A conversation in readable form. */
export function describe(conversation: Conversation): string {
  const { name, server, observer, opening, pieces } = conversation;
  return [
    `== ${name} (${server} server)`,
    ...(observer === "" ? [] : [`   observer: ${escape(observer)}`]),
    `   opening:  ${escape(opening)}`,
    ...pieces.map((piece) => `   write:    ${escape(piece)}`),
  ].join("\n");
}
