import { assertEquals } from "@std/assert";
import { AccountDirectory, Subscriber } from "../../src/account/mod.ts";
import type { AccountDefinition } from "../../src/config/mod.ts";
import { TouchedOutboxes } from "../../src/connection/mod.ts";
import { SeededRandom, VirtualClock } from "../../src/platform/mod.ts";

const STREAMS: Readonly<Record<string, AccountDefinition>> = {
  E: { exports: [{ stream: "a.>" }, { stream: "b.>" }] },
  I: {
    imports: [
      { stream: { account: "E", subject: "a.>" } },
      { stream: { account: "E", subject: "b.>" }, to: "c.>" },
    ],
  },
};

function directory(): AccountDirectory {
  return new AccountDirectory(Object.entries(STREAMS), {
    random: new SeededRandom(1),
    clock: new VirtualClock(),
    touched: new TouchedOutboxes(),
    dropAbove: Infinity,
    pressAbove: Infinity,
    systemAccount: null,
    jetStreamElsewhere: false,
    server: () => ({ name: "s", cluster: null }),
    onProblem: () => {},
  });
}

Deno.test("streams that an account goes on importing are not imported anew", () => {
  const accounts = directory(), changes: string[] = [];
  accounts.get("E")!.observe({
    interestChanged: (subject, _queue, count) => changes.push(`${subject} ${count}`),
  });
  const importer = accounts.get("I")!, subscriber = new Subscriber(null);
  for (const subject of ["a.1", "c.1", "d"]) importer.subscribe(subscriber, subject, null, subject);
  assertEquals(changes.splice(0), ["a.1 1", "b.1 1"]);
  const mappings = { x: [{ destination: "y", weight: 100 }] };
  accounts.update([["E", { ...STREAMS.E, mappings }], ["I", { ...STREAMS.I, mappings }]]);
  assertEquals(changes.splice(0), []);
  accounts.update([["I", { imports: STREAMS.I!.imports!.slice(0, 1) }]]);
  assertEquals(changes.splice(0), ["b.1 0"]);
  accounts.update([["I", {
    imports: [STREAMS.I!.imports![0]!, { stream: { account: "E", subject: "b.>" }, to: "d.>" }],
  }]]);
  importer.subscribe(subscriber, "d.1", null, "d.1");
  assertEquals(changes.splice(0), ["b.1 1"]);
  accounts.update([["I", STREAMS.I]]);
  assertEquals(changes.splice(0), ["b.1 0", "b.1 1"]);
  accounts.update([["I", {}]]);
  assertEquals(changes.splice(0).sort(), ["a.1 0", "b.1 0"]);
});
