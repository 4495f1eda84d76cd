/**
 * Which verbs mean something to whom, and when.
 *
 * One table for all kinds of connections and all that they go through. Both parsers do what it says
 * and know nothing else, their fast paths included: what is not in the row of a state cannot be
 * reached in that state, neither by arriving early nor in the same read as what changes the state. To
 * let a verb through means to write it down here, where it is read next to all others, and to explain
 * it to the test that spells the table out.
 *
 * @module
 */
import {
  CLIENT_VERBS,
  CONNECT_VERB,
  ERR_VERB,
  HPUB_VERB,
  INFO_VERB,
  OK_VERB,
  PING_VERB,
  PONG_VERB,
  PUB_VERB,
  SUB_VERB,
  UNSUB_VERB,
  type Verb,
} from "./client_verbs.ts";
import {
  A_ADD_VERB,
  A_REMOVE_VERB,
  HMSG_VERB,
  LMSG_VERB,
  LS_ADD_VERB,
  LS_REMOVE_VERB,
  RMSG_VERB,
  ROUTE_VERBS,
  RS_ADD_VERB,
  RS_REMOVE_VERB,
} from "./route_verbs.ts";

/** Who is at the other end. */
export type ConnectionKind = "client" | "route";

/** How far a connection is. */
export type ConnectionState =
  /** It is there, but the server has not said INFO yet, or TLS is being agreed on. */
  | "handshake"
  /** INFO was said; it must be shown who this is. */
  | "unauthenticated"
  /** What it has shown is being checked. */
  | "deciding"
  /** It is let in, be it because nobody has to show anything. */
  | "authenticated"
  /** It is told why, and closed. */
  | "closing";

/** What becomes of a verb. */
export type Treatment =
  /** The session is told. */
  | "run"
  /** It is read to its end, and means nothing. */
  | "ignore";

/** What becomes of a line that begins with none of the verbs of a state: nobody sees the bytes. */
export type Refusal =
  /** `Unknown Protocol Operation`, and closed. */
  | "unknown operation"
  /** `Authorization Violation`, and closed. */
  | "not connected";

/** A state in which nothing is looked at. What has come already stays where it is. */
export type Deaf =
  /** Until the state changes. */
  | "wait"
  /** For ever. */
  | "drop";

/** What may be said in a state. */
export interface StateRow {
  /** The verbs that are known, and what becomes of them. */
  readonly verbs: ReadonlyMap<Verb, Treatment>;
  /** What becomes of all else, as soon as its first byte is here. */
  readonly others: Refusal;
}

const run = (...verbs: Verb[]) => verbs.map((verb) => [verb, "run"] as const);
const ignore = (...verbs: Verb[]) => verbs.map((verb) => [verb, "ignore"] as const);

const ONLY_CONNECT: StateRow = {
  verbs: new Map(run(CONNECT_VERB)),
  others: "not connected",
};

/** The table: by kind of connection, and by state. */
export const COMMAND_TABLE: Readonly<
  Record<ConnectionKind, Readonly<Record<ConnectionState, StateRow | Deaf>>>
> = {
  client: {
    handshake: "wait",
    unauthenticated: ONLY_CONNECT,
    deciding: "wait",
    authenticated: {
      verbs: new Map([
        ...run(CONNECT_VERB, PUB_VERB, HPUB_VERB, SUB_VERB, UNSUB_VERB, PING_VERB, PONG_VERB),
        // They come to nothing, but INFO must be JSON, and -ERR ends the connection.
        ...run(INFO_VERB, ERR_VERB),
        ...ignore(OK_VERB),
      ]),
      others: "unknown operation",
    },
    closing: "drop",
  },
  route: {
    handshake: "wait",
    unauthenticated: ONLY_CONNECT,
    deciding: "wait",
    authenticated: {
      verbs: new Map([
        ...run(CONNECT_VERB, INFO_VERB, PING_VERB, PONG_VERB, ERR_VERB),
        ...run(RS_ADD_VERB, RS_REMOVE_VERB, LS_ADD_VERB, LS_REMOVE_VERB),
        ...run(RMSG_VERB, HMSG_VERB, LMSG_VERB),
        // A+ and A- mean something to gateways only.
        ...ignore(OK_VERB, A_ADD_VERB, A_REMOVE_VERB),
      ]),
      others: "unknown operation",
    },
    closing: "drop",
  },
};

/** A state of the table in the form that parsers use. */
export class CommandSet {
  /** Whether anything is looked at. */
  readonly listens: boolean;
  /** The known verbs, sorted by their bytes. */
  readonly verbs: readonly Verb[];
  /** Whether all messages run, so that they may take the fast path. */
  readonly messages: boolean;
  readonly #ignored: readonly Verb[];
  readonly #others: Refusal;

  /** Of a row, with `sorted` verbs of its kind, those in `messages` being messages. */
  constructor(row: StateRow | Deaf, sorted: readonly Verb[], messages: readonly Verb[]) {
    const known = typeof row === "string" ? new Map<Verb, Treatment>() : row.verbs;
    this.listens = typeof row !== "string";
    this.verbs = sorted.filter((verb) => known.has(verb));
    this.messages = messages.every((verb) => known.get(verb) === "run");
    this.#ignored = this.verbs.filter((verb) => known.get(verb) === "ignore");
    this.#others = typeof row === "string" ? "unknown operation" : row.others;
  }

  /** Whether the session is told of one of the {@linkcode verbs}. */
  runs(verb: Verb): boolean {
    return !this.#ignored.includes(verb);
  }

  /**
   * What is wrong with a line that is none of the verbs, and begins with `first`, in upper case. A
   * verb that begins right and then goes wrong is unknown in any state, as nats-server has it.
   */
  refusal(first: number): Refusal {
    const begins = this.verbs.some((verb) => verb.text.charCodeAt(0) === first);
    return begins ? "unknown operation" : this.#others;
  }
}

function commandSets(
  kind: ConnectionKind,
  sorted: readonly Verb[],
  messages: readonly Verb[],
): Readonly<Record<ConnectionState, CommandSet>> {
  const set = (state: ConnectionState) =>
    new CommandSet(COMMAND_TABLE[kind][state], sorted, messages);
  return {
    handshake: set("handshake"),
    unauthenticated: set("unauthenticated"),
    deciding: set("deciding"),
    authenticated: set("authenticated"),
    closing: set("closing"),
  };
}

/** The table's rows for clients. */
export const CLIENT_COMMANDS = commandSets("client", CLIENT_VERBS, [PUB_VERB, HPUB_VERB]);

/** The table's rows for routes. */
export const ROUTE_COMMANDS = commandSets("route", ROUTE_VERBS, [RMSG_VERB, HMSG_VERB, LMSG_VERB]);
