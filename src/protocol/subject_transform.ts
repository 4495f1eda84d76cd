/**
 * Making one subject of another.
 *
 * A transform has a source, which may have wildcards, and a destination, of which each token is a
 * literal, a reference to a wildcard of the source (`$1`, `{{wildcard(1)}}`) or the call of another
 * function, and the last may be `>` where the source's is. Strings are byte strings.
 *
 * @module
 */
import { hasWildcard, isValidSubscriptionSubject } from "./subject.ts";
import { TransformError } from "./transform_error.ts";
import {
  type Draw,
  looksLikeCall,
  type MakeToken,
  parseTokenFunction,
  type TokenFunction,
} from "./transform_token.ts";

/**
 * What a transform is for: `"mapping"` may call every function, `"import"` must be reversible, so
 * that it may only refer to wildcards, and to all of them.
 */
export type TransformKind = "mapping" | "import";

/** A token that a source without wildcards may have made: they read no `*`. */
const NEEDS_NO_WILDCARD: ReadonlySet<string> = new Set(["partition", "random"]);

/** A way from subjects that match a source to others. */
export class SubjectTransform {
  readonly #sourceTokens: readonly string[];
  readonly #destinationTokens: readonly (string | TokenFunction)[];
  readonly #make: readonly (string | MakeToken)[];
  /** How many tokens stand before the source's `>`; -1 where there is none. */
  readonly #tailStart: number;
  readonly #isConstant: boolean;

  private constructor(
    /** Which subjects it is for, as given. */
    readonly source: string,
    /** What it makes of them, as given. */
    readonly destination: string,
    functions: readonly (string | TokenFunction)[],
  ) {
    this.#sourceTokens = source.split(".");
    this.#destinationTokens = functions;
    this.#tailStart = this.#sourceTokens.at(-1) === ">" ? this.#sourceTokens.length - 1 : -1;
    const positions = hasWildcard(source) ? wildcardPositions(this.#sourceTokens) : null;
    const made = this.#tailStart === -1 ? functions : functions.slice(0, -1);
    this.#make = made.map((token) => typeof token === "string" ? token : token.compile(positions));
    this.#isConstant = this.#tailStart === -1 && made.every((token) => typeof token === "string");
  }

  /**
   * Compiles a transform.
   *
   * @param source Subject to match, with or without wildcards.
   * @param destination Subject to make of it.
   * @throws {TransformError} when there can be none.
   */
  static compile(source: string, destination: string, kind: TransformKind): SubjectTransform {
    checkSubject(source);
    checkDestination(destination);
    const sourceTokens = source.split("."), tokens = destination.split(".");
    const hasTail = sourceTokens.at(-1) === ">";
    if (hasTail !== (tokens.at(-1) === ">")) {
      throw new TransformError('">" must end both the source and the destination', destination);
    }
    const wildcardCount = wildcardPositions(sourceTokens).length;
    const functions = tokens.map((token) => {
      const call = parseTokenFunction(token);
      if (call === null) return token;
      if (kind === "import" && call.name !== "wildcard") {
        throw new TransformError(
          "the only function allowed for import transforms is {{wildcard()}}",
          token,
        );
      }
      const isLiteral = wildcardCount === 0 && !hasTail;
      if (isLiteral && NEEDS_NO_WILDCARD.has(call.name)) return call;
      if (isLiteral || call.wildcards.some((index) => index > wildcardCount)) {
        throw new TransformError("wildcard index out of range", token);
      }
      return call;
    });
    const referenceCount = functions.filter((token) => typeof token !== "string").length;
    if (kind === "import" && referenceCount < wildcardCount) {
      throw new TransformError("not using all of the token wildcard(s)", destination);
    }
    return new SubjectTransform(source, destination, functions);
  }

  /**
   * What becomes of `subject`, or `null` when the source does not match it.
   *
   * @param subject A message's subject.
   * @param random Chance, for `{{random(n)}}`; not needed by transforms of kind `"import"`.
   */
  apply(subject: string, random: Draw = first): string | null {
    const tokens = subject.split(".");
    return matchesTokens(this.#sourceTokens, tokens) ? this.#transform(tokens, random) : null;
  }

  /**
   * What becomes of the subject of a subscription, wildcards included.
   *
   * @param pattern A subject all of whose messages the source matches.
   */
  applyToPattern(pattern: string): string {
    return this.#transform(pattern.split("."), first);
  }

  /** Whether the source matches a message's subject. */
  matches(subject: string): boolean {
    return matchesTokens(this.#sourceTokens, subject.split("."));
  }

  #transform(tokens: readonly string[], random: Draw): string {
    if (this.#isConstant) return this.destination;
    let text = "";
    for (let i = 0; i < this.#make.length; i++) {
      const make = this.#make[i] as string | MakeToken;
      if (i > 0) text += ".";
      text += typeof make === "string" ? make : make(tokens, random);
    }
    if (this.#tailStart === -1) return text;
    for (let i = this.#tailStart; i < tokens.length; i++) {
      if (i > this.#tailStart || this.#make.length > 0) text += ".";
      text += tokens[i] as string;
    }
    return text;
  }

  /**
   * The way back, of a transform of kind `"import"`: what it makes of a subject, this one makes the
   * same subject of again.
   */
  reverse(): SubjectTransform {
    // Where each wildcard of the source is found in the destination: at which of its references.
    const references: number[] = [];
    const source = this.#destinationTokens.map((token) => {
      if (typeof token === "string") return token;
      references.push(token.wildcards[0] as number);
      return "*";
    });
    let wildcard = 0;
    const destination = this.#sourceTokens.map((token) => {
      if (token !== "*") return token;
      wildcard++;
      const reference = references.indexOf(wildcard);
      return `$${(reference === -1 ? wildcard - 1 : reference) + 1}`;
    });
    return SubjectTransform.compile(source.join("."), destination.join("."), "mapping");
  }
}

/** Stands for chance where nothing is chosen. */
function first(): number {
  return 0;
}

/** `subject` with its wildcards numbered: `a.*.b.*` becomes `a.$1.b.$2`. */
export function numberWildcards(subject: string): string {
  let count = 0;
  return subject.split(".").map((token) => token === "*" ? `$${++count}` : token).join(".");
}

/**
 * The subject with wildcards that everything a destination makes matches: `b.$2.{{wildcard(1)}}`
 * becomes `b.*.*`. Only for destinations of kind `"import"`.
 *
 * @throws {TransformError} when a token is a call of no function.
 */
export function destinationPattern(destination: string): string {
  return destination.split(".").map((token) => parseTokenFunction(token) === null ? token : "*")
    .join(".");
}

/** Where in a subject's tokens `*` stands. */
function wildcardPositions(tokens: readonly string[]): number[] {
  const positions: number[] = [];
  tokens.forEach((token, index) => {
    if (token === "*") positions.push(index);
  });
  return positions;
}

/**
 * Whether a source matches a message's subject. A `>` in the latter never matches a wildcard of the
 * source, as in nats-server.
 */
function matchesTokens(source: readonly string[], tokens: readonly string[]): boolean {
  for (let i = 0; i < source.length; i++) {
    const wanted = source[i], token = tokens[i];
    if (token === undefined || token === "" || token === ">") return false;
    if (wanted === ">") return !tokens.includes("", i);
    if (wanted !== "*" && wanted !== token) return false;
  }
  return source.length === tokens.length;
}

function checkSubject(subject: string): void {
  if (!isValidSubscriptionSubject(subject) || hasBlank(subject)) {
    throw new TransformError("not a valid subject", subject);
  }
}

function checkDestination(destination: string): void {
  if (!isValidSubscriptionSubject(destination)) {
    throw new TransformError("not a valid subject", destination);
  }
  for (const token of destination.split(".")) {
    if (token === "*") {
      throw new TransformError('"*" must be written as $1, $2 and so on', destination);
    }
    if (!looksLikeCall(token) && hasBlank(token)) {
      throw new TransformError("not a valid subject", destination);
    }
  }
}

function hasBlank(text: string): boolean {
  return /[\t\n\f\r ]/.test(text);
}
