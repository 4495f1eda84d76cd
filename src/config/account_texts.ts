/**
 * Accounts by their text: what is written as it was before is what it was before, and need not be
 * parsed and checked again. It is compared with the text itself, so that this is no guess.
 *
 * @module
 */
import type { EntryReader, KnownEntry } from "./entry_reader.ts";
import { type AccountFacts, KnownAccount } from "./known_account.ts";
import type { AccountConfig } from "./types.ts";
import { identityOf } from "./users_section.ts";

/** Where the accounts of a file stand whose text alone tells what they are. */
export interface AccountTexts {
  /** The text of the file, in UTF-8; it is moved from thread to thread, so that there is one of it. */
  readonly text: Uint8Array<ArrayBuffer>;
  /** The names of the accounts. */
  readonly names: readonly string[];
  /** From where to where in the text each of them stands, in pairs of offsets in UTF-16. */
  readonly spans: Uint32Array;
}

/** The facts of an account. */
export function factsOf(
  name: string,
  { users, exports, imports, mappings }: AccountConfig,
): AccountFacts {
  const none = exports === undefined && imports === undefined && mappings === undefined;
  return {
    name,
    users: users.map(identityOf).join("\n"),
    exchange: none ? null : {
      ...(exports && { exports }),
      ...(imports && { imports }),
      ...(mappings && { mappings }),
    },
  };
}

/** Accounts that were read before, as another thread knows them. */
export class KnownAccounts {
  readonly #text: string;
  readonly #spans = new Map<string, readonly [from: number, to: number]>();
  readonly #facts: ReadonlyMap<string, AccountFacts>;

  /** Accounts without facts count as not known. */
  constructor({ text, names, spans }: AccountTexts, facts: ReadonlyMap<string, AccountFacts>) {
    this.#text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(text);
    for (const [index, name] of names.entries()) {
      const from = spans[2 * index], to = spans[2 * index + 1];
      if (from !== undefined && to !== undefined) this.#spans.set(name, [from, to]);
    }
    this.#facts = facts;
  }

  /** The account `name`, if what is written from `from` on in `text` is all that was written of it. */
  find(name: string, text: string, from: number): KnownEntry | undefined {
    const span = this.#spans.get(name), facts = this.#facts.get(name);
    if (span === undefined || facts === undefined) return undefined;
    const to = from + span[1] - span[0];
    if (text.slice(from, to) !== this.#text.slice(...span)) return undefined;
    return { to, value: new KnownAccount(facts) };
  }
}

/** Takes down where accounts stand while a text is read, and passes over those that are known. */
export class AccountReader implements EntryReader {
  /** See {@link EntryReader.key}. */
  readonly key = "accounts";
  /** The names of the accounts that were passed over. */
  readonly kept = new Set<string>();
  readonly #text: string;
  readonly #known: KnownAccounts | null;
  readonly #names: string[] = [];
  readonly #spans: number[] = [];
  /** Where the next variable is. */
  #variableAt = -1;

  /** Reads `text`. */
  constructor(text: string, known: KnownAccounts | null) {
    this.#text = text;
    this.#known = known;
  }

  /** See {@link EntryReader.known}. */
  known(name: string, from: number): KnownEntry | undefined {
    return this.#known?.find(name, this.#text, from);
  }

  /** See {@link EntryReader.passed}. */
  passed(name: string, from: number, to: number): void {
    this.kept.add(name);
    this.#add(name, from, to);
  }

  /** See {@link EntryReader.read}. */
  read(name: string, from: number, to: number): void {
    if (this.#variableAt < from) {
      const next = this.#text.indexOf("${", from);
      this.#variableAt = next < 0 ? this.#text.length : next;
    }
    // What a variable stands for may be something else next time.
    if (this.#variableAt >= to) this.#add(name, from, to);
  }

  #add(name: string, from: number, to: number): void {
    this.#names.push(name);
    this.#spans.push(from, to);
  }

  /** What is known from now on, without the accounts `except`. */
  texts(except: ReadonlySet<unknown> = new Set()): AccountTexts {
    const kept = this.#names.flatMap((name, index) => except.has(name) ? [] : [index]);
    return {
      text: new TextEncoder().encode(this.#text),
      names: kept.map((index) => this.#names[index]!),
      spans: Uint32Array.from(
        kept.flatMap((index) => [this.#spans[2 * index]!, this.#spans[2 * index + 1]!]),
      ),
    };
  }
}
