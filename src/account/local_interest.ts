/**
 * What the clients of this server are interested in, as the other servers are to know it.
 *
 * @module
 */

/** Is told of every change that other servers have to know. */
export interface InterestObserver {
  /**
   * `count` local subscriptions want `subject` (and are in the queue group `queue`); 0 when nobody
   * does any more. Of plain interest only the first and the end are told. Byte strings.
   */
  interestChanged(subject: string, queue: string | null, count: number): void;
}

/** One thing that is wanted. */
export interface WantedSubject {
  /** The subject, possibly with wildcards; a byte string. */
  readonly subject: string;
  /** The queue group, a byte string, or null. */
  readonly queue: string | null;
  /** How many subscriptions. */
  readonly count: number;
}

/** Counts local subscriptions by subject and queue group. */
export class LocalInterest {
  /** By subject, or by subject, blank and queue group: neither can contain a blank. */
  readonly #counts = new Map<string, number>();
  readonly #observer: InterestObserver;

  /** Nothing is wanted yet. */
  constructor(observer: InterestObserver) {
    this.#observer = observer;
  }

  /** How many things are wanted. */
  get size(): number {
    return this.#counts.size;
  }

  /** There is one more subscription. */
  add(subject: string, queue: string | null): void {
    const key = queue === null ? subject : `${subject} ${queue}`;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (count === 1 || queue !== null) this.#observer.interestChanged(subject, queue, count);
  }

  /** There is one less. */
  remove(subject: string, queue: string | null): void {
    const key = queue === null ? subject : `${subject} ${queue}`;
    const before = this.#counts.get(key);
    if (before === undefined) return;
    if (before === 1) this.#counts.delete(key);
    else this.#counts.set(key, before - 1);
    if (before === 1 || queue !== null) {
      this.#observer.interestChanged(subject, queue, before - 1);
    }
  }

  /** How many want it now. */
  count(subject: string, queue: string | null): number {
    return this.#counts.get(queue === null ? subject : `${subject} ${queue}`) ?? 0;
  }

  /**
   * Everything that is wanted. May change meanwhile: what comes is seen, what goes is not, unless it
   * was seen already.
   */
  *[Symbol.iterator](): IterableIterator<WantedSubject> {
    for (const [key, count] of this.#counts) {
      const blank = key.indexOf(" ");
      yield blank < 0
        ? { subject: key, queue: null, count }
        : { subject: key.slice(0, blank), queue: key.slice(blank + 1), count };
    }
  }
}
