/**
 * Those who subscribe to one and the same subject.
 *
 * @module
 */
import { GroupMerger, type Members, QueueGroups } from "./queue_group.ts";

/** What an interest stores. */
export interface Interested {
  /** The subscription's subject, possibly with wildcards, as a byte string. Must never change. */
  readonly subject: string;
  /** The queue group it is a member of, as a byte string, or null. Must never change. */
  readonly queue: string | null;
}

/** A subject's only subscription, or all of them. One alone needs no object around it. */
export type Leaf<T extends Interested> = T | Audience<T>;

/** More items than this are kept in a {@link Crowd}. */
const SMALL = 32;
const NO_GROUPS: readonly never[] = [];

/** Many items: those in no queue group in the order in which they came, the others by group. */
class Crowd<T extends Interested> {
  readonly plain = new Set<T>();
  readonly groups = new QueueGroups<T>();

  get count(): number {
    return this.plain.size + this.groups.count;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    yield* this.plain;
    yield* this.groups;
  }
}

/**
 * Two or more items with the same subject, and the lists of them that matches get. Of many items only
 * the list that has changed is made anew: that of the plain ones or that of the groups. A publisher
 * goes through both from end to end, so making them adds little to that; but of a group it often
 * needs one member of ten thousands, and so a group's members change in place.
 */
export class Audience<T extends Interested> {
  /** The subject they share. */
  readonly subject: string;
  #items: T[] | Crowd<T>;
  // What matches get, shared between all of them and made anew, never changed, when it has to be.
  #plain: readonly T[] | null = null;
  /** Only of a crowd: the groups of a few items are quickly made, and would take as much memory. */
  #groups: readonly Members<T>[] | null = null;

  /** Begins with two different items of the same subject. */
  constructor(first: T, second: T) {
    this.subject = first.subject;
    this.#items = [first, second];
  }

  /** Those in no queue group, in the order in which they came. */
  get plain(): readonly T[] {
    const items = this.#items;
    return this.#plain ??= items instanceof Crowd
      ? [...items.plain]
      : items.filter((item) => item.queue === null);
  }

  /** The queue groups with their members. */
  get groups(): readonly Members<T>[] {
    const items = this.#items;
    if (items instanceof Crowd) return this.#groups ??= items.groups.list();
    let groups: GroupMerger<T> | null = null;
    for (const item of items) {
      if (item.queue !== null) (groups ??= new GroupMerger()).add(item.queue, item);
    }
    return groups === null ? NO_GROUPS : groups.list();
  }

  /** Adds an item; false if it is there already. */
  add(item: T): boolean {
    const items = this.#items;
    if (items instanceof Crowd) return this.#addToCrowd(items, item);
    if (items.includes(item)) return false;
    if (items.length < SMALL) {
      items.push(item);
      this.#plain = null;
      return true;
    }
    const crowd = this.#items = new Crowd();
    for (const each of items) this.#addToCrowd(crowd, each);
    return this.#addToCrowd(crowd, item);
  }

  /** Removes an item; false if it is not there. */
  delete(item: T): boolean {
    const items = this.#items;
    if (items instanceof Crowd) return this.#deleteFromCrowd(items, item);
    const index = items.indexOf(item);
    if (index === -1) return false;
    items.splice(index, 1);
    this.#plain = null;
    return true;
  }

  /** The only item that is left, or null if there are more. */
  sole(): T | null {
    const items = this.#items;
    if ((items instanceof Crowd ? items.count : items.length) > 1) return null;
    for (const item of items) return item;
    return null;
  }

  /** The items, in no particular order. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]();
  }

  #addToCrowd(crowd: Crowd<T>, item: T): boolean {
    const { plain, groups } = crowd;
    if (item.queue !== null) {
      const change = groups.add(item.queue, item);
      if (change === "list") this.#groups = null;
      return change !== "none";
    }
    if (plain.has(item)) return false;
    plain.add(item);
    this.#plain = null;
    return true;
  }

  #deleteFromCrowd(crowd: Crowd<T>, item: T): boolean {
    if (item.queue !== null) {
      const change = crowd.groups.delete(item.queue, item);
      if (change === "list") this.#groups = null;
      return change !== "none";
    }
    if (!crowd.plain.delete(item)) return false;
    this.#plain = null;
    return true;
  }
}

/** `leaf` with `item` added, or null if it was there already. */
export function withItem<T extends Interested>(leaf: Leaf<T>, item: T): Leaf<T> | null {
  if (leaf === item) return null;
  if (!(leaf instanceof Audience)) return new Audience(leaf, item);
  return leaf.add(item) ? leaf : null;
}

/** `leaf` without `item`: null if nobody is left, undefined if the item was not there. */
export function withoutItem<T extends Interested>(
  leaf: Leaf<T>,
  item: T,
): Leaf<T> | null | undefined {
  if (leaf === item) return null;
  if (!(leaf instanceof Audience) || !leaf.delete(item)) return undefined;
  return leaf.sole() ?? leaf;
}

/** The items of a leaf. */
export function* itemsOf<T extends Interested>(leaf: Leaf<T>): IterableIterator<T> {
  if (leaf instanceof Audience) yield* leaf;
  else yield leaf;
}
