/**
 * What the real nats-server says to configurations of users, permissions, accounts and operators, and
 * what denats says. Every text is good syntax in both languages. Beside each stands the answer that
 * nats-server 2.15.1 gave when it was written down; where one is to be had, it is asked again. Texts to
 * which its answer is now this and now that, by the order of its maps, are not among them.
 */
import { assertEquals } from "@std/assert";
import { ConfigError, loadConfig } from "../../src/config/mod.ts";
import { findNatsServer } from "../support/nats_server.ts";

const accountKey = "AAI634ADHJVFQTTEQOAZE2Y7GXDBWHMJLGA7SWCPMCITDK22DFU77T2J";
const userKey = "UDLUX4VUTBVSQJ2QC5FGZMYFVPLLB4XPLWWP5NQFQAHOUJKT7J5QRXHY";
const operatorKey = "OAE2IDW7365Y3BB4TIUTRZCU7LDQTF7O6AARKIJZ4EHMVZA7RAWOEY25";

/** An account with exports of every kind. */
const offers =
  `A: {exports: [{stream: "s.>"}, {service: "q.*"}, {stream: priv, accounts: [B]}, {service: "tok.*", account_token_position: 2}]}`;

/** A configuration, whether nats-server takes it, and why denats does not agree where it does not. */
type Case = readonly [text: string, taken: boolean, otherwise?: string];

const cases: readonly Case[] = [
  [`accounts: {${offers}, B: {imports: [{stream: {account: X, subject: s.a}}]}, C: {}}`, false],
  [`accounts: {${offers}, B: {imports: [{stream: {account: A, subject: t}}]}, C: {}}`, false],
  [`accounts: {${offers}, B: {imports: [{stream: {account: A, subject: ">"}}]}, C: {}}`, false],
  [`accounts: {${offers}, B: {imports: [{stream: {account: A, subject: "s.*.x"}}]}, C: {}}`, true],
  [`accounts: {${offers}, B: {imports: [{service: {account: A, subject: s.a}}]}, C: {}}`, false],
  [`accounts: {${offers}, B: {imports: [{stream: {account: A, subject: priv}}]}, C: {}}`, true],
  [`accounts: {${offers}, B: {}, C: {imports: [{stream: {account: A, subject: priv}}]}}`, false],
  [`accounts: {${offers}, B: {imports: [{service: {account: A, subject: tok.B}}]}, C: {}}`, true],
  [`accounts: {${offers}, B: {imports: [{service: {account: A, subject: tok.C}}]}, C: {}}`, false],
  [
    `accounts: {${offers}, B: {imports: [{service: {account: A, subject: "tok.*"}}]}, C: {}}`,
    false,
  ],
  [
    `accounts: {${offers}, B: {imports: [{service: {account: A, subject: "q.*"}, to: "my.$1"}]}, C: {}}`,
    true,
  ],
  [
    `accounts: {${offers}, B: {imports: [{service: {account: A, subject: "q.*"}, to: "my.*"}]}, C: {}}`,
    true,
  ],
  [
    `accounts: {${offers}, B: {imports: [{service: {account: A, subject: "q.*"}, to: my}]}, C: {}}`,
    false,
  ],
  [
    `accounts: {${offers}, B: {imports: [{service: {account: A, subject: "q.*"}, to: "my.$2"}]}, C: {}}`,
    false,
  ],
  [
    `accounts: {${offers}, B: {imports: [{service: {account: A, subject: q.x}, to: "my.*"}]}, C: {}}`,
    true,
  ],
  [
    `accounts: {${offers}, B: {imports: [{service: {account: A, subject: q.x}, to: my..x}]}, C: {}}`,
    false,
  ],
  [
    `accounts: {${offers}, B: {imports: [{service: {account: A, subject: "q.*"}, to: "my.{{partition(3,1)}}"}]}, C: {}}`,
    false,
  ],
  [
    `accounts: {${offers}, B: {imports: [{service: {account: A, subject: "q.*"}, to: "my.{{wildcard(1)}}"}]}, C: {}}`,
    true,
  ],
  [
    `accounts: {${offers}, B: {imports: [{service: {account: A, subject: "q.*"}, prefix: my}]}, C: {}}`,
    true,
    "nats-server ignores it",
  ],
  [
    `accounts: {${offers}, B: {imports: [{stream: {account: A, subject: "s.*"}, prefix: "my.*"}]}, C: {}}`,
    false,
  ],
  [
    `accounts: {${offers}, B: {imports: [{stream: {account: A, subject: "s.*"}, prefix: "my."}]}, C: {}}`,
    true,
  ],
  [
    `accounts: {${offers}, B: {imports: [{stream: {account: A, subject: "s.*"}, prefix: my..x}]}, C: {}}`,
    false,
  ],
  [
    `accounts: {${offers}, B: {imports: [{stream: {account: A, subject: "s.*"}, share: true}]}, C: {}}`,
    true,
    "nats-server ignores it",
  ],
  [
    `accounts: {${offers}, B: {imports: [{stream: {account: A, subject: "s.*"}, to: x}]}, C: {}}`,
    false,
  ],
  [
    `accounts: {${offers}, B: {imports: [{stream: {account: A, subject: "s.*"}, to: "x.$1"}]}, C: {}}`,
    true,
  ],
  [
    `accounts: {${offers}, B: {imports: [{stream: {account: A, subject: "s.>"}, to: "x.>"}]}, C: {}}`,
    true,
  ],
  [
    `accounts: {${offers}, B: {imports: [{stream: {account: A, subject: s.a}, to: "x y"}]}, C: {}}`,
    true,
    "nobody could subscribe to it",
  ],
  [
    `accounts: {${offers}, B: {imports: [{service: {account: A, subject: q.a}, to: x}, {service: {account: A, subject: q.b}, to: x}]}, C: {}}`,
    false,
  ],
  [
    `accounts: {${offers}, B: {imports: [{service: {account: A, subject: "q.*"}, to: "x.$1"}, {service: {account: A, subject: "q.*"}, to: "x.*"}]}, C: {}}`,
    false,
  ],
  [
    `accounts: {${offers}, B: {imports: [{service: {account: A, subject: "q.*"}, to: "x.*"}, {service: {account: A, subject: "q.*"}, to: "y.$1"}]}, C: {}}`,
    true,
  ],
  [
    `accounts: {${offers}, B: {imports: [{stream: {account: A, subject: s.a}}, {stream: {account: A, subject: s.a}, to: b}]}, C: {}}`,
    false,
  ],
  [
    `accounts: {${offers}, B: {imports: [{stream: {account: A, subject: s.a}, service: {account: A, subject: q.a}}]}, C: {}}`,
    false,
  ],
  [`accounts: {${offers}, B: {imports: [{to: a}]}, C: {}}`, true, "an import of nothing"],
  [`accounts: {${offers}, B: {imports: [{stream: {account: A}}]}, C: {}}`, false],
  [
    "accounts: {A: {exports: [{stream: a}], imports: [{stream: {account: A, subject: a}, to: b}]}}",
    true,
  ],
  [`accounts: {${offers}, B: {imports: [{stream: {account: "$G", subject: s.a}}]}, C: {}}`, false],
  [
    `accounts: {${offers}, B: {imports: [{stream: {account: "$SYS", subject: s.a}}]}, C: {}}`,
    false,
  ],
  [
    "accounts: {A: {exports: [{service: h}], imports: [{service: {account: B, subject: h}}]}, B: {exports: [{service: h}], imports: [{service: {account: A, subject: h}}]}}",
    false,
  ],
  [
    "accounts: {A: {exports: [{service: a}], imports: [{service: {account: B, subject: b}, to: a}]}, B: {exports: [{service: b}], imports: [{service: {account: A, subject: a}, to: b}]}}",
    false,
  ],
  [
    "accounts: {A: {exports: [{service: a}], imports: [{service: {account: B, subject: b}, to: c}]}, B: {exports: [{service: b}], imports: [{service: {account: A, subject: a}, to: d}]}}",
    true,
  ],
  [
    "accounts: {A: {exports: [{service: h}], imports: [{service: {account: B, subject: h}}]}, B: {exports: [{service: h}], imports: [{service: {account: C, subject: h}}]}, C: {exports: [{service: h}], imports: [{service: {account: A, subject: h}}]}}",
    false,
  ],
  [
    "accounts: {A: {exports: [{stream: h}], imports: [{stream: {account: B, subject: h}}]}, B: {exports: [{stream: h}], imports: [{stream: {account: A, subject: h}}]}}",
    false,
  ],
  [
    "accounts: {A: {exports: [{stream: a}], imports: [{stream: {account: B, subject: b}, to: x}]}, B: {exports: [{stream: b}], imports: [{stream: {account: A, subject: a}, to: y}]}}",
    true,
  ],
  [
    "accounts: {A: {exports: [{stream: a}], imports: [{stream: {account: B, subject: b}, to: a}]}, B: {exports: [{stream: b}], imports: [{stream: {account: A, subject: a}, to: b}]}}",
    false,
  ],
  [
    "accounts: {A: {imports: [{service: {account: B, subject: h}}, {service: {account: C, subject: h}, to: g}]}, B: {exports: [{service: h}], imports: [{service: {account: D, subject: h}}]}, C: {exports: [{service: h}], imports: [{service: {account: D, subject: h}}]}, D: {exports: [{service: h}]}}",
    true,
  ],
  ["accounts: {A: {exports: [{stream: a, accounts: [X]}]}, B: {}}", false],
  ["accounts: {A: {exports: [{service: a, accounts: [A]}]}, B: {}}", true],
  [
    "accounts: {A: {exports: [{service: a, accounts: []}]}, B: {}}",
    true,
    "an empty list would let everybody have it",
  ],
  ["accounts: {A: {exports: [{service: a, accounts: B}]}, B: {}}", false],
  ["accounts: {A: {exports: [{stream: a..b}]}, B: {}}", true, "nobody could import it"],
  [
    "accounts: {A: {exports: [{stream: a}, {stream: a, accounts: [B]}]}, B: {}}",
    true,
    "two exports of a subject are one to nats-server",
  ],
  ['accounts: {A: {exports: [{service: "a.*"}, {service: a.b}]}, B: {}}', true],
  ['accounts: {A: {exports: [{service: "a.*", account_token_position: 2}]}, B: {}}', true],
  ["accounts: {A: {exports: [{service: a.b, account_token_position: 2}]}, B: {}}", false],
  ['accounts: {A: {exports: [{service: "a.*", account_token_position: 3}]}, B: {}}', false],
  ['accounts: {A: {exports: [{service: "a.*", account_token_position: 0}]}, B: {}}', true],
  ["accounts: {A: {exports: [{stream: a, response_type: stream}]}, B: {}}", false],
  ["accounts: {A: {exports: [{service: a, response_type: many}]}, B: {}}", false],
  ["accounts: {A: {exports: [{service: a, response: single}]}, B: {}}", true],
  ['accounts: {A: {exports: [{service: a, response_threshold: "5s"}]}, B: {}}', true],
  ["accounts: {A: {exports: [{service: a, latency: b}]}, B: {}}", true],
  ['accounts: {A: {exports: [{service: a, latency: "b.*"}]}, B: {}}', false],
  ['accounts: {A: {exports: [{service: "a.*", latency: a.lat}]}, B: {}}', false],
  ["accounts: {A: {exports: [{service: a, response_type: stream, latency: b}]}, B: {}}", false],
  ["accounts: {A: {exports: [{service: a, latency: {sampling: 0, subject: b}}]}, B: {}}", false],
  ['accounts: {A: {exports: [{service: a, latency: {sampling: "60%", subject: b}}]}, B: {}}', true],
  [
    "accounts: {A: {exports: [{service: a, latency: {sampling: headers, subject: b}}]}, B: {}}",
    true,
  ],
  ["accounts: {A: {exports: [{service: a, latency: {sampling: 5}}]}, B: {}}", false],
  ["accounts: {A: {exports: [{stream: a, latency: b}]}, B: {}}", false],
  ["mappings: {a: b}", true],
  ['mappings: {"a.*": "b.$1"}', true],
  ['mappings: {"a.*": b}', true],
  ['mappings: {"a.*": "b.{{ partition( 3 , 1 ) }}"}', true],
  ['mappings: {"a.*": "b.{{foo(1)}}"}', false],
  ['mappings: {"a.*": "b.$2"}', false],
  ['mappings: {"a.*": "b.*"}', false],
  ['mappings: {"a.>": "b.>"}', true],
  ['mappings: {"a.>": b}', false],
  ["mappings: {a..b: b}", false],
  ['mappings: {a: "b.$1"}', false],
  ["mappings: {a: {dest: b}}", false],
  ["mappings: {a: [{dest: b, weight: 60}, {dest: c, weight: 60}]}", false],
  ['mappings: {a: [{dest: b, weight: 60}, {dest: c, weight: "60%", cluster: x}]}', true],
  ["mappings: {a: [{dest: b, weight: 10}, {dest: b, weight: 10, cluster: x}]}", false],
  ["mappings: {a: [{dest: b, weight: -1}]}", false],
  ["mappings: {a: {destination: b, weight: 0}}", true],
  ["mappings: {a: []}", true],
  ["mappings: {a: {dest: b, weight: 10, x: y}}", false],
  ["mappings: {a: [b]}", false, "one subject in a list is as good as without"],
  ["accounts: {A: {maps: {a: b}}}", true],
  [
    "accounts: {A: {limits: {max_conn: 5, max_subs: -1, max_payload: 1KB, max_leafnodes: 0}}}",
    true,
  ],
  ["accounts: {A: {limits: {max_connections: x}}}", false],
  ["accounts: {A: {limits: {conns: 5}}}", false],
  ["accounts: [A, B]", true],
  ["accounts: [A, A]", false],
  ['accounts: ["$G"]', false],
  ['accounts: {"$G": {}}', false],
  [`accounts: {A: {nkey: ${accountKey}}}`, true],
  ["accounts: {A: {nkey: ABC}}", false],
  ["accounts: {A: {jetstream: disabled}}", true],
  ["accounts: {A: {foo: bar}}", false],
  ['authorization: {users: [{user: a, permissions: {pub: a, sub: ["b q"]}}]}', true],
  ["authorization: {users: [{user: a, permissions: {pub: a..b}}]}", false],
  ['authorization: {users: [{user: a, permissions: {pub: "a q"}}]}', false],
  ['authorization: {users: [{user: a, permissions: {sub: "a q r"}}]}', false],
  ['authorization: {users: [{user: a, permissions: {sub: "a q.*"}}]}', true],
  ['authorization: {users: [{user: a, permissions: {sub: "a q..x"}}]}', false],
  ["authorization: {users: [{user: a, permissions: {sub: {alow: a}}}]}", false],
  [
    'authorization: {users: [{user: a, permissions: {publish: {allow: a, deny: [b]}, export: {deny: "c.>"}}}]}',
    true,
  ],
  ["authorization: {users: [{user: a, permissions: {publish: []}}]}", true],
  ["authorization: {users: [{user: a, permissions: {allow_responses: true}}]}", true],
  [
    'authorization: {users: [{user: a, permissions: {allow_responses: {max: 5, expires: "1m"}}}]}',
    true,
  ],
  [
    'authorization: {users: [{user: a, permissions: {allow_responses: {max: -1, ttl: "-1s"}}}]}',
    true,
  ],
  ["authorization: {users: [{user: a, permissions: {allow_responses: yess}}]}", false],
  ["authorization: {users: [{user: a, permissions: {foo: bar}}]}", false],
  [`authorization: {users: [{nkey: ${userKey}}]}`, true],
  [`authorization: {users: [{nkey: ${userKey.slice(0, -1)}Z}]}`, false],
  [`authorization: {users: [{nkey: ${accountKey}}]}`, false],
  [`authorization: {users: [{nkey: ${userKey}, user: a}]}`, false],
  [`authorization: {users: [{nkey: ${userKey}}, {nkey: ${userKey}}]}`, false],
  [
    `authorization: {users: [{nkey: ${userKey}}]}\naccounts: {A: {users: [{nkey: ${userKey}}]}}`,
    false,
  ],
  ["authorization: {users: [{password: a}]}", false],
  ["authorization: {users: [{user: a, account: A}]}\naccounts: [A]", false],
  ["authorization: {users: [{user: a, allowed_connection_types: [standard, WEBSOCKET]}]}", true],
  ["authorization: {users: [{user: a, connection_types: standard}]}", true],
  ["authorization: {users: [{user: a, clients: [foo]}]}", false],
  ["authorization: {token: x}\naccounts: {A: {users: [{user: a}]}}", false],
  [`authorization: {token: x}\naccounts: {A: {users: [{nkey: ${userKey}}]}}`, false],
  ["authorization: {user: x, password: y, users: [{user: a}]}", false],
  ["authorization: {token: x, users: [{user: a}]}", false],
  ["authorization: {users: [{user: a}]}\naccounts: {A: {users: [{user: a}]}}", false],
  [`authorization: {token: a, auth_callout: {issuer: ${accountKey}, auth_users: [a]}}`, true],
  [
    `authorization: {user: a, password: b, auth_callout: {issuer: ${accountKey}, auth_users: [a]}}`,
    true,
  ],
  [
    `authorization: {users: [{user: a}], auth_callout: {issuer: ${accountKey}, auth_users: [a], acc: "$G"}}`,
    true,
  ],
  [`authorization: {auth_callout: {issuer: ${accountKey}}}`, false],
  [`authorization: {auth_callout: {issuer: ${accountKey}, auth_users: []}}`, false],
  ["authorization: {auth_callout: {auth_users: [a]}}", false],
  [`authorization: {auth_callout: {issuer: ${userKey}, auth_users: [a]}}`, false],
  [
    `authorization: {users: [{user: a}], auth_callout: {issuer: ${accountKey}, auth_users: [a], xkey: ${accountKey}}}`,
    false,
  ],
  [`authorization: {auth_callout: {issuer: ${accountKey}, auth_users: [a], foo: a}}`, false],
  [
    `authorization: {users: [{user: a}], auth_callout: {issuer: ${accountKey}, auth_users: [a], account: X}}`,
    true,
    "nats-server logs an error when it starts",
  ],
  ["authorization: {default_permissions: {pub: a}, users: [{user: a}]}", true],
  [`trusted_keys: [${operatorKey}]`, true],
  [`trusted_keys: [${accountKey}]`, false],
  ["resolver: MEMORY", true],
  ["resolver: FOO", false],
  ['resolver: "URL(http://localhost:1/jwt/)"', true],
  ["resolver: {type: cache, dir: /tmp/denats-none, allow_delete: true}", false],
  ['resolver: {type: full, dir: /tmp, ttl: "2m"}', false],
  ["resolver: {dir: /tmp}", false],
  ["resolver: {type: full, dir: /tmp, hard_delete: true}", false],
  ["resolver_preload: foo", false],
  [`resolver_pinned_accounts: [${accountKey}]`, true],
  ["no_sys_acc: true", true],
  ["system_account: X", true, "nats-server does not start"],
  ["no_auth_user: x", true, "nats-server does not start"],
  ["default_sentinel: foo", true, "nats-server does not start"],
];

async function isTaken(text: string): Promise<boolean> {
  const files = { readText: () => Promise.reject(new Error("nothing to read")) };
  try {
    await loadConfig({ text, file: "a.yaml", env: () => undefined, files });
    return true;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return false;
  }
}

Deno.test("denats takes and refuses what nats-server does, but for what is said", async () => {
  for (const [text, taken, otherwise] of cases) {
    assertEquals(await isTaken(text), otherwise === undefined ? taken : !taken, text);
  }
});

const server = await findNatsServer("2.15");

Deno.test({
  name: "nats-server still answers as it did",
  ignore: server === undefined,
  async fn() {
    const directory = await Deno.makeTempDir();
    try {
      const file = `${directory}/a.conf`;
      for (const [text, taken] of cases) {
        await Deno.writeTextFile(file, text);
        const command = new Deno.Command(server ?? "", { args: ["-t", "-c", file], stdin: "null" });
        const { success } = await command.output();
        assertEquals(success, taken, text);
      }
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
