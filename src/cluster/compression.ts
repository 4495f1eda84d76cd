/**
 * How two servers agree on compression.
 *
 * @module
 */
import type { S2Level } from "./s2/mod.ts";

/** What a server can be configured to. */
export type CompressionMode = "off" | "accept" | "s2_fast" | "s2_better" | "s2_best" | "s2_auto";

/** What is really done in one direction. */
export type ActiveMode = "s2_fast" | "s2_better" | "s2_best" | "s2_auto";

/** Compression of routes, as configured. */
export interface CompressionConfig {
  /** The mode. */
  readonly mode: CompressionMode;
  /** For s2_auto: round trips in milliseconds up to which each level is used; 0 leaves one out. */
  readonly rtt_thresholds: readonly number[];
}

/** The peer said something that is none of the modes. */
export class UnknownCompressionError extends Error {
  /** Always `"UnknownCompressionError"`. */
  override readonly name = "UnknownCompressionError";
}

/** Not a mode, but what INFO says when the peer's says nothing. */
const NOT_SUPPORTED = "not supported";
const ACTIVE: ReadonlySet<string> = new Set(["s2_fast", "s2_better", "s2_best", "s2_auto"]);

/**
 * What this side compresses with, null for not at all, where it is configured to `local` and the peer's
 * INFO says `remote`. nats-server's `selectCompressionMode`.
 *
 * @throws {UnknownCompressionError} when `remote` is not known, and would matter.
 */
export function negotiate(
  local: CompressionMode,
  remote: string | undefined,
): ActiveMode | null {
  if (local === "off" || remote === undefined || remote === "") return null;
  if (remote === "off" || remote === NOT_SUPPORTED) return null;
  if (remote !== "accept" && !ACTIVE.has(remote)) {
    throw new UnknownCompressionError(`unsupported route compression mode "${remote}"`);
  }
  if (local !== "accept") return local;
  if (remote === "accept") return null;
  // Whoever only accepts does what the other does; how the other finds its level is its own affair.
  return remote === "s2_auto" ? "s2_fast" : remote as ActiveMode;
}

/** What INFO says when {@link negotiate} came to nothing. */
export function declined(remote: string | undefined): string {
  return remote === undefined || remote === "" ? NOT_SUPPORTED : "off";
}

const LEVELS: readonly S2Level[] = ["uncompressed", "fast", "better", "best"];

/** The level of a mode at a round trip of `rttMs`. */
export function levelOf(mode: ActiveMode, rttMs: number, thresholds: readonly number[]): S2Level {
  switch (mode) {
    case "s2_fast":
      return "fast";
    case "s2_better":
      return "better";
    case "s2_best":
      return "best";
    default:
      for (let i = 0; i < thresholds.length && i < LEVELS.length - 1; i++) {
        if (thresholds[i]! > 0 && rttMs <= thresholds[i]!) return LEVELS[i]!;
      }
      return LEVELS[Math.min(thresholds.length, LEVELS.length - 1)]!;
  }
}
