import { assertEquals, assertRejects } from "@std/assert";
import { ConfigError, type TlsConfig } from "../../src/config/mod.ts";
import { clusterOf, load, refusal } from "../support/cluster_settings.ts";

const pair = "cert_file: a.pem, key_file: a.key";
const authority = "expected a ca_file where certificates of others are verified, found none " +
  "(anybody can get a certificate of the authorities that a system comes with)";

async function tlsOf(settings: string): Promise<TlsConfig | undefined> {
  return (await load(`tls: {${pair}, ${settings}}`)).tls;
}

Deno.test("a tls block has defaults, and credentials get a second more than the handshake", async () => {
  const config = await load(`tls: {${pair}}`);
  assertEquals(config.tls, {
    cert_file: "a.pem",
    key_file: "a.key",
    verify: false,
    verify_and_map: false,
    timeout: 2000,
    handshake_first: false,
    pinned_certs: [],
    min_version: "1.2",
    connection_rate_limit: 0,
    insecure: false,
  });
  assertEquals(config.authorization.timeout, 3000);
  assertEquals((await load("")).authorization.timeout, 2000);
  const other = await load(`tls: {${pair}, timeout: 5}\nauthorization: {timeout: 1s}`);
  assertEquals([other.tls?.timeout, other.authorization.timeout], [5000, 1000]);
  assertEquals((await load(`tls: {${pair}, timeout: 0.5}`)).authorization.timeout, 1500);
  // As in nats-server, none is the default.
  assertEquals((await tlsOf("timeout: 0"))?.timeout, 2000);
});

Deno.test("the handshake may come first in all of nats-server's words", async () => {
  const cases: [string, boolean | number][] = [
    ["true", true],
    ["off", false],
    ["auto", 50],
    ["auto_fallback", 50],
    ["300ms", 300],
    ['"1s"', 1000],
  ];
  for (const [text, expected] of cases) {
    assertEquals((await tlsOf(`handshake_first: ${text}`))?.handshake_first, expected, text);
    assertEquals((await tlsOf(`first: ${text}`))?.handshake_first, expected, text);
    assertEquals((await tlsOf(`immediate: ${text}`))?.handshake_first, expected, text);
  }
  for (const wrong of ["5", "0.5", "later", "2h"]) {
    assertEquals(await refusal(`tls: {${pair}, handshake_first: ${wrong}}`), [
      'tls.handshake_first: expected true, false, auto or a duration such as "100ms", found ' +
      `"${wrong}"`,
    ]);
  }
});

Deno.test("mapping certificates verifies them", async () => {
  const tls = await tlsOf("ca_file: c, verify_and_map: true");
  assertEquals([tls?.verify, tls?.verify_and_map], [true, true]);
});

Deno.test("what cannot be is refused, and what is not supported is named", async () => {
  const cases: [string, string[]][] = [
    ["{}", [
      "tls.cert_file: expected a path, found nothing",
      "tls.key_file: expected a path, found nothing",
    ]],
    [`{${pair}, verify: true}`, [`tls.verify: ${authority}`]],
    [`{${pair}, verify_and_map: true}`, [`tls.verify_and_map: ${authority}`]],
    [`{${pair}, min_version: "1.1"}`, [
      'tls.min_version: expected one of 1.2, 1.3, found "1.1"',
    ]],
    [`{${pair}, timeout: -1}`, [
      'tls.timeout: expected a duration such as "2s" or "1m30s", from 0s to 596h, found "-1"',
    ]],
    [`{${pair}, pinned_certs: [abc]}`, [
      "tls.pinned_certs[0]: expected 64 hex digits: the SHA-256 of a DER-encoded " +
      'SubjectPublicKeyInfo, found "abc"',
    ]],
    [`{${pair}, cipher_suites: [TLS_AES_128_GCM_SHA256]}`, [
      "tls.cipher_suites: not supported by this version of denats",
    ]],
    [`{${pair}, curve_preferences: [X25519]}`, [
      "tls.curve_preferences: not supported by this version of denats",
    ]],
    [`{${pair}, certificates: []}`, ["tls.certs: not supported by this version of denats"]],
    [`{${pair}, verify_cert_and_check_known_urls: true}`, [
      "tls.verify_cert_and_check_known_urls: verify_cert_and_check_known_urls is for clusters only",
    ]],
  ];
  for (const [text, expected] of cases) assertEquals(await refusal(`tls: ${text}`), expected, text);
  assertEquals(await refusal(`cluster: {tls: {${pair}}}`), [`cluster.tls.ca_file: ${authority}`]);
});

Deno.test("a cluster has TLS of its own", async () => {
  const { tls, authorization } = await clusterOf(
    `tls: {${pair}, ca_file: c, insecure: true, verify_cert_and_check_known_urls: true, timeout: 1}`,
  );
  assertEquals(tls, {
    cert_file: "a.pem",
    key_file: "a.key",
    ca_file: "c",
    verify: false,
    verify_and_map: false,
    timeout: 1000,
    handshake_first: false,
    pinned_certs: [],
    min_version: "1.2",
    connection_rate_limit: 0,
    insecure: true,
    verify_cert_and_check_known_urls: true,
  });
  assertEquals(authorization.timeout, 2000);
});

Deno.test("flags replace all that the file says of TLS", async () => {
  const file = `tls: {${pair}, ca_file: c, verify: true, timeout: 9}`;
  const flags = ["--tls", "--tlscert", "b.pem", "--tlskey=b.key"];
  for (const text of [file, ""]) {
    const { tls } = await load(text, ...flags);
    assertEquals([tls?.cert_file, tls?.key_file, tls?.ca_file], ["b.pem", "b.key", undefined]);
    assertEquals([tls?.verify, tls?.timeout], [false, 2000]);
  }
  const verified = await load("", ...flags.slice(1), "--tlsverify", "--tlscacert", "d");
  assertEquals([verified.tls?.verify, verified.tls?.ca_file], [true, "d"]);
  assertEquals((await load(file, "--tls=false")).tls, undefined);
  assertEquals((await load(file, "--tlsverify=false")).tls, undefined);
});

Deno.test("flags of TLS need a certificate and its key", async () => {
  const cases: [string[], string[]][] = [
    [["--tls"], ["cert_file", "key_file"]],
    [["--tls", "--tlscert", "a"], ["key_file"]],
    [["--tlsverify"], ["cert_file", "key_file", "verify"]],
  ];
  for (const [args, missing] of cases) {
    const { problems } = await assertRejects(() => load("", ...args), ConfigError);
    const told = problems.filter(({ source }) => source === args[0]);
    assertEquals(told.map(({ path }) => path), missing.map((key) => `tls.${key}`), args.join(" "));
  }
});
