/**
 * Tokens of subjects that are made up.
 *
 * @module
 */
import type { Random } from "../platform/mod.ts";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** `length` random letters and digits. */
export function randomToken(random: Random, length: number): string {
  let token = "";
  for (let i = 0; i < length; i++) token += DIGITS[random.below(DIGITS.length)];
  return token;
}
