/**
 * Who a client is found to be, or why it is refused.
 *
 * @module
 */
import type { ConnectionType, PermissionSettings, UserLimits } from "../config/mod.ts";

/** Who a client is. */
export interface Identity {
  /** For logs and monitoring: the user's name, `"[REDACTED]"` for a token, null for anybody. */
  readonly user: string | null;
  /** The name of its account: `"$G"` but for users of other accounts. */
  readonly account: string;
  /** What it may do; absent where the account's defaults hold, and without those everything. */
  readonly permissions?: PermissionSettings | undefined;
  /** What it is held to. */
  readonly limits?: UserLimits | undefined;
  /** When it must leave, in wall-clock milliseconds; absent where it may stay. */
  readonly expiresAtMs?: number | undefined;
  /** What it is told when that time has come; a user's own expiry when absent. */
  readonly expiry?: "user" | "account" | undefined;
  /** The public key of the user, where it was shown with an nkey or a JWT. */
  readonly publicKey?: string | undefined;
  /** What monitoring tells of a user with a JWT. */
  readonly jwt?: {
    /** The token itself. */
    readonly token: string;
    /** The key that signed it. */
    readonly issuerKey: string;
    /** Name of the user, as its JWT has it. */
    readonly name?: string | undefined;
    /** Name of the account, as its JWT has it. */
    readonly accountName?: string | undefined;
    /** Tags of the user. */
    readonly tags: readonly string[];
    /** When it was issued, in seconds since 1970. */
    readonly issuedAt: number;
  } | undefined;
}

/** What the account concerned is to know of a refusal, and the operator. Never the peer. */
export class Refusal {
  /** In words, for the log and the event: never a secret. */
  readonly reason: string;
  /** The account the credentials are for, where that is known. */
  readonly account: string | null;
  /** Text of the -ERR, where it is another than `Authorization Violation`. */
  readonly text: string | null;

  /** A refusal for `reason`. */
  constructor(
    reason: string,
    options: { readonly account?: string | undefined; readonly text?: string | undefined } = {},
  ) {
    this.reason = reason;
    this.account = options.account ?? null;
    this.text = options.text ?? null;
  }
}

/** The answer to credentials. */
export type Decision = Identity | Refusal;

/** A certificate that a peer has shown and that was verified against the configured authorities. */
export interface PeerCertificate {
  /** Names of the subject alternative name, in the certificate's order. */
  readonly emails: readonly string[];
  /** DNS names. */
  readonly dnsNames: readonly string[];
  /** URIs. */
  readonly uris: readonly string[];
  /** The subject as RFC 2253 has it, such as `CN=carol,O=Acme`. */
  readonly subject: string;
  /** The certificate and those above it, DER. */
  readonly chain: readonly Uint8Array<ArrayBuffer>[];
}

/** What is known of a client besides what its CONNECT says. */
export interface PeerFacts {
  /** Connection id. */
  readonly id: number;
  /** The peer's IP address, or `"memory"`. */
  readonly hostname: string;
  /** What INFO asked to be signed; null where it did not. */
  readonly nonce: string | null;
  /** How it is connected. */
  readonly connectionType: ConnectionType;
  /** What it has shown in the TLS handshake, if anything, and only if it was verified. */
  readonly certificate: PeerCertificate | null;
  /** Name of the TLS version and the cipher; null without TLS. */
  readonly tls: { readonly version: string; readonly cipher: string } | null;
}
