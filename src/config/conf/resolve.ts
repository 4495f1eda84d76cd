/**
 * Puts variables and includes in their place.
 *
 * @module
 */
import type { Environment } from "../environment.ts";
import type { Position } from "../positions.ts";
import { ConfFile, type Origin } from "./origin.ts";
import { parseConf } from "./syntax_tree.ts";
import type {
  IncludeSyntax,
  MapSyntax,
  SyntaxProblem,
  ValueSyntax,
  VariableSyntax,
} from "./syntax.ts";
import type { ConfEntry, ConfNode, MapNode } from "./tree.ts";

/** A file that was read and parsed. */
export interface SourceFile {
  /** The file. */
  readonly file: ConfFile;
  /** What it says. */
  readonly root: MapSyntax;
  /** The files that it includes, by path as it is written, those left out that cannot be read. */
  readonly includes: ReadonlyMap<string, SourceFile>;
}

/** Something that is wrong, or strange, and where. */
export interface PlacedProblem extends SyntaxProblem, Origin {}

/** A configuration in one piece. */
export interface Resolved {
  /** What it says. */
  readonly root: MapNode;
  /** Variables and includes that could not be put in their place. */
  readonly problems: readonly PlacedProblem[];
  /** Keys that are given twice. */
  readonly oddities: readonly PlacedProblem[];
}

/**
 * Puts variables and includes in their place.
 *
 * A variable stands for the key of its name that was given before it, in the innermost map first, or
 * else for the environment variable, whose text is read like a value in a file. An included file sees
 * no keys of the file that includes it.
 */
export function resolveConf(main: SourceFile, environment: Environment): Resolved {
  const resolver = new Resolver(environment);
  const root = resolver.resolveFile(main);
  return { root, problems: resolver.problems, oddities: resolver.oddities };
}

type Entries = Map<string, ConfEntry>;

/** Of the texts of environment variables, what makes them the value of a key. */
const ENVIRONMENT_KEY = "value";

class Resolver {
  readonly problems: PlacedProblem[] = [];
  readonly oddities: PlacedProblem[] = [];
  readonly #environment: Environment;
  /** What included files say; each is resolved once. */
  readonly #included = new Map<SourceFile, MapNode>();
  /** The files that are being resolved, each included by the one before it. */
  readonly #open: SourceFile[] = [];
  /** The environment variables that are being resolved. */
  readonly #variables = new Set<string>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  resolveFile(source: SourceFile): MapNode {
    this.#open.push(source);
    const node = this.#map(source.root, source, []);
    this.#open.pop();
    return node;
  }

  #map(syntax: MapSyntax, source: SourceFile, outer: readonly Entries[]): MapNode {
    const { file, at } = syntax;
    const entries: Entries = new Map();
    const scopes = [...outer, entries];
    let repeats: (readonly [key: string, before: ConfEntry])[] | undefined;
    for (const entry of syntax.entries) {
      if (entry.type === "include") {
        this.#include(entry, source, entries);
        continue;
      }
      const { key, at } = entry;
      const before = entries.get(key);
      if (before?.file === file) (repeats ??= []).push([key, before]);
      const value = this.#value(entry.value, source, scopes);
      entries.set(key, { value, used: false, file, at });
    }
    for (const [key, before] of repeats ?? []) {
      // A variable may have one value after another.
      if (before.used) continue;
      const last = entries.get(key) ?? before;
      const { line } = last.file.positionOf(last.at);
      const where = last.file === file ? `line ${line}` : `${last.file.source}:${line}`;
      const found = `given again in ${where}, which counts`;
      this.oddities.push({ file, at: before.at, found });
    }
    return { type: "map", entries, file, at };
  }

  #include(include: IncludeSyntax, source: SourceFile, entries: Entries): void {
    const included = source.includes.get(include.path);
    // That it cannot be read is reported already.
    if (included === undefined) return;
    if (this.#open.includes(included)) {
      const chain = [...this.#open.slice(this.#open.indexOf(included)), included];
      this.problems.push({
        file: include.file,
        at: include.at,
        found: `an include that never ends: ${chain.map(({ file }) => file.source).join(" -> ")}`,
      });
      return;
    }
    let node = this.#included.get(included);
    if (node === undefined) {
      node = this.resolveFile(included);
      this.#included.set(included, node);
    }
    for (const [key, entry] of node.entries) entries.set(key, { ...entry });
  }

  #value(syntax: ValueSyntax, source: SourceFile, scopes: readonly Entries[]): ConfNode {
    switch (syntax.type) {
      case "map":
        return this.#map(syntax, source, scopes);
      case "list": {
        const { type, file, at } = syntax;
        const items = syntax.items.map((item) => this.#value(item, source, scopes));
        return { type, items, file, at };
      }
      case "variable":
        return this.#variable(syntax, scopes);
      default:
        return syntax;
    }
  }

  #variable(syntax: VariableSyntax, scopes: readonly Entries[]): ConfNode {
    const { name, file, at } = syntax;
    const entry = scopes.findLast((entries) => entries.has(name))?.get(name);
    if (entry !== undefined) {
      entry.used = true;
      return { ...entry.value, file, at };
    }
    const text = this.#environment(name);
    if (text !== undefined) return this.#fromEnvironment(name, text, { file, at });
    const shown = /^[A-Za-z_][\w.-]{0,60}$/.test(name) ? ` ${name}` : "";
    this.problems.push({
      file,
      at,
      found: `the variable${shown} is neither a key given before nor in the environment`,
      hint: /^2[abxy]?\$/.test(name)
        ? "a bcrypt hash must be quoted"
        : "a text that begins with $ must be quoted",
    });
    return { type: "missing", file, at };
  }

  #fromEnvironment(name: string, text: string, { file, at }: Origin): ConfNode {
    if (isBlankText(text)) return { type: "string", text: "", file, at };
    const refuse = (found: string, hint?: string): ConfNode => {
      const whole = `the environment variable ${name} cannot be read as a value: ${found}`;
      this.problems.push({ file, at, found: whole, hint });
      return { type: "missing", file, at };
    };
    if (this.#variables.has(name)) return refuse("it refers to itself");
    const variable = new VariableText({ file, at }, `${ENVIRONMENT_KEY}=${text}`);
    const { root, syntax, problem } = parseVariable(variable);
    if (problem !== undefined) return refuse(problem.found, problem.hint);
    if (syntax === undefined) return refuse("nothing is in it");
    this.#variables.add(name);
    const source: SourceFile = { file: variable, root, includes: new Map() };
    const value = this.#value(syntax, source, []);
    this.#variables.delete(name);
    return { ...value, file, at };
  }
}

/** What is said by a text of an environment variable with its key before it. */
function parseVariable(variable: ConfFile) {
  const { root, problems: [problem] } = parseConf(variable, 1);
  const entry = root.entries.findLast((item) =>
    item.type === "entry" && item.key === ENVIRONMENT_KEY
  );
  return { root, problem, syntax: entry?.type === "entry" ? entry.value : undefined };
}

/** What the text of an environment variable says; `undefined` where nothing can be made of it. */
export function environmentSyntax(
  name: string,
  environment: Environment,
): ValueSyntax | undefined {
  const text = environment(name);
  if (text === undefined) return undefined;
  const file = new ConfFile("", `${ENVIRONMENT_KEY}=${text}`);
  if (isBlankText(text)) return { type: "string", text: "", file, at: 0 };
  const { problem, syntax } = parseVariable(file);
  return problem === undefined ? syntax : undefined;
}

function isBlankText(text: string): boolean {
  return /^[ \t]*$/.test(text);
}

/** The text of an environment variable: everything in it stands where the variable is used. */
class VariableText extends ConfFile {
  readonly #reference: Origin;

  constructor(reference: Origin, text: string) {
    super(reference.file.source, text);
    this.#reference = reference;
  }

  override positionOf(): Position {
    return this.#reference.file.positionOf(this.#reference.at);
  }
}
