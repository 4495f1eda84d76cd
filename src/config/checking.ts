/**
 * How a value is checked against a schema: in one walk, which makes the complete value and notes
 * everything that is wrong on the way.
 *
 * @module
 */
import type { Path, Step } from "./problem.ts";
import type { Shape } from "./shape.ts";

/** What a schema makes of a value that is wrong. */
export const WRONG: unique symbol = Symbol("wrong");

/** See {@link WRONG}. */
export type Wrong = typeof WRONG;

/** What is told of a problem besides its place. */
export interface ProblemNote {
  /** What was expected. */
  readonly expected: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** What was found, where it is not simply the value at the problem's path. */
  readonly found?: string;
}

/** One thing that is wrong. */
export interface Issue {
  /** Where. */
  readonly path: Path;
  /** What; absent where the value is of another type than its shape. */
  readonly note?: ProblemNote;
  /** The settings that do not go together, below the block that holds them; the first is `path`. */
  readonly about?: readonly Path[];
  /** A key that the block or the map at `path` does not have. */
  readonly unknownKey?: string;
}

/** One check of one value. */
export class Checking {
  /** Where the check is. */
  readonly path: Step[] = [];
  /** What was wrong so far. */
  readonly issues: Issue[] = [];
  readonly #known = new Map<Schema, Map<unknown, unknown>>();

  /** Notes that what is here is wrong. */
  wrong(issue: Omit<Issue, "path"> = {}): Wrong {
    this.issues.push({ ...issue, path: [...this.path, ...issue.about?.[0] ?? []] });
    return WRONG;
  }

  /** What `schema` makes of `value`; what is wrong with it is noted for its first place alone. */
  once<Output>(schema: Schema<unknown, Output>, value: unknown): Output | Wrong {
    let known = this.#known.get(schema);
    if (known === undefined) this.#known.set(schema, known = new Map());
    // Only a result of this very schema is ever put there.
    if (known.has(value)) return known.get(value) as Output | Wrong;
    const output = schema.check(value, this);
    if (typeof value === "object") known.set(value, output);
    return output;
  }

  /** What `schema` makes of the value at `step`, one deeper than here. */
  below<Output>(step: Step, schema: Schema<unknown, Output>, value: unknown): Output | Wrong {
    this.path.push(step);
    const output = schema.check(value, this);
    this.path.pop();
    return output;
  }
}

/** How values of `Input` are made ones of `Output`. */
export interface Schema<Input = unknown, Output = unknown> {
  /** What is known of it. */
  readonly shape: Shape;
  /** The complete value; what is wrong with `value` is noted in `checking`. */
  check(value: unknown, checking: Checking): Output | Wrong;
  /** Never set: ties `Input` to the schema. */
  readonly input?: Input;
}

/** What a program may write for a schema. */
export type InputOf<S> = S extends Schema<infer Input, unknown> ? Input : never;

/** What a schema makes of it. */
export type OutputOf<S> = S extends Schema<unknown, infer Output> ? Output : never;

/** The result of {@link check}. */
export type Checked<Output> =
  | { readonly value: Output }
  | { readonly issues: readonly Issue[] };

/** Checks `value`. */
export function check<Output>(schema: Schema<unknown, Output>, value: unknown): Checked<Output> {
  const checking = new Checking();
  const output = schema.check(value, checking);
  return output === WRONG ? { issues: checking.issues } : { value: output };
}
