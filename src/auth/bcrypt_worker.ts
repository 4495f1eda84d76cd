/**
 * The worker behind {@linkcode PasswordVerifier}: takes a {@linkcode BcryptCheck}, answers with a
 * boolean, one at a time.
 *
 * @module
 */
import bcrypt from "bcryptjs";

/** One question to the worker. */
export interface BcryptCheck {
  /** The password offered by the client. */
  readonly password: string;
  /** The hash from the configuration, `$2a$`, `$2b$`, `$2x$` or `$2y$`. */
  readonly hash: string;
}

/** The part of the worker's global scope used here; its full type is not in the main thread's library. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<BcryptCheck>) => void) | null;
  postMessage(data: boolean): void;
}

function matches({ password, hash }: BcryptCheck): boolean {
  try {
    // nats-server gives `$2x$` no meaning of its own, and bcryptjs does not know it.
    return bcrypt.compareSync(password, hash.replace(/^\$2x\$/, "$2b$"));
  } catch {
    // A hash with an impossible cost or alphabet: nobody's password.
    return false;
  }
}

const scope = globalThis as unknown as WorkerScope;
scope.onmessage = (event) => scope.postMessage(matches(event.data));
