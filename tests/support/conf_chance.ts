/**
 * What made-up configurations are made of: values, names, and what is drawn from chance.
 *
 * @module
 */
import type { Random } from "../../src/platform/mod.ts";
import type { ConfMap, ConfValue } from "./conf_text.ts";

/** A key and its value. */
export type Entry = readonly [key: string, value: ConfValue];

/** A text. */
export const string = (string: string): ConfValue => ({ string });
/** A whole number. */
export const integer = (integer: number | bigint): ConfValue => ({ integer: String(integer) });
/** A switch. */
export const boolean = (boolean: boolean): ConfValue => ({ boolean });
/** A list. */
export const list = (list: readonly ConfValue[]): ConfValue => ({ list });
/** A map. */
export const map = (map: readonly Entry[]): ConfMap => ({ map });

/** What a setting may be. */
export interface Setting {
  /** Its names. */
  readonly names: readonly string[];
  /** A good value. */
  readonly value: (chance: Chance) => ConfValue;
  /** A value of the right type that is wrong. */
  readonly wrong?: (chance: Chance) => ConfValue;
}

/** What is drawn from chance. */
export class Chance {
  /** Where it comes from. */
  readonly random: Random;
  #names = 0;

  /** Draws from `random`. */
  constructor(random: Random) {
    this.random = random;
  }

  /** True with that probability. */
  of(share: number): boolean {
    return this.random.next() < share;
  }

  /** One of some items. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.random.below(items.length)];
    if (item === undefined) throw new TypeError("nothing to choose from");
    return item;
  }

  /** Some of some items, in their order. */
  some<T>(items: readonly T[], share = 0.4): T[] {
    return items.filter(() => this.of(share));
  }

  /** A name that no other is like. */
  name(prefix: string): string {
    return `${prefix}${++this.#names}`;
  }

  /** So many things as there happen to be. */
  times<T>(min: number, max: number, make: () => T): T[] {
    return Array.from({ length: min + this.random.below(max - min + 1) }, make);
  }

  /** A subject, possibly with wildcards. */
  subject(): string {
    const tokens = this.times(1, 3, () => this.pick(["foo", "bar", "orders", "x1", "*"]));
    return [...tokens, ...(this.of(0.2) ? [">"] : [])].join(".");
  }

  /** A subject without wildcards. */
  literal(): string {
    return this.times(1, 3, () => this.pick(["foo", "bar", "orders", "x1"])).join(".");
  }
}
