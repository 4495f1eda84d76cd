/**
 * Certificates made when they are needed, with keys that live as long as the test.
 *
 * @module
 */

/** A certificate and its key. */
export interface IssuedCertificate {
  /** PEM. */
  readonly cert: string;
  /** PKCS #8, PEM. */
  readonly key: string;
  /** DER. */
  readonly der: Uint8Array<ArrayBuffer>;
  /** Its SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array<ArrayBuffer>;
}

/** What a certificate is to say. */
export interface CertificateRequest {
  /** Attributes of the subject by object identifier or one of the names CN, O, OU, C; in this order. */
  readonly subject?: readonly (readonly [type: string, value: string])[];
  /** DNS names. */
  readonly dns?: readonly string[];
  /** IPv4 addresses. */
  readonly ips?: readonly string[];
  /** E-mail addresses. */
  readonly emails?: readonly string[];
  /** URIs. */
  readonly uris?: readonly string[];
  /** When it begins to be valid; an hour ago if absent. */
  readonly notBefore?: Date;
  /** When it ceases to be; in 90 days if absent. */
  readonly notAfter?: Date;
}

const HOUR_MS = 3_600_000, DAY_MS = 24 * HOUR_MS;

const TYPES: Readonly<Record<string, string>> = {
  CN: "2.5.4.3",
  C: "2.5.4.6",
  O: "2.5.4.10",
  OU: "2.5.4.11",
};

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";

/** Somebody whom others trust to issue certificates. */
export class TestAuthority {
  /** Its own certificate, PEM. */
  readonly pem: string;
  readonly #name: Uint8Array;
  readonly #key: CryptoKey;

  private constructor(pem: string, name: Uint8Array, key: CryptoKey) {
    this.pem = pem;
    this.#name = name;
    this.#key = key;
  }

  /** A new one. */
  static async create(commonName = "Test Authority"): Promise<TestAuthority> {
    const { privateKey, publicKey } = await crypto.subtle.generateKey(ALGORITHM, true, [
      "sign",
      "verify",
    ]);
    const name = nameOf([["CN", commonName]]);
    const der = await signed(privateKey, name, name, await spkiOf(publicKey), validity({}), [
      extension("2.5.29.19", true, tlv(0x30, tlv(0x01, [0xff]))),
      extension("2.5.29.15", true, tlv(0x03, [1, 0x06])),
    ]);
    return new TestAuthority(pem("CERTIFICATE", der), name, privateKey);
  }

  /** Issues a certificate with a new key, for servers and clients alike. */
  async issue(request: CertificateRequest): Promise<IssuedCertificate> {
    const { privateKey, publicKey } = await crypto.subtle.generateKey(ALGORITHM, true, [
      "sign",
      "verify",
    ]);
    const { dns = [], ips = [], emails = [], uris = [] } = request;
    const names = [
      ...emails.map((text) => tlv(0x81, ascii(text))),
      ...dns.map((text) => tlv(0x82, ascii(text))),
      ...uris.map((text) => tlv(0x86, ascii(text))),
      ...ips.map((text) => tlv(0x87, text.split(".").map(Number))),
    ];
    const spki = await spkiOf(publicKey);
    const der = await signed(
      this.#key,
      this.#name,
      nameOf(request.subject ?? [["CN", dns[0] ?? "test"]]),
      spki,
      validity(request),
      [
        extension("2.5.29.19", true, tlv(0x30)),
        extension(
          "2.5.29.37",
          false,
          tlv(0x30, oid("1.3.6.1.5.5.7.3.1"), oid("1.3.6.1.5.5.7.3.2")),
        ),
        ...(names.length > 0 ? [extension("2.5.29.17", false, tlv(0x30, ...names))] : []),
      ],
    );
    const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
    return { cert: pem("CERTIFICATE", der), key: pem("PRIVATE KEY", pkcs8), der, spki };
  }
}

/** Writes certificates where a server finds them. */
export class CertificateFolder implements AsyncDisposable {
  /** Where it is. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** A new folder, gone at the end of the test. */
  static async create(): Promise<CertificateFolder> {
    return new CertificateFolder(await Deno.makeTempDir({ prefix: "denats-tls-" }));
  }

  /** Writes a file; returns its path. */
  async write(name: string, text: string): Promise<string> {
    const path = `${this.path}/${name}`;
    await Deno.writeTextFile(path, text);
    return path;
  }

  /** Writes a certificate and its key as a `tls` block names them. */
  async pair(
    name: string,
    { cert, key }: IssuedCertificate,
  ): Promise<{ cert_file: string; key_file: string }> {
    return {
      cert_file: await this.write(`${name}.pem`, cert),
      key_file: await this.write(`${name}.key`, key),
    };
  }

  /** Removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

async function signed(
  issuerKey: CryptoKey,
  issuer: Uint8Array,
  subject: Uint8Array,
  spki: Uint8Array,
  valid: Uint8Array,
  extensions: readonly Uint8Array[],
): Promise<Uint8Array<ArrayBuffer>> {
  const algorithm = tlv(0x30, oid(ECDSA_WITH_SHA256));
  const serial = crypto.getRandomValues(new Uint8Array(16));
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const content = tlv(
    0x30,
    tlv(0xa0, tlv(0x02, [2])),
    tlv(0x02, serial),
    algorithm,
    issuer,
    valid,
    subject,
    spki,
    tlv(0xa3, tlv(0x30, ...extensions)),
  );
  const raw = new Uint8Array(
    await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, issuerKey, content),
  );
  const signature = tlv(0x30, integer(raw.subarray(0, 32)), integer(raw.subarray(32)));
  return tlv(0x30, content, algorithm, tlv(0x03, [0], signature));
}

async function spkiOf(key: CryptoKey): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.exportKey("spki", key));
}

function validity({ notBefore, notAfter }: CertificateRequest): Uint8Array {
  return tlv(
    0x30,
    time(notBefore ?? new Date(Date.now() - HOUR_MS)),
    time(notAfter ?? new Date(Date.now() + 90 * DAY_MS)),
  );
}

function time(date: Date): Uint8Array {
  return tlv(0x17, ascii(date.toISOString().replace(/^\d\d|[-:T]|\.\d+/g, "")));
}

function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  return tlv(0x30, oid(id), ...(critical ? [tlv(0x01, [0xff])] : []), tlv(0x04, value));
}

function nameOf(attributes: readonly (readonly [string, string])[]): Uint8Array {
  return tlv(
    0x30,
    ...attributes.map(([type, value]) =>
      tlv(
        0x31,
        tlv(0x30, oid(TYPES[type] ?? type), tlv(0x0c, new TextEncoder().encode(value))),
      )
    ),
  );
}

/** An unsigned number; a leading zero keeps it from being negative. */
function integer(bytes: Uint8Array): Uint8Array {
  let from = 0;
  while (from < bytes.length - 1 && bytes[from] === 0) from++;
  const digits = bytes.subarray(from);
  return digits[0]! >= 0x80 ? tlv(0x02, [0], digits) : tlv(0x02, digits);
}

function oid(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes: number[] = [];
  for (const part of [40 * first + second, ...rest]) {
    const groups = [part % 128];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128)) {
      groups.unshift((left % 128) + 128);
    }
    bytes.push(...groups);
  }
  return tlv(0x06, bytes);
}

function tlv(
  tag: number,
  ...parts: readonly (Uint8Array | readonly number[])[]
): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = length < 0x80
    ? [tag, length]
    : length < 0x100
    ? [tag, 0x81, length]
    : [tag, 0x82, length >> 8, length & 0xff];
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let at = head.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function ascii(text: string): number[] {
  return [...text].map((character) => character.charCodeAt(0));
}

function pem(label: string, der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
