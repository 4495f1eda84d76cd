/**
 * Which connection of a pool an account's interest travels on.
 *
 * @module
 */
import { byteStringBytes, encodeByteString } from "../protocol/mod.ts";

const OFFSET_BASIS = 2166136261, PRIME = 16777619;

/**
 * The slot of an account in a pool of `poolSize` connections: nats-server's
 * `fnv.New32a(name) % poolSize`, 0 for pools of one or none. Every server goes by its own pool size.
 */
export function accountSlot(account: string, poolSize: number): number {
  if (poolSize <= 1) return 0;
  let hash = OFFSET_BASIS;
  for (const byte of byteStringBytes(encodeByteString(account))) {
    hash = Math.imul(hash ^ byte, PRIME);
  }
  return (hash >>> 0) % poolSize;
}
