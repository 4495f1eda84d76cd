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
}

/**
 * The streams that an account receives. Every subscription of the account that could get something of
 * one has a shadow there.
 */
export class StreamImports {
  readonly #imports: readonly StreamImport[];
  readonly #shadows = new Map<Subscription, Shadow[]>();

  /** Follows nobody yet. */
  constructor(imports: readonly StreamImport[]) {
    this.#imports = imports;
  }

  /** A subscription receives from now on what it is interested in. */
  follow(original: Subscription): void {
    // What an account imports it cannot export in turn, as in nats-server.
    if (original.hook instanceof ShadowHook) return;
    let shadows: Shadow[] | null = null;
    for (const stream of this.#imports) {
      const overlap = subjectOverlap(stream.local, original.subject);
      if (overlap === null) continue;
      const subject = stream.toSource?.applyToPattern(overlap) ?? overlap;
      const hook = new ShadowHook(stream, original);
      const { subscriber, queue, sid } = original;
      const shadow = new Subscription(subscriber, subject, queue, sid, hook);
      stream.exporter.attach(shadow);
      (shadows ??= []).push({ exporter: stream.exporter, subscription: shadow });
    }
    if (shadows !== null) this.#shadows.set(original, shadows);
  }

  /** A subscription has ended. */
  leave(original: Subscription): void {
    const shadows = this.#shadows.get(original);
    if (shadows === undefined) return;
    this.#shadows.delete(original);
    for (const { exporter, subscription } of shadows) exporter.detach(subscription);
  }

  /** Nothing is received any more. */
  end(): void {
    for (const original of [...this.#shadows.keys()]) this.leave(original);
  }
}

interface Shadow {
  readonly exporter: Account;
  readonly subscription: Subscription;
}

/** Transforms of imports choose nothing. */
function first(): number {
  return 0;
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
    const subject = toLocal.apply(byteString(slab.bytes, subjectStart, subjectEnd), first);
    if (subject === null) return false;
    const mapped = this.#mapped;
    rewriteMessage(message, mapped, { subject });
    const taken = importer.deliverFrom(exporter, original, mapped, publisher);
    mapped.release();
    return taken;
  }
}
