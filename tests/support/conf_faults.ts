/**
 * What can be wrong in a configuration.
 *
 * @module
 */
import { boolean, type Chance, integer, list, map, type Setting, string } from "./conf_chance.ts";
import type { ConfMap, ConfValue } from "./conf_text.ts";

/** A configuration that was made up. */
export interface MadeUpConf {
  /** What it says. */
  readonly conf: ConfMap;
  /** What was done to it that is wrong; absent where it is meant to be good. */
  readonly fault?: string;
}

/** A value of every type. */
const samples: Readonly<Record<string, ConfValue>> = {
  string: string("text"),
  integer: integer(7),
  float: { float: "1.5" },
  boolean: boolean(true),
  datetime: { datetime: "2026-01-31T12:00:00Z" },
  list: list([list([])]),
  map: map([["surprise", integer(1)]]),
};

/** Makes one thing wrong in a configuration. */
export function spoil(
  { map: entries }: ConfMap,
  chosen: readonly Setting[],
  chance: Chance,
): MadeUpConf {
  const faults: { readonly name: string; readonly conf: () => ConfMap }[] = [{
    name: "an unknown key",
    conf: () =>
      map([...entries, [chance.pick(["prot", "maxpayload", "log-file", "x"]), integer(1)]]),
  }];
  entries.forEach(([key, value], index) => {
    const replaced = (other: ConfValue): ConfMap =>
      map(entries.map((entry, at) => at === index ? [key, other] as const : entry));
    const setting = chosen.find(({ names }) => names.includes(key));
    if (setting?.wrong !== undefined) {
      const { wrong } = setting;
      faults.push({ name: `a wrong ${key}`, conf: () => replaced(wrong(chance)) });
    }
    // nats-server takes any scalar for no accounts, and some for an account of the system.
    if (!["accounts", "system_account", "system"].includes(key)) {
      faults.push({
        name: `${key} of another type`,
        conf: () => replaced(otherType(value, chance)),
      });
    }
    const leaves = leavesOf(value, []);
    if ("map" in value && leaves.length > 0) {
      faults.push({
        name: `something in ${key} of another type`,
        conf: () => replaced(withOtherLeaf(value, chance.pick(leaves), chance)),
      });
      faults.push({
        name: `an unknown key in ${key}`,
        conf: () => replaced(map([...value.map, ["surprise", integer(1)]])),
      });
    }
  });
  const { name, conf } = chance.pick(faults);
  return { conf: conf(), fault: name };
}

function typeOf(value: ConfValue): string {
  return Object.keys(value)[0] ?? "";
}

/** Types that both servers may take in the place of others. */
const alike: readonly (readonly [string, string])[] = [
  ["string", "list"],
  ["string", "map"],
  ["list", "map"],
  ["string", "integer"],
  ["string", "boolean"],
  ["float", "integer"],
  ["string", "float"],
];

function otherType(value: ConfValue, chance: Chance): ConfValue {
  const type = typeOf(value);
  const types = Object.keys(samples).filter((other) =>
    other !== type && !alike.some((pair) => pair.includes(type) && pair.includes(other))
  );
  return samples[chance.pick(types)] ?? string("text");
}

type LeafPath = readonly (string | number)[];

function leavesOf(value: ConfValue, path: LeafPath): LeafPath[] {
  if ("map" in value) return value.map.flatMap(([key, item]) => leavesOf(item, [...path, key]));
  if ("list" in value) {
    return value.list.flatMap((item, index) => leavesOf(item, [...path, index]));
  }
  return [path];
}

function withOtherLeaf(value: ConfValue, path: LeafPath, chance: Chance): ConfValue {
  const [step, ...rest] = path;
  if (step === undefined) return otherType(value, chance);
  if ("map" in value) {
    return map(
      value.map.map(([key, item]) =>
        [key, key === step ? withOtherLeaf(item, rest, chance) : item] as const
      ),
    );
  }
  if ("list" in value) {
    return list(
      value.list.map((item, index) => index === step ? withOtherLeaf(item, rest, chance) : item),
    );
  }
  return value;
}
