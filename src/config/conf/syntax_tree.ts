/**
 * Reads a text in nats-server's configuration format into a tree that keeps everything that is said,
 * and where.
 *
 * @module
 */
import type { ConfFile } from "./origin.ts";
import { type Builder, parseInto, type ParseProblems } from "./parser.ts";
import type {
  EntrySyntax,
  IncludeSyntax,
  ListSyntax,
  MapSyntax,
  ScalarSyntax,
  ValueSyntax,
  VariableSyntax,
} from "./syntax.ts";

/** What a text says, and what is wrong with it. */
export interface Parsed extends ParseProblems {
  /** Its entries, without those that could not be read. */
  readonly root: MapSyntax;
}

/**
 * Parses a file. Never throws; takes time in proportion to its length.
 *
 * @param limit How many problems are looked for.
 */
export function parseConf(file: ConfFile, limit: number): Parsed {
  const builder = new TreeBuilder(file), root = builder.beginMap(0);
  return { root, ...parseInto(file, builder, root, limit) };
}

interface OpenMap extends MapSyntax {
  readonly entries: (EntrySyntax | IncludeSyntax)[];
}

interface OpenList extends ListSyntax {
  readonly items: ValueSyntax[];
}

class TreeBuilder implements Builder<ValueSyntax, OpenMap, OpenList> {
  readonly #file: ConfFile;

  constructor(file: ConfFile) {
    this.#file = file;
  }

  beginMap(at: number): OpenMap {
    return { type: "map", entries: [], file: this.#file, at };
  }

  beginList(at: number): OpenList {
    return { type: "list", items: [], file: this.#file, at };
  }

  key(): void {}

  entry({ entries }: OpenMap, key: string, value: ValueSyntax, at: number): void {
    entries.push({ type: "entry", key, value, file: this.#file, at });
  }

  include({ entries }: OpenMap, path: string, at: number): void {
    entries.push({ type: "include", path, file: this.#file, at });
  }

  item({ items }: OpenList, value: ValueSyntax): void {
    items.push(value);
  }

  endMap(map: OpenMap): MapSyntax {
    return map;
  }

  endList(list: OpenList): ListSyntax {
    return list;
  }

  scalar(syntax: ScalarSyntax | VariableSyntax): ScalarSyntax | VariableSyntax {
    return syntax;
  }
}
