/**
 * What the flow control of outboxes goes by.
 *
 * @module
 */
import type { OutboxSettings } from "./outbox.ts";
import type { SlabPool } from "./slab_pool.ts";
import { WriteWatch, type WriteWatchSettings } from "./write_watch.ts";

/** Pending bytes of a peer above which publishers wait for it, and at which they go on. */
const HIGH_WATER_BYTES = 512 * 1024, LOW_WATER_BYTES = 256 * 1024;
/** From this share of max_pending on, a peer slows its publishers down even when it lags. */
const CROWDED_SHARE = 0.75;
/** From this share of max_pending on, publishers wait for it even within a chunk. */
const PRESSED_SHARE = 0.5;

/** What a configuration says of flow control. */
export interface FlowConfig {
  /** Most bytes that may wait for a peer. */
  readonly max_pending: number;
  /** How long a batch of bytes may take to be written, in milliseconds. */
  readonly write_deadline: number;
  /** Whether publishers never wait: messages for a peer that is crowded are dropped instead. */
  readonly no_fast_producer_stall: boolean;
}

/** Flow control as it is to be. */
export interface FlowSettings {
  /** For every outbox. */
  readonly outboxSettings: OutboxSettings;
  /** Pending bytes of a peer above which messages for it are dropped; Infinity to drop none. */
  readonly dropAbove: number;
  /** Pending bytes of a peer above which publishers wait even within a chunk; Infinity for never. */
  readonly pressAbove: number;
}

/** The levels of pending bytes that flow control goes by. */
export interface FlowLevels extends Pick<FlowSettings, "dropAbove" | "pressAbove"> {
  /** See {@link OutboxSettings.crowdedAbove}. */
  readonly crowdedAbove: number;
  /** For the watch. */
  readonly watch: WriteWatchSettings;
}

/** The levels that a configuration asks for. */
export function flowLevels(config: FlowConfig): FlowLevels {
  const { max_pending, write_deadline, no_fast_producer_stall } = config;
  const crowdedAbove = CROWDED_SHARE * max_pending;
  const highWater = no_fast_producer_stall ? Infinity : Math.min(HIGH_WATER_BYTES, max_pending / 2);
  return {
    watch: {
      writeDeadlineMs: write_deadline,
      highWater,
      lowWater: Math.min(LOW_WATER_BYTES, highWater / 2),
    },
    crowdedAbove: no_fast_producer_stall ? Infinity : crowdedAbove,
    pressAbove: no_fast_producer_stall ? Infinity : PRESSED_SHARE * max_pending,
    dropAbove: no_fast_producer_stall ? crowdedAbove : Infinity,
  };
}

/** Makes the settings of flow control, with a watch of their own. */
export function flowSettings(config: FlowConfig, pool: SlabPool): FlowSettings {
  const { watch, crowdedAbove, pressAbove, dropAbove } = flowLevels(config);
  return {
    outboxSettings: {
      pool,
      watch: new WriteWatch(watch),
      maxPending: config.max_pending,
      crowdedAbove,
      patient: false,
    },
    pressAbove,
    dropAbove,
  };
}

/** Goes by other levels from now on, in every outbox that has those settings. */
export function setFlowLevels(settings: OutboxSettings, levels: FlowLevels): void {
  Object.assign(settings.watch, levels.watch);
  settings.crowdedAbove = levels.crowdedAbove;
}

/** Most bytes that may wait for a route, where clients may have less: it stands for many of them. */
const ROUTE_PENDING_BYTES = 64 * 1024 * 1024;

/** The settings of outboxes of routes, with a watch of their own. */
export function routeOutboxSettings(
  config: Pick<FlowConfig, "max_pending" | "write_deadline">,
  pool: SlabPool,
): OutboxSettings {
  const maxPending = Math.max(ROUTE_PENDING_BYTES, config.max_pending);
  return {
    pool,
    watch: new WriteWatch({
      writeDeadlineMs: config.write_deadline,
      highWater: HIGH_WATER_BYTES,
      lowWater: LOW_WATER_BYTES,
    }),
    maxPending,
    crowdedAbove: CROWDED_SHARE * maxPending,
    patient: true,
  };
}
