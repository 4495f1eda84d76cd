import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  isOperatorMode,
  MemoryResolver,
  OperatorAccounts,
  OperatorAuthenticator,
  readOperators,
  Refusal,
} from "../../src/auth/mod.ts";
import { silentLog } from "../../src/log/mod.ts";
import { SystemClock } from "../../src/platform/mod.ts";
import { peerWith } from "../support/identities.ts";
import { findNatsServer, startNatsServer } from "../support/nats_server.ts";
import { type OperatorCase, type OperatorWorld, operatorWorld } from "../support/operator_cases.ts";
import { signNonce } from "../support/operator_tokens.ts";
import type { ServerProcess } from "../support/server_process.ts";

const natsServer = await findNatsServer("2.15");

Deno.test({
  name: "operator mode: whoever nats-server lets in is let in, and nobody else",
  ignore: natsServer === undefined,
  async fn(t) {
    const world = operatorWorld();
    await using server = await startNatsServer(natsServer!, configOf(world));
    await using accounts = await authenticatorOf(world);
    for (const one of world.cases) {
      await t.step(one.name, async () => {
        assertEquals(await asksNatsServer(server, one), one.admitted, "nats-server's answer");
        const nonce = "AAAAAAAAAAAAAAAA";
        const decision = await accounts.authenticator.authenticate({
          jwt: one.jwt,
          sig: one.signer === null ? "" : signNonce(one.signer, nonce),
        }, { ...peer, nonce });
        const reason = decision instanceof Refusal ? decision.reason : null;
        assertEquals(reason === null, one.admitted, `denats' answer: ${reason}`);
        if (one.reason !== undefined) assertStringIncludes(reason ?? "", one.reason);
      });
    }
  },
});

const peer = peerWith({ hostname: "127.0.0.1" });

function configOf({ operator, preload }: OperatorWorld): string {
  const accounts = Object.entries(preload).map(([key, token]) => `  ${key}: ${token}`).join("\n");
  return `operator: ${operator}\nresolver: MEMORY\nresolver_preload {\n${accounts}\n}\n`;
}

async function authenticatorOf({ operator, preload, systemAccount }: OperatorWorld) {
  const clock = new SystemClock();
  const settings = {
    operator: [operator],
    resolver: { type: "memory" as const },
    resolver_preload: preload,
  };
  assertEquals(isOperatorMode(settings), true);
  const operators = await readOperators(
    settings,
    { accounts: false, users: false, authCallout: false },
    {
      readText: () => Promise.reject(new Error("there is no file")),
      version: "2.15.1",
      nowMs: clock.now(),
      warn: () => {},
    },
  );
  assertEquals(operators.systemAccount, systemAccount);
  const accounts = new OperatorAccounts({
    operators,
    resolver: new MemoryResolver(preload),
    clock,
    log: silentLog,
  });
  const authenticator = new OperatorAuthenticator({ operators, accounts, clock });
  return { authenticator, [Symbol.asyncDispose]: () => accounts.close() };
}

/** Whether the server answers PING of this client. */
async function asksNatsServer(server: ServerProcess, one: OperatorCase): Promise<boolean> {
  using connection = await Deno.connect({ hostname: server.hostname, port: server.port });
  const reader = connection.readable.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const until = async (pattern: RegExp): Promise<RegExpExecArray> => {
    while (true) {
      const match = pattern.exec(text);
      if (match !== null) return match;
      const { value, done } = await reader.read();
      if (done) throw new Error(`the server hung up after ${JSON.stringify(text.slice(-100))}`);
      text += value;
    }
  };
  const [, info] = await until(/^INFO (\{.*\})\s*\r\n/m);
  const nonce: string = JSON.parse(info!).nonce;
  const connect = {
    verbose: false,
    jwt: one.jwt,
    ...(one.signer !== null && { sig: signNonce(one.signer, nonce) }),
  };
  const line = `CONNECT ${JSON.stringify(connect)}\r\nPING\r\n`;
  await connection.write(new TextEncoder().encode(line));
  const [answer] = await until(/^(PONG|-ERR '.*')/m);
  if (answer !== "PONG") assertEquals(answer, "-ERR 'Authorization Violation'");
  await reader.cancel();
  return answer === "PONG";
}
