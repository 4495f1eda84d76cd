import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect } from "@nats-io/transport-node";
import { Broker } from "../../mod.ts";
import type { TlsConfigInput } from "../../src/config/mod.ts";
import {
  CertificateFolder,
  type IssuedCertificate,
  TestAuthority,
} from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { tlsConversation } from "../support/tls_client.ts";

const DAY_MS = 24 * 3_600_000;

/** A broker with TLS, and everybody who may want to talk to it. */
class TlsBroker implements AsyncDisposable {
  readonly log: string[] = [];

  private constructor(
    readonly folder: CertificateFolder,
    readonly authority: TestAuthority,
    readonly broker: Broker,
    log: string[],
  ) {
    this.log = log;
  }

  static async start(
    tls: Partial<TlsConfigInput> = {},
    settings: Omit<Parameters<typeof Broker.start>[0] & object, "tls"> = {},
    request: Parameters<TestAuthority["issue"]>[0] = { dns: ["localhost"], ips: ["127.0.0.1"] },
  ): Promise<TlsBroker> {
    const folder = await CertificateFolder.create(), authority = await TestAuthority.create();
    const log: string[] = [];
    const broker = await Broker.start({
      host: "127.0.0.1",
      port: -1,
      ...settings,
      tls: {
        ...await folder.pair("server", await authority.issue(request)),
        ca_file: await folder.write("ca.pem", authority.pem),
        ...tls,
      },
    }, { writeLog: (line) => log.push(line.trimEnd()) });
    return new TlsBroker(folder, authority, broker, log);
  }

  /** A conversation of a client that trusts the broker's authority. */
  talk(options: Parameters<typeof tlsConversation>[1] = {}) {
    return tlsConversation(this.broker.address, { ca: this.authority.pem, ...options });
  }

  logged(text: string): Promise<void> {
    return eventually(
      () => `${text} in ${this.log.join("\n")}`,
      () => this.log.some((line) => line.includes(text)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.close();
    await this.folder[Symbol.asyncDispose]();
  }
}

type Certificates = Readonly<Record<string, IssuedCertificate | null>>;

async function certificatesOf(authority: TestAuthority): Promise<Certificates> {
  const stranger = await TestAuthority.create("Somebody Else");
  return {
    none: null,
    untrusted: await stranger.issue({ subject: [["CN", "carol"]] }),
    expired: await authority.issue({ notAfter: new Date(Date.now() - DAY_MS) }),
    "not valid yet": await authority.issue({ notBefore: new Date(Date.now() + DAY_MS) }),
    right: await authority.issue({ subject: [["CN", "carol"]] }),
  };
}

for (const verify of [false, true]) {
  Deno.test(`who may come with which certificate, verify ${verify ? "on" : "off"}`, async () => {
    await using server = await TlsBroker.start({ verify });
    const certificates = await certificatesOf(server.authority);
    for (const [name, certificate] of Object.entries(certificates)) {
      for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
        const { admitted, plain, secret, error } = await server.talk({
          maxVersion,
          ...(certificate !== null && { cert: certificate.cert, key: certificate.key }),
        });
        const told = `${name} ${maxVersion} ${error}`;
        assertEquals(admitted, !verify || name === "right", told);
        assertStringIncludes(plain, '"tls_required":true', told);
        assertEquals(plain.includes('"tls_verify":true'), verify, told);
        // What was said in the clear is not said again.
        assertEquals(secret.split("INFO").length - 1, admitted ? 1 : 0, told);
        assertEquals(secret.includes('"connect_info":true'), admitted, told);
      }
    }
    if (verify) await server.logged("TLS handshake error: ");
    assertEquals(server.broker.statistics.panics, 0);
  });
}

Deno.test("the log says what may be wrong with a certificate", async () => {
  await using server = await TlsBroker.start({ verify: true });
  const { untrusted, expired } = await certificatesOf(server.authority);
  await server.talk({ cert: expired!.cert, key: expired!.key });
  await server.logged("certificate refused: CERT_HAS_EXPIRED");
  await server.talk({ cert: untrusted!.cert, key: untrusted!.key });
  await server.logged("certificate refused: it is not of the authorities in ca_file, is not valid");
});

Deno.test("the official client comes in with the right certificate, and not without", async () => {
  await using server = await TlsBroker.start({ verify: true });
  const { folder, authority, broker } = server;
  const caFile = `${folder.path}/ca.pem`, servers = `localhost:${broker.address.port}`;
  const pair = await folder.pair("client", await authority.issue({}));
  const tls = { caFile, certFile: pair.cert_file, keyFile: pair.key_file };
  const client = await connect({ servers, tls, reconnect: false });
  const subscription = client.subscribe("big", { max: 20 }), payload = new Uint8Array(700_000);
  payload.forEach((_, index) => payload[index] = index * 7);
  for (let i = 0; i < 20; i++) client.publish("big", payload);
  let count = 0;
  for await (const { data } of subscription) {
    assertEquals(data, payload);
    count++;
  }
  assertEquals(count, 20);
  await client.drain();
  await assertRejects(() => connect({ servers, tls: { caFile }, reconnect: false, timeout: 3000 }));
});

Deno.test("the official client does not believe a certificate for another host", async () => {
  await using server = await TlsBroker.start({}, {}, { dns: ["example.org"], ips: ["192.0.2.1"] });
  const tls = { caFile: `${server.folder.path}/ca.pem` };
  for (const host of ["localhost", "127.0.0.1"]) {
    const servers = `${host}:${server.broker.address.port}`;
    await assertRejects(() => connect({ servers, tls, reconnect: false, timeout: 3000 }));
  }
});

Deno.test("only pinned keys are let in", async () => {
  const authority = await TestAuthority.create();
  const [pinned, other] = [await authority.issue({}), await authority.issue({})];
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", pinned.spki)).toHex();
  await using own = await CertificateFolder.create();
  const log: string[] = [];
  await using broker = await Broker.start({
    host: "127.0.0.1",
    port: -1,
    tls: {
      ...await own.pair("server", await authority.issue({ dns: ["localhost"] })),
      ca_file: await own.write("ca.pem", authority.pem),
      verify: true,
      pinned_certs: [hash.toUpperCase()],
    },
  }, { writeLog: (line) => log.push(line) });
  const talk = ({ cert, key }: IssuedCertificate) =>
    tlsConversation(broker.address, { ca: authority.pem, cert, key });
  assert((await talk(pinned)).admitted);
  assert(!(await talk(other)).admitted);
  await eventually("the reason", () => log.some((line) => line.includes("none of the pinned")));
});

Deno.test("a certificate may say who a client is", async () => {
  await using server = await TlsBroker.start({ verify_and_map: true }, {
    authorization: {
      users: [
        { user: "carol@acme.org", permissions: { publish: { deny: [">"] } } },
        { user: "O=Acme,CN=dave" },
      ],
    },
  });
  const talk = async (request: Parameters<TestAuthority["issue"]>[0]) => {
    const { cert, key } = await server.authority.issue(request);
    return await server.talk({
      cert,
      key,
      say: 'CONNECT {"verbose":false,"protocol":1}\r\nPUB a 0\r\n\r\nPING\r\n',
    });
  };
  const carol = await talk({ emails: ["carol@acme.org"], subject: [["CN", "x"]] });
  assert(carol.admitted, carol.secret);
  assertStringIncludes(carol.secret, "Permissions Violation");
  const dave = await talk({ subject: [["CN", "dave"], ["O", "Acme"]] });
  assert(dave.admitted, dave.secret);
  assert(!dave.secret.includes("Permissions Violation"), dave.secret);
  const nobody = await talk({ emails: ["mallory@acme.org"], subject: [["CN", "dave"]] });
  assert(!nobody.admitted);
  assertStringIncludes(nobody.secret, "-ERR 'Authorization Violation'");
});

Deno.test("INFO waits for TLS where the handshake comes first", async () => {
  await using server = await TlsBroker.start({ handshake_first: true });
  const { admitted, secret } = await server.talk({ first: true });
  assert(admitted);
  const [info = ""] = secret.split("\r\n");
  assertStringIncludes(info, '"tls_required":true');
  assertEquals(secret.split("INFO").length - 1, 2);
  const client = await connect({
    servers: `localhost:${server.broker.address.port}`,
    tls: { caFile: `${server.folder.path}/ca.pem`, handshakeFirst: true },
    reconnect: false,
  });
  assertEquals(client.info?.tls_required, true);
  await client.close();
});

Deno.test("whoever begins with TLS in time gets INFO inside it, and anybody else before it", async () => {
  for (const handshake_first of ["auto", "150ms"]) {
    await using server = await TlsBroker.start({ handshake_first });
    const early = await server.talk({ first: true });
    assert(early.admitted, `${early.error}`);
    assertEquals([early.plain, early.secret.split("INFO").length - 1], ["", 2]);
    const late = await server.talk();
    assert(late.admitted, `${late.error}`);
    assertStringIncludes(late.plain, '"tls_required":true');
    assertEquals(late.secret.split("INFO").length - 1, 1);
  }
});

Deno.test("TLS may be left out where that is allowed", async () => {
  await using server = await TlsBroker.start({}, { allow_non_tls: true });
  const over = await server.talk();
  assert(over.admitted);
  assertStringIncludes(over.plain, '"tls_available":true');
  assert(!over.plain.includes("tls_required"));
  const servers = `127.0.0.1:${server.broker.address.port}`;
  const client = await connect({ servers, reconnect: false, tls: null });
  await client.flush();
  await client.close();
});

Deno.test("what is too old is not spoken", async () => {
  await using server = await TlsBroker.start({ min_version: "1.3" });
  assert(!(await server.talk({ maxVersion: "TLSv1.2" })).admitted);
  assert((await server.talk({ maxVersion: "TLSv1.3" })).admitted);
});

/** Sends `text` in the clear behind INFO; resolves to what came back and how long the server kept it. */
async function plainly(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  text: string,
): Promise<{ readonly received: string; readonly keptMs: number }> {
  using connection = await Deno.connect({ hostname, port });
  const fromMs = performance.now(), bytes = new Uint8Array(8192);
  let received = "";
  try {
    await connection.write(new TextEncoder().encode(text));
    for (let count: number | null; (count = await connection.read(bytes)) !== null;) {
      received += new TextDecoder("latin1").decode(bytes.subarray(0, count));
    }
  } catch {
    // Reset: the end as well.
  }
  return { received, keptMs: performance.now() - fromMs };
}

Deno.test("CONNECT in the clear and garbage end the connection, and nobody else's", async () => {
  await using server = await TlsBroker.start({ timeout: 60 });
  const client = await connect({
    servers: `localhost:${server.broker.address.port}`,
    tls: { caFile: `${server.folder.path}/ca.pem` },
    reconnect: false,
  });
  for (
    const text of [
      'CONNECT {"verbose":false}\r\nPING\r\n',
      "\x16\x03\x01\x00\x05hello and more",
      "\x16\x03\x01\xff\xff",
      "\x00".repeat(5000),
      "GET / HTTP/1.1\r\n\r\n",
    ]
  ) {
    const { received, keptMs } = await plainly(server.broker.address, text);
    assert(!received.includes("PONG"), text);
    assert(!received.includes("-ERR"), text);
    assert(keptMs < 20_000, `${keptMs} ms for ${JSON.stringify(text.slice(0, 20))}`);
  }
  await client.flush();
  await client.close();
  assertEquals(server.broker.statistics.panics, 0);
});

Deno.test("a handshake that stalls ends in time, and counts as a connection until then", async () => {
  await using server = await TlsBroker.start({ timeout: "1s" }, { max_connections: 3 });
  const { address } = server.broker;
  const stalled = [1, 2, 3].map(() => plainly(address, "\x16\x03\x01"));
  await eventually("a refusal", async () => {
    const { received } = await plainly(address, "");
    return received.includes("maximum connections exceeded");
  });
  for (const { received, keptMs } of await Promise.all(stalled)) {
    assertStringIncludes(received, "INFO ");
    assert(keptMs > 900 && keptMs < 15_000, `${keptMs} ms`);
  }
  await server.logged("TLS handshake error: handshake timeout");
  assert((await server.talk()).admitted);
});

Deno.test("a broker that closes does not wait for handshakes", async () => {
  const server = await TlsBroker.start({ timeout: 120 });
  const stalled = plainly(server.broker.address, "\x16\x03\x01");
  await eventually("the handshake", () =>
    server.broker.tasks().children.some(
      ({ name, children }) => name === "clients" && children.length > 0,
    ));
  const fromMs = performance.now();
  await server[Symbol.asyncDispose]();
  assert(performance.now() - fromMs < 10_000);
  await stalled;
});

Deno.test("certificates that cannot be used are named, and nothing is started", async () => {
  await using folder = await CertificateFolder.create();
  const authority = await TestAuthority.create();
  const [one, other] = [await authority.issue({}), await authority.issue({})];
  const { cert_file, key_file } = await folder.pair("one", one);
  const { key_file: otherKey } = await folder.pair("other", other);
  const garbage = await folder.write("garbage", "nothing of the kind");
  const cases: [TlsConfigInput, string][] = [
    [{ cert_file, key_file: otherKey }, "does not match the public key of"],
    [{ cert_file: garbage, key_file }, `no certificate in ${garbage}`],
    [{ cert_file, key_file: garbage }, `no private key without a passphrase in ${garbage}`],
    [{ cert_file, key_file, ca_file: garbage, verify: true }, `no certificate in ${garbage}`],
    [{ cert_file: `${folder.path}/none`, key_file }, `${folder.path}/none`],
  ];
  for (const [tls, words] of cases) {
    const error = await assertRejects(
      () => Broker.start({ host: "127.0.0.1", port: -1, tls }),
      Error,
    );
    assertStringIncludes(error.message, words);
  }
});

Deno.test("new certificates are for new connections, and only good ones", async () => {
  await using server = await TlsBroker.start();
  const { folder, authority, broker } = server;
  const servers = `localhost:${broker.address.port}`;
  const old = await connect({
    servers,
    tls: { caFile: `${folder.path}/ca.pem` },
    reconnect: false,
  });
  const next = await TestAuthority.create("The Next One");
  const pair = await next.issue({ dns: ["localhost"] });
  await folder.write("server.pem", pair.cert);
  await server.logged("New TLS certificates for client connections are not used: ");
  assert((await server.talk()).admitted);
  await folder.write("server.key", pair.key);
  await server.logged("The TLS certificates for client connections have changed");
  assert((await tlsConversation(broker.address, { ca: next.pem })).admitted);
  assert(!(await server.talk({ ca: authority.pem })).admitted);
  await old.flush();
  await old.close();
});

Deno.test("what TLS is to be like changes with a reload, and not for who is there", async () => {
  await using server = await TlsBroker.start();
  const { folder, authority, broker } = server, ca_file = `${folder.path}/ca.pem`;
  const tls = { cert_file: `${folder.path}/server.pem`, key_file: `${folder.path}/server.key` };
  const base = { host: "127.0.0.1", port: -1 };
  const servers = `localhost:${broker.address.port}`;
  const old = await connect({ servers, tls: { caFile: ca_file }, reconnect: false });
  const reload = async (settings: Parameters<Broker["reload"]>[0]) =>
    (await broker.reload({ ...base, ...settings })).outcome;

  assertEquals(await reload({ tls: { ...tls, ca_file, verify: true } }), "applied");
  const stranger = await server.talk();
  assert(!stranger.admitted);
  assertStringIncludes(stranger.plain, '"tls_verify":true');
  const { cert, key } = await authority.issue({});
  assert((await server.talk({ cert, key })).admitted);

  const other = (await folder.pair("other", await authority.issue({}))).key_file;
  assertEquals(await reload({ tls: { ...tls, key_file: other } }), "failed");
  assert((await server.talk({ cert, key })).admitted, "as before");

  assertEquals(await reload({ tls, allow_non_tls: true }), "applied");
  assertStringIncludes((await server.talk()).plain, '"tls_available":true');
  assertEquals(await reload({}), "applied");
  const plain = await connect({ servers, reconnect: false, tls: null });
  assertEquals(plain.info?.tls_available, undefined);
  await plain.close();
  assertEquals(await reload({ tls }), "applied");
  assert((await server.talk()).admitted);
  await old.flush();
  await old.close();
});

Deno.test("a certificate that expires soon is a warning", async () => {
  await using soon = await TlsBroker.start({}, {}, {
    dns: ["localhost"],
    notAfter: new Date(Date.now() + 12.5 * DAY_MS),
  });
  await soon.logged(
    "The TLS certificate for client connections expires soon module=tls days_left=12",
  );
  await using later = await TlsBroker.start({}, {}, {
    dns: ["localhost"],
    notAfter: new Date(Date.now() + 40 * DAY_MS),
  });
  assert(!later.log.some((line) => line.includes("expires")));
});

Deno.test("no more handshakes begin in a second than may", async () => {
  await using server = await TlsBroker.start({ connection_rate_limit: 1 });
  const attempts = await Promise.all([1, 2, 3, 4].map(() => server.talk()));
  assert(attempts.some(({ admitted }) => admitted));
  assert(attempts.some(({ admitted }) => !admitted));
  await server.logged("TLS rate limiting");
});

Deno.test("within the process there is no TLS", async () => {
  await using server = await TlsBroker.start({ verify: true });
  const connection = server.broker.connect(), bytes = new Uint8Array(4096);
  const count = await connection.read(bytes);
  const info = new TextDecoder().decode(bytes.subarray(0, count ?? 0));
  assertStringIncludes(info, "INFO {");
  assert(!info.includes("tls_"));
  connection.close();
});
