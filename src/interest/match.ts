/**
 * The answer to "who gets messages on this subject?".
 *
 * @module
 */
import { Audience, type Interested, type Leaf } from "./audience.ts";
import { GroupMerger, MatchedGroup, type Members } from "./queue_group.ts";
import { equalsPacked, type SubjectWords, unpackSubject, viewOf } from "./subject_words.ts";

const NOBODY: readonly never[] = [];

/**
 * Who gets the messages of one subject, when it was asked for. Its two lists never change, but the
 * members of a large queue group do. Ask {@link Interest.isCurrent} before using a match again.
 */
export class Match<T> {
  /** Those who get every message. */
  readonly plain: readonly T[];
  /** The queue groups: one member of each gets the message. None is empty while this is current. */
  readonly groups: readonly Members<T>[];
  /** Whether nobody is interested. */
  readonly empty: boolean;
  /** The subject's length in bytes. */
  readonly subjectLength: number;
  /** The subject's `hashSubject`. For the match cache only. */
  readonly hash: number;
  /** The subject's bytes. For the match cache only. */
  readonly words: readonly number[];
  /** The change at which this was last known to be right, or -1. For the match cache only. */
  checkedAt: number = -1;
  /** What whoever asked has worked out from it; null at first. Goes when this does. */
  attached: object | null = null;
  /** Whoever decided last whether the subject may be published to; null at first. */
  verdictOf: object | null = null;
  /** What that decided. */
  verdict = false;

  /** Matches are made by an interest. */
  constructor(
    hash: number,
    words: readonly number[],
    subjectLength: number,
    plain: readonly T[],
    groups: readonly Members<T>[],
  ) {
    this.hash = hash;
    this.words = words;
    this.subjectLength = subjectLength;
    this.plain = plain;
    this.groups = groups;
    this.empty = plain.length === 0 && groups.length === 0;
  }

  /** A new copy of the subject's bytes. To compare subjects, {@link isFor} is much cheaper. */
  get subject(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.subjectLength);
    unpackSubject(this.words, this.subjectLength, bytes);
    return bytes;
  }

  /** Whether this is the answer for the subject that the bytes from `start` to `end` spell. */
  isFor(bytes: Uint8Array, start: number, end: number): boolean {
    return this.subjectLength === end - start &&
      equalsPacked(this.words, viewOf(bytes), start, end);
  }

  /** How much this keeps alive, in words: references to items, and the subject by four bytes. */
  get weight(): number {
    let weight = this.plain.length + this.words.length;
    for (const group of this.groups) weight += group instanceof MatchedGroup ? group.weight : 1;
    return weight;
  }
}

/** The match of the subject that `words` spell, whose subscriptions are those of `found`. */
export function createMatch<T extends Interested>(
  hash: number,
  words: SubjectWords,
  subjectLength: number,
  found: readonly Leaf<T>[],
): Match<T> {
  if (found.length > 1) return mergedMatch(hash, words, subjectLength, found);
  let plain: readonly T[] = NOBODY;
  let groups: readonly Members<T>[] = NOBODY;
  const leaf = found[0];
  if (leaf instanceof Audience) {
    plain = leaf.plain;
    groups = leaf.groups;
  } else if (leaf !== undefined) {
    if (leaf.queue === null) plain = [leaf];
    else groups = [leaf];
  }
  return new Match(hash, words, subjectLength, plain, groups);
}

function mergedMatch<T extends Interested>(
  hash: number,
  words: SubjectWords,
  subjectLength: number,
  found: readonly Leaf<T>[],
): Match<T> {
  const plain: T[] = [];
  let groups: GroupMerger<T> | null = null;
  for (const leaf of found) {
    if (leaf instanceof Audience) {
      for (const item of leaf.plain) plain.push(item);
      for (const group of leaf.groups) {
        groups ??= new GroupMerger();
        if (group instanceof MatchedGroup) groups.addAll(group);
        else groups.add(group.queue as string, group);
      }
    } else if (leaf.queue === null) {
      plain.push(leaf);
    } else {
      groups ??= new GroupMerger();
      groups.add(leaf.queue, leaf);
    }
  }
  return new Match(hash, words, subjectLength, plain, groups === null ? NOBODY : groups.list());
}
