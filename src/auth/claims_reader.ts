/**
 * Claims of a token, field by field: what is unknown is ignored, what has the wrong type is refused.
 *
 * @module
 */

/** A claim that cannot be understood; the message names the field, never its value. */
export class ClaimsError extends Error {
  /** Always `"ClaimsError"`. */
  override readonly name = "ClaimsError";
}

/** An object of decoded JSON. A field that is null is the same as one that is absent. */
export class ClaimsReader {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;

  /**
   * Reads `value`, which the messages of errors call `path`.
   *
   * @throws {ClaimsError} when it is not an object.
   */
  constructor(value: unknown, path = "") {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new ClaimsError(`${path || "the token"} is not an object`);
    }
    this.#fields = value as Record<string, unknown>;
    this.#path = path;
  }

  /** Whether there is such a field. */
  has(key: string): boolean {
    return this.#value(key) !== undefined;
  }

  /** Text; empty when absent. */
  text(key: string): string {
    return this.#typed(key, "string", "a text") ?? "";
  }

  /** A flag; false when absent. */
  flag(key: string): boolean {
    return this.#typed(key, "boolean", "true or false") ?? false;
  }

  /** A whole number; `absent` when absent. */
  integer(key: string, absent = 0): number {
    const value = this.#typed<number>(key, "number", "a number");
    if (value === undefined) return absent;
    if (!Number.isInteger(value)) this.#refuse(key, "a whole number");
    return value;
  }

  /** A list of texts; undefined when absent. */
  texts(key: string): string[] | undefined {
    return this.items(key)?.map((item) => {
      if (typeof item !== "string") this.#refuse(key, "a list of texts");
      return item;
    });
  }

  /** A list of anything; undefined when absent. */
  items(key: string): unknown[] | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) this.#refuse(key, "a list");
    return value;
  }

  /** A list of objects; empty when absent. */
  objects(key: string): ClaimsReader[] {
    return (this.items(key) ?? []).map((item, index) =>
      new ClaimsReader(item, `${this.#name(key)}[${index}]`)
    );
  }

  /** An object; undefined when absent. */
  optionalObject(key: string): ClaimsReader | undefined {
    const value = this.#value(key);
    return value === undefined ? undefined : new ClaimsReader(value, this.#name(key));
  }

  /** An object; one without fields when absent. */
  object(key: string): ClaimsReader {
    return this.optionalObject(key) ?? new ClaimsReader({}, this.#name(key));
  }

  /** Whole numbers by name; empty when absent. */
  integers(key: string): Record<string, number> {
    const reader = this.object(key);
    const names = Object.keys(reader.#fields).filter((name) => reader.has(name));
    return record(names.map((name) => [name, reader.integer(name)]));
  }

  /** The names of the fields. */
  names(): string[] {
    return Object.keys(this.#fields);
  }

  /** What a field holds, as it is; undefined when absent. */
  raw(key: string): unknown {
    return this.#value(key);
  }

  #value(key: string): unknown {
    return Object.hasOwn(this.#fields, key) ? this.#fields[key] ?? undefined : undefined;
  }

  #typed<T>(key: string, type: string, expected: string): T | undefined {
    const value = this.#value(key);
    if (value !== undefined && typeof value !== type) this.#refuse(key, expected);
    return value as T | undefined;
  }

  #refuse(key: string, expected: string): never {
    throw new ClaimsError(`${this.#name(key)} is not ${expected}`);
  }

  #name(key: string): string {
    return this.#path === "" ? key : `${this.#path}.${key}`;
  }
}

/** An object of these entries that has no names of its own, whatever the entries are called. */
export function record<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  const result: Record<string, T> = Object.create(null);
  for (const [name, value] of entries) result[name] = value;
  return result;
}
