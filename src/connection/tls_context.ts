/**
 * The certificates of one port as they are now: they change while connections last.
 *
 * @module
 */
import type { Log } from "../log/mod.ts";
import type { Clock, Files } from "../platform/mod.ts";
import { every, type Scope } from "../supervisor/mod.ts";
import {
  loadTlsMaterial,
  makeTlsMaterial,
  readTlsFiles,
  type TlsFiles,
  type TlsMaterial,
  TlsMaterialError,
  type TlsSettings,
} from "./tls_material.ts";

/** How often the files are looked at. */
export const CERTIFICATE_LOOK_MS = 5000;
/** How often it is looked at how long certificates are valid, and how many days are a warning. */
const EXPIRY_LOOK_MS = 24 * 3_600_000, EXPIRY_DAYS = 30, DAY_MS = 24 * 3_600_000;

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
  }

  /** What new handshakes use. */
  get current(): TlsMaterial {
    return this.#current;
  }

  /**
   * Reads and checks what other settings name, and changes nothing.
   *
   * @throws {TlsMaterialError} when it cannot be used.
   */
  prepare(settings: TlsSettings): Promise<TlsMaterial> {
    return loadTlsMaterial(this.#options.files, settings);
  }

  /**
   * Has new handshakes use `material`; returns what they used until now, which is to be given back here
   * where a change is taken back.
   */
  replace(material: TlsMaterial): TlsMaterial {
    const before = this.#current;
    this.#current = material;
    this.#refused = null;
    return before;
  }

  /** Looks at the files regularly, and at how long the certificate is still valid. */
  watch(scope: Scope): void {
    const { purpose } = this.#options;
    this.warnOfExpiry();
    every(scope, `certificates:${purpose}`, CERTIFICATE_LOOK_MS, () => this.look());
    every(scope, `expiry:${purpose}`, EXPIRY_LOOK_MS, () => this.warnOfExpiry());
  }

  /** Uses what is in the files now, where that has changed and is good. Never rejects. */
  async look(): Promise<void> {
    const { files, log, purpose } = this.#options, before = this.#current;
    let found: TlsFiles | null = null;
    try {
      found = await readTlsFiles(files, before.settings);
      if (this.#current !== before || same(found, before.files)) return;
      if (this.#refused !== null && same(found, this.#refused)) return;
      const material = makeTlsMaterial(found, before.settings);
      this.replace(material);
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
    const leftMs = this.#current.certificate.notAfterMs - this.#options.clock.now();
    return Math.floor(leftMs / DAY_MS);
  }

  /** Logs when the certificate is about to expire. */
  warnOfExpiry(): void {
    const { log, purpose } = this.#options, { certificate, settings } = this.#current;
    const days = this.daysLeft;
    if (days >= EXPIRY_DAYS) return;
    const fields = {
      days_left: days,
      valid_until: new Date(certificate.notAfterMs).toISOString(),
      file: settings.certFile,
    };
    if (days < 0) log.error(`The TLS certificate for ${purpose} connections has expired`, fields);
    else log.warn(`The TLS certificate for ${purpose} connections expires soon`, fields);
  }
}

function same(a: TlsFiles, b: TlsFiles): boolean {
  return a.cert === b.cert && a.key === b.key && a.ca === b.ca;
}
