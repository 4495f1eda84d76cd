import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { readCertificate, shownCertificate } from "../../src/connection/certificate.ts";
import { DerError } from "../../src/connection/der.ts";
import { TestAuthority } from "../support/certificates.ts";

Deno.test("a certificate says who it is for", async () => {
  const authority = await TestAuthority.create();
  const { der, spki } = await authority.issue({
    subject: [["C", "DE"], ["O", 'Acme, "Inc" <x>'], ["2.5.4.42", "Carol"], ["CN", "#carol+é "]],
    emails: ["carol@acme.org", "c@acme.org"],
    dns: ["a.example.org", "*.example.org"],
    uris: ["spiffe://acme/carol"],
    ips: ["192.0.2.1"],
    notBefore: new Date(Date.UTC(2020, 1, 29, 1, 2, 3)),
    notAfter: new Date(Date.UTC(2049, 11, 31, 23, 59, 59)),
  });
  const keyHash = new Uint8Array(await crypto.subtle.digest("SHA-256", spki)).toHex();
  assertEquals(readCertificate(der), {
    emails: ["carol@acme.org", "c@acme.org"],
    dnsNames: ["a.example.org", "*.example.org"],
    uris: ["spiffe://acme/carol"],
    subject: String.raw`CN=\#carol\+é\ ,2.5.4.42=#0c054361726f6c,O=Acme\, \"Inc\" \<x\>,C=DE`,
    notBeforeMs: Date.UTC(2020, 1, 29, 1, 2, 3),
    notAfterMs: Date.UTC(2049, 11, 31, 23, 59, 59),
    keyHash,
  });
  assertEquals(shownCertificate([der]).chain, [der]);
});

Deno.test("a certificate may have no names besides its subject", async () => {
  const { der } = await (await TestAuthority.create()).issue({ subject: [["CN", "x"]] });
  const { emails, dnsNames, uris, subject } = readCertificate(der);
  assertEquals([emails, dnsNames, uris, subject], [[], [], [], "CN=x"]);
});

Deno.test("what is no certificate is an error, and never anything else", async () => {
  const { der } = await (await TestAuthority.create()).issue({ dns: ["a"], emails: ["b@c"] });
  const isReadOrRefused = (bytes: Uint8Array) => {
    try {
      readCertificate(bytes);
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
    }
  };
  for (let length = 0; length < der.length; length++) {
    assertThrows(() => readCertificate(der.subarray(0, length)), DerError);
  }
  for (let at = 0; at < der.length; at++) {
    const bytes = der.slice();
    for (let byte = 0; byte < 256; byte++) {
      bytes[at] = byte;
      isReadOrRefused(bytes);
    }
  }
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(der.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
      (changes) => {
        const bytes = der.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        isReadOrRefused(bytes);
      },
    ),
    { numRuns: 2000 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), isReadOrRefused));
});
