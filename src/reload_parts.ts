/**
 * Who has a share in reloads of a broker.
 *
 * @module
 */
import type { AccountDirectory } from "./account/mod.ts";
import { accountDefinitions } from "./account_parts.ts";
import {
  authenticatorConfig,
  type Identity,
  type OperatorAuthority,
  type PasswordVerifier,
} from "./auth/mod.ts";
import {
  type ClientEnvironment,
  clientLimits,
  type ClientSession,
  closeSurplus,
  closeSurplusOf,
  reconsiderClients,
  serverInfo,
  tellClients,
} from "./client/mod.ts";
import type { Cluster } from "./cluster/mod.ts";
import { clusterFacts } from "./cluster_parts.ts";
import {
  type AccountDefinition,
  type ChangePart,
  type Config,
  GLOBAL_ACCOUNT,
  loggingConfig,
} from "./config/mod.ts";
import { flowLevels, type FlowSettings, setFlowLevels } from "./connection/mod.ts";
import type { Logging } from "./log/mod.ts";
import type { ProcessFiles } from "./monitor/mod.ts";
import type { Address } from "./platform/mod.ts";
import type { ServerInfo } from "./protocol/mod.ts";
import type { PreparedChange, ReloadContext, ReloadParticipant } from "./reload.ts";
import { type BrokerTls, setTlsInfo } from "./tls_parts.ts";

/** How many clients are changed between two looks at the clock. */
const CHANGED_AT_A_TIME = 256;

/** The parts of a broker that take part in reloads. */
export interface ReloadParts {
  /** Who this server is. */
  readonly identity: { readonly id: string; readonly name: string; readonly xkey: string };
  /** Where clients connect to. */
  readonly address: Address;
  /** The log. */
  readonly logging: Logging;
  /** What sessions of clients share. */
  readonly environment: ClientEnvironment;
  /** INFO, which is changed in its place. */
  readonly info: ServerInfo;
  /** The flow control of clients. */
  readonly flow: FlowSettings;
  /** Every account there is. */
  readonly accounts: AccountDirectory;
  /** Decides about clients instead, where there is an operator. */
  readonly operator: OperatorAuthority | null;
  /** Checks passwords of routes. */
  readonly verifier: PasswordVerifier;
  /** The pid file and the ports file. */
  readonly processFiles: ProcessFiles;
  /** The cluster, if any. */
  readonly cluster: Cluster | null;
  /** TLS. */
  readonly tls: BrokerTls;
  /** Brings INFO up to date with the cluster. */
  readonly refreshInfo: () => void;
}

/** Everybody who has a share, in the order in which they apply. */
export function reloadParticipants(parts: ReloadParts): ReloadParticipant[] {
  return [
    logParticipant(parts),
    filesParticipant(parts),
    accountsParticipant(parts),
    accessParticipant(parts),
    clientsParticipant(parts),
    tlsParticipant(parts),
    clusterParticipant(parts),
    infoParticipant(parts),
  ];
}

function concerns({ plan }: ReloadContext, ...parts: readonly ChangePart[]): boolean {
  return plan.changes.some(({ part }) => part !== null && parts.includes(part));
}

function logParticipant({ logging, environment, cluster }: ReloadParts): ReloadParticipant {
  return {
    name: "log",
    prepare(context) {
      if (!concerns(context, "log")) return null;
      const change = logging.prepare(loggingConfig(context.after));
      return {
        ...change,
        async finish() {
          change.finish();
          cluster?.retrace();
          await everySession(environment, context, (session) => session.reconfigured());
        },
      };
    },
  };
}

function filesParticipant({ processFiles, address, cluster }: ReloadParts): ReloadParticipant {
  return {
    name: "pid and ports file",
    async prepare(context) {
      if (!concerns(context, "files")) return null;
      const { pid_file: pidFile, ports_file_dir: portsFileFolder } = context.after;
      return await processFiles.move({ pidFile, portsFileFolder }, {
        nats: address,
        ...(cluster !== null && { cluster: cluster.address }),
      });
    },
  };
}

function accountsParticipant({ accounts, environment }: ReloadParts): ReloadParticipant {
  return {
    name: "accounts",
    prepare(context) {
      if (!concerns(context, "accounts")) return null;
      const before = accountDefinitions(context.before), after = accountDefinitions(context.after);
      const changed = new Set<string>();
      for (const { part, path: [top, name] } of context.plan.changes) {
        if (part === "accounts") changed.add(top === "accounts" ? String(name) : GLOBAL_ACCOUNT);
      }
      // It has JetStream only where there are no others.
      const isAlone = ({ accounts }: Config) => accounts === undefined;
      if (isAlone(context.before) !== isAlone(context.after)) changed.add(GLOBAL_ACCOUNT);
      const use = (definitions: ReadonlyMap<string, AccountDefinition>) =>
        accounts.update([...changed].map((name) => [name, definitions.get(name)] as const));
      return {
        apply: () => use(after),
        rollback: () => use(before),
        async finish() {
          await everySession(environment, context, (session) => {
            const { account, identity } = session;
            if (account === null || identity === null || !changed.has(account.name)) return;
            // To what its account says now.
            if (after.has(account.name)) session.revise(identity);
          });
          closeSurplusOf(environment.sessions.values(), changed);
        },
      };
    },
  };
}

function accessParticipant({ environment, operator, info }: ReloadParts): ReloadParticipant {
  return {
    name: "access",
    prepare(context) {
      if (!concerns(context, "access", "accounts")) return null;
      const { authenticator } = environment;
      const use = (config: Config) => {
        authenticator.update(authenticatorConfig(config), operator);
        if (authenticator.required) info.auth_required = true;
        else delete info.auth_required;
      };
      return {
        apply: () => use(context.after),
        rollback: () => use(context.before),
        finish: () => reconsiderClients(environment, goneUsers(context), context.rest),
      };
    },
  };
}

/** Whether the user of a client is one of those that are no more. */
function goneUsers({ before, plan }: ReloadContext): (identity: Identity) => boolean {
  const users = new Set<string>(), accounts = new Set<string>();
  for (const { setting, path: [_top, second, third, fourth], kind } of plan.changes) {
    // To nats-server the one user is another one when anything about it is.
    if (/^authorization\.(user|password)$/.test(setting)) {
      users.add(before.authorization.user ?? "");
    }
    if (kind !== "removed") continue;
    if (setting === "accounts.*") accounts.add(String(second));
    else if (setting === "accounts.*.users[]") users.add(String(fourth));
    else if (setting === "authorization.users[]") users.add(String(third));
  }
  return ({ user, account }) => accounts.has(account) || (user !== null && users.has(user));
}

function clientsParticipant(parts: ReloadParts): ReloadParticipant {
  const { environment, info, flow, accounts } = parts;
  return {
    name: "clients",
    prepare(context) {
      // What clients are held to is also a matter of authorization.timeout.
      if (!concerns(context, "clients", "access")) return null;
      const use = (config: Config) => {
        environment.limits = clientLimits(config);
        info.max_payload = config.max_payload;
        const levels = flowLevels(config);
        setFlowLevels(flow.outboxSettings, levels);
        accounts.setFlow(levels);
      };
      return {
        apply: () => use(context.after),
        rollback: () => use(context.before),
        async finish() {
          await everySession(environment, context, (session) => session.reconfigured());
          closeSurplus(environment, context.after.max_connections);
        },
      };
    },
  };
}

function tlsParticipant({ tls, info }: ReloadParts): ReloadParticipant {
  return {
    name: "TLS",
    async prepare(context) {
      // The name of a server that is dialled by address is that of a route.
      if (!concerns(context, "tls", "cluster")) return null;
      const change = await tls.prepare(context.after);
      return {
        apply() {
          change.apply();
          setTlsInfo(info, context.after);
        },
        rollback() {
          change.rollback();
          setTlsInfo(info, context.before);
        },
      };
    },
  };
}

function clusterParticipant(parts: ReloadParts): ReloadParticipant {
  const { cluster, environment, identity, address, verifier, refreshInfo } = parts;
  return {
    name: "cluster",
    prepare(context) {
      const settings = context.after.cluster;
      if (cluster === null || settings === undefined) return null;
      // It takes limits and the advertised address from the top level.
      if (!concerns(context, "cluster", "clients", "info", "tls")) return null;
      const before = cluster.facts, watch = cluster.watch, deadlineMs = watch.writeDeadlineMs;
      const after = clusterFacts(context.after, settings, {
        identity,
        address,
        verifier,
        clock: environment.clock,
        random: environment.random,
        routeAddress: cluster.address,
      });
      return {
        apply() {
          cluster.use(after);
          watch.writeDeadlineMs = settings.write_deadline;
        },
        rollback() {
          cluster.use(before);
          watch.writeDeadlineMs = deadlineMs;
        },
        finish() {
          cluster.changed(before);
          refreshInfo();
        },
      };
    },
  };
}

/** Last: it tells clients what the others have made of INFO. */
function infoParticipant(parts: ReloadParts): ReloadParticipant {
  const { environment, info, identity, address } = parts;
  return {
    name: "info",
    prepare(context): PreparedChange {
      const told = JSON.stringify(info);
      const use = (config: Config) => {
        const { host, port } = serverInfo(config, identity, identity.name, address);
        Object.assign(info, { host, port });
      };
      return {
        apply: () => use(context.after),
        rollback: () => use(context.before),
        async finish() {
          if (JSON.stringify(info) !== told) await tellClients(environment);
        },
      };
    },
  };
}

async function everySession(
  { sessions }: ClientEnvironment,
  { rest }: ReloadContext,
  change: (session: ClientSession) => void,
): Promise<void> {
  let changed = 0;
  for (const session of [...sessions.values()]) {
    change(session);
    if (++changed % CHANGED_AT_A_TIME === 0) await rest();
  }
}
