/**
 * Versions that denats tells others.
 *
 * @module
 */

/** denats' own version; the same as in deno.json. */
export const DENATS_VERSION = "0.1.0";

/**
 * The nats-server whose protocol and behaviour this is. It is what INFO says as `version`: clients
 * compare it to know what they may use.
 */
export const NATS_VERSION = "2.15.1";
