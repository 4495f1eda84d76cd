/**
 * bcrypt hashes, as they stand in a configuration for the secret itself.
 *
 * @module
 */

/**
 * Whether a configured secret is a bcrypt hash rather than the secret itself: `$2a$`, `$2b$`, `$2x$` or
 * `$2y$`, two digits of cost, `$`. The same test as nats-server's, so that `$2$...` and `$2z$...` are
 * plain passwords.
 */
export function isBcrypt(secret: string): boolean {
  return /^\$2[abxy]\$\d{2}\$/.test(secret);
}

/** Whether what {@link isBcrypt} takes for a hash is a whole one, which somebody could log in with. */
export function isWholeBcrypt(hash: string): boolean {
  return /^.{7}[./A-Za-z0-9]{53}$/.test(hash);
}
