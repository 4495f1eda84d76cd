import { assertEquals } from "@std/assert";
import { connect, jwtAuthenticator } from "@nats-io/transport-node";
import { startBroker } from "../support/broker.ts";
import { openClaims } from "../support/callout_service.ts";
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

/** What the service answers to a client that gives this name. */
type Answer = (question: { userKey: string; server: string }) => string;

Deno.test({
  name: "an account's own callout lets in whom it lets in at a nats-server",
  ignore: natsServer === undefined,
  async fn(t) {
    const operator = newOperator(), asking = newAccount(), other = newAccount();
    const forbidden = newAccount(), stranger = newAccount(), key = newAccount();
    const service = newUser(), guest = newUser();
    const resolver_preload: Record<string, string> = {
      [asking.key]: accountToken(asking, operator, {
        signing_keys: [key.key],
        authorization: { auth_users: [service.key], allowed_accounts: [other.key] },
      }, { name: "asking" }),
      [other.key]: accountToken(other, operator, {}, { name: "other" }),
      [forbidden.key]: accountToken(forbidden, operator, {}, { name: "forbidden" }),
    };
    // A nats-server without a system account breaks when it is to ask.
    const system = newAccount();
    const token = operatorToken(operator, { system_account: system.key });
    resolver_preload[system.key] = accountToken(system, operator);
    const sentinel = userToken(guest, asking, { ...unlimitedUser, bearer_token: true });
    const user = (userKey: string, signer: Party, nats: Fields = {}, claims: Fields = {}) =>
      tokenOf({
        sub: userKey,
        name: "somebody",
        ...claims,
        nats: { type: "user", version: 2, ...unlimitedUser, ...nats },
      }, signer);
    const respond = (
      { userKey, server }: { userKey: string; server: string },
      nats: Fields,
      signer: Party = asking,
      claims: Fields = {},
    ) =>
      tokenOf({
        sub: userKey,
        aud: server,
        ...claims,
        nats: { type: "authorization_response", version: 2, ...nats },
      }, signer);
    const answers: Record<string, Answer> = {
      same: (it) => respond(it, { jwt: user(it.userKey, asking) }),
      other: (it) => respond(it, { jwt: user(it.userKey, other) }),
      forbidden: (it) => respond(it, { jwt: user(it.userKey, forbidden) }),
      stranger: (it) => respond(it, { jwt: user(it.userKey, stranger) }),
      by_key: (it) =>
        respond(it, { jwt: user(it.userKey, key, { issuer_account: asking.key }) }, key, {}),
      by_key_for_account: (it) =>
        respond(it, {
          jwt: user(it.userKey, key, { issuer_account: asking.key }),
          issuer_account: asking.key,
        }, key),
      answer_by_stranger: (it) => respond(it, { jwt: user(it.userKey, asking) }, stranger),
      another_user: (it) => respond(it, { jwt: user(guest.key, asking) }),
      another_server: (it) =>
        respond(it, { jwt: user(it.userKey, asking) }, asking, { aud: asking.key }),
      error: (it) => respond(it, { error: "no" }),
      expired: (it) => respond(it, { jwt: user(it.userKey, asking, {}, { exp: 1000 }) }),
      elsewhere: (it) => respond(it, { jwt: user(it.userKey, asking, { src: ["10.0.0.0/8"] }) }),
      websocket: (it) =>
        respond(it, {
          jwt: user(it.userKey, asking, { allowed_connection_types: ["WEBSOCKET"] }),
        }),
      rubbish: () => "rubbish",
    };
    await using broker = await startBroker({
      operator: [token],
      resolver: "MEMORY",
      resolver_preload,
      default_sentinel: sentinel,
    });
    const accounts = Object.entries(resolver_preload).map(([name, jwt]) => `${name}: ${jwt}`);
    await using server = await startNatsServer(
      natsServer!,
      `operator: ${token}\nresolver: MEMORY\nresolver_preload {\n${accounts.join("\n")}\n}
      default_sentinel: ${sentinel}`,
    );
    await using ours = await serve(broker.address, service, asking, answers);
    await using theirs = await serve(server, service, asking, answers);
    for (const name of Object.keys(answers)) {
      await t.step(name, async () => {
        const told = await theirs.answerTo(name);
        // A nats-server does not look at these two of a callout's answer; denats does.
        const isHeld = name === "elsewhere" || name === "websocket";
        if (isHeld) assertEquals(told, `in ${asking.key}`);
        const expected = isHeld ? "refused: Authorization Violation" : told;
        assertEquals(await ours.answerTo(name), expected);
      });
    }
    assertEquals(await theirs.answerTo("other"), `in ${other.key}`);
    assertEquals(await theirs.answerTo("error"), "refused: Authorization Violation");
  },
});

/** The service at a server, and clients that it is asked about. */
async function serve(
  address: ServerAddress,
  service: Party,
  account: Party,
  answers: Record<string, Answer>,
) {
  const nc = await connect({
    servers: `${address.hostname}:${address.port}`,
    authenticator: jwtAuthenticator(userToken(service, account), service.pair.getSeed()),
  });
  nc.subscribe("$SYS.REQ.USER.AUTH", {
    callback: (_, message) => {
      const { nats } = openClaims(message.string());
      const { user_nkey, server_id, connect_opts } = nats as {
        user_nkey: string;
        server_id: { id: string };
        connect_opts: { user: string };
      };
      message.respond(answers[connect_opts.user]!({ userKey: user_nkey, server: server_id.id }));
    },
  });
  await nc.flush();
  return {
    answerTo: (user: string) => show(address, { connect: { user, pass: "secret" } }),
    [Symbol.asyncDispose]: () => nc.close(),
  };
}
