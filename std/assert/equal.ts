type Keyed = Map<unknown, unknown> | Set<unknown>;
type Bytes = ArrayLike<number | bigint>;

const TypedArray = Object.getPrototypeOf(Uint8Array) as abstract new () => Bytes;

/** Classes whose instances hold their value out of reach of property access. */
const comparedAsText: ReadonlySet<unknown> = new Set(
  [
    RegExp,
    URL,
    URLSearchParams,
    Intl.Locale,
    ...Object.values(
      Object.getOwnPropertyDescriptors(globalThis.Temporal ?? {}),
    )
      .map((descriptor) => descriptor.value)
      .filter((value) => typeof value === "function"),
  ].map((type) => type.prototype),
);

/**
 * Whether two values are deeply equal: same structure, same prototypes (a null prototype equals
 * `Object.prototype`), `NaN` equal to itself, `0` equal to `-0`, keys in any order, cycles allowed.
 * Functions are equal only to themselves.
 *
 * @throws {TypeError} on two WeakMaps or two WeakSets, whose content nobody can see.
 */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b, new Map());
}

function compare(a: unknown, b: unknown, seen: Map<unknown, unknown>): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (a instanceof Date && b instanceof Date) {
    return Object.is(a.getTime(), b.getTime());
  }
  if (!samePrototype(a, b)) return false;
  if (a instanceof TypedArray) return sameElements(a, b as Bytes);
  if (a instanceof ArrayBuffer || a instanceof SharedArrayBuffer) {
    return sameElements(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
  }
  if (a instanceof WeakMap) {
    throw new TypeError("Cannot compare WeakMap instances");
  }
  if (a instanceof WeakSet) {
    throw new TypeError("Cannot compare WeakSet instances");
  }
  if (a instanceof WeakRef) {
    return compare(a.deref(), (b as WeakRef<WeakKey>).deref(), seen);
  }

  if (seen.get(a) === b) return true; // a cycle: equal unless a difference shows elsewhere
  if (Object.keys(a).length !== Object.keys(b).length) return false;
  seen.set(a, b);

  if (a instanceof Map || a instanceof Set) {
    return sameEntries(a, b as Keyed, seen);
  }
  if (comparedAsText.has(Object.getPrototypeOf(a))) {
    return String(a) === String(b);
  }
  return sameProperties(a, b, seen);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function samePrototype(a: object, b: object): boolean {
  const left: unknown = Object.getPrototypeOf(a) ?? Object.prototype;
  const right: unknown = Object.getPrototypeOf(b) ?? Object.prototype;
  return left === right;
}

function sameElements(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !Object.is(a[i], b[i])) return false;
  }
  return true;
}

function sameEntries(a: Keyed, b: Keyed, seen: Map<unknown, unknown>): boolean {
  if (a.size !== b.size) return false;
  if (
    [...a.keys()].every((key) => !isObject(key) && typeof key !== "function")
  ) {
    for (const key of a.keys()) {
      if (!b.has(key)) return false;
      if (
        a instanceof Map && !compare(a.get(key), (b as typeof a).get(key), seen)
      ) return false;
    }
    return true;
  }
  let unmatched = a.size;
  for (const [key, value] of a.entries()) {
    for (const [otherKey, otherValue] of b.entries()) {
      if (compare(key, otherKey, seen) && compare(value, otherValue, seen)) {
        unmatched--;
        break;
      }
    }
  }
  return unmatched === 0;
}

function sameProperties(
  a: object,
  b: object,
  seen: Map<unknown, unknown>,
): boolean {
  const prototype: unknown = Object.getPrototypeOf(a);
  const plain = prototype === null || prototype === Object.prototype ||
    prototype === Array.prototype;
  const keys = plain
    ? new Set(Reflect.ownKeys({ ...a, ...b }))
    : inheritedKeys(a).union(inheritedKeys(b));
  for (const key of keys) {
    const left: unknown = Reflect.get(a, key);
    const right: unknown = Reflect.get(b, key);
    if (!compare(left, right, seen) || (key in a) !== (key in b)) return false;
  }
  return true;
}

/** All keys of an instance and of its classes: getters count as part of its value. */
function inheritedKeys(value: object): Set<string | symbol> {
  const keys = new Set<string | symbol>();
  let at: object | null = value;
  while (at !== null && at !== Object.prototype && at !== Array.prototype) {
    for (const key of Reflect.ownKeys(at)) keys.add(key);
    at = Object.getPrototypeOf(at);
  }
  return keys;
}
