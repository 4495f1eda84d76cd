/**
 * Subjects with wildcards, to be found by what they have in common with another.
 *
 * @module
 */

interface Node<Value> {
  readonly below: Map<string, Node<Value>>;
  readonly values: Value[];
}

/** Values by subjects, which may have wildcards. A look-up takes no longer for subjects unlike it. */
export class SubjectTree<Value> {
  readonly #root: Node<Value> = { below: new Map(), values: [] };

  /** Adds `value`; a subject may have several. */
  add(subject: string, value: Value): void {
    let node = this.#root;
    for (const token of subject.split(".")) {
      let next = node.below.get(token);
      if (next === undefined) {
        next = { below: new Map(), values: [] };
        node.below.set(token, next);
      }
      node = next;
    }
    node.values.push(value);
  }

  /** The values of exactly `subject`. */
  at(subject: string): readonly Value[] {
    let node: Node<Value> | undefined = this.#root;
    for (const token of subject.split(".")) node = node?.below.get(token);
    return node?.values ?? [];
  }

  /** The values of subjects that match all that `subject` matches. */
  *covering(subject: string): Generator<Value> {
    yield* covering(this.#root, subject.split("."), 0);
  }

  /** The values of subjects that something matches which `subject` matches too. */
  *colliding(subject: string): Generator<Value> {
    yield* colliding(this.#root, subject.split("."), 0);
  }
}

function* covering<Value>(
  node: Node<Value>,
  tokens: readonly string[],
  index: number,
): Generator<Value> {
  const token = tokens[index];
  if (token === undefined) {
    yield* node.values;
    return;
  }
  yield* node.below.get(">")?.values ?? [];
  if (token === ">") return;
  for (const name of new Set(["*", token])) {
    const next = node.below.get(name);
    if (next !== undefined) yield* covering(next, tokens, index + 1);
  }
}

function* colliding<Value>(
  node: Node<Value>,
  tokens: readonly string[],
  index: number,
): Generator<Value> {
  const token = tokens[index];
  if (token === undefined) {
    yield* node.values;
    return;
  }
  yield* node.below.get(">")?.values ?? [];
  const names = token === "*" || token === ">" ? node.below.keys() : ["*", token];
  for (const name of names) {
    const next = name === ">" ? undefined : node.below.get(name);
    if (next === undefined) continue;
    yield* token === ">" ? all(next) : colliding(next, tokens, index + 1);
  }
}

function* all<Value>(node: Node<Value>): Generator<Value> {
  yield* node.values;
  for (const next of node.below.values()) yield* all(next);
}
