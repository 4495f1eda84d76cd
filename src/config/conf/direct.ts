/**
 * Reads a configuration in nats-server's format at once into the form that the schema checks, without
 * a tree of what was written: that of ten thousand accounts takes more memory than their broker. In a
 * text that has anything to be told of it, or keys that are given twice, this reader gives up; then it
 * is for the one that knows where everything stands.
 *
 * @module
 */
import { FileError } from "../../platform/mod.ts";
import type { Environment } from "../environment.ts";
import type { BlockShape, MapShape, Shape } from "../shape.ts";
import { cleanPath, FILE_LIMIT, LENGTH_LIMIT, pathFrom } from "./files.ts";
import { ConfFile } from "./origin.ts";
import { type Builder, parseInto, parseValueAt } from "./parser.ts";
import { environmentSyntax } from "./resolve.ts";
import type { ScalarSyntax, VariableSyntax } from "./syntax.ts";
import {
  anyText,
  hasUser,
  mayStandFor,
  put,
  scalarText,
  settingOf,
  shapeStoodFor,
  VALUE_LIMIT,
} from "./values.ts";

/** How deep files may include each other, and variables stand for others. */
const DEPTH_LIMIT = 10;

type Values = Record<string, unknown>;

/** Something is to be told of the text, or it says something that is not read here. */
class Unread extends Error {}

/**
 * The values of a configuration with all that it includes, as `writeValues` makes them; `undefined` where
 * another has to read it, as where an included file cannot be read.
 *
 * @param path What the file is called; includes are looked for from its folder.
 * @param readText Reads an included file; throws {@link FileError} when that cannot be done.
 */
export async function readDirectly(
  path: string,
  text: string,
  shape: BlockShape,
  readText: (path: string) => Promise<string>,
  environment: Environment,
): Promise<Readonly<Values> | undefined> {
  const main = new ConfFile(cleanPath(path), text);
  const files = new Map<string, ConfFile>([[main.source, main]]);
  let length = text.length;
  // Files that are found missing are read, and then everything is read again.
  for (let round = 0; round <= DEPTH_LIMIT; round++) {
    const reading = new DirectReading(files, shape, environment);
    const values = reading.read(main);
    if (reading.missing.size === 0) return values;
    if (files.size + reading.missing.size > FILE_LIMIT) return undefined;
    for (const source of reading.missing) {
      try {
        const file = new ConfFile(source, await readText(source));
        length += file.text.length;
        if (length > LENGTH_LIMIT) return undefined;
        files.set(source, file);
      } catch (error) {
        if (error instanceof FileError) return undefined;
        throw error;
      }
    }
  }
  return undefined;
}

/** What a value is read for: a shape, or what no shape says more about, perhaps in a list of such. */
type Purpose = Shape | "any" | "any item";

/** Which keys variables may stand for: those in a range, or else those below. */
interface Scope {
  readonly from: number;
  readonly to: number;
  readonly below: Scope | null;
}

/** A map that is being read; of one without shape only the keys are kept. */
interface OpenMap {
  readonly shape: BlockShape | MapShape | null;
  readonly values: Values;
  /** How many keys are in the maps around it. */
  readonly start: number;
  /** The key, as it is in `values`, whose value is read. */
  key: string;
}

/** A list that is being read. */
interface OpenList {
  readonly items: unknown[];
  /** What the items are for. */
  readonly purpose: Purpose;
  /** Whether it stands in a list of which no shape says more; then it is not told what is in it. */
  readonly inList: boolean;
}

/** One reading of a configuration. */
class DirectReading implements Builder<unknown, OpenMap, OpenList> {
  /** The paths of files that are included and not known yet. */
  readonly missing = new Set<string>();
  readonly #known: ReadonlyMap<string, ConfFile>;
  readonly #shape: BlockShape;
  readonly #accounts: Shape | undefined;
  readonly #environment: Environment;
  /** Files that are being read, each for the sake of the one before it. */
  readonly #open: ConfFile[] = [];
  /** The keys of all maps that are being read, where the value of each stands, and what it can see. */
  readonly #keys: string[] = [];
  readonly #valuesAt: number[] = [];
  readonly #files: ConfFile[] = [];
  readonly #scopes: Scope[] = [];
  /** What was made of the values of keys for variables. */
  readonly #readings = new Map<number, { readonly purpose: Purpose; readonly value: unknown }>();
  /** Where in `#keys` each key is. */
  readonly #places = new Map<string, number[]>();
  /** Which of `#keys` variables stand for. */
  readonly #used = new Set<number>();
  /** Whether there may be variables, so that keys are kept. */
  readonly #hasVariables: boolean;
  #scope: Scope = { from: 0, to: Infinity, below: null };
  #purpose: Purpose = "any";
  #count = 0;

  constructor(
    known: ReadonlyMap<string, ConfFile>,
    shape: BlockShape,
    environment: Environment,
  ) {
    this.#known = known;
    this.#hasVariables = [...known.values()].some(({ text }) => text.includes("$"));
    this.#shape = shape;
    this.#accounts = shape.fields.get("accounts")?.shape;
    this.#environment = environment;
  }

  /** The values; `undefined` where they are not read here, or not yet if files are missing. */
  read(main: ConfFile): Values | undefined {
    try {
      const root = this.#newMap(this.#shape);
      this.#readFile(main, root);
      this.endMap(root);
      return root.values;
    } catch (error) {
      if (error instanceof Unread) return undefined;
      throw error;
    }
  }

  #readFile(file: ConfFile, root: OpenMap): void {
    this.#within(file, null, () => {
      const { problems, oddities } = parseInto(file, this, root, 1);
      if (problems.length > 0 || oddities.length > 0) throw new Unread();
    });
  }

  /** Runs `read`, which reads in `file` and sees the keys of `below` beside those that it reads. */
  #within<Result>(file: ConfFile, below: Scope | null, read: () => Result): Result {
    if (this.#open.length > DEPTH_LIMIT) throw new Unread();
    const scope = this.#scope;
    this.#scope = { from: this.#keys.length, to: Infinity, below };
    this.#open.push(file);
    const result = read();
    this.#open.pop();
    this.#scope = scope;
    return result;
  }

  beginMap(): OpenMap {
    const purpose = this.#purposeOf("map");
    const fits = typeof purpose === "object" &&
      (purpose.type === "block" || purpose.type === "map");
    return this.#newMap(fits ? purpose : null);
  }

  #newMap(shape: OpenMap["shape"]): OpenMap {
    return { shape, values: {}, start: this.#keys.length, key: "" };
  }

  key(map: OpenMap, written: string): void {
    const { shape, values } = map;
    if (shape?.type === "block") {
      const { key, field, known } = settingOf(written, shape);
      map.key = known ? key : written;
      this.#purpose = field?.shape ?? "any";
    } else {
      map.key = written;
      this.#purpose = shape?.value ?? "any";
    }
    if (Object.hasOwn(values, map.key)) throw new Unread();
  }

  entry(map: OpenMap, written: string, value: unknown, _at: number, valueAt: number): void {
    this.#countValue();
    put(map.values, map.key, value);
    if (!this.#hasVariables) return;
    const place = this.#keys.length, places = this.#places.get(written);
    if (places === undefined) this.#places.set(written, [place]);
    else places.push(place);
    this.#keys.push(written);
    this.#valuesAt.push(valueAt);
    this.#files.push(this.#file);
    this.#scopes.push(this.#scope);
  }

  endMap(map: OpenMap): Values {
    const { start, shape, values } = map;
    if (this.#used.size > 0) this.#leaveOutVariables(map);
    for (let place = this.#keys.length - 1; place >= start; place--) {
      this.#places.get(this.#keys[place] ?? "")?.pop();
      this.#readings.delete(place);
    }
    this.#keys.length = this.#valuesAt.length = this.#files.length = start;
    this.#scopes.length = start;
    return shape === null ? {} : values;
  }

  /** Leaves out what is no setting of its own, but was given for variables. */
  #leaveOutVariables({ start, shape, values }: OpenMap): void {
    for (let place = start; place < this.#keys.length; place++) {
      const written = this.#keys[place] ?? "";
      if (!this.#used.delete(place)) continue;
      if (shape?.type === "block") {
        const { key, name, known } = settingOf(written, shape);
        if (!known) delete values[written];
        else if (name === "password" && !hasUser(this.#keys.slice(start))) delete values[key];
      } else if (shape !== null && shape === this.#accounts) delete values[written];
    }
  }

  beginList(): OpenList {
    const purpose = this.#purposeOf("list");
    const fits = typeof purpose === "object" && purpose.type === "list";
    const list: OpenList = {
      items: [],
      purpose: fits ? purpose.item : "any item",
      inList: purpose === "any item",
    };
    this.#purpose = list.purpose;
    return list;
  }

  item({ items, purpose }: OpenList, value: unknown): void {
    this.#countValue();
    items.push(value);
    this.#purpose = purpose;
  }

  endList({ items, inList }: OpenList): unknown {
    return inList ? {} : items;
  }

  scalar(syntax: ScalarSyntax | VariableSyntax): unknown {
    if (syntax.type === "variable") return this.#variable(syntax);
    const purpose = this.#purposeOf(syntax.type);
    if (purpose === "any") return anyText(syntax);
    if (purpose === "any item") return syntax.text;
    const text = purpose.type === "scalar"
      ? scalarText(syntax, purpose.kind)
      : mayStandFor(syntax, purpose)
      ? syntax.text
      : undefined;
    if (text === undefined) throw new Unread();
    return text;
  }

  include(map: OpenMap, path: string): void {
    const target = pathFrom(this.#file.source, path), file = this.#known.get(target);
    if (file === undefined) {
      this.missing.add(target);
      return;
    }
    if (this.#open.includes(file)) throw new Unread();
    this.#countValue();
    this.#readFile(file, map);
  }

  get #file(): ConfFile {
    const file = this.#open.at(-1);
    if (file === undefined) throw new TypeError("no file is being read");
    return file;
  }

  /** What a value of that type is read for. */
  #purposeOf(type: ScalarSyntax["type"] | "map" | "list"): Purpose {
    let purpose = this.#purpose;
    while (typeof purpose === "object") {
      const stoodFor = shapeStoodFor(purpose, type);
      if (stoodFor === undefined) break;
      purpose = stoodFor;
    }
    return purpose;
  }

  #countValue(): void {
    if (++this.#count > VALUE_LIMIT) throw new Unread();
  }

  #variable({ name }: VariableSyntax): unknown {
    const place = this.#placeOf(name);
    if (place !== undefined) {
      this.#used.add(place);
      return this.#readAgain(place);
    }
    // It may be in one of the files that are not known yet.
    if (this.missing.size > 0) return "";
    const syntax = environmentSyntax(name, this.#environment);
    if (syntax === undefined || !("text" in syntax)) throw new Unread();
    return this.scalar(syntax);
  }

  /** Where the key is that a variable stands for. */
  #placeOf(name: string): number | undefined {
    const places = this.#places.get(name);
    if (places === undefined) return undefined;
    for (let scope: Scope | null = this.#scope; scope !== null; scope = scope.below) {
      const { from, to } = scope;
      const place = places.findLast((place) => place >= from && place < to);
      if (place !== undefined) return place;
    }
    return undefined;
  }

  /** The value of a key, for another purpose; the same one for the same purpose. */
  #readAgain(place: number): unknown {
    const file = this.#files[place], at = this.#valuesAt[place], scope = this.#scopes[place];
    if (file === undefined || at === undefined || scope === undefined) throw new Unread();
    const purpose = this.#purpose, known = this.#readings.get(place);
    if (known?.purpose === purpose) return known.value;
    const below = { ...scope, to: place };
    const value = this.#within(file, below, () => parseValueAt(file, at, this));
    this.#readings.set(place, { purpose, value });
    return value;
  }
}
