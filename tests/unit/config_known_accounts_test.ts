import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type AccountTexts, factsOf, KnownAccounts } from "../../src/config/account_texts.ts";
import { type Config, ConfigError, loadConfig } from "../../src/config/mod.ts";
import { loadQuickly, type QuicklyLoaded } from "../../src/config/load.ts";
import { ConfigAssembly, piecesOf, withoutPieces } from "../../src/config/pieces.ts";

const FIRST = `port: 4222
accounts:
  A:
    users:
      - { user: a1, password: p }
      - { user: a2, password: p, permissions: { publish: "x.*" } }
    exports: [{ service: "time.*" }, { stream: "s.>" }]
  B:
    users: [{ user: b1, password: "\${SECRET}" }]
  C:
    imports: [{ service: { account: A, subject: "time.*" }, to: "t.$1" }]
    users:
    - { user: c1, password: p, permissions: &shared { publish: "x.*" } }
  D: { users: [{ user: d1, password: p },
    { user: d2, password: p, permissions: *shared }] }
  E:
  # between
  F:
    mappings: { 'old.*': 'new.$1' }

    default_permissions:
      publish: b
  "G": { imports: [{ stream: { account: A, subject: "s.>" }, prefix: g }] }
  H: {
  users: [{ user: h1, password: p }] }
no_auth_user: a1
`;

const flags = { configFile: "c.yaml", overrides: [] };

interface Loaded {
  readonly config: Config;
  readonly texts: AccountTexts;
}

async function loadWhole(text: string, secret: string): Promise<Loaded | null> {
  const env = () => secret, files = { readText: () => Promise.resolve(text) };
  let texts: AccountTexts | null = null;
  try {
    const config = await loadConfig({
      flags,
      env,
      files,
      text,
      onAccounts: (found) => void (texts = found),
    });
    return texts && { config, texts };
  } catch (error) {
    assert(error instanceof ConfigError);
    return null;
  }
}

/** Loads `text` with what is known of `last`, as two threads do it together. */
function loadAgain(text: string, secret: string, last: Loaded) {
  const facts = last.texts.names.map((name) => factsOf(name, last.config.accounts![name]!));
  const known = new KnownAccounts(
    last.texts,
    new Map(structuredClone(facts).map((one) => [one.name, one])),
  );
  const quick = loadQuickly({ flags, env: () => secret, text }, known);
  return quick && { ...assembled(quick, last), kept: quick.kept };
}

function assembled({ config, kept, texts }: QuicklyLoaded, last: Loaded): Loaded {
  const assembly = new ConfigAssembly(withoutPieces(config), null, last.config);
  for (const piece of piecesOf(config, new Map(), kept)) assembly.add(structuredClone(piece));
  return { config: assembly.finish(), texts };
}

const lines = (text: string) => text.split("\n");
const at = fc.nat();

/** A change of a text, as somebody makes it, or as an accident does. */
const edit: fc.Arbitrary<(text: string) => string> = fc.oneof(
  fc.tuple(at, fc.constantFrom("delete", "double", "swap", "deeper", "shallower", "comment"))
    .map(([at, kind]) => (text: string) => {
      const all = lines(text), i = at % all.length, line = all[i]!;
      const change = {
        delete: [],
        double: [line, line],
        swap: [all[i + 1] ?? "", line],
        deeper: [`  ${line}`],
        shallower: [line.replace(/^ {1,2}/, "")],
        comment: [`${line} # why`],
      }[kind];
      all.splice(i, kind === "swap" ? 2 : 1, ...change);
      return all.join("\n");
    }),
  fc.tuple(
    at,
    fc.constantFrom(
      "",
      "# note",
      "    # note",
      "  - z",
      "    - { user: z, password: p }",
      "  X: { users: [{ user: x, password: p }] }",
      "  A:",
      "    users: [{ user: a1, password: p }]",
      "    exports: [{ service: new }]",
      "    limits: { max_connections: 3 }",
      "accounts:",
      "debug: true",
      "---",
      "  Y: *shared",
    ),
  ).map(([at, line]) => (text: string) => {
    const all = lines(text);
    all.splice(at % (all.length + 1), 0, line);
    return all.join("\n");
  }),
  fc.tuple(
    at,
    fc.constantFrom(
      ["p }", "q }"],
      ["a1", "new"],
      ["a2", "b1"],
      ["h1", "c1"],
      ["A", "B"],
      ["E", "A"],
      ["time", "times"],
      ["s.>", "s.*"],
      ["new.$1", "new.$2"],
      ["&shared", ""],
      ["*shared", "{}"],
      ["{", ""],
      ["\n", ""],
      ["\n", "\n  "],
      ["users", "exports"],
      ["publish", "subscribe"],
      ["accounts:", "accounts: &all"],
      ["4222", "4223"],
      ['"G"', "G"],
      ["x.*", "${SECRET}.*"],
      ["service", "stream"],
    ),
  ).map(([at, [from = "", to = ""]]) => (text: string) => {
    const parts = text.split(from), i = at % parts.length;
    if (parts.length < 2 || i === 0) return text;
    return parts.slice(0, i).join(from) + to + parts.slice(i).join(from);
  }),
);

Deno.test("what is known of accounts makes no difference to what a file says", async () => {
  let quick = 0, kept = 0, changed = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(fc.array(edit, { maxLength: 3 }), fc.constantFrom("one", "two", "")),
        { minLength: 1, maxLength: 5 },
      ),
      async (rounds) => {
        let text = FIRST, last = await loadWhole(text, "one");
        assert(last !== null);
        for (const [edits, secret] of rounds) {
          const edited = edits.reduce((text, change) => change(text), text);
          const whole = await loadWhole(edited, secret), again = loadAgain(edited, secret, last);
          if (again !== undefined) {
            // What is wrong is left to the whole.
            assert(whole !== null);
            assertEquals(again.config, whole.config);
            assertEquals(
              Object.keys(again.config.accounts ?? {}),
              Object.keys(whole.config.accounts ?? {}),
            );
            // One at the end of the file may be known although a fresh look would not be sure of it.
            const missing = whole.texts.names.filter((name) => !again.texts.names.includes(name));
            assertEquals(missing, []);
            quick++;
            kept += again.kept.size;
            if (edited !== text) changed++;
          }
          // Whoever has made a mistake goes on from there, or takes it back.
          if (whole !== null) [text, last] = [edited, again ?? whole];
        }
      },
    ),
    { numRuns: 600 },
  );
  assert(quick > 300 && kept > 3 * quick && changed > 100, JSON.stringify([quick, kept, changed]));
});

Deno.test("only what stands for itself is known", async () => {
  const loaded = await loadWhole(FIRST, "one");
  assertEquals(loaded?.texts.names, ["A", "E", "F", "G", "H"]);
  const again = loadAgain(FIRST.replace("new.$1", "other.$1"), "one", loaded!);
  assertEquals([...again!.kept], ["A", "E", "G", "H"]);
  // In another place it is the same.
  const between = "  E:\n  # between\n";
  const moved = FIRST.replace(between, "").replace("accounts:\n", `accounts:\n${between}`);
  assertEquals([...loadAgain(moved, "one", loaded!)!.kept], ["E", "A", "F", "G", "H"]);
  // What follows may belong to it.
  const longer = FIRST.replace("  # between\n", "    nkey: x\n");
  assertEquals(loadAgain(longer, "one", loaded!), undefined);
  assertEquals(await loadWhole(longer, "one"), null);
});

Deno.test("the text of an account is whole lines, in their column", async () => {
  const one = "accounts:\n  A:\n    users: [{ user: a, password: p }]\n";
  const loaded = await loadWhole(one, "");
  assertEquals(loaded?.texts.names, ["A"]);
  const outdented = one.replace("  A:", "    A:");
  assertEquals(loadAgain(outdented, "", loaded!), undefined);
  assertEquals(await loadWhole(outdented, ""), null);
  assertEquals((await loadWhole(one.trimEnd(), ""))?.texts.names, []);
  assertEquals((await loadWhole(one.replace(":\n", ": &all\n"), ""))?.texts.names, []);
  assertEquals((await loadWhole(`accounts: { A: {} }\n`, ""))?.texts.names, []);
});

Deno.test("users of accounts that are known are still in one account alone", async () => {
  const many = (extra: string) =>
    `accounts:\n  A: { users: [{ user: a.b, password: p }] }\n  B:\n    users:\n${extra}${
      Array.from({ length: 100 }, (_, i) => `    - { user: u${i}, password: p }\n`).join("")
    }  C: { users: [{ user: c, password: p }] }\n`;
  const user = (name: string) => `    - { user: ${name}, password: p }\n`;
  for (const text of [many(""), many("").replaceAll(/.*\bu\d\d.*\n/g, "")]) {
    const last = await loadWhole(text, "");
    const withUser = (name: string) => text.replace("  C:", `${user(name)}  C:`);
    assertEquals([...loadAgain(withUser("b"), "", last!)!.kept], ["A", "C"]);
    assertEquals(loadAgain(withUser("c"), "", last!), undefined);
    assertEquals(loadAgain(withUser("a.b"), "", last!), undefined);
    const twice = text.replace("user: c", "user: u0");
    assertEquals(loadAgain(twice, "", last!), undefined);
    assertEquals(
      loadAgain(`authorization: { users: [{ user: c, password: p }] }\n${text}`, "", last!),
      undefined,
    );
    assertEquals(loadAgain(`authorization: { token: t }\n${text}`, "", last!), undefined);
    assert(loadAgain(`no_auth_user: u3\n${text}`, "", last!) !== undefined);
    assertEquals(loadAgain(`no_auth_user: nobody\n${text}`, "", last!), undefined);
  }
});
