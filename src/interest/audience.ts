/**
 * Those who subscribe to one and the same subject.
 *
 * @module
 */

/** What an interest stores. */
export interface Interested {
  /** The subscription's subject, possibly with wildcards, as a byte string. Must never change. */
  readonly subject: string;
  /** The queue group it is a member of, as a byte string, or null. Must never change. */
  readonly queue: string | null;
}

/** A subject's only subscription, or all of them. One alone needs no object around it. */
export type Leaf<T extends Interested> = T | Audience<T>;

/** From this many items on, they are kept in a Set, so that removing one stays O(1). */
const SET_FROM = 32;

/** Two or more items with the same subject. */
export class Audience<T extends Interested> {
  /** The subject they share. */
  readonly subject: string;
  #items: T[] | Set<T>;
  // What matches get, shared between all of them and rebuilt, never changed, when items come or go.
  #plain: readonly T[] | null = null;
  #groups: readonly (readonly T[])[] | null = null;

  /** Begins with two different items of the same subject. */
  constructor(first: T, second: T) {
    this.subject = first.subject;
    this.#items = [first, second];
  }

  /** Those in no queue group, in the order in which they came. */
  get plain(): readonly T[] {
    if (this.#plain === null) this.#build();
    return this.#plain!;
  }

  /** The members of each queue group. */
  get groups(): readonly (readonly T[])[] {
    if (this.#groups === null) this.#build();
    return this.#groups!;
  }

  /** Adds an item; false if it is there already. */
  add(item: T): boolean {
    const items = this.#items;
    if (items instanceof Set) {
      if (items.has(item)) return false;
      items.add(item);
    } else {
      if (items.includes(item)) return false;
      if (items.length < SET_FROM) items.push(item);
      else this.#items = new Set(items).add(item);
    }
    this.#plain = this.#groups = null;
    return true;
  }

  /** Removes an item; false if it is not there. */
  delete(item: T): boolean {
    const items = this.#items;
    if (items instanceof Set) {
      if (!items.delete(item)) return false;
    } else {
      const index = items.indexOf(item);
      if (index === -1) return false;
      items.splice(index, 1);
    }
    this.#plain = this.#groups = null;
    return true;
  }

  /** The only item that is left, or null if there are more. */
  sole(): T | null {
    if (this.#items instanceof Set) {
      if (this.#items.size > 1) return null;
    } else if (this.#items.length > 1) {
      return null;
    }
    for (const item of this.#items) return item;
    return null;
  }

  /** The items, in the order in which they came. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]();
  }

  #build(): void {
    const plain: T[] = [];
    const groups = new GroupsByName<T>();
    for (const item of this.#items) {
      if (item.queue === null) plain.push(item);
      else groups.add(item.queue, item);
    }
    this.#plain = plain;
    this.#groups = groups.groups;
  }
}

/** Sorts members into queue groups. */
export class GroupsByName<T> {
  /** One non-empty array of members for each name, in the order of the names' first appearance. */
  readonly groups: T[][] = [];
  readonly #byName = new Map<string, T[]>();

  /** Adds a member to the group `name`. */
  add(name: string, member: T): void {
    const group = this.#byName.get(name);
    if (group !== undefined) {
      group.push(member);
      return;
    }
    const created = [member];
    this.#byName.set(name, created);
    this.groups.push(created);
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
