import { assertEquals } from "@std/assert";
import { type AccountDirectory, Subscriber, Subscription } from "../../src/account/mod.ts";
import type { AccountDefinition } from "../../src/config/mod.ts";
import { byteString, type ClientMessage, createMessage } from "../../src/protocol/mod.ts";
import { accountDirectory } from "../support/account_directory.ts";

const STREAMS: Readonly<Record<string, AccountDefinition>> = {
  E: { exports: [{ stream: "a.>" }, { stream: "b.>" }] },
  I: {
    imports: [
      { stream: { account: "E", subject: "a.>" } },
      { stream: { account: "E", subject: "b.>" }, to: "c.>" },
    ],
  },
};

const REQUESTER = {
  id: 1,
  startedAt: 0,
  hostname: "h",
  user: null,
  name: "",
  lang: "",
  version: "",
  rttMs: 0,
};

function directory(
  definitions: Readonly<Record<string, AccountDefinition>> = STREAMS,
  onProblem: (account: string, problem: string) => void = () => {},
): AccountDirectory {
  return accountDirectory(definitions, { onProblem });
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

Deno.test("a service whose measurements would go to what is no subject is not measured", () => {
  const subjects = ["a\tb", "a\r\nMSG\tx\t1\t0\r\n\r\n", "a..b", "a.*", "a b"];
  for (const subject of [...subjects, "a.b"]) {
    const problems: string[] = [], published: string[] = [];
    const accounts = directory({
      E: { exports: [{ service: "s", latency: { sampling: 100, subject } }] },
      I: { imports: [{ service: { account: "E", subject: "s" } }] },
    }, (account, problem) => problems.push(`${account}: ${problem}`));
    const exporter = accounts.get("E")!,
      asker = new Subscriber(null),
      answerer = new Subscriber(null);
    asker.requester = answerer.requester = REQUESTER;
    let reply = "";
    const take = (to: (message: ClientMessage) => void) => {
      const deliver = (_: Subscription, message: ClientMessage) => {
        to(message);
        return true;
      };
      return new Subscription(new Subscriber(null), ">", null, "", { deliver });
    };
    exporter.attach(take((message) => {
      const { slab: { bytes }, subjectStart, subjectEnd, replyStart, replyEnd } = message;
      published.push(byteString(bytes, subjectStart, subjectEnd));
      if (message.hasReply) reply = byteString(bytes, replyStart, replyEnd);
    }));
    const nothing = new Uint8Array();
    accounts.get("I")!.publish(createMessage("s", "r", null, nothing), asker);
    exporter.publish(createMessage(reply, null, null, nothing), answerer);
    assertEquals(published, subject === "a.b" ? ["s", reply, "a.b"] : ["s", reply], subject);
    const named = JSON.stringify(subject);
    assertEquals(
      problems,
      subject === "a.b" ? [] : [`E: measurements cannot be published to ${named}`],
    );
  }
});
