/**
 * Accounts, and the subscribers that meet in them.
 *
 * @module
 */
export * from "./account.ts";
export * from "./directory.ts";
export type { DeliveryGuard } from "./guard.ts";
export * from "./internal_client.ts";
export * from "./local_interest.ts";
export * from "./random_token.ts";
export * from "./remote_subscriber.ts";
export * from "./subscriber.ts";
export * from "./subscription.ts";
export * from "./work.ts";
