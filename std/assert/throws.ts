import { AssertionError } from "./assertion_error.ts";
import { suffix } from "./message.ts";

// deno-lint-ignore no-explicit-any
type ErrorType<E extends Error> = abstract new (...args: any[]) => E;

/** Fails unless `fn` throws; the thrown value is returned. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/**
 * Fails unless `fn` throws an `ErrorClass` whose message contains `msgIncludes`; it is returned.
 */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorType<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  classOrMsg?: ErrorType<E> | string,
  includesOrMsg?: string,
  msg?: string,
): unknown {
  const wanted = expectation(classOrMsg, includesOrMsg, msg);
  try {
    fn();
  } catch (error) {
    checkError(error, wanted, "thrown");
    return error;
  }
  throw new AssertionError(`Expected function to throw${suffix(wanted.msg)}`);
}

/** Fails unless `fn` returns a promise that rejects; the reason is returned. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/**
 * Fails unless `fn` returns a promise that rejects with an `ErrorClass` whose message contains
 * `msgIncludes`; it is returned.
 */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorType<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: ErrorType<E> | string,
  includesOrMsg?: string,
  msg?: string,
): Promise<unknown> {
  const wanted = expectation(classOrMsg, includesOrMsg, msg);
  let promise: PromiseLike<unknown> | undefined;
  try {
    promise = fn();
  } catch {
    promise = undefined;
  }
  if (typeof promise?.then !== "function") {
    throw new AssertionError(
      `Function throws when expected to reject${suffix(wanted.msg)}`,
    );
  }
  try {
    await promise;
  } catch (error) {
    checkError(error, wanted, "rejected");
    return error;
  }
  throw new AssertionError(`Expected function to reject${suffix(wanted.msg)}`);
}

interface Expectation {
  errorClass?: ErrorType<Error> | undefined;
  includes?: string | undefined;
  msg?: string | undefined;
}

function expectation(
  classOrMsg: ErrorType<Error> | string | undefined,
  includesOrMsg: string | undefined,
  msg: string | undefined,
): Expectation {
  if (typeof classOrMsg === "string") return { msg: classOrMsg };
  return { errorClass: classOrMsg, includes: includesOrMsg, msg };
}

function checkError(
  error: unknown,
  wanted: Expectation,
  verb: "thrown" | "rejected",
): void {
  const { errorClass, includes } = wanted;
  if (errorClass === undefined) return;
  const end = suffix(wanted.msg);
  if (!(error instanceof Error)) {
    throw new AssertionError(`A non-Error object was ${verb}${end}`);
  }
  const isInstance: boolean = error instanceof errorClass; // narrows nothing: classes may look alike
  if (!isInstance) {
    throw new AssertionError(
      `Expected error to be instance of "${errorClass.name}", ` +
        `but was "${error.constructor?.name}"${end}`,
      { cause: error },
    );
  }
  if (
    includes && !withoutStyle(error.message).includes(withoutStyle(includes))
  ) {
    throw new AssertionError(
      `Expected error message to include ${JSON.stringify(includes)}, ` +
        `but got ${JSON.stringify(error.message)}${end}`,
      { cause: error },
    );
  }
}

function withoutStyle(text: string): string {
  // deno-lint-ignore no-control-regex -- ANSI escape sequences start with a control character
  return text.replaceAll(/\x1b\[[0-9;]*m/g, "");
}
