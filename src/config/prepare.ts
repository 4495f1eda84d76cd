/**
 * Brings what was read into the form that the schema checks: one name for every key, environment
 * variables filled in, empty blocks and absent values made plain.
 *
 * @module
 */
import { type Environment, substitute } from "./environment.ts";
import { KnownAccount } from "./known_account.ts";
import type { BlockShape, MapShape, Shape } from "./shape.ts";
import type { Finding, Path, Step } from "./problem.ts";
import { NOT_SUPPORTED } from "./suggestion.ts";

/** A configuration ready to be checked, and what was found wrong on the way. */
export interface Prepared {
  /** The configuration; a map at its top. */
  readonly values: Readonly<Record<string, unknown>>;
  /** What is wrong already. */
  readonly findings: readonly Finding[];
}

/** Whether `value` is a map rather than a scalar or a list. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Prepares `raw` for a check against `shape`. It is walked only as deep as `shape` goes, so that
 * neither cycles nor nested aliases of YAML can make this long.
 *
 * @param environment Where `${NAME}` is looked up; nothing is substituted without it.
 * @param unsupported Where settings are put that denats does not have yet, which are then left out.
 */
export function prepare(
  raw: Readonly<Record<string, unknown>>,
  shape: BlockShape,
  environment?: Environment,
  unsupported?: Finding[],
): Prepared {
  const preparation = new Preparation(environment, unsupported);
  return { values: preparation.block(raw, shape), findings: preparation.findings };
}

type Values = Record<string, unknown>;

/** Sets a key that may be called `__proto__`. */
function setKey(values: Values, key: string, value: unknown): void {
  if (key !== "__proto__") values[key] = value;
  else {
    Object.defineProperty(values, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}

/** An object that is made anew only once something in it has to be another. */
class LazyCopy {
  readonly #source: Readonly<Values>;
  #copy: Values | undefined;

  constructor(source: Readonly<Values>) {
    this.#source = source;
    // What an object inherits is none of its keys.
    if (Object.getPrototypeOf(source) !== Object.prototype) this.#copy = {};
  }

  /** The copy, or the source where they are the same. */
  get values(): Readonly<Values> {
    return this.#copy ?? this.#source;
  }

  /** The key `written` of the source, the next in its order, is `key` with `value`; none if undefined. */
  set(written: string, key: string, value: unknown): void {
    if (this.#copy === undefined) {
      if (key === written && value !== undefined && value === this.#source[written]) return;
      this.#copyUntil(written);
    }
    if (this.#copy !== undefined && value !== undefined) setKey(this.#copy, key, value);
  }

  /** The key `written` of the source is left out. */
  leaveOut(written: string): void {
    this.set(written, written, undefined);
  }

  #copyUntil(end: string): void {
    const copy: Values = {};
    for (const key of Object.keys(this.#source)) {
      if (key === end) break;
      setKey(copy, key, this.#source[key]);
    }
    this.#copy = copy;
  }
}

/** One walk through a configuration. */
class Preparation {
  readonly findings: Finding[] = [];
  readonly #environment: Environment | undefined;
  readonly #unsupported: Finding[] | undefined;
  /** Where the walk is. */
  readonly #path: Step[] = [];
  /** What was made of blocks that an anchor may share, by what they were made of. */
  readonly #shared = new Map<
    unknown,
    { readonly shape: Shape; readonly values: Readonly<Values> }
  >();

  constructor(environment: Environment | undefined, unsupported: Finding[] | undefined) {
    this.#environment = environment;
    this.#unsupported = unsupported;
  }

  #find(step: Step, finding: Omit<Finding, "path">): void {
    this.findings.push({ ...finding, path: [...this.#path, step] });
  }

  /** `raw` itself where nothing has to be another: of very many users most are. */
  block(raw: Readonly<Values>, shape: BlockShape): Readonly<Values> {
    const copy = new LazyCopy(raw);
    let names: Map<string, string> | undefined;
    for (const written of Object.keys(raw)) {
      const value = raw[written];
      const key = shape.aliases.get(written) ?? written;
      if (key !== written && value !== undefined) {
        const other = names?.get(key) ?? (Object.hasOwn(raw, key) ? key : undefined);
        if (other !== undefined) {
          this.#find(written, {
            atKey: true,
            found: `another name of ${other}, which is given too`,
          });
          copy.leaveOut(written);
          continue;
        }
        names ??= new Map();
        names.set(key, written);
      }
      copy.set(written, key, this.#entry(written, key, value, shape));
    }
    return copy.values;
  }

  /** What becomes of one key of a block; `undefined` where it is left out. */
  #entry(written: string, key: string, value: unknown, shape: BlockShape): unknown {
    if (value === undefined) return undefined;
    const field = shape.fields.get(key);
    if (field === undefined) {
      if (isHarmless(value, shape.harmless.get(key))) return undefined;
      if (this.#unsupported === undefined || !shape.unsupported.has(key)) return value;
      return this.#leaveOut(written, this.#unsupported);
    }
    // With every line below it commented out, a block that need not be given is not given.
    if (value === null && field.presence === "optional" && field.shape.type === "block") {
      return undefined;
    }
    if (isMap(value) && shape.unsupportedMaps.has(key)) {
      return this.#leaveOut(written, this.#unsupported ?? this.findings);
    }
    return this.#below(written, value, field.shape);
  }

  #leaveOut(written: string, where: Finding[]): undefined {
    where.push({ path: [...this.#path, written], atKey: true, found: NOT_SUPPORTED });
  }

  #below(step: Step, value: unknown, shape: Shape): unknown {
    this.#path.push(step);
    const prepared = this.#value(value, shape);
    this.#path.pop();
    return prepared;
  }

  #value(value: unknown, shape: Shape): unknown {
    if (typeof value === "string") return this.#text(value, shape);
    if (shape.type === "scalar") return value;
    if (shape.type === "list") {
      if (Array.isArray(value)) {
        return this.#list(value, shape.item);
      }
      if (!shape.orOne || value === null) return value;
      const item = this.#value(value, shape.item);
      return isMap(value) ? [item] : item;
    }
    if (shape.type === "map") return this.#map(value, shape);
    if (isMap(value)) {
      return shape.shared ? this.#sharedBlock(value, shape) : this.block(value, shape);
    }
    if (shape.short !== undefined && value !== null) return this.#short(value, shape, shape.short);
    // `log:` with every line below it commented out.
    return value === null ? {} : expand(value, shape);
  }

  #list(items: readonly unknown[], shape: Shape): readonly unknown[] {
    let copy: unknown[] | undefined;
    for (const [index, item] of items.entries()) {
      const prepared = this.#below(index, item, shape);
      if (prepared !== item) copy ??= [...items];
      if (copy !== undefined) copy[index] = prepared;
    }
    return copy ?? items;
  }

  #text(text: string, shape: Shape): unknown {
    if (shape.type === "block" && shape.short !== undefined) {
      return this.#short(text, shape, shape.short);
    }
    if (shape.type === "list" && shape.orOne) return [this.#text(text, shape.item)];
    if (this.#environment === undefined || !text.includes("${")) return expand(text, shape);
    const result = substitute(text, this.#environment, mayBeSecret(shape));
    if ("text" in result) return expand(result.text, shape);
    this.findings.push({ path: [...this.#path], found: result.problem, hint: result.hint });
    return text;
  }

  #short(value: unknown, shape: BlockShape, key: string): unknown {
    const field = shape.fields.get(key);
    return field === undefined ? value : { [key]: this.#value(value, field.shape) };
  }

  #sharedBlock(value: Readonly<Values>, shape: BlockShape): Readonly<Values> {
    const known = this.#shared.get(value);
    if (known?.shape === shape) return known.values;
    const values = this.block(value, shape);
    this.#shared.set(value, { shape, values });
    return values;
  }

  #map(value: unknown, shape: MapShape): unknown {
    if (shape.orNames && Array.isArray(value)) return this.#names(value);
    if (!isMap(value)) return value ?? {};
    const copy = new LazyCopy(value);
    for (const key of Object.keys(value)) {
      if (key === "__proto__") {
        // A program that reads it by assignments would drop it in silence.
        this.#find(key, { atKey: true, found: "not a usable name" });
        copy.leaveOut(key);
      } else if (!(value[key] instanceof KnownAccount)) {
        copy.set(key, key, this.#below(key, value[key], shape.value));
      } else copy.set(key, key, value[key]);
    }
    return copy.values;
  }

  #names(names: readonly unknown[]): Values {
    const seen = new Map<string, number>();
    for (const [index, name] of names.entries()) {
      const first = typeof name === "string" ? seen.get(name) : undefined;
      if (typeof name !== "string" || name === "__proto__") {
        this.#find(index, { expected: "a name", found: "something else" });
      } else if (first !== undefined) {
        this.#find(index, {
          expected: "every name once",
          found: `${JSON.stringify(name)}, which is number ${first + 1} already`,
        });
      } else seen.set(name, index);
    }
    return Object.fromEntries([...seen.keys()].map((name) => [name, {}]));
  }
}

/** What a scalar in the place of a block stands for, where it has another form; `undefined` for none. */
function expand(value: unknown, shape: Shape): unknown {
  if (shape.type !== "block" || shape.shortForm === undefined) return value;
  const expanded = shape.shortForm.expand(value);
  return expanded === undefined ? value : expanded ?? undefined;
}

/** Whether the value of an unsupported key asks for nothing. */
function isHarmless(value: unknown, harmless: readonly string[] | undefined): boolean {
  return harmless !== undefined && (typeof value === "string" || typeof value === "boolean") &&
    harmless.includes(String(value).toLowerCase());
}

/** Whether a text in the place of `shape` is a secret, or was meant for a key below it. */
function mayBeSecret(shape: Shape): boolean {
  if (shape.type === "list" && shape.orOne) return mayBeSecret(shape.item);
  return shape.type !== "scalar" || shape.kind.secret === true;
}

/** `path` with its keys as they are written in `raw`, where that is by another name. */
export function asWritten(path: Path, raw: unknown, root: BlockShape): Path {
  let value = raw;
  let shape: Shape | undefined = root;
  const written: (string | number)[] = [];
  for (const step of path) {
    let key = step;
    if (shape?.type === "block" && shape.short === step && !isMap(value)) {
      // The value stands where the block would.
      shape = shape.fields.get(shape.short)?.shape;
      continue;
    }
    // Nor is there anything deeper in another form of a block.
    if (shape?.type === "block" && shape.shortForm !== undefined && !isMap(value)) break;
    if (shape?.type === "map" && shape.orNames && Array.isArray(value)) {
      written.push(value.indexOf(step));
      break;
    }
    if (shape?.type === "list" && shape.orOne && !Array.isArray(value)) {
      shape = shape.item;
      continue;
    }
    if (shape?.type === "block" && isMap(value) && !Object.hasOwn(value, step)) {
      const here = value;
      for (const [alias, name] of shape.aliases) {
        if (name === step && Object.hasOwn(here, alias)) key = alias;
      }
    }
    written.push(key);
    value = stepInto(value, key);
    shape = shape?.type === "block"
      ? shape.fields.get(String(step))?.shape
      : shape?.type === "list"
      ? shape.item
      : shape?.type === "map"
      ? shape.value
      : undefined;
  }
  return written;
}

/** The value under `key`, or `undefined`. */
export function stepInto(value: unknown, key: string | number): unknown {
  if (Array.isArray(value)) return typeof key === "number" ? value[key] : undefined;
  return isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
