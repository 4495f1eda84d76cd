/**
 * Waiting for what can only be seen by looking again.
 *
 * @module
 */

/** How long a wait lasts unless the caller says otherwise, in milliseconds. */
const WAIT_LIMIT_MS = 10_000;

/** Pause between two looks, in milliseconds. */
const PAUSE_MS = 5;

/**
 * Looks until `look` is true.
 *
 * @param what What is waited for, as it shall stand in the error.
 * @param limitMs How long to wait at most.
 * @throws {Error} when that time is over.
 */
export async function eventually(
  what: string | (() => string),
  look: () => boolean | Promise<boolean>,
  limitMs = WAIT_LIMIT_MS,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!await look()) {
    if (performance.now() > end) {
      throw new Error(`not within ${limitMs} ms: ${typeof what === "string" ? what : what()}`);
    }
    await pause(PAUSE_MS);
  }
}

/** Whether `promise` is fulfilled within `limitMs`; no timer is left behind. */
export async function within(promise: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
