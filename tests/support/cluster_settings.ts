/**
 * Reads configurations of clusters, for tests.
 *
 * @module
 */
import { assert, assertRejects } from "@std/assert";
import {
  type ClusterConfig,
  type Config,
  ConfigError,
  loadConfig,
  parseFlags,
} from "../../src/config/mod.ts";

/** The configuration of a YAML text and of flags; the environment has PASSWORD and MODE. */
export function load(text: string, ...args: string[]): Promise<Config> {
  const files = { readText: () => Promise.reject(new Error("nothing to read")) };
  const env = (name: string) => ({ PASSWORD: "p@ss", MODE: "best" })[name];
  return loadConfig({ text, file: "a.yaml", flags: parseFlags(args), env, files });
}

/** The cluster of the settings in a block. */
export async function clusterOf(settings: string, ...args: string[]): Promise<ClusterConfig> {
  const { cluster } = await load(`cluster: {${settings}}`, ...args);
  assert(cluster !== undefined, "no cluster");
  return cluster;
}

/** What is wrong with a text, without the place in it; fails if `sesame` is told. */
export async function refusal(text: string): Promise<string[]> {
  const { problems, message } = await assertRejects(() => load(text), ConfigError);
  assert(!message.includes("sesame"), message);
  return problems.map(({ path, expected, found, hint }) => {
    const words = expected === undefined ? found : `expected ${expected}, found ${found}`;
    return `${path}: ${words}${hint === undefined ? "" : ` (${hint})`}`;
  });
}

/** A cluster of which nothing was said. */
export const clusterDefaults: ClusterConfig = {
  host: "0.0.0.0",
  port: 6222,
  no_advertise: false,
  routes: [],
  connect_retries: 0,
  connect_backoff: false,
  pool_size: 3,
  accounts: [],
  compression: { mode: "accept", rtt_thresholds: [10, 50, 100] },
  authorization: { timeout: 2000 },
  ping_interval: 30_000,
  ping_max: 2,
  write_deadline: 10_000,
};
