/** Exports, imports and mappings of accounts: what is refused, in which words, and where. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { type Config, ConfigError, loadConfig } from "../../src/config/mod.ts";
import { importCycles, type ImportEdge } from "../../src/config/import_cycles.ts";
import { SubjectTree } from "../../src/config/subject_tree.ts";
import { subjectCovers } from "../../src/protocol/mod.ts";

function load(text: string): Promise<Config> {
  const files = { readText: () => Promise.reject(new Error("nothing to read")) };
  return loadConfig({ text, file: "a.yaml", env: () => undefined, files });
}

async function refusal(text: string): Promise<string> {
  const { message } = await assertRejects(() => load(text), ConfigError);
  return message.replaceAll("a.yaml:", "");
}

const offers = `accounts:
  A:
    exports:
      - { stream: "s.>" }
      - { service: "q.*" }
      - { stream: priv, accounts: [B] }
      - { service: "tok.*", account_token_position: 2 }
  C: {}
  B:
    imports:
      - `;

Deno.test("an import is of what is exported, to whom it is exported", async () => {
  const cases: [string, string][] = [
    [
      "{ stream: { account: X, subject: s.a } }",
      '11:21: accounts.B.imports[0].stream.account: expected the name of one of accounts, found "X"',
    ],
    [
      "{ stream: { account: A, subject: t } }",
      "11:33: accounts.B.imports[0].stream.subject: expected a subject that A exports as a stream " +
      'to B, found "t"',
    ],
    [
      "{ stream: { account: A, subject: '>' } }",
      "11:33: accounts.B.imports[0].stream.subject: expected a subject that A exports as a stream " +
      'to B, found ">" (A exports s.>, which is less)',
    ],
    [
      "{ service: { account: A, subject: s.a } }",
      "11:34: accounts.B.imports[0].service.subject: expected a subject that A exports as a " +
      'service to B, found "s.a" (A exports s.> as a stream)',
    ],
    [
      "{ service: { account: A, subject: tok.C } }",
      "11:34: accounts.B.imports[0].service.subject: expected a subject that A exports as a " +
      'service to B, found "tok.C" (token 2 must be the name of the importing account)',
    ],
    [
      "{ stream: { account: A, subject: s.a } }\n  D: { imports: [{ stream: { account: A, subject: priv } }] }",
      "12:42: accounts.D.imports[0].stream.subject: expected a subject that A exports as a stream " +
      'to D, found "priv" (exports[2] of A is for others)',
    ],
    [
      "{ stream: { account: C, subject: s.a } }",
      "11:33: accounts.B.imports[0].stream.subject: expected a subject that C exports as a stream " +
      'to B, found "s.a"',
    ],
  ];
  for (const [text, expected] of cases) assertEquals(await refusal(offers + text), expected);
  for (const good of ["s.a.b", "s.*", "s.>", "priv"]) {
    await load(`${offers}{ stream: { account: A, subject: "${good}" } }`);
  }
  await load(`${offers}{ service: { account: A, subject: tok.B } }`);
});

Deno.test("what is exported to somebody names accounts that there are, once", async () => {
  const cases: [string, string][] = [
    [
      "{ stream: a, accounts: [B, X] }",
      '1:53: accounts.A.exports[0].accounts[1]: expected the name of one of accounts, found "X"',
    ],
    [
      "{ stream: a, accounts: [] }",
      "1:39: accounts.A.exports[0].accounts: expected the name of at least one account, or no list " +
      "for all of them, found an empty list",
    ],
    [
      "{ stream: a }, { service: a }, { stream: a }",
      '1:59: accounts.A.exports[2].stream: expected every subject once, found "a", which ' +
      "exports[0] is already",
    ],
    [
      "{ service: a.b, account_token_position: 2 }",
      "1:42: accounts.A.exports[0].account_token_position: expected the position of a * in a.b, " +
      "from 1, found 2",
    ],
    [
      "{ stream: a, response_type: stream }",
      "1:39: accounts.A.exports[0].response_type: expected a setting of streams, found " +
      "response_type, which services have",
    ],
    [
      "{ service: 'a.*', latency: a.x }",
      "1:44: accounts.A.exports[0].latency: expected a subject that is none of the account's " +
      'services, found "a.x", which is of exports[0]',
    ],
    [
      "{ service: a, response_type: chunked, latency: b }",
      "1:64: accounts.A.exports[0].latency: expected a service with one answer to measure, found " +
      "the response_type chunked",
    ],
    [
      "{}",
      "1:26: accounts.A.exports[0].stream: expected either a stream or a service, found neither",
    ],
  ];
  for (const [text, expected] of cases) {
    assertEquals(await refusal(`accounts: {A: {exports: [${text}]}, B: {}}`), expected);
  }
  assertEquals(
    await refusal("accounts: {A: {exports: [{service: a, latency: b}]}}\nno_sys_acc: true"),
    "1:39: accounts.A.exports[0].latency: expected an account of the system where services are " +
      "measured, found no_system_account",
  );
  await load("accounts: {A: {exports: [{service: a, latency: b}]}, $SYS: {}}\nno_sys_acc: true");
});

Deno.test("an import has one place, and a subject there that its wildcards fit", async () => {
  const cases: [string, string][] = [
    [
      '{ service: { account: A, subject: "q.*" }, to: my }',
      "11:52: accounts.B.imports[0].to: expected a subject that stands for q.*, each of its " +
      'wildcards once, found "my" (not using all of the token wildcard(s) in "my")',
    ],
    [
      '{ stream: { account: A, subject: "s.*" }, to: "my.$2" }',
      "11:51: accounts.B.imports[0].to: expected a subject that stands for s.*, each of its " +
      'wildcards once, found "my.$2" (wildcard index out of range in "$2")',
    ],
    [
      '{ service: { account: A, subject: "q.*" }, prefix: my }',
      "11:52: accounts.B.imports[0].prefix: expected a setting of services, found prefix, which " +
      "streams have (to names the subject of a service)",
    ],
    [
      '{ stream: { account: A, subject: "s.*" }, prefix: my, to: "x.$1" }',
      "11:51: accounts.B.imports[0].prefix: expected either a prefix or to, found both",
    ],
    [
      '{ stream: { account: A, subject: "s.*" }, prefix: "my.*" }',
      '11:59: accounts.B.imports[0].prefix: expected a subject without wildcards, found "my.*"',
    ],
    [
      "{ stream: { account: A, subject: s.a } }\n" +
      "      - { stream: { account: A, subject: s.a }, to: b }",
      "12:11: accounts.B.imports[1].stream: expected every stream of an account once, found s.a of " +
      "A, which imports[0] is already",
    ],
    [
      "{ service: { account: A, subject: q.a }, to: x }\n" +
      "      - { service: { account: A, subject: q.b }, to: x }",
      "12:11: accounts.B.imports[1].service: expected one service of an account for every subject, " +
      "found x again, which imports[0] is already",
    ],
  ];
  for (const [text, expected] of cases) assertEquals(await refusal(offers + text), expected);
  const { accounts } = await load(
    `${offers}{ stream: { account: A, subject: "s.*" }, prefix: my. }`,
  );
  assertEquals(accounts?.B?.imports?.[0]?.prefix, "my");
});

Deno.test("imports do not lead back to where they began", async () => {
  const account = (name: string, from: string, kind: string) =>
    `${name}: {exports: [{${kind}: h}], imports: [{${kind}: {account: ${from}, subject: h}}]}`;
  for (const kind of ["stream", "service"]) {
    const text = `accounts: {${account("A", "B", kind)}, ${account("B", "C", kind)}, ` +
      `${account("C", "A", kind)}}`;
    const message = await refusal(text);
    assert(
      message.endsWith(
        `accounts.C.imports[0].${kind}: expected an import that does not lead back to its ` +
          "account, found a circle: C imports from A imports from B imports from C",
      ),
      message,
    );
  }
  // Two ways to one place are no circle.
  await load(`accounts:
  A: {imports: [{service: {account: B, subject: h}}, {service: {account: C, subject: h}, to: g}]}
  B: {exports: [{service: h}], imports: [{service: {account: D, subject: h}}]}
  C: {exports: [{service: h}], imports: [{service: {account: D, subject: h}}]}
  D: {exports: [{service: h}]}`);
  // Nor are two accounts that have different things of each other.
  await load(`accounts:
  A: {exports: [{stream: a}], imports: [{stream: {account: B, subject: b}, to: x}]}
  B: {exports: [{stream: b}], imports: [{stream: {account: A, subject: a}, to: y}]}`);
});

Deno.test("mappings are of subjects to what can be made of them, of 100 % at most", async () => {
  const cases: [string, string][] = [
    ["a..b: b", '1:12: mappings["a..b"]: expected a subject as the key, found "a..b"'],
    [
      '"a.*": "b.$2"',
      '1:12: mappings["a.*"]: expected a subject that a.* can be mapped to, found "b.$2" (wildcard ' +
      'index out of range in "$2")',
    ],
    [
      "a: { destination: b }",
      "1:15: mappings.a.weight: expected a percentage from 0 to 100, found nothing",
    ],
    [
      "a: [{ dest: b, weight: 60 }, { dest: c, weight: 60 }]",
      "1:52: mappings.a[1].weight: expected weights of no more than 100 together, found 120",
    ],
    [
      "a: [{ dest: b, weight: 60 }, { dest: b, weight: 10, cluster: east }]",
      '1:43: mappings.a[1].dest: expected every destination once, found "b" again',
    ],
    [
      "a: [{ dest: b, weight: 60, cluster: e }, { dest: c, weight: 60, cluster: e }]",
      "1:64: mappings.a[1].weight: expected weights of no more than 100 together, found 120 in " +
      "cluster e",
    ],
  ];
  for (const [text, expected] of cases) {
    assertEquals(
      await refusal(`mappings: {${text}}`),
      expected.replace(/^1:(\d+)/, (_, column) => `1:${column}`),
    );
    const message = await refusal(`accounts: {A: {mappings: {${text}}}}`);
    assert(message.includes("accounts.A.mappings"), message);
  }
  await load(
    'mappings: {"a.*": "b.{{ partition( 3 , 1 ) }}", c: [{dest: d, weight: 60}, ' +
      "{dest: e, weight: 60, cluster: x}], f: []}",
  );
});

Deno.test("a callout asks a user that there is, about accounts that there are", async () => {
  const key = "AAI634ADHJVFQTTEQOAZE2Y7GXDBWHMJLGA7SWCPMCITDK22DFU77T2J";
  const callout = (settings: string) =>
    `accounts: {A: {users: [{user: u}]}}\nauthorization:\n  auth_callout: {issuer: ${key}, ${settings}}`;
  assertEquals(
    await refusal(callout("auth_users: [v], account: X, allowed_accounts: [A, Y]")),
    "the configuration has 3 problems:\n" +
      "  3:97: authorization.auth_callout.auth_users[0]: expected a user of authorization or of an " +
      "account, found none of that name (the service connects as it)\n" +
      "  3:101: authorization.auth_callout.account: expected the name of one of accounts, found " +
      '"X"\n' +
      "  3:135: authorization.auth_callout.allowed_accounts[1]: expected the name of one of " +
      'accounts, found "Y"',
  );
  await load(callout("auth_users: [u], account: A, allowed_accounts: [A, $G]"));
});

Deno.test("operators are the only ones who say who there is", async () => {
  assertEquals(
    await refusal("operator: o.jwt\naccounts: [A]\nno_auth_user: u\nsystem_account: A"),
    "the configuration has 3 problems:\n" +
      "  2:1: accounts: expected no such setting beside operator, whose JWTs say it, found " +
      "accounts\n" +
      "  3:1: no_auth_user: expected no such setting beside operator, whose JWTs say it, found " +
      "no_auth_user\n" +
      '  4:1: system_account: expected the public key of an account, as JWTs have it, found "A"',
  );
  assertEquals(
    await refusal("default_sentinel: eyJ"),
    "1:1: default_sentinel: expected an operator beside it, found none",
  );
  assertEquals(
    await refusal("resolver: URL(http://a/)\nresolver_preload: {A: eyJ}"),
    "2:1: resolver_preload: expected a resolver that keeps what is given to it, found a URL",
  );
});

Deno.test("what is given for a public key is told apart, and a seed is never shown", async () => {
  const key = "UDLUX4VUTBVSQJ2QC5FGZMYFVPLLB4XPLWWP5NQFQAHOUJKT7J5QRXHY";
  const seed = "SUACRRVN65A7EKIMNYDTE3CKFXUWKCL73QC3KBJYAW3SNJPOBGB47BA6VU";
  const expected = "1:32: authorization.users[0].nkey: expected a public key of a user: U and 55 " +
    "more letters and digits, found ";
  const cases: [string, string][] = [
    [
      `${key.slice(0, -1)}Z`,
      `"${key.slice(0, -1)}Z" (its checksum is wrong: is a letter mistyped?)`,
    ],
    [
      "AAI634ADHJVFQTTEQOAZE2Y7GXDBWHMJLGA7SWCPMCITDK22DFU77T2J",
      '"AAI634ADHJVFQTTEQOAZE2Y7GXDBWHMJLGA7SWCPMCITDK22DFU77T2J" (it looks like one of an account)',
    ],
    [seed, "a text (not shown) (it looks like a seed, which is secret and belongs elsewhere)"],
  ];
  for (const [value, found] of cases) {
    assertEquals(await refusal(`authorization: {users: [{nkey: ${value}}]}`), expected + found);
  }
});

const subjects = fc.array(fc.constantFrom("a", "b", "*"), { minLength: 1, maxLength: 4 })
  .chain((tokens) => fc.boolean().map((rest) => (rest ? [...tokens, ">"] : tokens).join(".")));

/** The literal subjects of up to five tokens that match `pattern`. */
function matching(pattern: string): ReadonlySet<string> {
  const grow = (from: string[]): string[] =>
    from.flatMap((one) => ["a", "b", "c"].map((token) => one === "" ? token : `${one}.${token}`));
  const all: string[] = [];
  for (let level = grow([""]), depth = 1; depth <= 5; depth++, level = grow(level)) {
    all.push(...level);
  }
  return new Set(all.filter((subject) => subjectCovers(pattern, subject)));
}

Deno.test("subjects are found by what they cover and what they share", () => {
  fc.assert(
    fc.property(fc.array(subjects, { maxLength: 6 }), subjects, (patterns, subject) => {
      const tree = new SubjectTree<string>();
      for (const pattern of patterns) tree.add(pattern, pattern);
      const own = matching(subject);
      const covers = patterns.filter((pattern) => own.isSubsetOf(matching(pattern)));
      const collides = patterns.filter((pattern) => !own.isDisjointFrom(matching(pattern)));
      assertEquals([...tree.covering(subject)].toSorted(), covers.toSorted());
      assertEquals([...tree.colliding(subject)].toSorted(), collides.toSorted());
      assertEquals(tree.at(subject).length, patterns.filter((one) => one === subject).length);
    }),
    { numRuns: 300 },
  );
});

Deno.test("circles are found wherever they are, and in long chains none", () => {
  const edge = (importer: string, exporter: string): ImportEdge => ({
    importer,
    exporter,
    remote: "h",
    local: "h",
  });
  const names = ["A", "B", "C", "D", "E"];
  const edges = fc.array(
    fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)).filter(([a, b]) => a !== b)
      .map(([a, b]) => edge(a, b)),
    { maxLength: 10 },
  );
  fc.assert(
    fc.property(edges, (edges) => {
      const found = importCycles(edges, "service", () => true);
      const kept = edges.filter((one) => !found.has(one));
      // What is left has an order; what was found has not, given what was left before it.
      assert(isAcyclic(kept));
      for (const one of found.keys()) {
        const before = edges.slice(0, edges.indexOf(one)).filter((other) => !found.has(other));
        assert(!isAcyclic([...before, one]));
      }
    }),
    { numRuns: 500 },
  );
  const chain = Array.from({ length: 20_000 }, (_, index) => edge(`N${index}`, `N${index + 1}`));
  assertEquals(importCycles(chain, "service", () => true).size, 0);
});

function isAcyclic(edges: readonly ImportEdge[]): boolean {
  let left = [...edges];
  for (;;) {
    const importers = new Set(left.map(({ importer }) => importer));
    const next = left.filter(({ exporter }) => importers.has(exporter));
    if (next.length === left.length) return left.length === 0;
    left = next;
  }
}
