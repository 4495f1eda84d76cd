/**
 * Every kind of identity: how a server is configured, who comes, and in which account they are then.
 *
 * @module
 */
import { createUser } from "@nats-io/nkeys";
import {
  type Authenticator,
  type ConnectionOptions,
  jwtAuthenticator,
  nkeyAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";
import { hash } from "bcryptjs";
import { type CertificateFolder, TestAuthority } from "../support/certificates.ts";
import {
  accountToken,
  newAccount,
  newOperator,
  newUser,
  nowSeconds,
  operatorToken,
  type Party,
  userToken,
} from "../support/operator_tokens.ts";

/** Somebody who wants to connect. */
export interface Visitor {
  /** What is special about it. */
  readonly name: string;
  /** What it shows. */
  readonly options: ConnectionOptions;
  /** The account that it is in then; `null` when it is refused. */
  readonly account: string | null;
  /** Whether it may subscribe to `private.x`, which is denied to some. */
  readonly isRestricted?: boolean;
}

/** A configuration, and who comes. */
export interface Reception {
  /** What it is about. */
  readonly name: string;
  /** The configuration, for both servers. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Who comes. */
  readonly visitors: readonly Visitor[];
}

/** The account of those for whom none is configured. */
const GLOBAL = "$G";

/** The cheapest bcrypt there is: its strength is not what is tested. */
const BCRYPT_ROUNDS = 4;

/** Permissions of those who are restricted. */
const RESTRICTED = { subscribe: { deny: ["private.>"] } };

/** Makes the table with new keys; certificates are written to `folder`. */
export async function receptions(folder: CertificateFolder): Promise<Reception[]> {
  return [
    ...await passwords(),
    ...keys(),
    ...await severalAtOnce(),
    operators(),
    await certificates(folder),
  ];
}

function come(
  name: string,
  options: ConnectionOptions,
  account: string | null,
  isRestricted = false,
): Visitor {
  return { name, options, account, isRestricted };
}

/** Tokens, users and accounts. */
async function passwords(): Promise<Reception[]> {
  const tokenHash = await hash("s3cret", BCRYPT_ROUNDS);
  const users = [
    { user: "alice", password: "wonderland" },
    { user: "bob", password: await hash("builder", BCRYPT_ROUNDS) },
    { user: "carol", password: "x", permissions: RESTRICTED },
    { user: "dave", password: "x", allowed_connection_types: ["WEBSOCKET"] },
    { user: "erin", password: "x", allowed_connection_types: ["STANDARD", "WEBSOCKET"] },
  ];
  const visitors = (account: string) => [
    come("a plain password", { user: "alice", pass: "wonderland" }, account),
    come("a hashed password", { user: "bob", pass: "builder" }, account),
    come("a restricted user", { user: "carol", pass: "x" }, account, true),
    come("a wrong connection type", { user: "dave", pass: "x" }, null),
    come("a right connection type", { user: "erin", pass: "x" }, account),
    come("a wrong password", { user: "alice", pass: "builder" }, null),
    come("no password", { user: "alice" }, null),
    come("the hash instead", { user: "bob", pass: users[1]!.password }, null),
    come("an unknown user", { user: "mallory", pass: "wonderland" }, null),
    come("a token", { token: "wonderland" }, null),
  ];
  return [
    {
      name: "nobody is asked",
      settings: {},
      visitors: [
        come("nothing", {}, GLOBAL),
        come("a password all the same", { user: "alice", pass: "x" }, GLOBAL),
        come(
          "a key all the same",
          { authenticator: nkeyAuthenticator(createUser().getSeed()) },
          GLOBAL,
        ),
      ],
    },
    {
      name: "a token",
      settings: { authorization: { token: "s3cret" } },
      visitors: [
        come("the token", { token: "s3cret" }, GLOBAL),
        come("another one", { token: "S3cret" }, null),
        come("the token as a password", { user: "s3cret", pass: "s3cret" }, null),
        come("nothing", {}, null),
      ],
    },
    {
      name: "a hashed token",
      settings: { authorization: { token: tokenHash } },
      visitors: [
        come("the token", { token: "s3cret" }, GLOBAL),
        come("the hash", { token: tokenHash }, null),
        come("nothing", {}, null),
      ],
    },
    {
      name: "one user",
      settings: { authorization: { user: "alice", password: "wonderland" } },
      visitors: [
        come("the user", { user: "alice", pass: "wonderland" }, GLOBAL),
        come("a wrong password", { user: "alice", pass: "x" }, null),
        come("a wrong name", { user: "bob", pass: "wonderland" }, null),
        come("nothing", {}, null),
      ],
    },
    {
      name: "users",
      settings: { authorization: { users } },
      visitors: [...visitors(GLOBAL), come("nothing", {}, null)],
    },
    {
      name: "users of accounts",
      settings: {
        accounts: { A: { users }, B: { users: [{ user: "zoe", password: "z" }] } },
      },
      visitors: [
        ...visitors("A"),
        come("a user of another account", { user: "zoe", pass: "z" }, "B"),
        come("nothing", {}, null),
      ],
    },
    {
      name: "users of accounts, and one for who shows nothing",
      settings: {
        accounts: { A: { users }, B: { users: [{ user: "zoe", password: "z" }] } },
        no_auth_user: "carol",
      },
      visitors: [
        ...visitors("A").filter(({ name }) => name !== "a token"),
        come("nothing", {}, "A", true),
        come("a user of another account", { user: "zoe", pass: "z" }, "B"),
      ],
    },
    {
      name: "only users of the system account",
      settings: { accounts: { $SYS: { users: [{ user: "admin", password: "x" }] } } },
      visitors: [
        come("the administrator", { user: "admin", pass: "x" }, "$SYS"),
        come("nothing", {}, GLOBAL),
        come("a wrong password", { user: "admin", pass: "y" }, null),
      ],
    },
    {
      name: "a system account of another name",
      settings: {
        accounts: {
          MANAGE: { users: [{ user: "admin", password: "x" }] },
          A: { users: [{ user: "alice", password: "x" }] },
        },
        system_account: "MANAGE",
      },
      visitors: [
        come("the administrator", { user: "admin", pass: "x" }, "MANAGE"),
        come("a user", { user: "alice", pass: "x" }, "A"),
        come("nothing", {}, null),
      ],
    },
  ];
}

/** Nkeys. */
function keys(): Reception[] {
  const [one, two, stranger] = [createUser(), createUser(), createUser()];
  const [first, second] = [one.getPublicKey(), two.getPublicKey()];
  const show = (pair: typeof one) => ({ authenticator: nkeyAuthenticator(pair.getSeed()) });
  /** Says it is one, and signs as another. */
  const posing: Authenticator = (nonce) => {
    const { sig } = nkeyAuthenticator(stranger.getSeed())(nonce) as { sig: string };
    return { nkey: first, sig };
  };
  const unsigned: Authenticator = () => ({ nkey: first, sig: "" });
  return [
    {
      name: "keys",
      settings: {
        authorization: { users: [{ nkey: first }, { nkey: second, permissions: RESTRICTED }] },
      },
      visitors: [
        come("the first key", show(one), GLOBAL),
        come("the second key, restricted", show(two), GLOBAL, true),
        come("an unknown key", show(stranger), null),
        come("a known key with the signature of another", { authenticator: posing }, null),
        come("a known key without a signature", { authenticator: unsigned }, null),
        come("a password", { user: first, pass: "x" }, null),
        come("nothing", {}, null),
      ],
    },
    {
      name: "keys of accounts",
      settings: {
        accounts: { A: { users: [{ nkey: first }] }, B: { users: [{ nkey: second }] } },
      },
      visitors: [
        come("a key of A", show(one), "A"),
        come("a key of B", show(two), "B"),
        come("an unknown key", show(stranger), null),
      ],
    },
  ];
}

/** Kinds of identities side by side, and clients that show several. */
async function severalAtOnce(): Promise<Reception[]> {
  const pair = createUser(), stranger = createUser();
  const key = nkeyAuthenticator(pair.getSeed()), unknown = nkeyAuthenticator(stranger.getSeed());
  const right = usernamePasswordAuthenticator("alice", "wonderland");
  const wrong = usernamePasswordAuthenticator("alice", "x");
  const settings = {
    accounts: {
      A: { users: [{ user: "alice", password: await hash("wonderland", BCRYPT_ROUNDS) }] },
      B: { users: [{ nkey: pair.getPublicKey() }] },
      C: { users: [{ user: "nobody", password: "x", permissions: RESTRICTED }] },
    },
  };
  const visitors = [
    come("the user", { authenticator: right }, "A"),
    come("the key", { authenticator: key }, "B"),
    come("both", { authenticator: [right, key] }, "B"),
    come("the key and a wrong password", { authenticator: [wrong, key] }, "B"),
    come("the user and an unknown key", { authenticator: [right, unknown] }, null),
    come("a wrong password and an unknown key", { authenticator: [wrong, unknown] }, null),
  ];
  return [
    {
      name: "users and keys",
      settings,
      visitors: [...visitors, come("nothing", {}, null)],
    },
    {
      name: "users, keys and one for who shows nothing",
      settings: { ...settings, no_auth_user: "nobody" },
      visitors: [
        ...visitors,
        come("nothing", {}, "C", true),
        come("a wrong password", { authenticator: wrong }, null),
      ],
    },
  ];
}

/** An operator with accounts in memory. */
function operators(): Reception {
  const operator = newOperator(), stranger = newOperator();
  const [system, plain, other, signing] = [newAccount(), newAccount(), newAccount(), newAccount()];
  const unknown = newAccount(), now = nowSeconds();
  const preload = {
    [system.key]: accountToken(system, operator, {}, { name: "SYS" }),
    [plain.key]: accountToken(plain, operator, { signing_keys: [signing.key] }),
    [other.key]: accountToken(other, operator),
  };
  const settings = {
    operator: operatorToken(operator, { system_account: system.key }),
    resolver: "MEMORY",
    resolver_preload: preload,
  };
  const limits = { subs: -1, data: -1, payload: -1 };
  const user = (
    name: string,
    account: string | null,
    signer: Party,
    nats: Record<string, unknown> = {},
    claims: Record<string, unknown> = {},
    shown: Partial<{ seed: Uint8Array; restricted: boolean; unsigned: boolean }> = {},
  ): Visitor => {
    const party = newUser();
    const jwt = userToken(party, signer, { ...limits, ...nats }, claims);
    const seed = shown.unsigned ? undefined : shown.seed ?? party.pair.getSeed();
    return come(name, { authenticator: jwtAuthenticator(jwt, seed) }, account, shown.restricted);
  };
  const issuer = { issuer_account: plain.key };
  return {
    name: "an operator",
    settings,
    visitors: [
      user("a user", plain.key, plain),
      user("a user of another account", other.key, other),
      user("a user of the system account", system.key, system),
      user("a user by a signing key", plain.key, signing, issuer),
      user("a restricted user", plain.key, plain, { sub: { deny: ["private.>"] } }, {}, {
        restricted: true,
      }),
      user("a bearer", plain.key, plain, { bearer_token: true }, {}, { unsigned: true }),
      user("no bearer without a signature", null, plain, {}, {}, { unsigned: true }),
      user("the signature of somebody else", null, plain, {}, {}, {
        seed: newUser().pair.getSeed(),
      }),
      user("a token that has expired", null, plain, {}, { exp: now - 60 }),
      user("a token that is not valid yet", null, plain, {}, { nbf: now + 600 }),
      user("a token that expires later", plain.key, plain, {}, { exp: now + 600 }),
      user("a user of an unknown account", null, unknown),
      user("a user signed by an operator", null, operator),
      user("a user signed for another account", null, signing, { issuer_account: other.key }),
      user("an unknown operator's account", null, stranger),
      user("a wrong connection type", null, plain, { allowed_connection_types: ["MQTT"] }),
      user("an address that is not allowed", null, plain, { src: ["192.0.2.0/24"] }),
      user("an address that is allowed", plain.key, plain, { src: ["127.0.0.0/8"] }),
      come("a password", { user: "alice", pass: "x" }, null),
      come("nothing", {}, null),
    ],
  };
}

/** Certificates that tell who somebody is. */
async function certificates(folder: CertificateFolder): Promise<Reception> {
  const authority = await TestAuthority.create(), stranger = await TestAuthority.create("Other");
  const server = await authority.issue({ dns: ["localhost"], ips: ["127.0.0.1"] });
  const settings = {
    tls: {
      ...await folder.pair("server", server),
      ca_file: await folder.write("ca.pem", authority.pem),
      verify_and_map: true,
    },
    accounts: {
      A: {
        users: [
          { user: "carol@example.com" },
          { user: "node.example.com" },
          { user: "spiffe://example.com/dave", permissions: RESTRICTED },
        ],
      },
      B: { users: [{ user: "CN=erin,O=Example" }, { user: "CN=frank" }] },
    },
  };
  const show = async (
    request: Parameters<TestAuthority["issue"]>[0],
    issuer: TestAuthority = authority,
  ): Promise<ConnectionOptions> => {
    const { cert, key } = await issuer.issue(request);
    return { tls: { ca: authority.pem, cert, key } };
  };
  return {
    name: "certificates",
    settings,
    visitors: [
      come("an e-mail address", await show({ emails: ["carol@example.com"] }), "A"),
      come("a DNS name", await show({ dns: ["node.example.com"] }), "A"),
      come("a URI", await show({ uris: ["spiffe://example.com/dave"] }), "A", true),
      come("a subject", await show({ subject: [["O", "Example"], ["CN", "erin"]] }), "B"),
      come("a common name", await show({ subject: [["CN", "frank"]] }), "B"),
      come("an unknown e-mail address", await show({ emails: ["mallory@example.com"] }), null),
      come("an unknown subject", await show({ subject: [["CN", "mallory"]] }), null),
      come("a certificate that has expired", {
        ...await show({ subject: [["CN", "frank"]], notAfter: new Date(Date.now() - 60_000) }),
      }, null),
      come("another authority", await show({ subject: [["CN", "frank"]] }, stranger), null),
      come("no certificate", { tls: { ca: authority.pem } }, null),
      come("no certificate but the name", {
        tls: { ca: authority.pem },
        user: "carol@example.com",
        pass: "",
      }, null),
      come("a client that does not trust the server", { tls: {} }, null),
    ],
  };
}
