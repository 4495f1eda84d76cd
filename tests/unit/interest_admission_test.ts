/** What a match leaves out, and what is known without a lookup. */
import { assert, assertEquals } from "@std/assert";
import { Interest } from "../../src/interest/mod.ts";
import { byteString, hashSubject } from "../../src/protocol/mod.ts";
import { toBytes } from "../support/wire_text.ts";

const item = (name: string, subject: string, queue: string | null = null) => ({
  name,
  subject,
  queue,
});

Deno.test("who is not to get a subject is not part of its match, others and groups are", () => {
  const interest = new Interest<ReturnType<typeof item>>();
  const names = (subject: string) => {
    const bytes = toBytes(subject), hash = hashSubject(bytes, 0, bytes.length);
    return interest.match(bytes, 0, bytes.length, hash).plain.map(({ name }) => name).sort();
  };
  for (const one of [item("a", "x.*"), item("b", "x.>"), item("c", "x.secret")]) {
    interest.insert(one);
  }
  interest.insert(item("q", "x.*", "group"));
  assertEquals(names("x.secret"), ["a", "b", "c"]);
  let asked = 0;
  interest.admits = ({ name }, bytes, start, end, hash) => {
    asked++;
    assertEquals(hash, hashSubject(bytes, start, end));
    return name !== "b" || byteString(bytes, start, end) !== "x.secret";
  };
  interest.insert(item("d", "x.>"));
  assertEquals(names("x.secret"), ["a", "c", "d"]);
  assertEquals(names("x.open"), ["a", "b", "d"]);
  const before = asked;
  names("x.secret");
  assertEquals(asked, before, "nothing is asked of a match that is known");
  const bytes = toBytes("x.secret"), hash = hashSubject(bytes, 0, bytes.length);
  assertEquals(interest.match(bytes, 0, bytes.length, hash).groups.length, 1);
  assertEquals(interest.matchString("x.secret").plain.length, 4, "without the cache all are found");
});

Deno.test("what is known needs no lookup, and is known no more after a change", () => {
  const interest = new Interest<ReturnType<typeof item>>();
  const bytes = toBytes("a.b"), hash = hashSubject(bytes, 0, 3);
  assertEquals(interest.known(bytes, 0, 3, hash), null);
  const match = interest.match(bytes, 0, 3, hash);
  assert(interest.known(bytes, 0, 3, hash) === match);
  interest.insert(item("x", "c.*"));
  assert(interest.known(bytes, 0, 3, hash) === match, "that is about other subjects");
  interest.insert(item("x", "a.*"));
  assertEquals(interest.known(bytes, 0, 3, hash), null);
});
