/**
 * What a certificate (X.509, RFC 5280) says.
 *
 * @module
 */
import { createHash } from "node:crypto";
import {
  DER,
  derChildren,
  type DerElement,
  derElement,
  DerError,
  derOid,
  derText,
  derTime,
  latin1,
} from "./der.ts";

/** A certificate that a peer has shown and that was verified against the configured authorities. */
export interface ShownCertificate {
  /** E-mail addresses of the subject alternative name, in the certificate's order. */
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

/** What one certificate says. */
export interface CertificateFacts extends Omit<ShownCertificate, "chain"> {
  /** The first millisecond in which it is valid, in wall-clock time. */
  readonly notBeforeMs: number;
  /** The last one. */
  readonly notAfterMs: number;
  /** SHA-256 of its SubjectPublicKeyInfo, 64 lower-case hex digits. */
  readonly keyHash: string;
}

const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";

/** Tags of the kinds of alternative names that matter here. */
const EMAIL = 0x81, DNS_NAME = 0x82, URI = 0x86;

/** Short names of attributes, as Go's `crypto/x509/pkix` and RFC 4514 have them. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.5": "SERIALNUMBER",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.9": "STREET",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.17": "POSTALCODE",
  "0.9.2342.19200300.100.1.1": "UID",
  "0.9.2342.19200300.100.1.25": "DC",
};

/**
 * Reads a certificate.
 *
 * @throws {DerError} when it is none.
 */
export function readCertificate(der: Uint8Array): CertificateFacts {
  const certificate = sequence(der, derElement(der, 0, der.length));
  const fields = sequence(der, certificate[0]);
  // [0] is the version, which the first one lacks.
  const at = fields[0]?.tag === 0xa0 ? 1 : 0;
  const validity = sequence(der, fields[at + 3]), subject = fields[at + 4], key = fields[at + 5];
  if (validity.length !== 2 || subject === undefined || key === undefined) {
    throw new DerError("no certificate");
  }
  const names = alternativeNames(der, fields.find(({ tag }) => tag === 0xa3));
  return {
    emails: names.filter(({ tag }) => tag === EMAIL).map(({ text }) => text),
    dnsNames: names.filter(({ tag }) => tag === DNS_NAME).map(({ text }) => text),
    uris: names.filter(({ tag }) => tag === URI).map(({ text }) => text),
    subject: distinguishedName(der, subject),
    notBeforeMs: derTime(der, validity[0]!),
    notAfterMs: derTime(der, validity[1]!),
    keyHash: createHash("sha256").update(der.subarray(key.at, key.end)).digest("hex"),
  };
}

/** What a peer has shown, its own certificate first. At least one. */
export function shownCertificate(chain: readonly Uint8Array<ArrayBuffer>[]): ShownCertificate {
  const { emails, dnsNames, uris, subject } = readCertificate(chain[0]!);
  return { emails, dnsNames, uris, subject, chain };
}

function sequence(der: Uint8Array, element: DerElement | undefined): DerElement[] {
  if (element?.tag !== DER.sequence) throw new DerError("no sequence");
  return derChildren(der, element);
}

interface Name {
  readonly tag: number;
  readonly text: string;
}

function alternativeNames(der: Uint8Array, extensions: DerElement | undefined): Name[] {
  if (extensions === undefined) return [];
  for (const extension of sequence(der, derChildren(der, extensions)[0])) {
    const parts = sequence(der, extension);
    if (derOid(der, parts[0]) !== SUBJECT_ALTERNATIVE_NAME) continue;
    const value = parts.at(-1)!;
    return sequence(der, derElement(der, value.start, value.end))
      .map(({ tag, start, end }) => ({ tag, text: latin1(der.subarray(start, end)) }));
  }
  return [];
}

/** A name as RFC 2253 writes it: the most specific part first. */
function distinguishedName(der: Uint8Array, name: DerElement): string {
  return sequence(der, name).reverse().map((set) =>
    derChildren(der, set).map((attribute) => {
      const [type, value] = sequence(der, attribute);
      if (type === undefined || value === undefined) throw new DerError("no attribute");
      const oid = derOid(der, type), key = ATTRIBUTES[oid], text = derText(der, value);
      if (key === undefined || text === null) {
        return `${key ?? oid}=#${der.slice(value.at, value.end).toHex()}`;
      }
      return `${key}=${escaped(text)}`;
    }).join("+")
  ).join(",");
}

function escaped(text: string): string {
  return text
    .replace(/[,+"\\<>;]/g, "\\$&")
    .replace(/^[ #]/, "\\$&")
    .replace(/(?<!\\) $/, "\\ ")
    .replaceAll("\0", "\\00");
}
