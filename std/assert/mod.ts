/**
 * Assertions: the part of JSR's `@std/assert` that this repository uses, under the same names.
 *
 * @module
 */
export { AssertionError } from "./assertion_error.ts";
export {
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
  assertNotEquals,
  assertStrictEquals,
} from "./comparisons.ts";
export {
  assert,
  assertArrayIncludes,
  assertExists,
  assertFalse,
  assertInstanceOf,
  assertMatch,
  assertStringIncludes,
  fail,
  type Falsy,
  unreachable,
} from "./conditions.ts";
export { equal } from "./equal.ts";
export { assertObjectMatch } from "./object_match.ts";
export { assertRejects, assertThrows } from "./throws.ts";
