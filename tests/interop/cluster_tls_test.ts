/** Routes over TLS between a real nats-server and denats, dialled from either side. */
import { assertEquals } from "@std/assert";
import { connect } from "@nats-io/transport-node";
import { Broker } from "../../mod.ts";
import { CertificateFolder, TestAuthority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { findNatsServer, startNatsServer } from "../support/nats_server.ts";

const LINES = ["2.15", "2.10", "2.9"] as const;

async function certificates() {
  const folder = await CertificateFolder.create(), authority = await TestAuthority.create();
  const issue = async (name: string) =>
    await folder.pair(name, await authority.issue({ dns: ["localhost"], ips: ["127.0.0.1"] }));
  return {
    folder,
    ca_file: await folder.write("ca.pem", authority.pem),
    ours: await issue("denats"),
    theirs: await issue("nats-server"),
  };
}

for (const line of LINES) {
  const binary = await findNatsServer(line);
  for (const weDial of [true, false]) {
    Deno.test({
      name: `cluster: TLS with nats-server ${line}, which ${weDial ? "is dialled" : "dials"}`,
      ignore: binary === undefined,
      fn: async () => {
        const { folder, ca_file, ours, theirs } = await certificates();
        await using _folder = folder;
        const conf = (routes: string) => `
          server_name: theirs
          tls { cert_file: "${theirs.cert_file}", key_file: "${theirs.key_file}" }
          cluster {
            name: C, listen: "127.0.0.1:-1", routes: [${routes}]
            tls { cert_file: "${theirs.cert_file}", key_file: "${theirs.key_file}", ca_file: "${ca_file}" }
          }`;
        const start = (routes: readonly string[]) =>
          Broker.start({
            host: "127.0.0.1",
            port: -1,
            server_name: "ours",
            tls: ours,
            cluster: {
              name: "C",
              host: "127.0.0.1",
              port: -1,
              routes,
              tls: { ...ours, ca_file },
            },
          });
        await using stack = new AsyncDisposableStack();
        let port: number, broker: Broker;
        if (weDial) {
          const server = stack.use(await startNatsServer(binary!, conf("")));
          const url = new URL(server.ports.cluster![0]!);
          broker = stack.use(await start([`nats-route://localhost:${url.port}`]));
          port = server.port;
        } else {
          broker = stack.use(await start([]));
          const route = `nats-route://localhost:${broker.clusterAddress!.port}`;
          port = stack.use(await startNatsServer(binary!, conf(`"${route}"`))).port;
        }
        await eventually("the route", () => broker.routes().length === 1);
        const tls = { caFile: ca_file };
        const here = await connect({ servers: `localhost:${broker.address.port}`, tls });
        const there = await connect({ servers: `localhost:${port}`, tls });
        try {
          for (const [from, to] of [[here, there], [there, here]] as const) {
            const subscription = to.subscribe("over.tls", { max: 100 });
            await to.flush();
            // Interest takes its time.
            await eventually("an answer", async () => {
              from.publish("over.tls", "first");
              await from.flush();
              return subscription.getReceived() > 0;
            });
            const payload = new Uint8Array(100_000).fill(42);
            for (let i = 0; i < 100; i++) from.publish("over.tls", payload);
            let whole = 0;
            for await (const { data } of subscription) if (data.length === payload.length) whole++;
            assertEquals(whole > 0, true);
          }
        } finally {
          await here.close();
          await there.close();
        }
      },
    });
  }
}
