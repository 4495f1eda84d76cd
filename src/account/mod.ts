/**
 * Accounts, and the subscribers that meet in them.
 *
 * @module
 */
export * from "./account.ts";
export * from "./subscriber.ts";
export * from "./subscription.ts";
