/**
 * What an account knows of the other servers of the cluster.
 *
 * @module
 */
import type { Outbox } from "../connection/mod.ts";
import type { Interested, Match } from "../interest/mod.ts";
import type { RouteHead } from "../protocol/mod.ts";
import type { Subscription } from "./subscription.ts";

/** One route connection as one account sees it: who is interested there, and how to reach them. */
export class RemoteSubscriber {
  /** Where frames for the peer go. */
  readonly outbox: Outbox;
  /** What its frames begin with. */
  readonly head: RouteHead;
  /** The peer's server id. */
  peer: string;
  /** The account's name. */
  readonly account: string;
  /** Whether anything may still be delivered. */
  open = true;
  /** Whether the peer understands HMSG. */
  headers = true;
  /** Whether the peer is a denats, which knows what it means that a queue group is named twice. */
  isDenats = false;
  /** Messages sent to it. */
  outMessages = 0;
  /** Bytes of headers and payload sent to it. */
  outBytes = 0;
  /** Its interest by what identifies it; null until there is some. */
  interests: Map<string, RemoteInterest> | null = null;
  /** How long the texts of {@link RemoteSubscriber.interests} are together, in bytes. */
  interestBytes = 0;
  /** What matched the subject of the last message from it; null when that is not known. */
  lastMatch: Match<Subscription> | null = null;
  /** For the account: the last message that is for it, and the queue groups it was chosen for. */
  serial = 0;
  /** See {@link RemoteSubscriber.serial}. */
  readonly queues: string[] = [];
  /** How long the names of {@link RemoteSubscriber.queues} are as a list, in bytes. */
  queuesLength = 0;
  /** Whether that message is for plain interest as well. */
  plain = false;

  /** A connection without interest. */
  constructor(outbox: Outbox, head: RouteHead, peer: string, account: string) {
    this.outbox = outbox;
    this.head = head;
    this.peer = peer;
    this.account = account;
  }
}

/** Interest that a peer has announced. */
export class RemoteInterest implements Interested {
  /** Over which connection. */
  readonly remote: RemoteSubscriber;
  /** The subject, possibly with wildcards; a byte string. */
  readonly subject: string;
  /** The queue group, a byte string, or null. */
  readonly queue: string | null;
  /** How many members the group has there; 1 for plain interest. */
  weight: number;
  /** Whether they are on leaf nodes of the peer: chosen only when there is no other member. */
  readonly leaf: boolean;

  /** Interest as it was announced. */
  constructor(
    remote: RemoteSubscriber,
    subject: string,
    queue: string | null,
    weight: number,
    leaf: boolean,
  ) {
    this.remote = remote;
    this.subject = subject;
    this.queue = queue;
    this.weight = weight;
    this.leaf = leaf;
  }
}

/**
 * What identifies interest on a connection: plain and queue interest on one subject are different
 * things, and so is what leaf nodes of `origin` want.
 */
export function interestKey(subject: string, queue: string | null, origin: string | null): string {
  const key = queue === null ? subject : `${subject} ${queue}`;
  return origin === null ? key : `${origin}\n${key}`;
}
