import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { readDirectly } from "../../src/config/conf/direct.ts";
import { readConf } from "../../src/config/conf/document.ts";
import { configShape } from "../../src/config/schema.ts";
import { FileError, SeededRandom } from "../../src/platform/mod.ts";
import { makeUpConf } from "../support/conf_settings.ts";
import { writeConf } from "../support/conf_text.ts";

type Texts = Readonly<Record<string, string>>;

/** What both readers make of a configuration: at once, and by way of a tree. */
async function readBoth(files: Texts, environment: Texts = {}) {
  const readText = (path: string) => {
    const text = Object.hasOwn(files, path) ? files[path] : undefined;
    return text === undefined
      ? Promise.reject(new FileError(`cannot read ${path}`))
      : Promise.resolve(text);
  };
  const env = (name: string) => Object.hasOwn(environment, name) ? environment[name] : undefined;
  const text = files["main.conf"] ?? "";
  const direct = await readDirectly("main.conf", text, configShape, readText, env);
  const { values, problems, oddities, findings } = await readConf(
    "main.conf",
    text,
    configShape,
    readText,
    env,
  );
  return { direct, values, told: [...problems, ...oddities, ...findings] };
}

/** Whether it is read at once, which it may be only where there is nothing to tell. */
async function isReadAtOnce(files: Texts, environment: Texts = {}): Promise<boolean> {
  const { direct, values, told } = await readBoth(files, environment);
  if (direct === undefined) return false;
  // As text, so that the order of keys counts, too.
  assertEquals(JSON.stringify(direct), JSON.stringify(values), JSON.stringify(files));
  assertEquals(told, [], JSON.stringify(files));
  return true;
}

Deno.test("a configuration of any spelling says the same where it is read at once", async () => {
  let good = 0, included = 0, referred = 0;
  for (let seed = 0; seed < 600; seed++) {
    const random = new SeededRandom(seed);
    const { conf } = makeUpConf(random, seed % 2 === 0);
    const { text, files } = writeConf(conf, random, { variables: true, includes: true });
    const all = { ...files, "main.conf": text };
    if ((await readBoth(all)).told.length > 0) {
      assert(!await isReadAtOnce(all));
      continue;
    }
    good++;
    assert(await isReadAtOnce(all), JSON.stringify(all));
    if (Object.keys(files).length > 0) included++;
    if (text.includes("$var_")) referred++;
  }
  const counts = `${good} good ones, ${included} with includes, ${referred} with variables`;
  assert(good > 300 && included > 100 && referred > 100, counts);
});

const pieces = [
  ..."{ } [ ] ( ) : = , ; # / \" ' \\ $ a $a user password pass 1 1k 5m true off".split(" "),
  "\n",
  " ",
  "a: 1\n",
  "a = { user: x }\n",
  "port: 4222\n",
  "include x.conf\n",
  "authorization {",
  "users = [ $a { user: u, password: p }\n",
  "accounts { A: { users = [ { user: ",
  "A: $a\n",
];

Deno.test("of any text the readers say the same, or there is something to tell", async () => {
  let atOnce = 0;
  const noise = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((all) => all.join(""));
  await fc.assert(
    fc.asyncProperty(noise, noise, async (main, other) => {
      const files = { "main.conf": main, "x.conf": other };
      if (await isReadAtOnce(files, { a: other })) atOnce++;
    }),
    { numRuns: 4000 },
  );
  assert(atOnce > 100, `${atOnce} at once`);
});

Deno.test("variables and includes are put in their place at once", async () => {
  const good: [files: Texts, environment?: Texts][] = [
    [{
      "main.conf": "A = { publish: x }\nauthorization { users = [ { user: u, permissions: $A } ] }",
    }],
    [{ "main.conf": "A = 5s\nA2 = [east, 1b]\nping_interval: $A\nserver_tags: $A2" }],
    [{ "main.conf": "a = 1\nauthorization { a = x, token: $a }\nport: $a" }],
    [{ "main.conf": "authorization { password = x, token: $password }" }],
    [{
      "main.conf": "authorization { user: bob, include x.conf }",
      "x.conf": "password = x\ntoken: $password",
    }],
    [{ "main.conf": "accounts { U = [{ user: u }]\n A { users: $U } }" }],
    [{ "main.conf": "port: $PORT\nhost: $HOST\nname: $EMPTY" }, {
      PORT: "4222",
      HOST: "h",
      EMPTY: " ",
    }],
    [{
      "main.conf": "R = [a, b]\nP = { publish { allow: $R } }\nR2 = x\n" +
        "U = [ { user: u, R: c, permissions: $P } ]\nauthorization { R: d, users: $U }",
    }],
    [{
      "main.conf": "p = 1\ninclude x.conf\nport: $q",
      "x.conf": "p1 = 4222\nq = $p1",
    }],
    [{
      "main.conf": "include a/b.conf\naccounts { include a/c.conf\n B {} }\nport: $p",
      "a/b.conf": "include d.conf\nhost: $h",
      "a/c.conf": "A { users = [ { user: u } ] }",
      "a/d.conf": "p = 4222\nh = localhost",
    }],
  ];
  for (const [files, environment] of good) {
    assert(await isReadAtOnce(files, environment), JSON.stringify(files));
  }
});

Deno.test("what is to be told, or depends on what is given twice, is for the other reader", async () => {
  const others: [files: Texts, environment?: Texts][] = [
    [{ "main.conf": "port: 1\nport: 2" }],
    [{ "main.conf": "port: 1\nPORT: 2" }],
    [{ "main.conf": "include x.conf\nport: 2", "x.conf": "port: 1" }],
    [{ "main.conf": "port: 1 }" }],
    [{ "main.conf": "port: [1" }],
    [{ "main.conf": "port: yes" }],
    [{ "main.conf": "authorization { timeout: 2m }" }],
    [{ "main.conf": "port: $none" }],
    [{ "main.conf": "port: $bad" }, { bad: "[" }],
    [{ "main.conf": "include none.conf" }],
    [{ "main.conf": "include main.conf" }],
    [{ "main.conf": "include x.conf", "x.conf": "include y.conf", "y.conf": "include x.conf" }],
    [{ "main.conf": "p = 1\ninclude x.conf", "x.conf": "port: $p" }],
    // What stands for q would be p of the main file where it is used.
    [{ "main.conf": "p = 1\ninclude x.conf\nport: $q", "x.conf": "q = $p" }],
  ];
  for (const [files, environment] of others) {
    assert(!await isReadAtOnce(files, environment), JSON.stringify(files));
  }
});

Deno.test("variables that multiply each other are given up in time", async () => {
  const lines = ["v0 = [a, a, a, a, a, a, a, a]"];
  for (let level = 1; level < 30; level++) {
    lines.push(`v${level} = [$v${level - 1}, $v${level - 1}]`);
  }
  // Nothing looks into what no setting is.
  assert(await isReadAtOnce({ "main.conf": `${lines.join("\n")}\nx = $v29` }));
  const long = Array.from({ length: 20_000 }, (_, index) => `v${index + 1} = $v${index}`);
  assert(!await isReadAtOnce({ "main.conf": `v0 = 1\n${long.join("\n")}\nport: $v20000` }));
});
