import { assert, assertEquals } from "@std/assert";
import { startBroker } from "../support/broker.ts";
import {
  CertificateFolder,
  type CertificateRequest,
  type IssuedCertificate,
  TestAuthority,
} from "../support/certificates.ts";
import type { ServerAddress } from "../support/conversation.ts";
import { findNatsServer, startNatsServer } from "../support/nats_server.ts";
import { tlsConversation } from "../support/tls_client.ts";

const natsServer = await findNatsServer("2.15");

/** Users by the account that each is alone in: where a client is, tells who it is. */
const users: Record<string, { user: string; password?: string; types?: string[] }> = {
  MAIL: { user: "carol@acme.org" },
  DNS: { user: "carol.acme.org" },
  URI: { user: "spiffe://acme.org/carol" },
  SUBJECT: { user: "CN=carol,O=Acme" },
  REORDERED: { user: "O=Acme,CN=dave" },
  LOWER: { user: "cn=frank, o=Acme" },
  COMMA: { user: "CN=Smith\\, J.,O=Acme" },
  DC: { user: "CN=erin,DC=example,DC=com" },
  NAME: { user: "gina" },
  ONLY: { user: "CN=henry" },
  PASSWORD: { user: "ida@acme.org", password: "p" },
  ELSEWHERE: { user: "joe@acme.org", types: ["WEBSOCKET"] },
  HERE: { user: "joe.acme.org", types: ["STANDARD"] },
};

const DC = "0.9.2342.19200300.100.1.25";
const certificates: Record<string, CertificateRequest & { readonly connect?: object }> = {
  "everything": {
    emails: ["other@acme.org", "carol@acme.org"],
    dns: ["carol.acme.org"],
    uris: ["spiffe://acme.org/carol"],
    subject: [["O", "Acme"], ["CN", "carol"]],
  },
  "all but e-mail": {
    dns: ["other.acme.org", "carol.acme.org"],
    uris: ["spiffe://acme.org/carol"],
    subject: [["O", "Acme"], ["CN", "carol"]],
  },
  "URI before subject": {
    uris: ["spiffe://acme.org/carol"],
    subject: [["O", "Acme"], ["CN", "carol"]],
  },
  "e-mail in capitals": { emails: ["CAROL@acme.org"], subject: [["CN", "x"]] },
  "DNS name in capitals": { dns: ["CAROL.acme.org"], subject: [["CN", "x"]] },
  "subject": { subject: [["O", "Acme"], ["CN", "carol"]] },
  "subject the other way round": { subject: [["CN", "carol"], ["O", "Acme"]] },
  "reordered": { subject: [["CN", "dave"], ["O", "Acme"]] },
  "types in lower case": { subject: [["O", "Acme"], ["CN", "frank"]] },
  "values in another case": { subject: [["O", "ACME"], ["CN", "frank"]] },
  "a comma": { subject: [["O", "Acme"], ["CN", "Smith, J."]] },
  "domain components": { subject: [[DC, "com"], [DC, "example"], ["CN", "erin"]] },
  "one part more": { subject: [["C", "DE"], ["O", "Acme"], ["CN", "carol"]] },
  "one part less": { subject: [["CN", "carol"]] },
  "common name alone": { subject: [["CN", "gina"]] },
  "subject of one part": { subject: [["CN", "henry"]] },
  "nobody": { emails: ["x@acme.org"], dns: ["x.org"], subject: [["CN", "x"]] },
  "a user with a password": { emails: ["ida@acme.org"], subject: [["CN", "x"]] },
  "a user with a password, given": {
    emails: ["ida@acme.org"],
    subject: [["CN", "x"]],
    connect: { pass: "p" },
  },
  "a name that is given": {
    emails: ["carol@acme.org"],
    subject: [["CN", "x"]],
    connect: { user: "gina", pass: "p" },
  },
  "a user for other connections": {
    emails: ["joe@acme.org"],
    dns: ["joe.acme.org"],
    subject: [["CN", "x"]],
  },
};

function accounts() {
  return Object.fromEntries(
    Object.entries(users).map(([account, { user, password, types }]) => [account, {
      users: [{
        user,
        ...(password !== undefined && { password }),
        ...(types !== undefined && { allowed_connection_types: types }),
      }],
    }]),
  );
}

async function answers(
  { port }: ServerAddress,
  ca: string,
  issued: Readonly<Record<string, IssuedCertificate>>,
) {
  const outcomes: Record<string, string> = {};
  for (const [name, { cert, key }] of Object.entries(issued)) {
    const connect = { verbose: false, protocol: 1, ...certificates[name]!.connect };
    const { secret, error } = await tlsConversation({ hostname: "127.0.0.1", port }, {
      ca,
      cert,
      key,
      say: `CONNECT ${JSON.stringify(connect)}\r\nPING\r\n`,
      until: '"remote_account"',
    });
    const account = /"remote_account":"(\w+)/.exec(secret)?.[1];
    outcomes[name] = account ?? /-ERR '.*'/.exec(secret)?.[0] ?? `nothing: ${error}`;
  }
  return outcomes;
}

Deno.test({
  name: "certificates: whom nats-server finds by one is found",
  ignore: natsServer === undefined,
  async fn() {
    const authority = await TestAuthority.create();
    await using folder = await CertificateFolder.create();
    const issued: Record<string, IssuedCertificate> = {};
    for (const [name, request] of Object.entries(certificates)) {
      issued[name] = await authority.issue(request);
    }
    const tls = {
      ...await folder.pair(
        "server",
        await authority.issue({ dns: ["localhost"], ips: ["127.0.0.1"] }),
      ),
      ca_file: await folder.write("ca.pem", authority.pem),
      verify_and_map: true,
    };
    const settings = { tls, accounts: accounts() };
    await using server = await startNatsServer(natsServer!, JSON.stringify(settings));
    // deno-lint-ignore no-explicit-any -- lists that are not known to be literals
    await using broker = await startBroker(settings as any);
    const expected = await answers(server, authority.pem, issued);
    assertEquals(await answers(broker.address, authority.pem, issued), expected);
    assertEquals(expected["nobody"], "-ERR 'Authorization Violation'");
    assert(new Set(Object.values(expected)).size > 8);
  },
});
