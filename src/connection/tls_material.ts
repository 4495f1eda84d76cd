/**
 * Certificates and keys, checked before they are used.
 *
 * @module
 */
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext, createServer, type SecureContext, type Server } from "node:tls";
import { FileError, type Files } from "../platform/mod.ts";
import { type CertificateFacts, readCertificate } from "./certificate.ts";
import { DerError } from "./der.ts";

/** What TLS on one port is to be like. */
export interface TlsSettings {
  /** Path of the certificate and those above it, PEM. */
  readonly certFile: string;
  /** Path of its private key, PEM. */
  readonly keyFile: string;
  /** Path of the authorities that peers are verified against, PEM; the runtime's own if null. */
  readonly caFile: string | null;
  /** Whether whoever dials must show a certificate. */
  readonly verify: boolean;
  /** The oldest version that is spoken. */
  readonly minVersion: "1.2" | "1.3";
  /** SHA-256 of the SubjectPublicKeyInfo of peers, lower-case hex; anybody's where it is empty. */
  readonly pinned: ReadonlySet<string>;
  /** How long a handshake may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** Certificates that cannot be used; the message says which and why. */
export class TlsMaterialError extends FileError {}

/** The texts of the files, to tell whether they have changed. */
export interface TlsFiles {
  /** The certificate and those above it. */
  readonly cert: string;
  /** Its private key. */
  readonly key: string;
  /** The authorities; null without. */
  readonly ca: string | null;
}

/** What is needed for handshakes: certificates that belong together. */
export interface TlsMaterial {
  /** What it was made of. */
  readonly files: TlsFiles;
  /** What it was made for. */
  readonly settings: TlsSettings;
  /** For who is dialled. Never listens. */
  readonly server: Server;
  /** For who dials. */
  readonly context: SecureContext;
  /** See {@link TlsSettings.verify}. */
  readonly verify: boolean;
  /** See {@link TlsSettings.pinned}. */
  readonly pinned: ReadonlySet<string>;
  /** Whose certificates were verified. */
  readonly trust: VerifiedPeers;
  /** What its own certificate says. */
  readonly certificate: CertificateFacts;
}

/**
 * Reads the files of `settings`, and checks that they belong together.
 *
 * @param before What was used until now, if anything: whoever was verified by the same authorities still is.
 * @throws {TlsMaterialError} when they cannot be used.
 */
export async function loadTlsMaterial(
  files: Pick<Files, "readText">,
  settings: TlsSettings,
  before: TlsMaterial | null = null,
): Promise<TlsMaterial> {
  return makeTlsMaterial(await readTlsFiles(files, settings), settings, before);
}

/** The files of `settings` as they are now. */
export async function readTlsFiles(
  files: Pick<Files, "readText">,
  { certFile, keyFile, caFile }: TlsSettings,
): Promise<TlsFiles> {
  const read = async (path: string) => {
    try {
      return await files.readText(path);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw new TlsMaterialError(error.message, { cause: error });
    }
  };
  return {
    cert: await read(certFile),
    key: await read(keyFile),
    ca: caFile === null ? null : await read(caFile),
  };
}

/**
 * What TLS makes of files that were read.
 *
 * @throws {TlsMaterialError} when they are not what they should be, or do not belong together.
 */
export function makeTlsMaterial(
  files: TlsFiles,
  settings: TlsSettings,
  before: TlsMaterial | null = null,
): TlsMaterial {
  const { certFile, keyFile, caFile, verify, minVersion, pinned } = settings;
  const [own] = certificatesOf(files.cert, certFile);
  const key = privateKeyOf(files.key, keyFile);
  if (!own!.checkPrivateKey(key)) {
    throw new TlsMaterialError(
      `error parsing X509 certificate/key pair: ${keyFile} does not match the public key of ` +
        certFile,
    );
  }
  const authorities = files.ca === null ? null : certificatesOf(files.ca, caFile!);
  const options = {
    cert: files.cert,
    key: files.key,
    minVersion: `TLSv${minVersion}`,
    maxVersion: "TLSv1.3",
  } as const;
  const ca = authorities === null ? {} : { ca: authorities.map((each) => each.toString()) };
  try {
    return {
      files,
      settings,
      // Whoever is not asked for a certificate is not to be sent the authorities either.
      server: createServer({
        ...options,
        ...(verify && ca),
        requestCert: verify,
        rejectUnauthorized: verify,
      }),
      context: createSecureContext({ ...options, ...ca }),
      verify,
      pinned,
      trust: before?.verify === verify && before.files.ca === files.ca
        ? before.trust
        : new VerifiedPeers(),
      certificate: factsOf(own!, certFile),
    };
  } catch (error) {
    if (error instanceof TlsMaterialError) throw error;
    throw new TlsMaterialError(`${certFile} and ${keyFile} cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function certificatesOf(pem: string, path: string): X509Certificate[] {
  const blocks = pem.match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new TlsMaterialError(`no certificate in ${path}`);
  return blocks.map((block, index) => {
    try {
      const certificate = new X509Certificate(block);
      factsOf(certificate, path);
      return certificate;
    } catch (error) {
      if (error instanceof TlsMaterialError) throw error;
      throw new TlsMaterialError(
        `certificate ${index + 1} in ${path} cannot be read: ${messageOf(error)}`,
        { cause: error },
      );
    }
  });
}

function factsOf(certificate: X509Certificate, path: string): CertificateFacts {
  try {
    return readCertificate(certificate.raw);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new TlsMaterialError(`a certificate in ${path} cannot be read: ${error.message}`, {
      cause: error,
    });
  }
}

function privateKeyOf(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    // The error's own words may show some of the key.
    throw new TlsMaterialError(`no private key without a passphrase in ${path}`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Most peers that are remembered. */
const MAX_VERIFIED = 4096;

/**
 * Whose certificates were verified here. The runtime seals what it knows of a session into tickets with
 * one key for all ports, and takes a ticket's certificate for good without another look: a peer must not
 * get in on one port with what another one was content with.
 */
export class VerifiedPeers {
  readonly #known = new Set<string>();

  /**
   * Takes note of a peer whose certificate `der` was just verified; one that has only resumed a session
   * must be known. Why it is not to be believed, or null.
   */
  objection(der: Uint8Array, isResumed: boolean, nowMs: number): string | null {
    const { notBeforeMs, notAfterMs } = readCertificate(der);
    if (nowMs < notBeforeMs || nowMs > notAfterMs) return "the certificate is not valid now";
    const hash = createHash("sha256").update(der).digest("base64");
    const isKnown = this.#known.delete(hash);
    if (isResumed && !isKnown) return "a session of another port is not resumed here";
    if (this.#known.size >= MAX_VERIFIED) {
      for (const oldest of this.#known) {
        this.#known.delete(oldest);
        break;
      }
    }
    this.#known.add(hash);
    return null;
  }
}
