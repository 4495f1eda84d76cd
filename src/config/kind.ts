/**
 * A kind of scalar setting: how one is read, described, typed and written.
 *
 * @module
 */

import type { LiteralType } from "./conf/syntax.ts";

/** Part of a JSON Schema document. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** Why a value was not taken. */
export class Refusal {
  /** What would have been taken. */
  readonly expected: string;
  /** What to do about it, where that can be said. */
  readonly hint: string | undefined;

  /** A refusal of one value. */
  constructor(expected: string, hint?: string) {
    this.expected = expected;
    this.hint = hint;
  }
}

/**
 * A kind of scalar setting. `Input` is what an embedding program may write, `Output` what the
 * broker gets. From YAML every scalar arrives as text, so every kind reads text as well.
 */
export interface Kind<Input, Output> {
  /** The TypeScript source of `Input`. */
  readonly inputType: string;
  /** The TypeScript source of `Output`. */
  readonly outputType: string;
  /** A sentence on the input's unit for its documentation. */
  readonly inputNote?: string;
  /** A sentence on the output's unit for its documentation. */
  readonly outputNote?: string;
  /** What an editor should accept in the file. */
  readonly json: JsonSchema;
  /** The module beside `types.ts` that declares `outputType`, where that is a name. */
  readonly outputFrom?: string;
  /** Whether values must never be shown. */
  readonly secret?: boolean;
  /** What nats-server takes in its own format, where that does not follow from `inputType`. */
  readonly literals?: readonly LiteralType[];
  /** The value that `input` (text from a file or a flag, or anything a program passed) stands for. */
  read(input: unknown): Output | Refusal;
  /** The value as it is written in YAML. */
  format(output: Output): string;
  /** The value as it is written in YAML with what is secret in it hidden, where only a part of it is. */
  mask?(output: Output): string;
  /** Never set: ties `Input` to the kind, so that the types of a schema follow from its kinds. */
  input?(input: Input): void;
}

/** What YAML wants escaped in quotes and JSON does not. */
const unprintable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/**
 * Text as a YAML scalar that every YAML reader takes for the same text: quoted, so that `no`,
 * `0123` and `5e7` stay what they are, and with `${` doubled so that it is not taken for a variable.
 */
export function quoteText(text: string): string {
  return quoteKey(text.replaceAll("${", () => "$${"));
}

/** A key of a map as a YAML scalar; in keys `${` has no meaning. */
export function quoteKey(key: string): string {
  return JSON.stringify(key).replace(
    unprintable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
