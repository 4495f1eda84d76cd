/**
 * Queue groups: how a large audience keeps them, and how a match has them.
 *
 * @module
 */

/** From this many members on, a group is not copied. */
const LARGE = 32;
/** From this many members on, a group keeps a map of where they are; up to here it is as quick to look. */
const MAPPED_FROM = 256;

/** A queue group as a match has it. A sole member needs no object around it: there may be millions. */
export type Members<T> = T | MatchedGroup<T>;

/**
 * A queue group of several, as a match has it: one of its members gets the message. They are gone through in a
 * round, from any member on. A group of many is shared with the subscriptions themselves and changes
 * with them, so a round is to be begun only if the match is current. During a round only the member
 * that it is at may leave. There is one round at a time.
 */
export class MatchedGroup<T> {
  /** The group's name. */
  readonly name: string;
  /** Its members: one non-empty array, or several if they subscribe to several subjects. */
  readonly parts: readonly (readonly T[])[];
  /** How many references to items this keeps alive. */
  readonly weight: number;
  // The round: where it began, where it is, how long that part was then, and how many parts are left.
  #start = 0;
  #part = 0;
  #at = 0;
  #length = 0;
  #partsLeft = 0;

  /** A group of those in `copied`, which must not change, and in the parts that may. */
  constructor(name: string, copied: readonly T[], live: readonly (readonly T[])[]) {
    this.name = name;
    this.parts = copied.length === 0 ? live : live.length === 0 ? [copied] : [copied, ...live];
    this.weight = copied.length + live.length;
  }

  /** How many members there are. */
  get count(): number {
    const parts = this.parts;
    let count = parts[0]!.length;
    for (let i = 1; i < parts.length; i++) count += parts[i]!.length;
    return count;
  }

  /** Begins a round with member `at`, from 0 to {@link count}; null if there is none. */
  begin(at: number): T | null {
    const parts = this.parts;
    let part = 0;
    while (part < parts.length && at >= parts[part]!.length) at -= parts[part++]!.length;
    if (part === parts.length) return null;
    this.#part = part;
    this.#start = this.#at = at;
    this.#length = parts[part]!.length;
    this.#partsLeft = parts.length;
    return parts[part]![at]!;
  }

  /** The next member of the round; null at its end. None is left out, whoever has left meanwhile. */
  next(): T | null {
    const parts = this.parts;
    let members = parts[this.#part]!;
    // If it is shorter, then the one that was here has left, and the last one is here now.
    if (members.length === this.#length) this.#at++;
    while (this.#at >= members.length && this.#partsLeft > 0) {
      this.#partsLeft--;
      this.#part = this.#part + 1 === parts.length ? 0 : this.#part + 1;
      this.#at = 0;
      members = parts[this.#part]!;
    }
    this.#length = members.length;
    // Back in the part in which it began. If somebody from before the start has left now, the last
    // one took that place: it is asked twice then, which does no harm.
    if (this.#partsLeft === 0 && this.#at >= Math.min(this.#start, members.length)) return null;
    return members[this.#at]!;
  }
}

/** What a change of {@link QueueGroups} has changed: nothing, a group in place, or the list of them. */
export type GroupChange = "none" | "group" | "list";

/** Queue groups by name, in the order in which they came. */
export class QueueGroups<T> {
  readonly #groups = new Map<string, T | QueueGroup<T>>();
  #count = 0;

  /** How many members all groups have together. */
  get count(): number {
    return this.#count;
  }

  /** Adds a member. */
  add(name: string, item: T): GroupChange {
    const group = this.#groups.get(name);
    if (group === item) return "none";
    if (group instanceof QueueGroup) {
      if (!group.add(item)) return "none";
      this.#count++;
      return "group";
    }
    this.#groups.set(name, group === undefined ? item : new QueueGroup(group, item));
    this.#count++;
    return "list";
  }

  /** Removes a member. */
  delete(name: string, item: T): GroupChange {
    const group = this.#groups.get(name);
    if (group instanceof QueueGroup ? !group.delete(item) : group !== item) return "none";
    this.#count--;
    if (group instanceof QueueGroup && group.members.length > 0) return "group";
    this.#groups.delete(name);
    return "list";
  }

  /** The groups as they are now; those of several members go on changing. */
  list(): Members<T>[] {
    const list: Members<T>[] = [];
    for (const [name, group] of this.#groups) {
      list.push(
        group instanceof QueueGroup ? new MatchedGroup<T>(name, [], [group.members]) : group,
      );
    }
    return list;
  }

  /** All members. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const group of this.#groups.values()) {
      if (group instanceof QueueGroup) yield* group.members;
      else yield group;
    }
  }
}

/** Two members or more, or what is left of them; in no order, so that one is removed in O(1). */
class QueueGroup<T> {
  readonly members: T[];
  /** Where each member is; null as long as it is quicker to look. */
  #places: Map<T, number> | null = null;

  constructor(first: T, second: T) {
    this.members = [first, second];
  }

  /** False if it is a member already. */
  add(item: T): boolean {
    if (this.#placeOf(item) !== -1) return false;
    this.#places?.set(item, this.members.length);
    this.members.push(item);
    if (this.#places === null && this.members.length >= MAPPED_FROM) {
      this.#places = new Map(this.members.map((member, place) => [member, place]));
    }
    return true;
  }

  /** False if it is no member. */
  delete(item: T): boolean {
    const place = this.#placeOf(item);
    if (place === -1) return false;
    const last = this.members.pop()!;
    if (last !== item) {
      this.members[place] = last;
      this.#places?.set(last, place);
    }
    this.#places?.delete(item);
    return true;
  }

  #placeOf(item: T): number {
    return this.#places === null ? this.members.indexOf(item) : this.#places.get(item) ?? -1;
  }
}

/**
 * Puts together the groups of several audiences, or of single members. Members are copied only from
 * small groups; a large group becomes a part of the new one as it is.
 */
export class GroupMerger<T> {
  readonly #byName = new Map<string, { copied: T[]; live: (readonly T[])[] }>();

  /** Adds a member to the group `name`. */
  add(name: string, member: T): void {
    this.#partsOf(name).copied.push(member);
  }

  /** Adds all members of a group. */
  addAll(group: MatchedGroup<T>): void {
    const { copied, live } = this.#partsOf(group.name);
    for (const part of group.parts) {
      if (part.length >= LARGE) live.push(part);
      else for (const member of part) copied.push(member);
    }
  }

  /** One group for each name, in the order of the names' first appearance. */
  list(): Members<T>[] {
    const list: Members<T>[] = [];
    for (const [name, { copied, live }] of this.#byName) {
      const isSole = copied.length === 1 && live.length === 0;
      list.push(isSole ? copied[0]! : new MatchedGroup(name, copied, live));
    }
    return list;
  }

  #partsOf(name: string): { copied: T[]; live: (readonly T[])[] } {
    let parts = this.#byName.get(name);
    if (parts === undefined) this.#byName.set(name, parts = { copied: [], live: [] });
    return parts;
  }
}
