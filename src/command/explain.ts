/**
 * `denats explain`: why a user may publish or subscribe, or may not.
 *
 * @module
 */
import {
  type Access,
  AccessQuestionError,
  explainAccess,
  type Explanation,
  ruleLabel,
} from "../auth/mod.ts";
import { ConfigError, FlagError, loadConfig } from "../config/mod.ts";
import { IGNORE_UNSUPPORTED, readArguments } from "./arguments.ts";
import type { Command, CommandWorld } from "./command.ts";

const ALLOWED = 0, REFUSED = 1, USAGE = 2;

/** `denats explain`. */
export const explain: Command = {
  name: "explain",
  usage: "--config <file> [--user <user>] (--publish|--subscribe) <subject>",
  help: "Say why a user may publish or subscribe to a subject, or not",
  details: [
    "Prints the decision, the rule that made it and, if it is refused, the rule that comes nearest to",
    "allowing it. A message is judged under the subject that its account maps it to.",
    "",
    "  -c, --config <file>    Configuration file, YAML or nats-server's format",
    "      --user <user>      User name or public nkey; without it whoever shows no credentials",
    "      --account <name>   Account of the user, where several have one of that name",
    "      --publish          Whether it may publish to the subject",
    "      --subscribe        Whether it may subscribe to the subject",
    "      --queue <name>     Queue group of the subscription",
    "      --json             Print the answer as JSON",
    "      --ignore-unsupported",
    "                         Say nothing of what denats does not support yet",
    "",
    "Exit code: 0 when it is allowed, 1 when it is refused, 2 when the question or the configuration",
    "is wrong.",
  ],
  async run(args, world) {
    try {
      return await answer(args, world);
    } catch (error) {
      // A script must be able to tell a refusal from a question that was not answered.
      const isUsage = error instanceof FlagError || error instanceof AccessQuestionError;
      if (!isUsage && !(error instanceof ConfigError)) throw error;
      world.stderr(`denats: ${error.message}${isUsage ? "; see denats explain --help" : ""}\n`);
      return USAGE;
    }
  },
};

async function answer(args: readonly string[], { stdout, files, env }: CommandWorld) {
  const { switches, values, words } = readArguments(args, {
    switches: ["publish", "subscribe", "json", IGNORE_UNSUPPORTED],
    values: ["config", "user", "account", "queue"],
    short: { c: "config" },
    words: [1, 1],
  });
  const file = values.get("config");
  if (file === undefined) throw new FlagError("flag --config is needed");
  if (switches.has("publish") === switches.has("subscribe")) {
    throw new FlagError("either --publish or --subscribe is needed");
  }
  const config = await loadConfig({
    flags: {
      configFile: file,
      overrides: [],
      ignoreUnsupported: switches.has(IGNORE_UNSUPPORTED),
    },
    env,
    files,
  });
  const [subject = ""] = words;
  const access = explainAccess(config, {
    user: values.get("user"),
    account: values.get("account"),
    queue: values.get("queue"),
    ...(switches.has("publish") ? { publish: subject } : { subscribe: subject }),
  });
  const what =
    `${switches.has("publish") ? "publish" : "subscribe"} to ${JSON.stringify(subject)}` +
    (values.has("queue") ? ` in the queue group ${JSON.stringify(values.get("queue"))}` : "");
  const text = switches.has("json")
    ? `${JSON.stringify(access, null, 2)}\n`
    : `${describe(access, what).join("\n")}\n`;
  if (!stdout(text)) return USAGE;
  return access.allowed ? ALLOWED : REFUSED;
}

function describe(access: Access, what: string): string[] {
  const { allowed, user, account, permissions, explanation, mapped } = access;
  const who = user === null ? "whoever shows no credentials" : `user ${JSON.stringify(user)}`;
  const held = permissions === null
    ? "no permissions"
    : permissions === "user"
    ? "permissions of the user"
    : "default_permissions";
  const lines = [
    `${allowed ? "allowed" : "refused"}: ${who} of the account ${JSON.stringify(account)} ${
      allowed ? "may" : "may not"
    } ${what}`,
    `  held to: ${held}`,
  ];
  if (mapped.length === 0) return [...lines, ...describeDecision(explanation, "  ")];
  for (const { subject, explanation } of mapped) {
    if (explanation === null) {
      lines.push("  mapped to nothing: such messages are dropped");
      continue;
    }
    const verdict = explanation.allowed ? "allowed" : "refused";
    lines.push(`  mapped to ${JSON.stringify(subject)}: ${verdict}`);
    lines.push(...describeDecision(explanation, "    "));
  }
  return lines;
}

function describeDecision(explanation: Explanation, indent: string): string[] {
  const { rule, reason, nearest, heldBack, note, allowed } = explanation;
  return [
    `rule: ${rule === null ? "none" : ruleLabel(rule)}`,
    `reason: ${reason}`,
    ...(allowed ? [] : [
      `nearest: ${nearest === null ? "none" : `${ruleLabel(nearest)}, but ${nearest.difference}`}`,
    ]),
    ...(heldBack.length === 0 ? [] : [`held back: what matches ${list(heldBack.map(ruleLabel))}`]),
    ...(note === null ? [] : [`note: ${note}`]),
  ].map((line) => indent + line);
}

function list(words: readonly string[]): string {
  const shown = words.slice(0, 10), more = words.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
