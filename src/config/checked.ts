/**
 * Values in a configuration that are known to be right: they are not looked into.
 *
 * @module
 */
const checked = new WeakSet<object>();

/** Says that `value` has been prepared and checked, and is what the schema made of it. */
export function markChecked<Value extends object>(value: Value): Value {
  checked.add(value);
  return value;
}

/** Whether {@link markChecked} has said so of `value`. */
export function isChecked(value: unknown): boolean {
  return typeof value === "object" && value !== null && checked.has(value);
}
