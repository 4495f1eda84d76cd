/**
 * Accounts that are known to be right because they were checked before: nothing looks into them again.
 *
 * @module
 */
import type { AccountConfig } from "./types.ts";
import type { UserNames } from "./users_section.ts";

/** What of an account is compared with other accounts. */
export interface AccountFacts {
  /** Its name. */
  readonly name: string;
  /** The names or keys of its users, each of which is a line. */
  readonly users: string;
  /** What it exports and imports, and how subjects are mapped, where any of that is so. */
  readonly exchange: Exchange | null;
}

type Exchange = Pick<AccountConfig, "exports" | "imports" | "mappings">;

/** Up to so many users are looked for without an index. */
const FEW = 64;

/**
 * An account in the place of what is written of it, and of what the schema makes of that: to rules it
 * is who and what it says there is.
 */
export class KnownAccount implements Exchange {
  /** The name. */
  readonly name: string;
  /** See {@link AccountFacts.users}. */
  readonly lines: string;
  /** What others may have. */
  readonly exports: Exchange["exports"];
  /** What it has of others. */
  readonly imports: Exchange["imports"];
  /** How subjects are mapped. */
  readonly mappings: Exchange["mappings"];

  /** The account of these facts. */
  constructor({ name, users, exchange }: AccountFacts) {
    this.name = name;
    this.lines = users;
    this.exports = exchange?.exports;
    this.imports = exchange?.imports;
    this.mappings = exchange?.mappings;
  }

  /** Its users; one that has an nkey goes by that as a name. */
  get users(): UserNames[] {
    return this.lines === "" ? [] : this.lines.split("\n").map((user) => ({ user }));
  }
}

/** Those of `identities` that users of known accounts have, each with its place. */
export function* knownUsers(
  accounts: readonly KnownAccount[],
  identities: readonly string[],
): Generator<{ readonly identity: string; readonly name: string; readonly index: number }> {
  if (accounts.length === 0 || identities.length === 0) return;
  const text = `\n${accounts.map(({ lines }) => lines).join("\n")}\n`;
  // Of the very many users of an account in which one has changed, few are looked for.
  const index = identities.length > FEW ? new Set(text.split("\n")) : null;
  for (const identity of identities) {
    const isThere = index === null ? text.includes(`\n${identity}\n`) : index.has(identity);
    if (!isThere) continue;
    for (const { name, users } of accounts) {
      const index = users.findIndex(({ user }) => user === identity);
      if (index >= 0) yield { identity, name, index };
    }
  }
}
