import { assertEquals } from "./comparisons.ts";

type Entries = Record<PropertyKey, unknown>;

/** Fails unless `actual` has at least what `expected` has, at every depth. */
export function assertObjectMatch(
  // deno-lint-ignore no-explicit-any
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  if (!isObject(actual)) {
    throw new TypeError(
      `Cannot assertObjectMatch ${actual === null ? null : `type ${typeof actual}`}`,
    );
  }
  assertEquals(
    intersection(actual, expected, new Map()),
    // Both sides lose their classes in the same way.
    intersection(expected, expected, new Map()),
    msg,
  );
}

/** The part of `value` that `pattern` has an opinion on. */
function intersection(
  value: unknown,
  pattern: unknown,
  seen: Map<unknown, unknown>,
): unknown {
  if (!isObject(value) || !isObject(pattern)) return value;
  if (value instanceof RegExp || value instanceof Date) return value;
  if (seen.get(value) === pattern) return value; // a cycle
  seen.set(value, pattern);

  if (Array.isArray(value) && Array.isArray(pattern)) {
    return value.slice(0, pattern.length)
      .map((item, index) => intersection(item, pattern[index], seen));
  }
  if (value instanceof Map && pattern instanceof Map) {
    return new Map(
      [...value].filter(([key]) => pattern.has(key))
        .map((
          [key, item],
        ) => [key, intersection(item, pattern.get(key), seen)]),
    );
  }
  if (value instanceof Set && pattern instanceof Set) {
    return value.intersection(pattern);
  }

  const keys = Reflect.ownKeys(value);
  const wanted = Reflect.ownKeys(pattern);
  const shared = keys.filter((key) => wanted.includes(key));
  // Nothing in common: all of it is shown, for a message that helps.
  const unrelated = shared.length === 0 && keys.length > 0 && wanted.length > 0;
  const part: Entries = {};
  for (const key of unrelated ? keys : shared) {
    const item = (value as Entries)[key];
    Object.defineProperty(part, key, {
      value: unrelated ? item : intersection(item, (pattern as Entries)[key], seen),
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  return part;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
