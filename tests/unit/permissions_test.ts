/**
 * What permissions say, compared with the battery measured on nats-server 2.15.1 and, for generated
 * rules and subjects, with a reference that is as simple as can be.
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { AllowedReplies, Permissions } from "../../src/auth/mod.ts";
import type { PermissionSettings } from "../../src/config/mod.ts";
import { hashSubject } from "../../src/protocol/mod.ts";
import { ReferencePermissions } from "../support/reference_permissions.ts";
import { toBytes } from "../support/wire_text.ts";

function mayPublish(permissions: Permissions | null, subject: string): boolean {
  if (permissions === null) return true;
  const bytes = toBytes(`PUB ${subject} 0`), end = 4 + subject.length;
  return permissions.mayPublish(bytes, 4, end, hashSubject(bytes, 4, end));
}

function maySubscribe(permissions: Permissions | null, subject: string, queue?: string): boolean {
  return permissions?.maySubscribe(subject, queue ?? null) ?? true;
}

/** Whether a subscription gets what is published to a subject that its pattern matches. */
function gets(
  permissions: Permissions | null,
  pattern: string,
  queue: string | null,
  subject: string,
): boolean {
  const bytes = toBytes(subject);
  return permissions?.deliveryFilter(pattern, queue)
    ?.allows(bytes, 0, bytes.length, hashSubject(bytes, 0, bytes.length)) ?? true;
}

/** The users of `client-permissions-battery.txt`. */
const USERS: Record<string, PermissionSettings> = {
  full: { publish: { allow: [">"] }, subscribe: { allow: [">"] } },
  def: { publish: { allow: ["dp.>"] }, subscribe: { allow: ["dp.>", "_INBOX.>"] } },
  p: {
    publish: { allow: ["a.>", "b.*"], deny: ["a.secret"] },
    subscribe: { allow: ["s.>", "q.x v1", "q.y", "q.y v1.*"], deny: ["s.no", "s.dq dq"] },
  },
  denyonly: { publish: { deny: ["x"] }, subscribe: { deny: ["foo.secret", "bar.>"] } },
  resp: { subscribe: { allow: ["svc"] }, allow_responses: { max: 1, expires: 120_000 } },
  resp2: {
    subscribe: { allow: ["svc"] },
    publish: { allow: ["pp"] },
    allow_responses: { max: 2, expires: 500 },
  },
  respneg: { subscribe: { allow: ["svc"] }, allow_responses: { max: -1, expires: -1000 } },
  onlysub: { subscribe: { allow: ["foo"] } },
  onlypub: { publish: { allow: ["foo"] } },
};

/** What the battery's clients sent, each with what came of it. */
const BATTERY: Record<string, { allowed: string[]; refused: string[] }> = {
  def: { allowed: ["PUB dp.a", "SUB dp.x"], refused: ["PUB x", "SUB foo", "SUB >"] },
  p: {
    allowed: [
      ...["PUB a.x", "PUB b.x", "SUB s.a", "SUB s.>", "SUB s.*"],
      ...["SUB q.x v1", "SUB q.y", "SUB q.y v1.a", "SUB s.dq other", "SUB s.dq"],
    ],
    refused: [
      ...["PUB a.secret", "PUB b.x.y", "PUB c", "SUB s.no", "SUB >", "SUB t"],
      ...["SUB q.x", "SUB q.x v2", "SUB q.y v2", "SUB s.dq dq"],
    ],
  },
  denyonly: {
    allowed: ["PUB y", "SUB foo.*", "SUB >", "SUB foo.ok"],
    refused: ["PUB x", "SUB foo.secret", "SUB bar.a"],
  },
  onlysub: { allowed: ["SUB foo", "PUB any"], refused: ["SUB bar"] },
  onlypub: { allowed: ["PUB foo", "SUB any"], refused: ["PUB bar"] },
  resp: { allowed: ["SUB svc"], refused: ["PUB x", "PUB rep.1", "PUB pp", "SUB zz"] },
  resp2: { allowed: ["SUB svc", "PUB pp"], refused: ["PUB x", "PUB rep.1", "SUB zz"] },
  full: { allowed: ["PUB x", "SUB x", "SUB >", "SUB x q"], refused: [] },
};

for (const [user, { allowed, refused }] of Object.entries(BATTERY)) {
  Deno.test(`the battery's user ${user}`, () => {
    const permissions = Permissions.of(USERS[user]);
    const passes = (command: string) => {
      const [verb, subject, queue] = command.split(" ");
      return verb === "PUB"
        ? mayPublish(permissions, subject!)
        : maySubscribe(permissions, subject!, queue);
    };
    assertEquals([...allowed, ...refused].filter(passes), allowed);
  });
}

Deno.test("a subscription wider than what is denied gets the rest", () => {
  const permissions = Permissions.of(USERS.denyonly);
  for (const pattern of ["foo.*", ">"]) {
    assert(gets(permissions, pattern, null, "foo.ok"));
    assert(!gets(permissions, pattern, null, "foo.secret"));
  }
  assert(!gets(permissions, ">", null, "bar.a.b"));
  assertEquals(permissions!.deliveryFilter("baz.*", null), null, "nothing of it is denied");
  assertEquals(permissions!.deliveryFilter("foo.ok", null), null, "that was decided before");
  assertEquals(permissions!.deliveryFilter("foo.*.*", null), null, "it has more tokens");
});

// Measured on nats-server 2.15.1.
Deno.test("what is denied to a queue group is held back from that group only", () => {
  const permissions = Permissions.of({
    subscribe: { allow: ["w.>"], deny: ["w.n.*", "w.dq dq", "w.v v1.*"] },
  });
  assert(!gets(permissions, "w.*", "dq", "w.dq"));
  assert(gets(permissions, "w.*", "dq", "w.a"));
  assert(gets(permissions, "w.*", "other", "w.dq"));
  assert(gets(permissions, "w.*", null, "w.dq"));
  assert(!gets(permissions, "w.*", "v1.x", "w.v"));
  assert(gets(permissions, "w.*", "v1", "w.v"));
});

Deno.test("a subscription that nats-server lets through too wide gets only what is allowed", () => {
  const permissions = Permissions.of({ subscribe: { allow: ["s.*", "w.>"] } });
  assert(maySubscribe(permissions, "s.>"), "to nats-server `>` is a token that `*` matches");
  assert(gets(permissions, "s.>", null, "s.a"));
  assert(!gets(permissions, "s.>", null, "s.a.b"));
  assertEquals(permissions!.deliveryFilter("w.>", null), null);
  assertEquals(permissions!.deliveryFilter("w.*.x", null), null);
});

Deno.test("subjects with empty tokens and wildcards are published to as nats-server has it", () => {
  const permissions = Permissions.of({ publish: { allow: [">"], deny: ["d.>"] } });
  const subjects = ["d..a", "d.", "d.a.", ".d", "d.>", "d.*", "d", "dd"];
  assertEquals(subjects.filter((subject) => mayPublish(permissions, subject)), ["d", "dd"]);
});

Deno.test("who is restricted by nothing has no permissions to check", () => {
  assertEquals(Permissions.of(undefined), null);
  assertEquals(Permissions.of({}), null);
  assertEquals(Permissions.of({ publish: { allow: [], deny: [] }, subscribe: {} }), null);
  const subscriber = Permissions.of(USERS.onlysub)!;
  assert(!subscriber.publishes);
  assert(Permissions.of(USERS.resp)!.publishes, "answers are all that is left");
});

Deno.test("the same settings come to the same permissions", () => {
  const settings = { publish: { allow: ["a"] } };
  assertStrictEquals(Permissions.of(settings), Permissions.of(settings));
  assertStrictEquals(Permissions.of(settings), Permissions.of({ publish: { allow: ["a"] } }));
  assert(Permissions.of(settings) !== Permissions.of({ publish: { deny: ["a"] } }));
});

Deno.test("entries of words that are no subjects allow nothing", () => {
  const permissions = Permissions.of({ publish: { allow: ["a..b", "c d"] } });
  assert(!mayPublish(permissions, "c"));
  assert(!mayPublish(permissions, "x"));
  const denying = Permissions.of({ publish: { deny: ["c d"] } });
  assert(!mayPublish(denying, "c"), "to deny too much is better than too little");
  assert(mayPublish(denying, "x"));
});

Deno.test("entries are UTF-8, as subjects are on the wire", () => {
  const permissions = Permissions.of({ publish: { allow: ["grüße.*"] } });
  assert(mayPublish(permissions, "gr\xc3\xbc\xc3\x9fe.a"));
  assert(!mayPublish(permissions, "gr\xfc\xdfe.a"));
});

const token = fc.constantFrom("a", "b", "c", "*");
const wide = fc.constantFrom("a", "b", "c", "*", ">");
const pattern = fc.tuple(fc.array(token, { maxLength: 3 }), wide)
  .map(([tokens, last]) => [...tokens, last].join("."));
const group = fc.constantFrom("q", "r", "v.a", "v.b", "v.*", "v.>");
const entry = fc.tuple(pattern, fc.option(group, { freq: 3 }))
  .map(([subject, queue]) => queue === null ? subject : `${subject} ${queue}`);
const list = <T>(of: fc.Arbitrary<T>, maxLength: number) => fc.array(of, { maxLength });
const settings = (maxLength: number): fc.Arbitrary<PermissionSettings> =>
  fc.record({
    publish: fc.record({ allow: list(pattern, maxLength), deny: list(pattern, maxLength) }),
    subscribe: fc.record({ allow: list(entry, maxLength), deny: list(entry, maxLength) }),
    allow_responses: fc.option(fc.constant({ max: 1, expires: 1000 }), { nil: undefined }),
  });
const subject = fc.array(fc.constantFrom("a", "b", "c", "*", ">", ""), {
  minLength: 1,
  maxLength: 5,
}).map((tokens) => tokens.join(".")).filter((text) => text !== "");

for (const [name, maxLength] of [["few", 4], ["many", 60]] as const) {
  Deno.test(`${name} generated rules decide as the reference does`, () => {
    fc.assert(
      fc.property(
        settings(maxLength),
        fc.array(subject, { minLength: 1, maxLength: 30 }),
        fc.array(fc.tuple(pattern, fc.option(group)), { minLength: 1, maxLength: 10 }),
        (settings, subjects, wanted) => {
          const permissions = Permissions.of(settings),
            reference = new ReferencePermissions(settings);
          // Twice: the second time the verdict is remembered.
          for (const subject of [...subjects, ...subjects]) {
            const verdict = mayPublish(permissions, subject);
            assertEquals(verdict, reference.mayPublish(subject));
            assertEquals(permissions?.explainPublish(subject).allowed ?? true, verdict);
          }
          for (const [subject, queue] of wanted) {
            const verdict = maySubscribe(permissions, subject, queue ?? undefined);
            assertEquals(verdict, reference.maySubscribe(subject, queue));
            assertEquals(permissions?.explainSubscribe(subject, queue).allowed ?? true, verdict);
            if (!verdict) continue;
            for (const published of [...subjects, ...subjects]) {
              if (!reference.matches(subject, published)) continue;
              assertEquals(
                gets(permissions, subject, queue, published),
                reference.gets(subject, queue, published),
              );
            }
          }
        },
      ),
      { numRuns: maxLength > 4 ? 300 : 2000 },
    );
  });
}

Deno.test("verdicts on many subjects of all lengths are those of the rules", () => {
  const permissions = Permissions.of({ publish: { allow: ["a.>"], deny: ["a.*.no"] } });
  const reference = new ReferencePermissions({ publish: { allow: ["a.>"], deny: ["a.*.no"] } });
  const subjects = Array.from({ length: 12_000 }, (_, i) => {
    const first = i % 3 === 0 ? "b" : "a", last = i % 5 === 0 ? "no" : "yes";
    return `${first}.${i}${"x".repeat(i % 7 === 0 ? i % 300 : i % 9)}.${last}`;
  });
  for (let round = 0; round < 3; round++) {
    for (const subject of subjects) {
      assertEquals(mayPublish(permissions, subject), reference.mayPublish(subject), subject);
    }
  }
});

Deno.test("subjects with the same hash are not taken for each other", () => {
  // FNV-1a of 32 bits makes these the same.
  const [one, other] = collision();
  const permissions = Permissions.of({ publish: { allow: [one] } });
  for (let round = 0; round < 3; round++) {
    assert(mayPublish(permissions, one));
    assert(!mayPublish(permissions, other));
  }
});

/** Two subjects of equal length and `hashSubject`. */
function collision(): [string, string] {
  const seen = new Map<number, string>();
  for (let i = 0;; i++) {
    const subject = i.toString(36).padStart(8, "0"), bytes = toBytes(subject);
    const hash = hashSubject(bytes, 0, bytes.length), before = seen.get(hash);
    if (before !== undefined) return [before, subject];
    seen.set(hash, subject);
  }
}

function replies(user: string) {
  const allowed = new AllowedReplies(Permissions.of(USERS[user])!);
  return {
    allowed,
    asked(reply: string, nowMs: number) {
      const bytes = toBytes(reply);
      const hash = hashSubject(bytes, 0, bytes.length);
      allowed.asked(bytes, 0, bytes.length, hash, nowMs);
    },
    answers(reply: string, nowMs: number) {
      const bytes = toBytes(reply);
      return allowed.mayAnswer(bytes, 0, bytes.length, nowMs);
    },
  };
}

Deno.test("who is asked may answer once", () => {
  const { asked, answers } = replies("resp");
  assert(!answers("rep.1", 0), "nobody asked yet");
  asked("rep.1", 0);
  assert(!answers("rep.2", 0));
  assert(answers("rep.1", 1));
  assert(!answers("rep.1", 2));
});

Deno.test("answers are limited in number and time", () => {
  const { asked, answers } = replies("resp2");
  asked("rep.1", 0);
  assertEquals([answers("rep.1", 1), answers("rep.1", 2), answers("rep.1", 3)], [
    true,
    true,
    false,
  ]);
  asked("rep.1", 1000);
  assert(answers("rep.1", 1500));
  assert(!answers("rep.1", 1501));
  assert(!answers("rep.1", 1400), "it is forgotten");
});

Deno.test("negative limits are none", () => {
  const { asked, answers } = replies("respneg");
  asked("rep.1", 0);
  for (let i = 0; i < 100; i++) assert(answers("rep.1", 1e12));
});

Deno.test("each request with the same reply may be answered", () => {
  const { asked, answers } = replies("resp");
  asked("rep", 0);
  asked("rep", 1);
  assertEquals([answers("rep", 2), answers("rep", 2), answers("rep", 2)], [true, true, false]);
});

Deno.test("no answers are remembered where it may publish anyway, and no more than the bound", () => {
  const { allowed, asked, answers } = replies("resp2");
  asked("pp", 0);
  assertEquals(allowed.count, 0);
  const unlimited = replies("respneg");
  for (let i = 0; i < 70_000; i++) unlimited.asked(`rep.${i}`, 0);
  assertEquals(unlimited.allowed.count, 65_536);
  assert(!unlimited.answers("rep.0", 0), "the oldest are forgotten");
  assert(unlimited.answers("rep.69999", 0));
  for (let i = 0; i < 10_000; i++) unlimited.asked(`${i}.${"x".repeat(4000)}`, 0);
  assert(unlimited.allowed.count < 4200, "long ones are counted by their bytes");
  for (let i = 0; i < 1000; i++) asked(`rep.${i}`, i);
  assert(allowed.count < 510, "those that have expired go first");
  assert(!answers("rep.0", 1000));
});
