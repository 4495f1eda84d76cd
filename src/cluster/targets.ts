/**
 * The addresses that are known, and how many may be.
 *
 * @module
 */
import { formatAddress, type Random } from "../platform/mod.ts";
import type { RouteSettings, RouteUrl } from "./settings.ts";
import { Target } from "./target.ts";

/** Most addresses that are remembered without being configured. */
const MAX_REMEMBERED = 1024;
/** Most that one server may have told of without anybody having been there. */
const MAX_RUMOURS = 256;

/** What is known of addresses, by host and port. */
export class Targets {
  readonly #targets = new Map<string, Target>();
  readonly #settings: Pick<RouteSettings, "connectBackoff">;
  readonly #random: Random;

  /** None is known yet. */
  constructor(settings: Pick<RouteSettings, "connectBackoff">, random: Random) {
    this.#settings = settings;
    this.#random = random;
  }

  /** All of them, by host and port. May change meanwhile. */
  [Symbol.iterator](): IterableIterator<[key: string, target: Target]> {
    return this.#targets.entries();
  }

  /** What is known of an address. */
  get(host: string, port: number): Target | undefined {
    return this.#targets.get(keyOf(host, port));
  }

  /** The address at which a server was last. */
  ofPeer(id: string): Target | null {
    for (const target of this.#targets.values()) if (target.peerId === id) return target;
    return null;
  }

  /** Knows an address from the configuration. */
  configure(url: RouteUrl): void {
    const key = keyOf(url.host, url.port);
    if (this.#targets.get(key)?.configured) return;
    this.#targets.set(key, this.#create(url, true, null));
  }

  /** An address is no longer configured: it is forgotten, whoever is there, and returned. */
  unconfigure(url: RouteUrl): Target | null {
    const target = this.get(url.host, url.port);
    if (target === undefined || !target.configured) return null;
    this.delete(target);
    return target;
  }

  /** Knows an address at which there was a server; null where there is no room. */
  remember(url: RouteUrl): Target | null {
    return this.get(url.host, url.port) ?? this.#add(url, null);
  }

  /**
   * Knows an address that the server `teller` has told of; null where that is too much. Whoever makes
   * up addresses has a share of its own, and what others tell of still has room.
   */
  hear(url: RouteUrl, teller: string): Target | null {
    const known = this.get(url.host, url.port);
    if (known !== undefined) return known;
    let rumours = 0;
    for (const target of this.#targets.values()) {
      if (target.teller === teller && !target.wasConnected && !target.givenUp) rumours++;
    }
    return rumours >= MAX_RUMOURS ? null : this.#add(url, teller);
  }

  /** Knows it no longer. */
  delete(target: Target): void {
    this.#targets.delete(keyOf(target.url.host, target.url.port));
  }

  #add(url: RouteUrl, teller: string | null): Target | null {
    if (this.#targets.size >= MAX_REMEMBERED && !this.#forgetOne(teller !== null)) return null;
    const target = this.#create(url, false, teller);
    this.#targets.set(keyOf(url.host, url.port), target);
    return target;
  }

  #create(url: RouteUrl, configured: boolean, teller: string | null): Target {
    return new Target(url, configured, this.#settings.connectBackoff, this.#random, teller);
  }

  /** Makes room, by one at which there never was a server, or else the one that failed most often. */
  #forgetOne(isRumour: boolean): boolean {
    let worst: Target | null = null;
    for (const target of this.#targets.values()) {
      if (target.configured || target.dialling || !(target.self || target.failures > 0)) continue;
      // What somebody tells does not make a server be forgotten that was really there.
      if (target.wasConnected && isRumour) continue;
      if (
        worst === null || (worst.wasConnected && !target.wasConnected) ||
        (worst.wasConnected === target.wasConnected && worst.failures < target.failures)
      ) worst = target;
    }
    if (worst !== null) this.delete(worst);
    return worst !== null;
  }
}

function keyOf(hostname: string, port: number): string {
  return formatAddress({ hostname, port });
}
