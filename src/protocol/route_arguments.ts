/**
 * Arguments of what routes send, in any spacing.
 *
 * @module
 */
import { byteString } from "./byte_string.ts";
import type { ClientMessage } from "./client_message.ts";
import type { Verb } from "./client_verbs.ts";
import { RecentValues } from "./recent_values.ts";
import type { RouteCommands } from "./route_commands.ts";
import { LMSG_VERB, RMSG_VERB } from "./route_verbs.ts";
import { hashSubject } from "./subject_hash.ts";
import {
  isBlank,
  numberBetween,
  splitTokens,
  tokenEnd,
  tokenEndBefore,
  tokenStart,
  tokenStartBefore,
} from "./tokens.ts";

const PLUS = 43, BAR = 124;
/** The largest weight; nats-server keeps them in 32 bits. */
const MAX_WEIGHT = 0x7fffffff;

/** Reads the arguments of a line, which go from `start` to `end`; false when they are malformed. */
export class RouteArguments {
  /** Whether accounts are left out. */
  dedicated = false;
  /** Whether LS- names the leaf nodes' cluster. */
  leafOrigins = false;
  /** The account of the latest {@link RouteArguments.message}; empty where it is left out. */
  account = "";
  /** The queues that it lists; null when there is no list. */
  queues: readonly string[] | null = null;
  /** Names of accounts, by their bytes. */
  readonly accounts: RecentValues<string> = new RecentValues((text) => text);
  /** Lists of queues, by their bytes. */
  readonly lists: RecentValues<readonly string[]> = new RecentValues(namesOf);

  /** RS+ or LS+: `[origin] [account] subject [queue weight]`. */
  added(
    commands: RouteCommands,
    bytes: Uint8Array,
    start: number,
    end: number,
    leaf: boolean,
  ): boolean {
    const account = leaf ? 1 : 0, subject = this.dedicated ? account : account + 1;
    const count = splitTokens(bytes, start, end, isBlank);
    const inGroup = count === subject + 3;
    if (count !== subject + 1 && !inGroup) return false;
    const weight = inGroup ? weightBetween(bytes, tokenStart[subject + 2]!, end) : 0;
    if (weight < 0) return false;
    commands.interestAdded(
      this.#accountAt(bytes, account),
      textOf(bytes, subject),
      inGroup ? textOf(bytes, subject + 1) : null,
      weight,
      leaf ? textOf(bytes, 0) : null,
    );
    return true;
  }

  /** RS- or LS-: `[origin] [account] subject [queue]`. */
  removed(
    commands: RouteCommands,
    bytes: Uint8Array,
    start: number,
    end: number,
    leaf: boolean,
  ): boolean {
    const withOrigin = leaf && this.leafOrigins;
    const account = withOrigin ? 1 : 0, subject = this.dedicated ? account : account + 1;
    const count = splitTokens(bytes, start, end, isBlank);
    const inGroup = count === subject + 2;
    if (count !== subject + 1 && !inGroup) return false;
    commands.interestRemoved(
      this.#accountAt(bytes, account),
      textOf(bytes, subject),
      inGroup ? textOf(bytes, subject + 1) : null,
      withOrigin ? textOf(bytes, 0) : leaf ? "" : null,
    );
    return true;
  }

  #accountAt(bytes: Uint8Array, index: number): string {
    if (this.dedicated) return "";
    return this.accounts.of(bytes, tokenStart[index]!, tokenEnd[index]!);
  }

  /**
   * `[origin] [account] subject [reply | + reply queues | | queues] [header length] size`, for RMSG,
   * HMSG and LMSG. Fills in the message, whose `slab` and `bodyStart` are known, and `account` and
   * `queues`.
   */
  message(message: ClientMessage, start: number, end: number, verb: Verb): boolean {
    const bytes = message.slab.bytes, withHeaders = verb !== RMSG_VERB;
    const account = verb === LMSG_VERB ? 1 : 0, subject = this.dedicated ? account : account + 1;
    const count = splitTokens(bytes, start, end, isBlank);
    /** Fields between the subject and the numbers. */
    const between = count - subject - (withHeaders ? 3 : 2);
    if (between < 0) return false;
    let reply = between === 1 ? subject + 1 : 0, list = 0;
    if (between > 1) {
      const at = tokenStart[subject + 1]!, sign = bytes[at];
      if (tokenEnd[subject + 1] !== at + 1 || (sign !== PLUS && sign !== BAR)) return false;
      if (sign === PLUS) reply = subject + 2;
      // A list may be empty behind a reply: then it is none.
      if (sign === BAR || between > 2) list = subject + (sign === PLUS ? 3 : 2);
    }
    // There may be more fields than were counted: the numbers are found from the end.
    const totalEnd = tokenEndBefore(bytes, end);
    const totalStart = tokenStartBefore(bytes, start, totalEnd);
    const total = numberBetween(bytes, totalStart, totalEnd);
    let sizes = totalStart, headerLength = 0;
    if (withHeaders) {
      const headerEnd = tokenEndBefore(bytes, totalStart);
      sizes = tokenStartBefore(bytes, start, headerEnd);
      headerLength = numberBetween(bytes, sizes, headerEnd);
    }
    if (total < 0 || headerLength < 0 || headerLength > total) return false;
    this.account = this.#accountAt(bytes, account);
    this.queues = list === 0
      ? null
      : this.lists.of(bytes, tokenStart[list]!, tokenEndBefore(bytes, sizes));
    message.subjectStart = tokenStart[subject]!;
    message.subjectEnd = tokenEnd[subject]!;
    message.subjectHash = hashSubject(bytes, message.subjectStart, message.subjectEnd);
    message.sameSubject = false;
    message.replyStart = reply > 0 ? tokenStart[reply]! : 0;
    message.replyEnd = reply > 0 ? tokenEnd[reply]! : 0;
    message.sizeStart = totalStart;
    message.headerLength = headerLength;
    message.size = total;
    message.end = message.bodyStart + total + 2;
    return true;
  }
}

/** The token with this index, a byte string. */
function textOf(bytes: Uint8Array, index: number): string {
  return byteString(bytes, tokenStart[index]!, tokenEnd[index]!);
}

/** The weight of a group, the last token before `end`; -1 when it is none. */
function weightBetween(bytes: Uint8Array, start: number, end: number): number {
  let weight = 0;
  const stop = tokenEndBefore(bytes, end);
  for (let at = start; at < stop; at++) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) return -1;
    weight = Math.min(weight * 10 + digit, MAX_WEIGHT);
  }
  return weight > 0 ? weight : -1;
}

/** The names of a list, each once. Only one name alone, twice, stays so: that means something to denats. */
function namesOf(text: string): readonly string[] {
  const names = text.split(/[ \t\r\n]+/);
  return names.length === 2 ? names : [...new Set(names)];
}
