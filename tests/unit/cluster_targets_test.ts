import { assert, assertEquals } from "@std/assert";
import { Targets } from "../../src/cluster/targets.ts";
import { SeededRandom } from "../../src/platform/mod.ts";

/** Most addresses in all, and most of one teller's. */
const MOST = 1024, SHARE = 256;

const create = () => new Targets({ connectBackoff: false }, new SeededRandom(1));
const url = (host: string) => ({ host, port: 6222 });
const count = (targets: Targets) => [...targets].length;

Deno.test("whoever tells of many addresses has a share, and others have theirs", () => {
  const targets = create();
  for (let i = 0; i < 1000; i++) targets.hear(url(`a${i}`), "A");
  assertEquals(count(targets), SHARE);
  assert(targets.hear(url("b"), "B") !== null);
  assertEquals(targets.hear(url("a1"), "A"), targets.get("a1", 6222), "known already");
  // Where there was a server, or where it is given up, it does not count any more.
  targets.get("a1", 6222)!.connected("N1");
  targets.get("a2", 6222)!.givenUp = true;
  for (const host of ["x", "y", "z"]) targets.hear(url(host), "A");
  assertEquals([targets.get("y", 6222) !== undefined, targets.get("z", 6222)], [true, undefined]);
});

Deno.test("there is room for a bounded number, and what failed makes room", () => {
  const targets = create();
  for (let i = 0; i < 2000; i++) targets.hear(url(`h${i}`), `T${i % 20}`);
  assertEquals(count(targets), MOST);
  assertEquals(targets.hear(url("new"), "X"), null);
  targets.get("h5", 6222)!.failed(0);
  assert(targets.hear(url("new"), "X") !== null);
  assertEquals([count(targets), targets.get("h5", 6222)], [MOST, undefined]);
  const busy = targets.get("h6", 6222)!;
  busy.failed(0);
  busy.begun(0);
  assertEquals(targets.hear(url("newer"), "X"), null, "it is being dialled");
});

Deno.test("servers that were there are forgotten only for others that were", () => {
  const targets = create();
  for (let i = 0; i < MOST; i++) {
    const target = targets.remember(url(`h${i}`))!;
    target.connected(`N${i}`);
    for (let k = 0; k <= i % 7; k++) target.failed(0);
  }
  targets.configure(url("configured"));
  assertEquals(count(targets), MOST + 1, "what is configured has room always");
  assertEquals(targets.hear(url("rumour"), "X"), null);
  assert(targets.remember(url("lost")) !== null);
  assertEquals(targets.get("h6", 6222), undefined, "the first of those that failed most often");
  assertEquals(targets.ofPeer("N7")!.url.host, "h7");
});
