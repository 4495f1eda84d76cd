/**
 * Every kind of identity with the official client: denats lets in whom nats-server lets in, into the
 * same account and with the same rights, and tells the others the same.
 */
import { assertEquals } from "@std/assert";
import { type ConnectionOptions, PermissionViolationError } from "@nats-io/transport-node";
import { startBroker } from "../support/broker.ts";
import { CertificateFolder } from "../support/certificates.ts";
import type { ServerAddress } from "../support/conversation.ts";
import { findNatsServer, startNatsServer } from "../support/nats_server.ts";
import { connectClient, soon } from "../support/nats_client.ts";
import { type Reception, receptions, type Visitor } from "./identity_table.ts";

const binary = await findNatsServer("2.15");

/** What became of a visitor. */
interface Outcome {
  /** Where it is; `null` when it was refused. */
  readonly account: string | null;
  /** Whether it may not subscribe to `private.x`. */
  readonly isRestricted: boolean;
  /** Why it was refused; empty when it was not. */
  readonly error: string;
}

Deno.test({
  name: "who shows what is whom, as nats-server 2.15 has it",
  ignore: binary === undefined,
  fn: async (test) => {
    if (binary === undefined) return;
    using _ = withoutLateErrors();
    await using folder = await CertificateFolder.create();
    for (const reception of await receptions(folder)) {
      await test.step(reception.name, async () => {
        const { settings, visitors } = reception;
        const official = await received(
          () => startNatsServer(binary, JSON.stringify(settings)),
          (server) => server,
          visitors,
        );
        checkTable(reception, official);
        const ours = await received(
          () => startBroker(settings),
          (broker) => broker.address,
          visitors,
        );
        assertEquals(named(reception, ours), named(reception, official));
      });
    }
  },
});

/**
 * The client leaves the socket of a refused connection without anybody who hears of its errors:
 * nats-server resets one that it has not read to the end, and a missing certificate is told late.
 */
function withoutLateErrors(): Disposable {
  const ignore = (event: ErrorEvent) => {
    if (/ECONNRESET|received fatal alert/.test(String(event.error))) event.preventDefault();
  };
  addEventListener("error", ignore);
  return { [Symbol.dispose]: () => removeEventListener("error", ignore) };
}

/** The table itself must be right: nobody may be refused, or let in, by mistake. */
function checkTable(reception: Reception, outcomes: readonly Outcome[]): void {
  assertEquals(
    named(reception, outcomes.map(({ account, isRestricted }) => ({ account, isRestricted }))),
    named(
      reception,
      reception.visitors.map(({ account, isRestricted = false }) => ({
        account,
        isRestricted,
      })),
    ),
  );
}

function named<T>({ visitors }: Reception, values: readonly T[]): Record<string, T | undefined> {
  return Object.fromEntries(visitors.map(({ name }, index) => [name, values[index]]));
}

/** What becomes of each visitor of a server. */
async function received<Server extends AsyncDisposable>(
  start: () => Promise<Server>,
  addressOf: (server: Server) => ServerAddress,
  visitors: readonly Visitor[],
): Promise<Outcome[]> {
  await using server = await start();
  const address = addressOf(server), outcomes: Outcome[] = [];
  for (const { options } of visitors) outcomes.push(await visit(address, options));
  return outcomes;
}

async function visit(address: ServerAddress, options: ConnectionOptions): Promise<Outcome> {
  try {
    await using client = await connectClient({ address }, options);
    let isRestricted = false;
    client.subscribe("private.x", {
      callback: (error) => {
        isRestricted = error instanceof PermissionViolationError;
      },
    });
    await soon(client.flush());
    const { remote_account } = client.info as unknown as { remote_account?: string };
    return { account: remote_account ?? "unknown", isRestricted, error: "" };
  } catch (error) {
    return { account: null, isRestricted: false, error: reasonOf(error, options) };
  }
}

/** What the client says; the words of a failed handshake are those of the TLS library. */
function reasonOf(error: unknown, options: ConnectionOptions): string {
  const { name, message } = error as Error;
  return options.tls !== undefined && name !== "AuthorizationError" ? "TLS" : `${name}: ${message}`;
}
