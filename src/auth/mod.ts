/**
 * Who is this: the credentials of clients, and the identity of the server itself.
 *
 * @module
 */
export * from "./access.ts";
export * from "./account_claims.ts";
export * from "./account_resolver.ts";
export * from "./allowed_replies.ts";
export * from "./auth_callout.ts";
export * from "./authenticator.ts";
export * from "./callout_client.ts";
export type { CalloutServer } from "./callout_request.ts";
export { ConfiguredCallout } from "./configured_callout.ts";
export { authenticatorConfig } from "./configured_users.ts";
export * from "./credentials.ts";
export * from "./decision.ts";
export { type DistinguishedName, parseDistinguishedName } from "./distinguished_name.ts";
export * from "./guess_limiter.ts";
export * from "./identity.ts";
export * from "./jwt.ts";
export * from "./message_bus.ts";
export * from "./missing_password.ts";
export * from "./nonce.ts";
export * from "./operator.ts";
export * from "./operator_accounts.ts";
export * from "./operator_callout.ts";
export * from "./operator_claims.ts";
export * from "./operator_mode.ts";
export * from "./password_verifier.ts";
export {
  type Explanation,
  type NamedRule,
  type NearestRule,
  ruleLabel,
} from "./permission_explanation.ts";
export type { PermissionList, PermissionRule, RuleLists, RuleSet } from "./permission_rules.ts";
export * from "./permissions.ts";
export * from "./plain_secret.ts";
export * from "./signature.ts";
export * from "./trusted_operators.ts";
export * from "./user_claims.ts";
