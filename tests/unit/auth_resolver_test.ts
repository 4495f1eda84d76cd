import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  type Identity,
  type OperatorAccount,
  OperatorError,
  OperatorMode,
  type OperatorSettings,
  Refusal,
} from "../../src/auth/mod.ts";
import { silentLog } from "../../src/log/mod.ts";
import { type HttpClient, HttpError, VirtualClock } from "../../src/platform/mod.ts";
import { claimsWorld } from "../support/claims_requests.ts";
import { eventually } from "../support/eventually.ts";
import { MemoryBus } from "../support/memory_bus.ts";
import { MemoryFiles } from "../support/memory_files.ts";
import {
  accountToken,
  newAccount,
  newOperator,
  newUser,
  operatorToken,
  type Party,
  signNonce,
  tokenOf,
  unlimitedUser,
  userToken,
} from "../support/operator_tokens.ts";
import { peerWith } from "../support/identities.ts";

const NONCE = "AAAAAAAAAAAAAAAA";
const peer = peerWith({ hostname: "127.0.0.1", nonce: NONCE });
const none = { accounts: false, users: false, authCallout: false };
const now = Math.floor(Date.now() / 1000);

interface Setup {
  readonly settings: OperatorSettings;
  readonly files?: MemoryFiles;
  readonly clock?: VirtualClock;
  readonly bus?: MemoryBus;
  readonly http?: HttpClient;
}

async function open(
  { settings, files = new MemoryFiles(), clock = newClock(), bus, http }: Setup,
) {
  const mode = await OperatorMode.open(settings, none, {
    files,
    clock,
    log: silentLog,
    version: "2.15.1",
    http: () => http!,
  });
  if (bus !== undefined) {
    mode.connect({ bus, newInbox: bus.newInbox, serverInfo: () => ({ name: "S" }) });
  }
  const changes: OperatorAccount[] = [];
  mode.accounts.onChanged((account) => void changes.push(account));
  return { mode, files, clock, changes, [Symbol.asyncDispose]: () => mode.close() };
}

function newClock(): VirtualClock {
  return new VirtualClock({ startMs: now * 1000 });
}

/** An operator, its system account, and a full resolver in a folder. */
function fullWorld(more: Partial<OperatorSettings["resolver"]> = {}) {
  const operator = newOperator(), system = newAccount();
  const settings: OperatorSettings = {
    operator: [operatorToken(operator, { system_account: system.key })],
    resolver: { type: "full", dir: "jwt", ...more },
    resolver_preload: { [system.key]: accountToken(system, operator, {}, { iat: now - 60 }) },
  };
  return { operator, system, settings };
}

async function ask(bus: MemoryBus, clock: VirtualClock, subject: string, payload = "") {
  const answer = bus.request(subject, new TextEncoder().encode(payload));
  await clock.settle();
  return new TextDecoder().decode((await answer).payload);
}

async function connects(mode: OperatorMode, user: Party, account: Party, iat = now) {
  const jwt = userToken(user, account, unlimitedUser, { iat });
  return await mode.authenticator.authenticate({ jwt, sig: signNonce(user, NONCE) }, peer);
}

function reasonOf(decision: Identity | Refusal): string | null {
  return decision instanceof Refusal ? decision.reason : null;
}

Deno.test("settings that do not go with an operator are refused, each with what to do", async () => {
  const { operator, system, settings } = fullWorld();
  const token = operatorToken(operator);
  const memory = { resolver: { type: "memory" } } as const;
  const user = userToken(newUser(), newAccount());
  const opens = (
    it: OperatorSettings,
    others: Partial<typeof none> & { noAuthUser?: string } = {},
  ) =>
    OperatorMode.open(it, { ...none, ...others }, {
      files: new MemoryFiles(),
      clock: newClock(),
      log: silentLog,
      version: "2.15.1",
      http: () => failing("connection refused"),
    });
  const cases: [string, OperatorSettings, Parameters<typeof opens>[1]?][] = [
    ["accounts cannot be", settings, { accounts: true }],
    ["users cannot be", settings, { users: true }],
    ["no_auth_user cannot be", settings, { noAuthUser: "alice" }],
    ["auth_callout cannot be", settings, { authCallout: true }],
    ["both", { ...settings, trusted_keys: [operator.key] }],
    ["need a resolver", { operator: [token] }],
    ["needs the system account", { operator: [token], resolver: { type: "full", dir: "jwt" } }],
    ["another one", { ...settings, system_account: newAccount().key }],
    ["cannot be used", { operator: [user], ...memory }],
    ["not the key of an operator", { trusted_keys: [system.key], ...memory }],
    ["must be the JWT of a bearer", { operator: [token], ...memory, default_sentinel: user }],
    ["not the JWT of a user", { operator: [token], ...memory, default_sentinel: token }],
    ["resolver_preload", { operator: [token], ...memory, resolver_preload: { x: "rubbish" } }],
    ["2.16.0", {
      operator: [operatorToken(operator, { assert_server_version: "2.16.0" })],
      ...memory,
    }],
    ["connection refused", {
      operator: [operatorToken(operator, { account_server_url: "http://localhost:1/jwt/v1" })],
    }],
    ["only for resolvers", {
      ...settings,
      resolver: { type: "url", url: "http://localhost:1/" },
    }],
  ];
  for (const [words, it, others] of cases) {
    const error = await assertRejects(() => opens(it, others), OperatorError);
    assertStringIncludes(error.message, words);
  }
  await (await opens({ trusted_keys: [operator.key], ...memory })).close();
  await (await opens({
    operator: [operatorToken(operator, { assert_server_version: "2.15.1" })],
    ...memory,
  })).close();
});

Deno.test("the JWT of an operator is read from a file, decorated or not", async () => {
  const operator = newOperator();
  const token = operatorToken(operator);
  const files = new MemoryFiles();
  await files.writeText("plain.jwt", `${token}\n`);
  await files.writeText(
    "nice.jwt",
    `-----BEGIN NATS OPERATOR JWT-----\n${token}\n------END NATS OPERATOR JWT------\n`,
  );
  for (const path of ["plain.jwt", "nice.jwt"]) {
    await using it = await open({
      settings: { operator: [path], resolver: { type: "memory" } },
      files,
    });
    assertEquals([...it.mode.operators.keys], [operator.key]);
    assertEquals(it.mode.operators.tokens, [token]);
  }
});

Deno.test("a full resolver answers the system account", async () => {
  const world = claimsWorld();
  const bus = new MemoryBus();
  await using it = await open({
    settings: {
      operator: [world.operator],
      resolver: { type: "full", dir: "jwt", allow_delete: true },
      resolver_preload: { [world.system.key]: world.systemToken },
    },
    bus,
  });
  const answers = new Map<string, string>();
  for (const { name, subject, payload } of world.requests) {
    answers.set(name, await ask(bus, it.clock, subject, payload));
  }
  const told = (name: string) => JSON.parse(answers.get(name)!);
  assertEquals(told("new account"), {
    server: { name: "S" },
    data: { account: world.account, code: 200, message: "jwt updated" },
  });
  assertEquals(told("nothing").error.account, "n/a");
  assertStringIncludes(told("with problems").error.description, "jwt validation failed - ");
  assertEquals(told("delete two, one not there").data, {
    code: 200,
    message: "deleted 2 accounts",
  });
  assertEquals(answers.get("look up what was deleted"), "");
  assertEquals(told("list what is left").data.length, 2);
  assertEquals(it.files.paths.filter((path) => path.endsWith(".deleted")).length, 1);
});

Deno.test("an update is in force for those who are connected", async () => {
  const { operator, settings } = fullWorld();
  const bus = new MemoryBus();
  await using it = await open({ settings, bus });
  const account = newAccount(), user = newUser();
  assertStringIncludes(reasonOf(await connects(it.mode, user, account))!, "cannot be used");
  const update = (nats = {}) =>
    ask(bus, it.clock, "$SYS.REQ.CLAIMS.UPDATE", accountToken(account, operator, nats));
  await update();
  // A name that was asked for in vain is found at once when it is there.
  await it.clock.advance(1001);
  const identity = await connects(it.mode, user, account);
  assert(!(identity instanceof Refusal));
  assertEquals(it.mode.authenticator.evictionOf(identity), null);
  await update({ revocations: { [user.key]: now } });
  assertEquals(it.changes.map(({ key }) => key), [account.key]);
  assertEquals(it.mode.authenticator.evictionOf(identity)?.text, "User Authentication Revoked");
  assertStringIncludes(reasonOf(await connects(it.mode, user, account))!, "revoked");
});

Deno.test("what is not signed by a trusted operator does not get into the folder", async () => {
  const { operator, settings } = fullWorld();
  const bus = new MemoryBus();
  await using it = await open({ settings, bus });
  const account = newAccount();
  const before = it.files.paths;
  const answer = await ask(
    bus,
    it.clock,
    "$SYS.REQ.CLAIMS.UPDATE",
    accountToken(account, newOperator()),
  );
  assertStringIncludes(JSON.parse(answer).error.description, "trusted operator");
  assertEquals(it.files.paths, before);
  const strict = { strict_signing_key_usage: true, signing_keys: [newOperator().key] };
  const system = it.mode.operators.systemAccount!;
  const strictBus = new MemoryBus();
  await using other = await open({
    settings: {
      ...settings,
      operator: [operatorToken(operator, { ...strict, system_account: system })],
    },
    bus: strictBus,
  });
  const refused = await ask(
    strictBus,
    other.clock,
    "$SYS.REQ.CLAIMS.UPDATE",
    accountToken(account, operator),
  );
  assertEquals(
    JSON.parse(refused).error.description,
    "jwt update resulted in error - operator requires issuer to be a signing key",
  );
});

Deno.test("nothing is deleted where that is not allowed, nor with a token of another type", async () => {
  const { operator, settings } = fullWorld();
  const bus = new MemoryBus();
  await using it = await open({ settings, bus });
  const account = newAccount();
  await ask(bus, it.clock, "$SYS.REQ.CLAIMS.UPDATE", accountToken(account, operator));
  const token = tokenOf({
    sub: operator.key,
    nats: { accounts: [account.key], type: "generic", version: 2 },
  }, operator);
  const answer = JSON.parse(await ask(bus, it.clock, "$SYS.REQ.CLAIMS.DELETE", token));
  assertStringIncludes(answer.error.description, "delete must be enabled in server config");
  assert(it.files.paths.includes(`jwt/${account.key}.jwt`));
});

Deno.test("two servers come to hold the same accounts, the newer one of each", async () => {
  const { operator, settings } = fullWorld({ interval: 1000 });
  const bus = new MemoryBus(), clock = newClock();
  const account = newAccount(), other = newAccount();
  const older = accountToken(account, operator, { tags: ["old"] }, { iat: now - 10 });
  const newer = accountToken(account, operator, { tags: ["new"] }, { iat: now - 5 });
  const onlyThere = accountToken(other, operator);
  const filesOf = async (tokens: Record<string, string>) => {
    const files = new MemoryFiles();
    for (const [key, token] of Object.entries(tokens)) {
      await files.writeText(`jwt/${key}.jwt`, token);
    }
    return files;
  };
  const here = await filesOf({ [account.key]: older });
  const there = await filesOf({ [account.key]: newer, [other.key]: onlyThere });
  await using one = await open({ settings, files: here, clock, bus });
  await using two = await open({ settings, files: there, clock, bus });
  const isSame = ({ files }: typeof one) =>
    files.text(`jwt/${account.key}.jwt`) === newer &&
    files.text(`jwt/${other.key}.jwt`) === onlyThere;
  await eventually("both have both", async () => {
    await clock.advance(1000);
    return isSame(one) && isSame(two);
  });
});

Deno.test("a server asks the others for an account that it does not have, and keeps it", async () => {
  const { operator, settings } = fullWorld();
  const bus = new MemoryBus(), clock = newClock();
  const account = newAccount(), user = newUser();
  await using one = await open({ settings, clock, bus });
  await using two = await open({
    settings: { ...settings, resolver: { type: "cache", dir: "cache", ttl: 5000 } },
    clock,
    bus,
  });
  const missing = await connects(two.mode, user, account);
  assertStringIncludes(reasonOf(missing)!, "no server has it");
  await ask(bus, clock, "$SYS.REQ.CLAIMS.UPDATE", accountToken(account, operator));
  await eventually(
    "the first server has it",
    () => one.files.paths.includes(`jwt/${account.key}.jwt`),
  );
  await clock.advance(1001);
  assertEquals(reasonOf(await connects(two.mode, user, account)), null);
  assert(two.files.paths.includes(`cache/${account.key}.jwt`));
  await clock.advance(61_000);
  assert(!two.files.paths.includes(`cache/${account.key}.jwt`));
});

Deno.test("whoever answers a lookup with something untrusted is not believed", async () => {
  const { operator, settings } = fullWorld();
  const bus = new MemoryBus();
  await using it = await open({ settings, bus });
  const account = newAccount(), user = newUser();
  const subject = "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP";
  const answers = [accountToken(account, newOperator()), "rubbish", accountToken(user, operator)];
  using stack = new DisposableStack();
  for (const answer of answers) {
    stack.use(bus.subscribe(subject, ({ reply }) => {
      bus.publish(reply!, new TextEncoder().encode(answer));
    }));
  }
  assertStringIncludes(reasonOf(await connects(it.mode, user, account))!, "another server");
  assertEquals(it.files.paths.length, 1);
});

Deno.test("files that are no JWTs are left alone, and folders by last letters are read", async () => {
  const { operator, settings } = fullWorld();
  const account = newAccount(), user = newUser(), files = new MemoryFiles();
  const shard = account.key.slice(-2);
  await files.writeText(`jwt/${newAccount().key}.jwt`, "rubbish");
  await files.writeText(`jwt/${newAccount().key}.jwt`, accountToken(account, operator));
  await files.writeText("jwt/notes.txt", "hello");
  await files.writeText(`jwt/${shard}/${account.key}.jwt`, accountToken(account, operator));
  await files.writeText(`jwt/${shard}`, "");
  const before = files.paths.length;
  await using it = await open({ settings, files });
  assertEquals(reasonOf(await connects(it.mode, user, account)), null);
  assertEquals(it.files.paths.length, before + 1);
});

Deno.test("a folder that was changed by hand is in force after a reload", async () => {
  const { operator, settings } = fullWorld();
  const bus = new MemoryBus();
  await using it = await open({ settings, bus });
  const account = newAccount(), user = newUser();
  await ask(bus, it.clock, "$SYS.REQ.CLAIMS.UPDATE", accountToken(account, operator));
  const identity = await connects(it.mode, user, account);
  assert(!(identity instanceof Refusal));
  const revoking = accountToken(account, operator, { revocations: { "*": now + 60 } });
  await it.files.writeText(`jwt/${account.key}.jwt`, revoking);
  await it.mode.reload();
  assertEquals(it.mode.authenticator.evictionOf(identity)?.text, "User Authentication Revoked");
});

Deno.test("an account whose time is over leaves the folder, and a full one takes no more", async () => {
  const { operator, settings } = fullWorld({ limit: 2 });
  const bus = new MemoryBus();
  await using it = await open({ settings, bus });
  const account = newAccount(), other = newAccount();
  const update = async (party: Party, claims = {}) =>
    JSON.parse(
      await ask(bus, it.clock, "$SYS.REQ.CLAIMS.UPDATE", accountToken(party, operator, {}, claims)),
    );
  assertEquals((await update(account, { exp: now + 30 })).data.code, 200);
  assertStringIncludes((await update(other)).error.description, "jwt store is full");
  await it.clock.advance(61_000);
  assertEquals(it.files.paths.length, 1);
  assertEquals((await update(other)).data.code, 200);
});

Deno.test("a resolver in memory takes updates of accounts in use alone", async () => {
  const operator = newOperator(), account = newAccount(), user = newUser();
  const bus = new MemoryBus();
  await using it = await open({
    settings: {
      operator: [operatorToken(operator)],
      resolver: { type: "memory" },
      resolver_preload: { [account.key]: accountToken(account, operator) },
    },
    bus,
  });
  const subject = `$SYS.REQ.ACCOUNT.${account.key}.CLAIMS.UPDATE`;
  const update = async (payload: string) => JSON.parse(await ask(bus, it.clock, subject, payload));
  const revoking = accountToken(account, operator, { revocations: { "*": now + 60 } });
  assertEquals((await update(revoking)).data.message, "jwt update skipped");
  assertEquals((await update("")).error.description, "jwt update error - request body is empty");
  assertEquals(reasonOf(await connects(it.mode, user, account)), null);
  assertEquals((await update(revoking)).data.message, "jwt updated");
  assertStringIncludes(reasonOf(await connects(it.mode, user, account))!, "revoked");
  assertEquals(bus.subjects, [
    "$SYS.ACCOUNT.*.CLAIMS.UPDATE",
    "$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE",
  ]);
});

Deno.test("accounts are got from an account server", async () => {
  const operator = newOperator(), account = newAccount(), user = newUser();
  const asked: string[] = [];
  const http: HttpClient = {
    get: (url) => {
      asked.push(url);
      const known = url.endsWith(account.key);
      return Promise.resolve(
        known || url.endsWith("/")
          ? { status: 200, text: known ? accountToken(account, operator) : "" }
          : { status: 404, text: "" },
      );
    },
    close: () => asked.push("closed"),
  };
  {
    await using it = await open({
      settings: {
        operator: [operatorToken(operator, { account_server_url: "http://as:9090/jwt/v1/" })],
      },
      http,
    });
    assertEquals(reasonOf(await connects(it.mode, user, account)), null);
    assertStringIncludes(reasonOf(await connects(it.mode, user, newAccount()))!, "status 404");
    assertEquals(asked.length, 3);
    assertEquals(asked[1], `http://as:9090/jwt/v1/accounts/${account.key}`);
  }
  assertEquals(asked.at(-1), "closed");
});

function failing(reason: string): HttpClient {
  return { get: () => Promise.reject(new HttpError(reason)), close: () => {} };
}
