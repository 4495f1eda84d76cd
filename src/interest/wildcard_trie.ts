/**
 * Subscriptions with wildcards.
 *
 * @module
 */
import { subjectMatchesBytes } from "../protocol/mod.ts";
import { type Interested, itemsOf, type Leaf, withItem, withoutItem } from "./audience.ts";
import { isTokenAt, SubjectTable } from "./subject_table.ts";
import { TokenKind, type TokenScan } from "./token_scan.ts";

const DOT = 0x2e;
const STAR = 0x2a;
const FULL = 0x3e;

/**
 * What an edge of the trie leads to. As long as only one pattern goes over an edge it leads to that
 * pattern's leaf, however many tokens are still to come; a node appears where two patterns part (or
 * go on together). So a million patterns that differ in one token cost a million slots and no nodes.
 */
type Child<T extends Interested> = TrieNode<T> | Leaf<T>;

/** Where at least two patterns go on. */
class TrieNode<T extends Interested> {
  /** A pattern that led here once: its beginning spells the way to this node. */
  readonly subject: string;
  /** The patterns that end here. */
  here: Leaf<T> | null = null;
  /** The pattern that ends here with `>`. */
  full: Leaf<T> | null = null;
  /** The edge `*`. */
  single: Child<T> | null = null;
  /** The edges of literal tokens: none, the only one, or all. */
  literals: Child<T> | SubjectTable<Child<T>> | null = null;

  constructor(subject: string) {
    this.subject = subject;
  }

  /** The child over the literal edge spelled by the bytes; `offset` is this node's, in patterns. */
  literal(
    hash: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
  ): Child<T> | null {
    const literals = this.literals;
    if (literals === null) return null;
    if (literals instanceof SubjectTable) return literals.find(hash, bytes, start, end, offset);
    return isTokenAt(literals.subject, offset, bytes, start, end) ? literals : null;
  }

  /** If one leaf is all there is below this node, that leaf. */
  soleLeaf(): Leaf<T> | null {
    const { here, full, single, literals } = this;
    const count = Number(here !== null) + Number(full !== null) + Number(single !== null) +
      Number(literals !== null);
    if (count !== 1) return null;
    const child = here ?? full ?? single ?? literals!;
    return child instanceof TrieNode || child instanceof SubjectTable ? null : child;
  }
}

/** The patterns (subjects with at least one wildcard) that somebody subscribes to. */
export class WildcardTrie<T extends Interested> {
  /** How many nodes and leaves all searches so far visited. */
  visits = 0;
  readonly #root = new TrieNode<T>("");
  /** The way that a removal took; empty in between. */
  readonly #path: TrieNode<T>[] = [];
  // The nodes a search still has to visit have their level and their offset in patterns here.
  #levels = new Int32Array(16);
  #offsets = new Int32Array(16);

  /** Adds `item`, whose subject is in `scan`; false if it is there already. */
  insert(scan: TokenScan, item: T): boolean {
    let node = this.#root;
    for (let level = 0; level < scan.count; level++) {
      const existing = childAt(node, scan, level);
      if (existing === null) {
        setChild(node, scan, level, null, item);
        return true;
      }
      if (existing instanceof TrieNode) {
        node = existing;
        continue;
      }
      if (existing.subject === item.subject) {
        const leaf = withItem(existing, item);
        if (leaf !== null) setChild(node, scan, level, existing, leaf);
        return leaf !== null;
      }
      const inner = new TrieNode<T>(item.subject);
      adopt(inner, existing, scan.ends[level]! + 1);
      setChild(node, scan, level, existing, inner);
      node = inner;
    }
    const leaf = node.here === null ? item : withItem(node.here, item);
    if (leaf === null) return false;
    node.here = leaf;
    return true;
  }

  /** Removes `item`, whose subject is in `scan`; false if it is not there. */
  remove(scan: TokenScan, item: T): boolean {
    const path = this.#path;
    const removed = this.#removeAlong(path, scan, item);
    path.length = 0;
    return removed;
  }

  /**
   * Appends to `found` the patterns that match the subject in `scan`, in nats-server's order: `>`
   * first, then what goes on with `*`, then the literal token; at the last token `*` comes last.
   * No node is visited twice, so the work is bounded by the nodes there are; but all that somebody
   * made of `*` and one literal may match, so it is counted in {@link visits}.
   */
  search(scan: TokenScan, found: Leaf<T>[]): void {
    const { bytes, end, count } = scan;
    if (this.#levels.length < count + 2) {
      this.#levels = new Int32Array(2 * count);
      this.#offsets = new Int32Array(2 * count);
    }
    const levels = this.#levels, offsets = this.#offsets;
    const stack: Child<T>[] = [this.#root];
    levels[0] = offsets[0] = 0;
    let visits = 0;
    while (stack.length > 0) {
      const child = stack.pop()!;
      visits++;
      const level = levels[stack.length]!, offset = offsets[stack.length]!;
      if (!(child instanceof TrieNode)) {
        const pattern = child.subject;
        // An offset behind the pattern's end: the edge that led here was its last token.
        const matches = offset > pattern.length
          ? level === count
          : level < count && subjectMatchesBytes(pattern, offset, bytes, scan.starts[level]!, end);
        if (matches) found.push(child);
        continue;
      }
      if (level === count) {
        if (child.here !== null) found.push(child.here);
        continue;
      }
      if (child.full !== null) found.push(child.full);
      const start = scan.starts[level]!, tokenEnd = scan.ends[level]!;
      const single = child.single;
      const literal = child.literal(scan.hashes[level]!, bytes, start, tokenEnd, offset);
      const isLast = level + 1 === count;
      if (single !== null && isLast) {
        levels[stack.length] = level + 1;
        offsets[stack.length] = offset + 2;
        stack.push(single);
      }
      if (literal !== null) {
        levels[stack.length] = level + 1;
        offsets[stack.length] = offset + tokenEnd - start + 1;
        stack.push(literal);
      }
      if (single !== null && !isLast) {
        levels[stack.length] = level + 1;
        offsets[stack.length] = offset + 2;
        stack.push(single);
      }
    }
    this.visits += visits;
  }

  /** All items, in no particular order. The trie must not change meanwhile. */
  *items(): IterableIterator<T> {
    const stack: Child<T>[] = [this.#root];
    while (stack.length > 0) {
      const child = stack.pop()!;
      if (!(child instanceof TrieNode)) {
        yield* itemsOf(child);
        continue;
      }
      const { here, full, single, literals } = child;
      if (here !== null) stack.push(here);
      if (full !== null) stack.push(full);
      if (single !== null) stack.push(single);
      if (literals instanceof SubjectTable) {
        for (const literal of literals) {
          // Leaves at once, so that the stack does not grow to the size of a table.
          if (literal instanceof TrieNode) stack.push(literal);
          else yield* itemsOf(literal);
        }
      } else if (literals !== null) {
        stack.push(literals);
      }
    }
  }

  #removeAlong(path: TrieNode<T>[], scan: TokenScan, item: T): boolean {
    let node = this.#root;
    let level = 0;
    let leaf: Leaf<T> | null = null;
    for (; level < scan.count; level++) {
      const child = childAt(node, scan, level);
      if (!(child instanceof TrieNode)) {
        leaf = child;
        break;
      }
      path.push(node);
      node = child;
    }
    if (level === scan.count) leaf = node.here;
    if (leaf === null) return false;
    const rest = withoutItem(leaf, item);
    if (rest === undefined) return false;
    if (level === scan.count) node.here = rest;
    else setChild(node, scan, level, leaf, rest);
    if (rest !== null) return true;
    // A node with nothing but one leaf left makes room for that leaf, so that the trie always looks
    // as if what was removed had never been there.
    while (path.length > 0) {
      const sole = node.soleLeaf();
      if (sole === null) break;
      const parent = path.pop()!;
      setChild(parent, scan, path.length, node, sole);
      node = parent;
    }
    return true;
  }
}

/** Where the pattern in `scan` goes on from `node`, which is its `level`th. */
function childAt<T extends Interested>(
  node: TrieNode<T>,
  scan: TokenScan,
  level: number,
): Child<T> | null {
  const kind = scan.kind(level);
  if (kind === TokenKind.single) return node.single;
  if (kind === TokenKind.full) return node.full;
  const start = scan.starts[level]!;
  return node.literal(scan.hashes[level]!, scan.bytes, start, scan.ends[level]!, start);
}

/** Makes `child` (null: nothing) the successor of `old` (null: nothing) over the pattern's edge. */
function setChild<T extends Interested>(
  node: TrieNode<T>,
  scan: TokenScan,
  level: number,
  old: Child<T> | null,
  child: Child<T> | null,
): void {
  const kind = scan.kind(level);
  if (kind === TokenKind.single) {
    node.single = child;
  } else if (kind === TokenKind.full) {
    // Nothing follows `>`, so that this child is never a node.
    node.full = child as Leaf<T> | null;
  } else {
    setLiteral(node, scan, scan.starts[level]!, scan.hashes[level]!, old, child);
  }
}

function setLiteral<T extends Interested>(
  node: TrieNode<T>,
  scan: TokenScan,
  offset: number,
  hash: number,
  old: Child<T> | null,
  child: Child<T> | null,
): void {
  const literals = node.literals;
  if (literals instanceof SubjectTable) {
    if (old === null) {
      literals.add(hash, child!);
    } else if (child !== null) {
      literals.replace(hash, old, child);
    } else {
      literals.delete(hash, old);
      if (literals.count === 1) { for (const last of literals) node.literals = last; }
    }
  } else if (literals === null || old !== null) {
    node.literals = child;
  } else {
    const table = new SubjectTable<Child<T>>(false);
    table.add(scan.hashTokenOf(literals.subject, offset), literals);
    table.add(hash, child!);
    node.literals = table;
  }
}

/** Puts a leaf that had an edge for itself into the new node which that edge leads to now. */
function adopt<T extends Interested>(node: TrieNode<T>, leaf: Leaf<T>, offset: number): void {
  const pattern = leaf.subject;
  if (offset > pattern.length) {
    node.here = leaf;
    return;
  }
  const token = pattern.charCodeAt(offset);
  const isAlone = offset + 1 === pattern.length || pattern.charCodeAt(offset + 1) === DOT;
  if (isAlone && token === STAR) node.single = leaf;
  else if (isAlone && token === FULL) node.full = leaf;
  else node.literals = leaf;
}
