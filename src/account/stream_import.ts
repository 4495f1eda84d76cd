/**
 * Streams of other accounts: what is published there is received here under a subject of this account.
 *
 * @module
 */
import {
  byteString,
  ClientMessage,
  rewriteMessage,
  subjectOverlap,
  type SubjectTransform,
} from "../protocol/mod.ts";
import type { Account } from "./account.ts";
import { ServiceBridge } from "./service_bridge.ts";
import type { Subscriber } from "./subscriber.ts";
import { type DeliveryHook, Subscription } from "./subscription.ts";

/** One stream of another account. */
export interface StreamImport {
  /** Who receives. */
  readonly importer: Account;
  /** Whose it is. */
  readonly exporter: Account;
  /** From subjects there to subjects here; null where they are the same. */
  readonly toLocal: SubjectTransform | null;
  /** From subjects here to subjects there; null where they are the same. */
  readonly toSource: SubjectTransform | null;
  /** What it is here: a subject with wildcards, a byte string. */
  readonly local: string;
  /** What it says, by which one is known that has not changed. */
  readonly key: string;
}

/**
 * The streams that an account receives. Every subscription of the account that could get something of
 * one has a shadow there.
 */
export class StreamImports {
  #imports: readonly StreamImport[] = [];
  readonly #shadows = new Map<Subscription, Shadow[]>();

  /**
   * Replaces what is received by `subscriptions` and those that follow. There may be very many of them:
   * what has not changed is left alone.
   */
  replace(imports: readonly StreamImport[], subscriptions: () => Iterable<Subscription>): void {
    const before = new Map(this.#imports.map((stream) => [stream.key, stream]));
    this.#imports = imports.map((stream) => {
      const known = before.get(stream.key);
      return known?.exporter === stream.exporter ? known : stream;
    });
    const kept = new Set(this.#imports);
    if ([...before.values()].some((stream) => !kept.has(stream))) this.#end(kept);
    const added = [...kept].filter((stream) => before.get(stream.key) !== stream);
    if (added.length === 0) return;
    // A shadow in an account that imports from itself over others must not be met here.
    for (const subscription of [...subscriptions()]) this.#follow(subscription, added);
  }

  /** A subscription receives from now on what it is interested in. */
  follow(original: Subscription): void {
    this.#follow(original, this.#imports);
  }

  #follow(original: Subscription, imports: readonly StreamImport[]): void {
    // What an account imports it cannot export in turn, as in nats-server.
    if (original.hook instanceof ShadowHook) return;
    let shadows = this.#shadows.get(original) ?? null;
    for (const stream of imports) {
      const overlap = subjectOverlap(stream.local, original.subject);
      if (overlap === null) continue;
      const subject = stream.toSource?.applyToPattern(overlap) ?? overlap;
      const hook = new ShadowHook(stream, original);
      const { subscriber, queue, sid } = original;
      const shadow = new Subscription(subscriber, subject, queue, sid, hook);
      stream.exporter.attach(shadow);
      if (shadows === null) this.#shadows.set(original, shadows = []);
      shadows.push({ stream, subscription: shadow });
    }
  }

  /** A subscription has ended. */
  leave(original: Subscription): void {
    const shadows = this.#shadows.get(original);
    if (shadows === undefined) return;
    this.#shadows.delete(original);
    for (const { stream, subscription } of shadows) stream.exporter.detach(subscription);
  }

  /** Nothing is received any more but of `kept`. */
  #end(kept: ReadonlySet<StreamImport>): void {
    for (const [original, shadows] of this.#shadows) {
      const left = shadows.filter(({ stream, subscription }) => {
        if (kept.has(stream)) return true;
        stream.exporter.detach(subscription);
        return false;
      });
      if (left.length === 0) this.#shadows.delete(original);
      else if (left.length < shadows.length) this.#shadows.set(original, left);
    }
  }
}

interface Shadow {
  readonly stream: StreamImport;
  readonly subscription: Subscription;
}

/** Passes what comes in the exporting account on to the subscription there is of it here. */
class ShadowHook implements DeliveryHook {
  readonly #stream: StreamImport;
  readonly #original: Subscription;
  readonly #mapped = new ClientMessage();

  constructor(stream: StreamImport, original: Subscription) {
    this.#stream = stream;
    this.#original = original;
  }

  /** See {@link DeliveryHook}. */
  deliver(_shadow: Subscription, message: ClientMessage, publisher: Subscriber | null): boolean {
    // Requests to a service are not part of a stream of the same subject, as in nats-server.
    if (publisher instanceof ServiceBridge) return false;
    const { importer, exporter, toLocal } = this.#stream, original = this.#original;
    if (toLocal === null) return importer.deliverFrom(exporter, original, message, publisher);
    const { slab, subjectStart, subjectEnd } = message;
    const subject = toLocal.apply(byteString(slab.bytes, subjectStart, subjectEnd));
    if (subject === null) return false;
    const mapped = this.#mapped;
    rewriteMessage(message, mapped, { subject });
    const taken = importer.deliverFrom(exporter, original, mapped, publisher);
    mapped.release();
    return taken;
  }
}
