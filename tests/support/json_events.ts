/**
 * Messages as event-driven systems send them, to compress.
 *
 * @module
 */
import { SeededRandom } from "../../src/platform/mod.ts";

/** A message to publish. */
export interface JsonEvent {
  /** Its subject, below `events.`. */
  readonly subject: string;
  /** A JSON object in ASCII, of 200 to 1000 characters. */
  readonly payload: string;
}

const WORDS = (
  "order payment customer warehouse delivery invoice created confirmed cancelled shipped " +
  "returned pending express standard gift priority fragile customs regional forwarded"
).split(" ");

/** The same events every time, until their payloads have at least `length` characters in all. */
export function jsonEvents(length: number): JsonEvent[] {
  const random = new SeededRandom(20), word = () => WORDS[random.below(WORDS.length)]!;
  const id = () => random.below(2 ** 30).toString(16).padStart(8, "0");
  const events: JsonEvent[] = [];
  for (let at = 1_750_000_000_000; length > 0; at += random.below(2000)) {
    const items = Array.from({ length: random.below(8) }, () => ({
      sku: `SKU-${random.below(10_000)}`,
      name: `${word()} ${word()}`,
      quantity: 1 + random.below(9),
      price: random.below(100_000) / 100,
    }));
    const payload = JSON.stringify({
      id: `${id()}-${id()}`,
      type: `${word()}.${word()}`,
      time: new Date(at).toISOString(),
      source: `service-${random.below(20)}.eu-west.example.com`,
      data: {
        customer: 100_000 + random.below(5000),
        items,
        note: word(),
        paid: random.next() < 0.5,
      },
    });
    events.push({ subject: `events.${word()}.${random.below(50)}`, payload });
    length -= payload.length;
  }
  return events;
}

/** The events as one server sends them to another, `length` bytes of them. */
export function routedEvents(length: number): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(asRouted(jsonEvents(length)).slice(0, length));
}

/** What one server sends to another for these events. */
export function asRouted(events: readonly JsonEvent[]): string {
  return events.map(({ subject, payload }) =>
    `RMSG $G ${subject} ${payload.length}\r\n${payload}\r\n`
  ).join("");
}
