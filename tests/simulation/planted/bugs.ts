/**
 * The bugs that the simulation must find.
 *
 * @module
 */
import type { PlantedBug } from "./planted_bug.ts";

/** One for each kind of mistake that full-mesh clusters invite. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: "no RS- when a client closes",
    file: "src/account/account.ts",
    find: "inSlices(subscriptions, (subscription) => this.#forget(subscription))",
    replace: "inSlices(subscriptions, (subscription) => void this.interest.remove(subscription))",
    breaks: ["interest"],
  },
  {
    name: "messages are forwarded from route to route",
    file: "src/account/account.ts",
    find: "    if (queues !== null) {\n      for (let i = handedOn ? 1 : 0;",
    replace: "    const { slab, subjectStart, subjectEnd, subjectHash } = routed;\n" +
      "    const others = this.remote.match(slab.bytes, subjectStart, subjectEnd, subjectHash);\n" +
      "    for (const { remote } of others.plain) {\n" +
      "      if (remote.peer === from.peer || !remote.open) continue;\n" +
      '      remote.outbox.appendText((routed.headerLength > 0 ? "HMSG " : "RMSG ") + this.name + " ");\n' +
      "      remote.outbox.appendBytes(slab.bytes, subjectStart, routed.end);\n" +
      "      this.#touched.add(remote.outbox);\n" +
      "    }\n" +
      "    if (queues !== null) {\n      for (let i = handedOn ? 1 : 0;",
    breaks: ["duplicates", "order"],
  },
  {
    name: "two members of one queue group get a message",
    file: "src/account/remote_delivery.ts",
    find: "if (this.#options.toLocalGroup(group.local!, at, message, publisher)) return true;",
    replace: "this.#options.toLocalGroup(group.local!, at, message, publisher);",
    breaks: ["queue groups"],
  },
  {
    name: "what is sent to a peer is not flushed",
    file: "src/account/remote_delivery.ts",
    find:
      "    remote.outBytes += sent.size;\n    if (!outbox.touched) this.#options.touched.add(outbox);",
    replace: "    remote.outBytes += sent.size;",
    breaks: ["loss"],
  },
  {
    name: "a slot of the pool is given to two connections",
    file: "src/cluster/mesh.ts",
    find: "      holder = peer.slots[slot];",
    replace: "      holder = null;",
    breaks: ["duplicates", "steadiness", "mesh", "interest", "queue groups", "leaks"],
  },
  {
    name: "PINGs of a peer are not answered",
    file: "src/cluster/session.ts",
    find: '    this.send("PONG\\r\\n");',
    replace: "",
    breaks: ["steadiness", "mesh"],
  },
  {
    name: "a peer that answers no PING is kept",
    file: "src/cluster/route_ping.ts",
    find: 'return this.outstanding + 1 > pingMax ? "stale" : "ping";',
    replace: 'return pingMax < 0 ? "stale" : "ping";',
    breaks: ["staleness", "mesh"],
  },
  {
    name: "a task is left behind by every dial",
    file: "src/cluster/dialler.ts",
    find: "    environment.statistics.dials++;\n",
    replace: "    environment.statistics.dials++;\n" +
      "    scope.spawn(`left:${id}`, (task) => task.clock.sleep(1e9, task.signal));\n",
    breaks: ["leaks"],
  },
];
