/**
 * What a broker makes of its accounts, and of those who may be in them.
 *
 * @module
 */
import type { AccountDirectory, AccountDirectoryOptions } from "./account/mod.ts";
import { createAccounts } from "./account_parts.ts";
import {
  Authenticator,
  authenticatorConfig,
  CalloutClient,
  ConfiguredCallout,
  GuessLimiter,
  operatorCallout,
  type OperatorMode,
  type PasswordVerifier,
  type ServerIdentity,
} from "./auth/mod.ts";
import type { ClientSession } from "./client/mod.ts";
import type { Config } from "./config/mod.ts";
import type { Logging } from "./log/mod.ts";
import { MessageBuses } from "./message_buses.ts";
import { OperatorAccess } from "./operator_parts.ts";
import type { ServerInfo } from "./protocol/mod.ts";

/** What they take from their broker. */
export interface AccessSurroundings
  extends
    Pick<AccountDirectoryOptions, "clock" | "random" | "touched" | "dropAbove" | "pressAbove"> {
  /** Keys of this server. */
  readonly identity: ServerIdentity;
  /** Its name. */
  readonly name: string;
  /** What {@link MessageBuses} know it by. */
  readonly hash: string;
  /** INFO, which changes in its place. */
  readonly info: ServerInfo;
  /** The log. */
  readonly logging: Logging;
  /** Operator mode; null without operators. */
  readonly operator: OperatorMode | null;
  /** Checks passwords; not closed with the rest. */
  readonly verifier: PasswordVerifier;
  /** All clients that are connected. */
  readonly sessions: () => Iterable<ClientSession>;
  /** The configuration as it is now. */
  readonly config: () => Config;
}

/** Accounts, and who decides about clients. */
export interface Access {
  /** The accounts. */
  readonly accounts: AccountDirectory;
  /** The server as a client of them. */
  readonly buses: MessageBuses;
  /** Those of operators; null without operators. */
  readonly operator: OperatorAccess | null;
  /** Decides who may connect. */
  readonly authenticator: Authenticator;
}

/** Builds them from a configuration. */
export function createAccess(config: Config, surroundings: AccessSurroundings): Access {
  const { clock, random, touched, dropAbove, pressAbove, logging, verifier } = surroundings;
  const { name, info, hash, operator: mode, sessions } = surroundings;
  const log = logging.log("account");
  const accounts = createAccounts(config, {
    clock,
    random,
    touched,
    dropAbove,
    pressAbove,
    server: () => ({ name, cluster: info.cluster ?? null }),
    onProblem: (account, problem) => log.error(`Account ${account}: ${problem}`),
  });
  const buses = new MessageBuses({
    accounts,
    clock,
    random,
    touched,
    hash,
    onError: (account, error) =>
      log.error(`Account ${account}: an internal handler failed`, { error: textOf(error) }),
  });
  const operator = mode === null
    ? null
    : new OperatorAccess({ mode, accounts, sessions, clock, log: logging.log("auth") });
  const client = calloutClient(buses, surroundings);
  if (mode !== null) {
    const { accounts, authenticator } = mode;
    authenticator.askBy(operatorCallout({ client, accounts, authenticator }));
  }
  const limiter = new GuessLimiter({ clock, random });
  const callout = new ConfiguredCallout(client, clock);
  const authenticator = new Authenticator(
    authenticatorConfig(config),
    verifier,
    { limiter, callout },
    operator,
  );
  return { accounts, buses, operator, authenticator };
}

function calloutClient(buses: MessageBuses, surroundings: AccessSurroundings): CalloutClient {
  const { identity, name, info, clock, random, config } = surroundings;
  return new CalloutClient({
    identity,
    server: () => {
      const { host, version, cluster } = info;
      return { name, host, version, cluster, tags: config().server_tags };
    },
    bus: (account) => buses.of(account),
    clock,
    random,
    timeoutMs: () => config().authorization.timeout,
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
