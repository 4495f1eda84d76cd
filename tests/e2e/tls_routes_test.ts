import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createServer } from "node:tls";
import { connect } from "@nats-io/transport-node";
import { Broker } from "../../mod.ts";
import type { ClusterConfigInput, ClusterTlsConfigInput } from "../../src/config/mod.ts";
import {
  CertificateFolder,
  type CertificateRequest,
  TestAuthority,
} from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { tlsConversation } from "../support/tls_client.ts";

const DAY_MS = 24 * 3_600_000;

/** Servers whose certificates come from one authority. */
class TlsCluster implements AsyncDisposable {
  readonly brokers: Broker[] = [];
  readonly log: string[] = [];

  private constructor(readonly folder: CertificateFolder, readonly authority: TestAuthority) {}

  static async create(): Promise<TlsCluster> {
    return new TlsCluster(await CertificateFolder.create(), await TestAuthority.create());
  }

  async start(
    request: CertificateRequest = { dns: ["localhost"] },
    tls: Partial<ClusterTlsConfigInput> = {},
    cluster: ClusterConfigInput = {},
    authority = this.authority,
  ): Promise<Broker> {
    const name = `S${this.brokers.length + 1}`;
    const broker = await Broker.start({
      host: "127.0.0.1",
      port: -1,
      server_name: name,
      cluster: {
        name: "C",
        host: "127.0.0.1",
        port: -1,
        ...cluster,
        tls: {
          ...await this.folder.pair(name, await authority.issue(request)),
          ca_file: await this.folder.write("ca.pem", this.authority.pem),
          ...tls,
        },
      },
    }, { writeLog: (line) => this.log.push(`${name} ${line.trimEnd()}`) });
    this.brokers.push(broker);
    return broker;
  }

  logged(text: string): Promise<void> {
    return eventually(
      () => `${text} in ${this.log.join("\n")}`,
      () => this.log.some((line) => line.includes(text)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const broker of this.brokers) await broker.close();
    await this.folder[Symbol.asyncDispose]();
  }
}

function routeTo(broker: Broker, host = "localhost"): ClusterConfigInput {
  return { routes: [`nats-route://${host}:${broker.clusterAddress!.port}`] };
}

async function meshed(...brokers: readonly Broker[]): Promise<void> {
  await eventually(
    "the mesh",
    () => brokers.every((broker) => broker.routes().length === brokers.length - 1),
  );
}

Deno.test("messages cross between servers over TLS, compressed or not", async () => {
  for (const compression of ["off", "s2_fast"] as const) {
    await using cluster = await TlsCluster.create();
    const first = await cluster.start(undefined, {}, { compression });
    const second = await cluster.start(undefined, {}, { ...routeTo(first), compression });
    await meshed(first, second);
    const [here, there] = await Promise.all(
      [first, second].map(({ address }) =>
        connect({ servers: `127.0.0.1:${address.port}`, reconnect: false })
      ),
    );
    const payload = new Uint8Array(500_000);
    payload.forEach((_, index) => payload[index] = index * index);
    const subscription = there!.subscribe("big", { max: 10 });
    await there!.flush();
    await eventually("interest", () => first.remoteInterest(second.id).length > 0);
    for (let i = 0; i < 10; i++) here!.publish("big", payload);
    let count = 0;
    for await (const { data } of subscription) {
      assertEquals(data, payload);
      count++;
    }
    assertEquals(count, 10);
    await Promise.all([here!.close(), there!.close()]);
  }
});

Deno.test("who may dial with which certificate", async () => {
  await using cluster = await TlsCluster.create();
  const { clusterAddress } = await cluster.start();
  const stranger = await TestAuthority.create("Somebody Else");
  const certificates = {
    none: null,
    untrusted: await stranger.issue({ dns: ["localhost"] }),
    expired: await cluster.authority.issue({ notAfter: new Date(Date.now() - DAY_MS) }),
    "another name": await cluster.authority.issue({ dns: ["example.org"] }),
    right: await cluster.authority.issue({ dns: ["localhost"] }),
  };
  for (const [name, certificate] of Object.entries(certificates)) {
    const { admitted, secret, error } = await tlsConversation(clusterAddress!, {
      ca: cluster.authority.pem,
      first: true,
      say: "",
      until: "\r\n",
      ...(certificate !== null && { cert: certificate.cert, key: certificate.key }),
    });
    // Whoever dials is believed whatever its name; see verify_cert_and_check_known_urls.
    const isLetIn = name === "right" || name === "another name";
    assertEquals(admitted, isLetIn, `${name} ${error}`);
    if (!isLetIn) continue;
    assertStringIncludes(secret, '"tls_required":true');
    assertStringIncludes(secret, '"tls_verify":true');
  }
  await cluster.logged("TLS route handshake error: ");
});

Deno.test("who is turned away before anything is said is told so by its own log", async () => {
  await using cluster = await TlsCluster.create();
  const first = await cluster.start();
  const stranger = await TestAuthority.create("Somebody Else");
  await cluster.start(undefined, {}, routeTo(first), stranger);
  await cluster.logged(
    `Error trying to connect to route (attempt 1): localhost:${
      first.clusterAddress!.port
    } hung up ` +
      "before it said who it is, as a server does that requires TLS or refuses the certificate",
  );
});

Deno.test("nothing is said in the clear to who dials, and what is no TLS is refused", async () => {
  await using cluster = await TlsCluster.create();
  const { clusterAddress } = await cluster.start(undefined, { timeout: "1s" });
  const { hostname, port } = clusterAddress!;
  for (const text of ["", 'CONNECT {"name":"N","cluster":"C"}\r\n', "\x16\x03\x01\x00"]) {
    using connection = await Deno.connect({ hostname, port });
    await connection.write(new TextEncoder().encode(text));
    let received = "";
    const bytes = new Uint8Array(1024);
    try {
      for (let count: number | null; (count = await connection.read(bytes)) !== null;) {
        received += new TextDecoder("latin1").decode(bytes.subarray(0, count));
      }
    } catch {
      // Reset: the end as well.
    }
    // An alert at most.
    assert(received === "" || received.startsWith("\x15"), JSON.stringify(received));
  }
});

/** A server that a broker dials over TLS; tells whether it was told CONNECT, and by whom. */
async function dialled(
  cluster: TlsCluster,
  request: CertificateRequest,
  { authority = cluster.authority, host = "localhost", tls = {} }: {
    readonly authority?: TestAuthority;
    readonly host?: string;
    readonly tls?: Partial<ClusterTlsConfigInput>;
  } = {},
): Promise<{ readonly connect: string | null; readonly client: string | null }> {
  const { cert, key } = await authority.issue(request);
  const { promise, resolve } = Promise.withResolvers<string | null>();
  let client: string | null = null;
  const server = createServer({
    cert,
    key,
    ca: cluster.authority.pem,
    requestCert: true,
    rejectUnauthorized: true,
  }, (socket) => {
    client = String(socket.getPeerCertificate()?.subject?.CN);
    socket.on("error", () => {});
    socket.on("data", (chunk) => resolve(chunk.toString()));
    socket.on("close", () => resolve(null));
  });
  server.on("tlsClientError", () => resolve(null));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  assert(typeof address === "object" && address !== null);
  const broker = await cluster.start({ dns: ["localhost"], subject: [["CN", "denats"]] }, tls, {
    routes: [`nats-route://${host}:${address.port}`],
  });
  const connect = await promise;
  await broker.close();
  await new Promise<void>((done) => server.close(() => done()));
  return { connect, client };
}

Deno.test("which servers are believed when they are dialled", async () => {
  await using cluster = await TlsCluster.create();
  const authority = await TestAuthority.create("Somebody Else");
  const right: CertificateRequest = { dns: ["localhost"], ips: ["127.0.0.1"] };
  const expired = { ...right, notAfter: new Date(Date.now() - DAY_MS) };
  const [there, untrusted, late, other, address, otherAddress, insecure] = [
    await dialled(cluster, right),
    await dialled(cluster, right, { authority }),
    await dialled(cluster, expired),
    await dialled(cluster, { dns: ["example.org"] }),
    await dialled(cluster, right, { host: "127.0.0.1" }),
    await dialled(cluster, { ips: ["192.0.2.1"] }, { host: "127.0.0.1" }),
    await dialled(cluster, { dns: ["example.org"] }, { authority, tls: { insecure: true } }),
  ];
  assertStringIncludes(there.connect ?? "", "CONNECT {");
  assertStringIncludes(there.connect ?? "", '"tls_required":true');
  assertEquals(there.client, "denats");
  assertEquals([untrusted.connect, late.connect, other.connect, otherAddress.connect], [
    null,
    null,
    null,
    null,
  ]);
  assertStringIncludes(address.connect ?? "", "CONNECT {");
  assertStringIncludes(insecure.connect ?? "", "CONNECT {");
  await cluster.logged("Error trying to connect to route (attempt 1): TLS route handshake error: ");
  await cluster.logged("TLS of routes is insecure");
});

Deno.test("a server learnt of by address has the name of the configured route", async () => {
  await using cluster = await TlsCluster.create();
  const first = await cluster.start();
  const second = await cluster.start(undefined, {}, routeTo(first));
  // No certificate names 127.0.0.1, under which they tell of each other.
  const third = await cluster.start(undefined, {}, routeTo(first));
  await meshed(first, second, third);
});

Deno.test("a certificate may have to name a configured route", async () => {
  await using cluster = await TlsCluster.create();
  const known = await cluster.start(undefined, { verify_cert_and_check_known_urls: true }, {
    routes: ["nats-route://b.example.org:1"],
  });
  const friend = await cluster.start({ dns: ["localhost", "*.example.org"] }, {}, routeTo(known));
  await meshed(known, friend);
  const other = await cluster.start({ dns: ["localhost", "a.b.example.org"] }, {}, routeTo(known));
  await cluster.logged("authentication error");
  assertEquals(other.routes().length, 0);
});

Deno.test("a certificate may be the credentials of a server", async () => {
  await using cluster = await TlsCluster.create();
  const authorization = { user: "CN=route,O=Acme", password: "sesame" };
  const known = await cluster.start(undefined, { verify_and_map: true }, { authorization });
  const right = { dns: ["localhost"], subject: [["CN", "route"], ["O", "Acme"]] } as const;
  const friend = await cluster.start(right, {}, routeTo(known));
  await meshed(known, friend);
  const wrong = { dns: ["localhost"], subject: [["CN", "route"]] } as const;
  const other = await cluster.start(wrong, {}, {
    routes: [`nats-route://CN%3Droute%2CO%3DAcme:sesame@localhost:${known.clusterAddress!.port}`],
  });
  await cluster.logged("authentication error");
  assertEquals(other.routes().length, 0);
});

Deno.test("a server's key may be pinned, on both sides", async () => {
  await using cluster = await TlsCluster.create();
  const nobody = "0".repeat(64);
  const first = await cluster.start();
  const second = await cluster.start(undefined, { pinned_certs: [nobody] }, routeTo(first));
  await cluster.logged("the peer's certificate is none of the pinned ones");
  assertEquals([first.routes().length, second.routes().length], [0, 0]);
});

Deno.test("new certificates of routes are for new routes", async () => {
  await using cluster = await TlsCluster.create();
  const first = await cluster.start();
  const second = await cluster.start(undefined, {}, routeTo(first));
  await meshed(first, second);
  const { cert, key } = await cluster.authority.issue({ dns: ["localhost"] });
  await cluster.folder.write("S1.pem", cert);
  await cluster.folder.write("S1.key", key);
  await cluster.logged("S1");
  await cluster.logged("The TLS certificates for route connections have changed");
  assertEquals(first.routes().length, 1);
  const third = await cluster.start(undefined, {}, routeTo(first));
  await meshed(first, second, third);
});
