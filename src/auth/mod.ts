/**
 * Who is this: the credentials of clients, and the identity of the server itself.
 *
 * @module
 */
export * from "./auth_callout.ts";
export * from "./authenticator.ts";
export { authenticatorConfig } from "./configured_users.ts";
export * from "./credentials.ts";
export * from "./decision.ts";
export * from "./guess_limiter.ts";
export * from "./identity.ts";
export * from "./jwt.ts";
export * from "./message_bus.ts";
export * from "./missing_password.ts";
export * from "./nonce.ts";
export * from "./password_verifier.ts";
export * from "./plain_secret.ts";
export { AUTH_CALLOUT_SUBJECT } from "./rules.ts";
export * from "./signature.ts";
