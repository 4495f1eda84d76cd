import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  createAccount,
  createOperator,
  createUser,
  fromPublic,
  type KeyPair,
} from "@nats-io/nkeys";
import fc from "fast-check";
import {
  createServerIdentity,
  JwtError,
  jwtTimeProblem,
  looksLikeJwt,
  readJwt,
  signJwt,
} from "../../src/auth/mod.ts";
import { SystemRandom } from "../../src/platform/system_random.ts";

const encoder = new TextEncoder();
const base64url = (data: Uint8Array | string) =>
  (typeof data === "string" ? encoder.encode(data) : data)
    .toBase64({ alphabet: "base64url", omitPadding: true });

const HEADER = { typ: "JWT", alg: "ed25519-nkey" };

/** A token of any claims and header, signed by the official library. */
function token(
  signer: KeyPair,
  claims: Record<string, unknown>,
  { header = HEADER as unknown, bodyOnly = false } = {},
): string {
  const head = base64url(JSON.stringify(header));
  const body = base64url(JSON.stringify({ iss: signer.getPublicKey(), sub: "x", ...claims }));
  const signature = signer.sign(encoder.encode(bodyOnly ? body : `${head}.${body}`));
  return `${head}.${body}.${base64url(signature)}`;
}

const account = createAccount(), operator = createOperator(), user = createUser();
const userClaims = { sub: user.getPublicKey(), nats: { type: "user", version: 2, subs: -1 } };
const asUser = { type: "user" };

Deno.test("a token signed by its issuer is read", async () => {
  const claims = await readJwt(
    token(account, { ...userClaims, name: "carol", iat: 1, exp: 2, jti: "id", aud: "APP" }),
    asUser,
  );
  assertEquals(claims, {
    iss: account.getPublicKey(),
    sub: user.getPublicKey(),
    name: "carol",
    iat: 1,
    exp: 2,
    jti: "id",
    aud: "APP",
    nats: { type: "user", version: 2, subs: -1 },
  });
});

Deno.test("what the server signs is read here and verified by the official library", async () => {
  const server = await createServerIdentity(new SystemRandom());
  const nats = { type: "authorization_request", version: 2, text: "é\n" };
  const text = await signJwt({ sub: "x", aud: "y", nats }, server);
  const { jti, ...claims } = await readJwt(text, { type: "authorization_request" });
  assertEquals(claims, { sub: "x", aud: "y", nats, iss: server.id });
  assertEquals(jti?.length, 43);
  assert(looksLikeJwt(text));
  const [head, body, signature] = text.split(".");
  const bytes = Uint8Array.fromBase64(signature!, { alphabet: "base64url" });
  assert(fromPublic(server.id).verify(encoder.encode(`${head}.${body}`), bytes));
});

Deno.test("tokens of version 1, signed without their headers, are read", async () => {
  const old = { sub: user.getPublicKey(), type: "user", nats: { subs: 1 } };
  const header = { typ: "jwt", alg: "ed25519" };
  const { nats } = await readJwt(token(account, old, { header, bodyOnly: true }), asUser);
  assertEquals(nats, { type: "user", version: 1, subs: 1 });
  await assertRejects(() => readJwt(token(account, old, { header }), asUser), JwtError, "signed");
});

Deno.test("generic claims need neither type nor version", async () => {
  const claims = await readJwt(token(operator, { nats: { accounts: [] } }), { type: "generic" });
  assertEquals(claims.nats, { type: "generic", version: 0, accounts: [] });
});

Deno.test("each defect of a token is told", async () => {
  const good = token(account, userClaims);
  const [head, body, signature] = good.split(".") as [string, string, string];
  const forged = base64url(JSON.stringify({ ...userClaims, iss: account.getPublicKey(), exp: 9 }));
  const other = token(createAccount(), userClaims).split(".")[2];
  const with_ = (claims: Record<string, unknown>) => token(account, { ...userClaims, ...claims });
  const headed = (header: unknown) => token(account, userClaims, { header });
  const cases: [token: string, problem: string][] = [
    ["", "three parts"],
    [`${head}.${body}`, "three parts"],
    [`${good}.`, "three parts"],
    [`${head}.${forged}.${signature}`, "not signed by its issuer"],
    [`${head}.${body}.${other}`, "not signed by its issuer"],
    [`${head}.${body}.${base64url(new Uint8Array(64))}`, "not signed by its issuer"],
    [`${head}.${body}.${base64url(new Uint8Array(63))}`, "not signed by its issuer"],
    [`${head}.${body}.`, "signature is not base64url"],
    [`${head}.${body}.${signature}=`, "signature is not base64url"],
    [`${head}.${body}.${signature} `, "signature is not base64url"],
    [`${head}.${body}.${signature.slice(0, -1)}B`, "signature is not base64url"],
    [`${head}.${body}\n.${signature}`, "claims is not base64url"],
    [`${base64url("{")}.${body}.${signature}`, "header is not JSON"],
    [`${base64url("[]")}.${body}.${signature}`, "header is not an object"],
    [`${head}.${base64url(Uint8Array.of(0x22, 0xff, 0x22))}.${signature}`, "claims is not JSON"],
    [headed({ typ: "JWT", alg: "none" }), "algorithm"],
    [headed({ typ: "JWT", alg: "HS256" }), "algorithm"],
    [headed({ typ: "JWT" }), "algorithm"],
    [headed({ typ: "JWE", alg: "ed25519-nkey" }), "type"],
    [with_({ iss: user.getPublicKey() }), "not signed by a key of kind user"],
    [with_({ iss: "nobody" }), "issuer is not an nkey"],
    [with_({ iss: undefined }), "no claim iss"],
    [with_({ sub: "" }), "no claim sub"],
    [with_({ exp: "1" }), "exp is not a whole number"],
    [with_({ nbf: 1.5 }), "nbf is not a whole number"],
    [with_({ name: {} }), "name is not a text"],
    [with_({ nats: 1 }), "nats is not an object"],
    [with_({ nats: { type: "user" } }), "no version"],
    [with_({ nats: { type: "user", version: 3 } }), "version is not 2"],
    [with_({ nats: { type: "user", version: "2" } }), "version is not 2"],
    [with_({ nats: { type: "account", version: 2 } }), "not of type user"],
    [token(operator, userClaims), "not signed by a key of kind operator"],
    [token(user, userClaims), "not signed by a key of kind user"],
  ];
  for (const [token, problem] of cases) {
    const error = await assertRejects(() => readJwt(token, asUser), JwtError, problem, token);
    for (const part of [body, signature]) assert(!String(error).includes(part));
  }
  const { length } = good;
  await readJwt(good, { ...asUser, lengthMax: length });
  await assertRejects(
    () => readJwt(good, { ...asUser, lengthMax: length - 1 }),
    JwtError,
    `longer than ${length - 1}`,
  );
});

Deno.test("a token holds from nbf to the end of the second of exp", () => {
  const at = (claims: object, ms: number) =>
    jwtTimeProblem({ iss: "", sub: "", nats: { type: "", version: 2 }, ...claims }, ms);
  assertEquals(at({}, 0), null);
  assertEquals(at({ exp: 0, nbf: 0 }, 1e12), null);
  assertEquals([at({ exp: 10 }, 10_999), at({ exp: 10 }, 11_000)], [null, "the JWT has expired"]);
  assertEquals([at({ nbf: 10 }, 9_999), at({ nbf: 10 }, 10_000)], [
    "the JWT is not valid yet",
    null,
  ]);
});

Deno.test("whatever is sent as a token is refused as one, and nothing else happens", async () => {
  const good = token(account, userClaims);
  const damaged = fc.tuple(fc.nat(good.length - 1), fc.nat(good.length), fc.string()).map(
    ([from, count, text]) => good.slice(0, from) + text + good.slice(from + count),
  );
  const json = fc.anything().map((value) => {
    const part = base64url(JSON.stringify(value) ?? "");
    return [`${part}.${part}.${part}`, token(account, { nats: value })];
  });
  const tokens = fc.oneof(
    fc.string().map((text) => [text]),
    damaged.map((text) => [text]),
    json,
  );
  await fc.assert(fc.asyncProperty(tokens, async (tokens) => {
    for (const token of tokens) {
      if (token === good) continue;
      await assertRejects(() => readJwt(token, asUser), JwtError);
    }
  }));
});
