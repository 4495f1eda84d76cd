/**
 * The certificates of one port as they are now: they change while connections last.
 *
 * @module
 */
import type { Log } from "../log/mod.ts";
import type { Clock, Files } from "../platform/mod.ts";
import {
  makeTlsMaterial,
  readTlsFiles,
  type TlsFiles,
  type TlsMaterial,
  TlsMaterialError,
} from "./tls_material.ts";

/** How often the files should be looked at. */
export const CERTIFICATE_LOOK_MS = 5000;
/** How often it should be looked at how long certificates are valid. */
export const EXPIRY_LOOK_MS = 24 * 3_600_000;

const DAY_MS = 24 * 3_600_000;
/** With less than so many days left there is a warning. */
const EXPIRY_DAYS = 30;

/** What a {@link TlsContext} needs. */
export interface TlsContextOptions {
  /** Where certificates are read from. */
  readonly files: Pick<Files, "readText">;
  /** Time. */
  readonly clock: Clock;
  /** Where changes and what is wrong with them are logged. */
  readonly log: Log;
  /** What the certificates are for, as the log names it: `client` or `route`. */
  readonly purpose: string;
}

/** The certificates of one port. New handshakes use what is current; connections keep what they have. */
export class TlsContext {
  readonly #options: TlsContextOptions;
  #current: TlsMaterial;
  /** What was found in the files and could not be used: it is complained of once. */
  #refused: TlsFiles | null = null;

  /** Begins with what is loaded. */
  constructor(material: TlsMaterial, options: TlsContextOptions) {
    this.#options = options;
    this.#current = material;
    this.warnOfExpiry();
  }

  /** What new handshakes use. */
  get current(): TlsMaterial {
    return this.#current;
  }

  /** Uses what is in the files now, where that has changed and is good. Never rejects. */
  async look(): Promise<void> {
    const { files, log, purpose } = this.#options, before = this.#current;
    let found: TlsFiles | null = null;
    try {
      found = await readTlsFiles(files, before.settings);
      if (this.#current !== before || same(found, before.files)) return;
      if (this.#refused !== null && same(found, this.#refused)) return;
      const material = this.#current = makeTlsMaterial(found, before.settings, before);
      this.#refused = null;
      log.info(`The TLS certificates for ${purpose} connections have changed`, {
        valid_until: new Date(material.certificate.notAfterMs).toISOString(),
      });
      this.warnOfExpiry();
    } catch (error) {
      if (!(error instanceof TlsMaterialError)) throw error;
      if (found === null) {
        if (this.#refused !== null) return;
        found = { cert: "", key: "", ca: null };
      }
      this.#refused = found;
      log.error(`New TLS certificates for ${purpose} connections are not used: ${error.message}`);
    }
  }

  /** Whole days for which the certificate is valid; negative when it has expired. */
  get daysLeft(): number {
    return daysLeftOf(this.#current, this.#options.clock.now());
  }

  /** Logs when the certificate is about to expire. */
  warnOfExpiry(): void {
    const { log, purpose, clock } = this.#options;
    const expiry = expiryOf(this.#current, purpose, clock.now());
    if (expiry === null) return;
    log[expiry.hasExpired ? "error" : "warn"](expiry.message, expiry.fields);
  }
}

/** What is to be said of a certificate that is about to expire. */
export interface Expiry {
  /** In words. */
  readonly message: string;
  /** Whether it has expired. */
  readonly hasExpired: boolean;
  /** How long it is valid, and the file that it is in. */
  readonly fields: {
    readonly days_left: number;
    readonly valid_until: string;
    readonly file: string;
  };
}

/** What is to be said of a certificate of `purpose` at `nowMs`; null where it is valid for long. */
export function expiryOf(material: TlsMaterial, purpose: string, nowMs: number): Expiry | null {
  const days = daysLeftOf(material, nowMs), hasExpired = days < 0;
  if (days >= EXPIRY_DAYS) return null;
  return {
    message: `The TLS certificate for ${purpose} connections ${
      hasExpired ? "has expired" : "expires soon"
    }`,
    hasExpired,
    fields: {
      days_left: days,
      valid_until: new Date(material.certificate.notAfterMs).toISOString(),
      file: material.settings.certFile,
    },
  };
}

function daysLeftOf({ certificate }: TlsMaterial, nowMs: number): number {
  return Math.floor((certificate.notAfterMs - nowMs) / DAY_MS);
}

function same(a: TlsFiles, b: TlsFiles): boolean {
  return a.cert === b.cert && a.key === b.key && a.ca === b.ca;
}
