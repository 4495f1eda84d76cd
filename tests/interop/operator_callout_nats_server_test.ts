import { assert, assertEquals } from "@std/assert";
import { createCurve } from "@nats-io/nkeys";
import { connect, jwtAuthenticator } from "@nats-io/transport-node";
import { startBroker } from "../support/broker.ts";
import { type Asked, serveCallout } from "../support/callout_service.ts";
import type { ServerAddress } from "../support/conversation.ts";
import { findNatsServer, startNatsServer } from "../support/nats_server.ts";
import {
  accountToken,
  type Fields,
  newAccount,
  newOperator,
  newUser,
  operatorToken,
  type Party,
  tokenOf,
  unlimitedUser,
  userToken,
} from "../support/operator_tokens.ts";
import { show } from "../support/show_credentials.ts";

const natsServer = await findNatsServer("2.15");

const operator = newOperator(), system = newAccount();
const auth = newAccount(), app = newAccount(), forbidden = newAccount();
const authSigner = newAccount(), appSigner = newAccount(), scoped = newAccount();
const stranger = newAccount();
const service = newUser(), alice = newUser();

/** The token of a user in an answer. */
function userOf(asked: Asked, signer: Party, nats: Fields = {}, claims: Fields = {}): string {
  const { name = "", ...rest } = claims;
  return userToken({ ...alice, key: asked.userKey }, signer, { ...unlimitedUser, ...nats }, {
    name,
    ...rest,
  });
}

function answerOf(asked: Asked, signer: Party, nats: Fields, claims: Fields = {}): string {
  return tokenOf({
    sub: asked.userKey,
    aud: asked.server,
    ...claims,
    nats: { type: "authorization_response", version: 2, ...nats },
  }, signer);
}

/** What the service answers, by the name of the user. */
const services: Record<string, (asked: Asked) => string> = {
  own: (it) => answerOf(it, auth, { jwt: userOf(it, auth) }),
  named: (it) => answerOf(it, auth, { jwt: userOf(it, auth, {}, { name: "somebody" }) }),
  otherAccount: (it) => answerOf(it, auth, { jwt: userOf(it, app) }),
  notAllowed: (it) => answerOf(it, auth, { jwt: userOf(it, forbidden) }),
  unknownAccount: (it) => answerOf(it, auth, { jwt: userOf(it, stranger) }),
  signingKey: (it) =>
    answerOf(it, authSigner, {
      issuer_account: auth.key,
      jwt: userOf(it, appSigner, { issuer_account: app.key }),
    }),
  foreignSigningKey: (it) =>
    answerOf(it, auth, { jwt: userOf(it, stranger, { issuer_account: app.key }) }),
  scopedKey: (it) =>
    answerOf(it, auth, {
      jwt: tokenOf({
        sub: it.userKey,
        nats: { type: "user", version: 2, issuer_account: app.key },
      }, scoped),
    }),
  answerByOther: (it) => answerOf(it, app, { jwt: userOf(it, auth) }),
  answerByStranger: (it) => answerOf(it, stranger, { jwt: userOf(it, auth) }),
  otherUser: (it) => answerOf(it, auth, { jwt: userToken(alice, auth) }),
  expired: (it) => answerOf(it, auth, { jwt: userOf(it, auth, {}, { exp: 1 }) }),
  limited: (it) => answerOf(it, auth, { jwt: userOf(it, app, { pub: { allow: ["own"] } }) }),
  error: (it) => answerOf(it, auth, { error: "no" }),
};

const preload = (xkey: string) => ({
  [system.key]: accountToken(system, operator, {}, { name: "SYS" }),
  [auth.key]: accountToken(auth, operator, {
    signing_keys: [authSigner.key],
    authorization: {
      auth_users: [service.key],
      allowed_accounts: [app.key],
      ...(xkey !== "" && { xkey }),
    },
  }),
  [app.key]: accountToken(app, operator, {
    signing_keys: [appSigner.key, {
      kind: "user_scope",
      key: scoped.key,
      role: "r",
      template: { ...unlimitedUser, pub: { allow: ["own"] } },
    }],
  }),
  [forbidden.key]: accountToken(forbidden, operator),
});

function settings(xkey: string) {
  return {
    operator: operatorToken(operator, { system_account: system.key }),
    resolver: "MEMORY",
    resolver_preload: preload(xkey),
  };
}

async function answers({ hostname, port }: ServerAddress, curve?: ReturnType<typeof createCurve>) {
  const token = userToken(service, auth);
  const client = await connect({
    servers: `${hostname}:${port}`,
    authenticator: jwtAuthenticator(token, service.pair.getSeed()),
  });
  const users: unknown[] = [];
  const { problems } = serveCallout(client, auth.pair, (asked) => {
    const { client_info, connect_opts } = asked.claims.nats as Record<string, Fields>;
    users.push([asked.claims.sub, client_info!.user, connect_opts!.user]);
    return services[asked.user]!(asked);
  }, curve);
  await client.flush();
  const outcomes: Record<string, string> = {};
  const jwt = userToken(alice, auth);
  for (const user of Object.keys(services)) {
    outcomes[user] = await show({ hostname, port }, {
      connect: { jwt, user },
      signer: alice.pair,
      then: "PUB own 1\r\nx\r\nPUB $SYS.REQ.USER.AUTH 1\r\nx\r\n",
    });
  }
  outcomes["without a token"] = await show({ hostname, port }, { connect: { user: "own" } });
  await client.close();
  // Whoever may publish where questions are asked confuses the service.
  const strange = problems.filter((it) => !String(it).includes("must be a string"));
  assertEquals(strange, []);
  return { outcomes, users };
}

Deno.test({
  name: "auth callout in operator mode: answers are taken as nats-server takes them",
  ignore: natsServer === undefined,
  async fn(t) {
    for (const curve of [undefined, createCurve()]) {
      await t.step(curve === undefined ? "in the clear" : "sealed", async () => {
        const config = settings(curve?.getPublicKey() ?? "");
        await using server = await startNatsServer(natsServer!, JSON.stringify(config));
        // deno-lint-ignore no-explicit-any -- lists that are not known to be literals
        await using broker = await startBroker(config as any);
        const expected = await answers(server, curve);
        const found = await answers(broker.address, curve);
        assertEquals(found, expected);
        assert(found.outcomes.own!.startsWith(`in ${auth.key}`));
        assert(found.outcomes.otherAccount!.startsWith(`in ${app.key}`));
      });
    }
  },
});
