/**
 * The stories that every pair of servers has to play.
 *
 * @module
 */
import { addresses, returning } from "./cluster_address_scenarios.ts";
import {
  copies,
  counting,
  isolation,
  largePayloads,
  publishing,
  wildcards,
  withHeaders,
} from "./cluster_delivery_scenarios.ts";
import { connections } from "./cluster_connection_scenarios.ts";
import type { Scenario } from "./cluster_pair.ts";
import { mixed, moving, spreading } from "./cluster_queue_scenarios.ts";
import {
  leaving,
  limited,
  noResponders,
  requests,
  withdrawing,
} from "./cluster_request_scenarios.ts";

/** In the order they are played; the last one ends one of the servers. */
export const BATTERY: readonly Scenario[] = [
  publishing,
  copies,
  wildcards,
  withHeaders,
  isolation,
  requests,
  noResponders,
  leaving,
  withdrawing,
  limited,
  spreading,
  mixed,
  moving,
  largePayloads,
  counting,
  addresses,
  connections,
  returning,
  connections,
];
