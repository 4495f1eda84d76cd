/**
 * Tokens of subjects that are made up.
 *
 * @module
 */
import type { Random } from "../platform/mod.ts";

/** The digits of nats-server's tokens, the least first. */
export const TOKEN_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** As nats-server gives its events. */
const EVENT_ID_LENGTH = 22;

/** `length` random letters and digits. */
export function randomToken(random: Random, length: number): string {
  let token = "";
  for (let i = 0; i < length; i++) token += TOKEN_DIGITS[random.below(TOKEN_DIGITS.length)];
  return token;
}

/** The id of an event: never that of another. */
export function eventId(random: Random): string {
  return randomToken(random, EVENT_ID_LENGTH);
}
