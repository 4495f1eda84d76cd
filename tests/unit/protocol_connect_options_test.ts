import { assertEquals } from "@std/assert";
import {
  DEFAULT_CONNECT_OPTIONS,
  encodeByteString,
  isInfoJson,
  parseConnectOptions,
} from "../../src/protocol/mod.ts";

const parse = (json: string) => parseConnectOptions(json, DEFAULT_CONNECT_OPTIONS);

Deno.test("without CONNECT a client is verbose, pedantic, hears itself and knows no headers", () => {
  const { verbose, pedantic, echo, headers, no_responders, protocol } = DEFAULT_CONNECT_OPTIONS;
  assertEquals(
    { verbose, pedantic, echo, headers, no_responders, protocol },
    {
      verbose: true,
      pedantic: true,
      echo: true,
      headers: false,
      no_responders: false,
      protocol: 0,
    },
  );
  assertEquals(parse("{}"), DEFAULT_CONNECT_OPTIONS);
});

Deno.test("every option is taken from its field", () => {
  const all = {
    verbose: false,
    pedantic: false,
    echo: false,
    headers: true,
    no_responders: true,
    protocol: 1,
    name: "n",
    lang: "l",
    version: "v",
    user: "u",
    pass: "p",
    auth_token: "t",
    jwt: "j",
    nkey: "k",
    sig: "s",
    account: "a",
    new_account: true,
    tls_required: true,
    proxy_sig: "x",
    remote_account: "r",
  };
  assertEquals(parse(JSON.stringify(all)), all);
});

Deno.test("what a CONNECT does not name stays as it was, and what it was is not changed", () => {
  const before = parse(`{"verbose":false,"name":"n","protocol":1}`)!;
  const copy = { ...before };
  assertEquals(parseConnectOptions(`{"name":"m"}`, before), { ...before, name: "m" });
  assertEquals(parseConnectOptions(`{"name":null,"verbose":null}`, before), before);
  assertEquals(parseConnectOptions(" null ", before), before);
  assertEquals(before, copy);
});

Deno.test("names match in any case; of several the last one holds", () => {
  assertEquals(parse(`{"VERBOSE":false,"Auth_Token":"t"}`)?.auth_token, "t");
  assertEquals(parse(`{"verbose":true,"Verbose":false}`)?.verbose, false);
  assertEquals(parse(`{"user":"a","user":"b"}`)?.user, "b");
});

Deno.test("unknown fields of any kind are ignored, also dangerous ones", () => {
  const options = parse(
    `{"x":1.5,"y":[{}],"__proto__":{"verbose":false},"constructor":1,"cluster":7}`,
  );
  assertEquals(options, DEFAULT_CONNECT_OPTIONS);
  assertEquals(options?.verbose, true);
});

Deno.test("text is UTF-8; bytes that are not become U+FFFD", () => {
  assertEquals(parse(encodeByteString(`{"name":"grüß"}`))?.name, "grüß");
  assertEquals(parse(`{"name":"a\xff"}`)?.name, "a\ufffd");
  assertEquals(parse(`{"name":"\\u00e9"}`)?.name, "é");
});

const REFUSED = [
  "",
  "x",
  "{",
  "{}x",
  "[]",
  "1",
  `"text"`,
  "true",
  encodeByteString("\ufeff{}"),
  `{"verbose":1}`,
  `{"verbose":"true"}`,
  `{"echo":[]}`,
  `{"headers":{}}`,
  `{"tls_required":0}`,
  `{"name":1}`,
  `{"user":true}`,
  `{"sig":[]}`,
  `{"remote_account":1}`,
  `{"protocol":"1"}`,
  `{"protocol":true}`,
  `{"protocol":1.5}`,
  `{"protocol":1.0}`,
  `{"protocol":1e0}`,
  `{"PROTOCOL":1E0}`,
  `{"protocol":10000000000000000000000}`,
  `{"import":1}`,
  `{"export":[]}`,
  `{"name":"a\nb"}`,
  `{'name':'a'}`,
  `{"name":"a",}`,
];

for (const json of REFUSED) {
  Deno.test(`refused: ${JSON.stringify(json)}`, () => assertEquals(parse(json), null));
}

Deno.test("numbers of other fields may have fractions and exponents", () => {
  assertEquals(parse(`{"x":1.5,"protocol":1,"y":{"protocol":1.5},"z":2e3}`)?.protocol, 1);
  assertEquals(parse(`{"name":": 1.5","protocol":1}`)?.protocol, 1);
});

Deno.test("blanks and line ends between the parts do not matter", () => {
  assertEquals(parse(` \t{ \r\n"verbose" :\tfalse } \r`)?.verbose, false);
});

const INFO_CASES: readonly [json: string, fits: boolean][] = [
  ["{}", true],
  ["null", true],
  [`{"port":4222,"headers":true,"connect_urls":["a",null],"server_id":"x"}`, true],
  [`{"port":null,"unknown":[1]}`, true],
  [`{"PORT":1}`, true],
  [`{"port":"1"}`, false],
  [`{"port":1.0}`, false],
  [`{"headers":1}`, false],
  [`{"connect_urls":"a"}`, false],
  [`{"connect_urls":[1]}`, false],
  [`{"server_id":1}`, false],
  ["[]", false],
  ["5", false],
  ["", false],
  ["{}x", false],
];

for (const [json, fits] of INFO_CASES) {
  Deno.test(`INFO of a client ${fits ? "fits" : "does not fit"}: ${json}`, () => {
    assertEquals(isInfoJson(json), fits);
  });
}
