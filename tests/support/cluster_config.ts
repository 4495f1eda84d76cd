/**
 * Configuration of a member of a cluster, for denats and nats-server alike.
 *
 * @module
 */
import type { NatsServerLine } from "./nats_server.ts";

/** What a member of a cluster is: this project, or an official server. */
export type ServerKind = "denats" | NatsServerLine;

/** The accounts of every member. With a pool of three, each is in a slot of its own: 0, 1, 2. */
export const ACCOUNTS = ["A", "APP", "tenant-1"] as const;

/** One of {@link ACCOUNTS}. */
export type AccountName = typeof ACCOUNTS[number];

/** The account that has a connection of its own where a test asks for one. */
export const PINNED_ACCOUNT: AccountName = "APP";

/** Credentials of the one user of an account. */
export function credentials(account: AccountName): { user: string; pass: string } {
  return { user: `user-${account}`, pass: `password-${account}` };
}

/** Where a member listens, settled before anything is started. */
export interface MemberPlan {
  /** What the member is. */
  readonly kind: ServerKind;
  /** Its `server_name`. */
  readonly name: string;
  /** Port for clients. */
  readonly clientPort: number;
  /** Port for routes. */
  readonly clusterPort: number;
  /** Port for monitoring, which only nats-server has. */
  readonly monitorPort: number;
}

/** What differs from test to test. */
export interface MemberOptions {
  /** Members to dial. */
  readonly routes?: readonly MemberPlan[];
  /** Name of the cluster; `"interop"` if absent. */
  readonly clusterName?: string;
  /** `pool_size`; the server's default if absent. */
  readonly poolSize?: number;
  /** `compression`; the server's default if absent. */
  readonly compression?: string;
  /** Accounts with connections of their own. */
  readonly pinned?: readonly string[];
  /** Password that others must know and that is used for dialing; none if absent. */
  readonly password?: string;
  /** Password used for dialing, where it is not {@link password}. */
  readonly dialPassword?: string;
  /** `ping_interval` of routes, such as `"1s"`. */
  readonly pingInterval?: string;
  /** `ping_max` of routes. */
  readonly pingMax?: number;
  /** `no_advertise`. */
  readonly noAdvertise?: boolean;
  /**
   * Whether the member has JetStream, which only nats-server can; `"elsewhere"` where others of the
   * cluster have it.
   */
  readonly jetstream?: boolean | "elsewhere";
  /** Which accounts have JetStream, where there is any; all if absent. */
  readonly jetstreamAccounts?: readonly AccountName[];
  /** Whether there are no accounts but those that every server has. */
  readonly noAccounts?: boolean;
}

/**
 * The text of a configuration file. It is JSON, which is YAML as well as nats-server's format.
 */
export function configText(plan: MemberPlan, options: MemberOptions): string {
  const { password, dialPassword = password, jetstream, jetstreamAccounts = ACCOUNTS } = options;
  const userInfo = dialPassword === undefined ? "" : `router:${dialPassword}@`;
  return JSON.stringify(
    {
      server_name: plan.name,
      host: "127.0.0.1",
      port: plan.clientPort,
      http: plan.kind === "denats" ? undefined : `127.0.0.1:${plan.monitorPort}`,
      accounts: options.noAccounts ? undefined : Object.fromEntries(ACCOUNTS.map((account) => {
        const { user, pass } = credentials(account);
        const has = jetstream && jetstreamAccounts.includes(account) ? true : undefined;
        return [account, { users: [{ user, password: pass }], jetstream: has }];
      })),
      // Below the folder of the configuration file, where the process is started.
      jetstream: jetstream === true ? { store_dir: "jetstream" } : undefined,
      cluster: {
        name: options.clusterName ?? "interop",
        host: "127.0.0.1",
        port: plan.clusterPort,
        routes: options.routes?.map((to) => `nats-route://${userInfo}127.0.0.1:${to.clusterPort}`),
        authorization: password === undefined
          ? undefined
          : { user: "router", password, timeout: 5 },
        pool_size: options.poolSize,
        compression: options.compression,
        accounts: options.pinned,
        ping_interval: options.pingInterval,
        ping_max: options.pingMax,
        no_advertise: options.noAdvertise,
      },
    },
    null,
    2,
  );
}
