/**
 * What a reader of YAML tells of the entries of one map, for whoever knows them already.
 *
 * @module
 */

/** The value of an entry that was read before. */
export interface KnownEntry {
  /** Its value. */
  readonly value: unknown;
  /** Where its text ends, which is the beginning of a line. */
  readonly to: number;
}

/**
 * Is told of the entries of one map at the top of a text, where that is written in lines. The text of
 * an entry is made of whole lines, from that of its key to the next one that has something else in it.
 */
export interface EntryReader {
  /** The key of the map. */
  readonly key: string;
  /** The entry `name`, if it is known, and all of its text stands from `from` on. */
  known(name: string, from: number): KnownEntry | undefined;
  /** An entry was known, and was passed over. */
  passed(name: string, from: number, to: number): void;
  /** An entry was read: its value is that of its text, and neither takes an anchor nor gives one. */
  read(name: string, from: number, to: number): void;
}
