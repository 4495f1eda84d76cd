/**
 * What is remembered of requests until they are answered.
 *
 * @module
 */
import type { Account } from "./account.ts";
import type { MeasuredRequest } from "./service_latency.ts";
import type { ExpectedResponse } from "./service_responses.ts";

/** An answer that is waited for. */
export interface Expectation extends Omit<ExpectedResponse, "measured"> {
  /** When it is given up, in monotonic milliseconds. */
  dueMs: number;
  /** What is noted of the request until its first answer. */
  measured?: MeasuredRequest;
}

/** How many answers may be waited for in one account, and how long their replies may be together. */
const MAX_COUNT = 1_000_000, MAX_BYTES = 64 * 1024 * 1024;

/** The answers that one account waits for, the oldest first. */
interface Asker {
  readonly tokens: Set<string>;
  bytes: number;
}

/**
 * The answers that are waited for in one exporting account, by the tokens of their subjects. Where there is no
 * room for another one, the account that takes up most of it loses its oldest.
 */
export class Expectations {
  readonly #expected = new Map<string, Expectation>();
  readonly #askers = new Map<Account, Asker>();
  #bytes = 0;

  /** How many there are. */
  get size(): number {
    return this.#expected.size;
  }

  /** Whether a token is in use. */
  has(token: string): boolean {
    return this.#expected.has(token);
  }

  /** What is expected under a token. */
  get(token: string): Expectation | undefined {
    return this.#expected.get(token);
  }

  /** Adds one under a token that is not in use. */
  add(token: string, expectation: Expectation): void {
    const { importer, reply } = expectation;
    while (this.size >= MAX_COUNT || (this.size > 0 && this.#bytes + reply.length > MAX_BYTES)) {
      const [oldest] = this.#greediest(importer).tokens;
      this.delete(oldest!);
    }
    let asker = this.#askers.get(importer);
    if (asker === undefined) this.#askers.set(importer, asker = { tokens: new Set(), bytes: 0 });
    this.#expected.set(token, expectation);
    asker.tokens.add(token);
    asker.bytes += reply.length;
    this.#bytes += reply.length;
  }

  /** Nothing is expected under a token any more. */
  delete(token: string): void {
    const expectation = this.#expected.get(token);
    if (expectation === undefined) return;
    const { importer, reply } = expectation, asker = this.#askers.get(importer)!;
    this.#expected.delete(token);
    asker.tokens.delete(token);
    asker.bytes -= reply.length;
    this.#bytes -= reply.length;
    if (asker.tokens.size === 0) this.#askers.delete(importer);
  }

  /** Gives up what is overdue at `nowMs`. */
  sweep(nowMs: number): void {
    for (const [token, { dueMs }] of this.#expected) if (dueMs <= nowMs) this.delete(token);
  }

  /** Who takes up most; `asking` where it takes up half of it, which spares the search. */
  #greediest(asking: Account): Asker {
    const own = this.#askers.get(asking);
    if (own !== undefined && 2 * shareOf(own) > 1) return own;
    return this.#askers.values().reduce((one, other) =>
      shareOf(other) > shareOf(one) ? other : one
    );
  }
}

/** How much of the room an account takes up: all of it is 1. */
function shareOf({ tokens, bytes }: Asker): number {
  return Math.max(tokens.size / MAX_COUNT, bytes / MAX_BYTES);
}
