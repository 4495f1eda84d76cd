/**
 * A cluster of three nats-servers with JetStream and one server without it, as its clients see it.
 *
 * @module
 */
import {
  jetstream,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
  type StreamInfo,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { AccountName, MemberOptions, MemberPlan, ServerKind } from "./cluster_config.ts";
import { ClusterServer, planMember } from "./cluster_server.ts";
import { eventually } from "./eventually.ts";

/** How long the cluster may take to choose leaders, in milliseconds. */
const ELECTION_LIMIT_MS = 30_000;

/** How long an answer of JetStream may take, in milliseconds. */
const ANSWER_LIMIT_MS = 5000;

/** The accounts with JetStream. The third of them all has none. */
export const JETSTREAM_ACCOUNTS: readonly AccountName[] = ["A", "APP"];

/** JetStream through one connection. */
export interface JetStream {
  /** What publishes and consumes. */
  readonly client: JetStreamClient;
  /** What creates and deletes. */
  readonly manager: JetStreamManager;
}

/** The servers; disposing it stops them. */
export interface JetStreamCluster extends AsyncDisposable {
  /** Those with JetStream. */
  readonly official: readonly ClusterServer[];
  /** The one without. */
  readonly ours: ClusterServer;
}

/**
 * Starts three nats-servers 2.15 with JetStream, and a server of `kind` without it; all of them dial
 * each other.
 */
export async function startJetStreamCluster(
  kind: ServerKind,
  options: Pick<MemberOptions, "noAccounts"> = {},
): Promise<JetStreamCluster> {
  await using stack = new AsyncDisposableStack();
  const plans = ["A", "B", "C"].map((name) => planMember("2.15", name));
  const plan = planMember(kind, "D");
  const start = async (plan: MemberPlan, jetstream: true | "elsewhere") =>
    stack.use(
      await ClusterServer.start(plan, {
        ...options,
        jetstream,
        jetstreamAccounts: JETSTREAM_ACCOUNTS,
        routes: plans.filter((other) => other !== plan),
      }),
    );
  const [ours, ...official] = await Promise.all([
    start(plan, "elsewhere"),
    ...plans.map((plan) => start(plan, true)),
  ]);
  const owned = stack.move();
  return { official, ours, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** JetStream through `connection`, once there is a leader that answers. */
export async function jetStreamOf(connection: NatsConnection): Promise<JetStream> {
  const options = { timeout: ANSWER_LIMIT_MS };
  let manager: JetStreamManager | undefined, failure: unknown = "not asked";
  await eventually(() => `an answer of JetStream, not ${failure}`, async () => {
    try {
      manager = await jetstreamManager(connection, options);
      return true;
    } catch (error) {
      failure = error;
      return false;
    }
  }, ELECTION_LIMIT_MS);
  return { client: jetstream(connection, options), manager: manager! };
}

/** Does `work` until it succeeds: while leaders are chosen, JetStream refuses or does not answer. */
export async function retried<T>(what: string, work: () => Promise<T>): Promise<T> {
  let result: { value: T } | undefined, failure: unknown = "nothing";
  await eventually(() => `${what}: ${failure}`, async () => {
    try {
      result = { value: await work() };
      return true;
    } catch (error) {
      failure = error;
      return false;
    }
  }, ELECTION_LIMIT_MS);
  return result!.value;
}

/** Waits until the stream has a leader and every other replica is current. */
export async function replicated(
  manager: JetStreamManager,
  stream: string,
  replicas = 3,
): Promise<StreamInfo> {
  let info: StreamInfo | undefined;
  await eventually(
    () => `${stream} has ${replicas} replicas: ${JSON.stringify(info?.cluster)}`,
    async () => {
      info = await manager.streams.info(stream).catch(() => undefined);
      const others = info?.cluster?.replicas ?? [];
      return info?.cluster?.leader !== undefined && others.length === replicas - 1 &&
        others.every(({ current, offline }) => current && offline !== true);
    },
    ELECTION_LIMIT_MS,
  );
  return info!;
}
