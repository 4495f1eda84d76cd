/**
 * A server's part in a cluster without a broker around it, with limits that no configuration has: what
 * millions would take to reach, a test reaches with a handful.
 *
 * @module
 */
import { Cluster, type RouteSettings } from "../../src/cluster/mod.ts";
import { routeInfo, routeSettings } from "../../src/cluster_parts.ts";
import { loggingConfig, normaliseConfig } from "../../src/config/mod.ts";
import {
  Deadlines,
  DEADLINES_PERIOD_MS,
  routeOutboxSettings,
  SlabPool,
  TimerWheel,
  TouchedOutboxes,
} from "../../src/connection/mod.ts";
import { Logging } from "../../src/log/mod.ts";
import { accountDirectory } from "./account_directory.ts";
import { MemoryFiles } from "./memory_files.ts";
import { MemoryTransport, SeededRandom, VirtualClock } from "../../src/platform/mod.ts";
import { every, Scope } from "../../src/supervisor/mod.ts";
import { clustered, ROUTE_ADDRESS } from "./route_peer.ts";

/** A cluster's server in memory, whose one account is `$G`. */
export class MemoryCluster implements AsyncDisposable {
  /** What it listens and dials by. */
  readonly transport = new MemoryTransport();
  /** Its time. */
  readonly clock = new VirtualClock();
  /** Lines of its log. */
  readonly log: string[] = [];
  /** The cluster under test. */
  readonly cluster: Cluster;
  readonly #root: Scope;

  /** Listens from now on, with some settings changed. */
  constructor(changed: Partial<RouteSettings>) {
    const { clock, transport } = this, random = new SeededRandom(1);
    const config = normaliseConfig(clustered()), touched = new TouchedOutboxes();
    const logging = new Logging({
      clock,
      files: new MemoryFiles(),
      pid: 1,
      stderrWrite: (line) => this.log.push(line.trimEnd()),
      config: loggingConfig(config),
    });
    const root = this.#root = new Scope("root", {
      clock,
      random,
      onPanic: ({ error }) => {
        throw error;
      },
    });
    const wheel = new TimerWheel(0, DEADLINES_PERIOD_MS);
    const outboxSettings = routeOutboxSettings({ ...config, ...config.cluster! }, new SlabPool());
    const accounts = accountDirectory({ $G: {} }, {
      random,
      clock,
      touched,
      server: () => ({ name: "SA", cluster: "C1" }),
      onProblem: (_, problem) => {
        throw new Error(problem);
      },
    });
    let id = 0;
    this.cluster = new Cluster({
      name: "C1",
      settings: { ...routeSettings(config, config.cluster!), ...changed },
      routes: [],
      credentials: null,
      authenticate: null,
      accounts,
      info: routeInfo(config, config.cluster!, { id: "NA", name: "SA" }, ROUTE_ADDRESS),
      connectUrls: null,
      listener: transport.listen(ROUTE_ADDRESS),
      transport,
      root,
      clock,
      random,
      log: logging.log("route"),
      wheel,
      touched,
      outboxSettings,
      nextId: () => ++id,
      refused: () => "event",
      peerChanged: () => {},
      tls: () => null,
      changed: () => Promise.resolve(),
    });
    const deadlines = new Deadlines(wheel, outboxSettings.watch);
    every(root, "deadlines", DEADLINES_PERIOD_MS, () => deadlines.look(clock.monotonic()));
  }

  /** See {@link VirtualClock.settle}. */
  settle(): Promise<void> {
    return this.clock.settle();
  }

  /** Closes everything, letting time pass for whoever does not leave by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    let isClosed = false;
    const closing = this.cluster.close().then(() => this.#root.close()).then(() => isClosed = true);
    while (!isClosed) await this.clock.advance(100);
    await closing;
  }
}
