/**
 * Activations: the tokens by which an account lets another one import from it.
 *
 * @module
 */
import { type CommonClaims, isRevoked, issuerAccountOf, openClaims, outOfDate } from "./claims.ts";
import { isContained, subjectProblem } from "./subject_claims.ts";

/** What is imported and exported. */
export type ExportKind = "stream" | "service";

/** The claims of an activation. */
export interface ActivationClaims extends CommonClaims {
  /** What may be imported; may have wildcards. */
  readonly importSubject: string;
  /** Whether that is a stream or a service; another text is neither. */
  readonly kind: string;
  /** Account that a signing key signed for; empty where the account signed itself. */
  readonly issuerAccount: string;
}

/** What an activation is shown for. */
export interface ActivationUse {
  /** Public key of the account that imports. */
  readonly importer: string;
  /** Public key of the account that exports. */
  readonly exporter: string;
  /** What is imported. */
  readonly subject: string;
  /** Whether that is a stream or a service. */
  readonly kind: ExportKind;
}

/** What of an exporting account an activation is checked against. */
export interface ActivationIssuer {
  /** Its public key. */
  readonly subject: string;
  /** Keys that sign for it. */
  readonly signingKeys: ReadonlyMap<string, unknown>;
}

/**
 * Reads the claims of an activation.
 *
 * @param payload What {@linkcode readJwt} found.
 * @throws {ClaimsError} when they are not those of an activation, or a field has the wrong type.
 */
export function readActivationClaims(payload: unknown): ActivationClaims {
  const source = openClaims(payload, "activation");
  const { nats, common } = source;
  return {
    ...common,
    importSubject: nats.text("subject"),
    // In version 1 `type` of `nats` was what `kind` is now, and is the type of the token here.
    kind: nats.text("kind"),
    issuerAccount: issuerAccountOf(source),
  };
}

/** Why an activation is not for this import, whatever the time; null when it is. */
export function activationProblem(claims: ActivationClaims, use: ActivationUse): string | null {
  const { importer, exporter, subject, kind } = use;
  if (claims.issuer !== exporter && claims.issuerAccount !== exporter) {
    return "its activation is by another account";
  }
  if (claims.subject !== importer) return "its activation is for another account";
  if (claims.kind !== kind) return `its activation is not for a ${kind}`;
  const problem = subjectProblem(claims.importSubject);
  if (problem !== null) return `in its activation ${problem}`;
  return isContained(subject, claims.importSubject)
    ? null
    : "its activation is for another subject";
}

/**
 * Why an activation does not hold now; null when it does.
 *
 * @param issuer The exporting account as it is now.
 * @param revocations Of the export that is imported.
 */
export function activationStateProblem(
  claims: ActivationClaims,
  issuer: ActivationIssuer,
  revocations: Readonly<Record<string, number>> | undefined,
  nowSeconds: number,
): string | null {
  if (
    claims.issuerAccount !== "" &&
    (claims.issuerAccount !== issuer.subject || !issuer.signingKeys.has(claims.issuer))
  ) return "its activation is signed by a key that is not the exporter's";
  const problem = outOfDate(claims, nowSeconds);
  if (problem !== null) return `its activation does not hold: ${problem}`;
  if (claims.expiresAt > 0 && claims.expiresAt <= nowSeconds) return "its activation has expired";
  return isRevoked(revocations, claims.subject, claims.issuedAt)
    ? "its activation was revoked"
    : null;
}
