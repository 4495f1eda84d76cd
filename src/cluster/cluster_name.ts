/**
 * The cluster's name, which servers without a configured one agree on.
 *
 * @module
 */
import type { Random } from "../platform/mod.ts";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH = 22;

/** What came of comparing names. */
export type NameAgreement = "same" | "adopted" | "conflict";

/** A name that is configured, or made up and then given up for another one. */
export class ClusterName {
  /** The name now. */
  name: string;
  /** Whether it was made up. */
  dynamic: boolean;

  /** The configured name, or a random one of 22 characters. */
  constructor(configured: string | undefined, random: Random) {
    this.dynamic = configured === undefined;
    this.name = configured ?? randomName(random);
  }

  /** Takes the configured name; without one, the name stays, and is from then on as good as made up. */
  configure(configured: string | undefined): void {
    this.dynamic = configured === undefined;
    this.name = configured ?? this.name;
  }

  /**
   * Compares it with a peer's, which is adopted where that is the one to give way: a made-up name does
   * to a configured one, and to one that is greater in byte order.
   */
  agree(theirs: string, theirsDynamic: boolean): NameAgreement {
    if (theirs === this.name) return "same";
    if (!this.dynamic || theirs === "" || (theirsDynamic && theirs < this.name)) return "conflict";
    this.name = theirs;
    this.dynamic = theirsDynamic;
    return "adopted";
  }
}

function randomName(random: Random): string {
  let name = "";
  for (const byte of random.bytes(LENGTH)) name += ALPHABET[byte % ALPHABET.length];
  return name;
}
