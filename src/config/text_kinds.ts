/**
 * Settings that are words: switches, choices, names, paths, addresses, secrets and subjects.
 *
 * @module
 */
import { isValidSubscriptionSubject } from "../protocol/mod.ts";
import { isBcrypt, isWholeBcrypt } from "./bcrypt.ts";
import { type JsonSchema, type Kind, quoteText, Refusal } from "./kind.ts";
import { portJson } from "./number_kinds.ts";

/** What editors may take a value of free text for, since denats reads every scalar as text. */
const anyScalar: JsonSchema = { type: ["string", "number"] };

/** The words of a switch as a pattern of JSON Schema, which knows no "in any case". */
const switchWords = `^(${
  ["true", "yes", "on", "false", "no", "off"].map((word) =>
    word.replace(/./g, (letter) => `[${letter.toUpperCase()}${letter}]`)
  ).join("|")
})$`;

/** A switch: true, yes, on or false, no, off, in any case. */
export function boolean(): Kind<boolean, boolean> {
  return {
    inputType: "boolean",
    outputType: "boolean",
    json: { anyOf: [{ type: "boolean" }, { type: "string", pattern: switchWords }] },
    read: (input) => {
      switch (typeof input === "string" ? input.toLowerCase() : input) {
        case true:
        case "true":
        case "yes":
        case "on":
          return true;
        case false:
        case "false":
        case "no":
        case "off":
          return false;
      }
      return new Refusal("true or false (also yes, no, on, off)");
    },
    format: String,
  };
}

/** Something that is enabled or disabled; {@link boolean} does as well. */
export function enabled(): Kind<boolean | "enabled" | "disabled", boolean> {
  const words: Readonly<Record<string, boolean>> = {
    enabled: true,
    enable: true,
    disabled: false,
    disable: false,
  };
  const other = boolean();
  return {
    inputType: 'boolean | "enabled" | "disabled"',
    outputType: "boolean",
    json: { anyOf: [other.json, { type: "string", enum: Object.keys(words) }] },
    read: (input) => {
      const word = typeof input === "string" ? words[input.toLowerCase()] : undefined;
      if (word !== undefined) return word;
      const read = other.read(input);
      return read instanceof Refusal ? new Refusal("enabled or disabled") : read;
    },
    format: String,
  };
}

/** One of a few words. */
export function choice<const Word extends string>(words: readonly Word[]): Kind<Word, Word> {
  const type = words.map((word) => JSON.stringify(word)).join(" | ");
  return {
    inputType: type,
    outputType: type,
    json: { enum: [...words] },
    read: (input) =>
      words.find((word) => word === input) ?? new Refusal(`one of ${words.join(", ")}`),
    // YAML would take it for a number.
    format: (value) => /^[\d.]+$/.test(value) ? `"${value}"` : value,
  };
}

/** One of a few words in any case, or of other names of them. */
export function word<const Word extends string>(
  words: readonly Word[],
  others: Readonly<Record<string, Word>> = {},
): Kind<Word, Word> {
  const known = choice(words);
  return {
    ...known,
    json: { type: "string" },
    read: (input) => {
      const written = typeof input === "string" ? input.toLowerCase() : "";
      return words.find((one) => one.toLowerCase() === written) ??
        (Object.hasOwn(others, written) ? others[written] : undefined) ?? known.read(undefined);
    },
  };
}

/** What {@link text} accepts. */
export interface TextOptions {
  /** What is expected, as it stands after "expected". */
  readonly expected: string;
  /** The whole text must match; anything but empty text when absent. */
  readonly pattern?: RegExp;
}

/** Text, never empty, kept exactly as it is written. */
export function text(options: TextOptions): Kind<string, string> {
  const pattern = options.pattern ?? /[^]/;
  return {
    inputType: "string",
    outputType: "string",
    json: options.pattern === undefined
      ? { type: "string", minLength: 1 }
      : { type: "string", pattern: options.pattern.source },
    read: (input) =>
      typeof input === "string" && pattern.test(input) ? input : new Refusal(options.expected),
    format: quoteText,
  };
}

/** A name that somebody shows at the door: kept exactly as it is written, though it be a number. */
export function userName(): Kind<string, string> {
  return { ...text({ expected: "a user name" }), json: anyScalar };
}

/** A token: never shown, and kept exactly as it is written (`5e7` and `0123` are tokens). */
export function token(): Kind<string, string> {
  return secret("a token or its bcrypt hash, not empty");
}

/** A password: never shown, and kept exactly as it is written (`5e7` and `0123` are passwords). */
export function password(): Kind<string, string> {
  return secret("a password or its bcrypt hash, not empty");
}

function secret(expected: string): Kind<string, string> {
  return {
    inputType: "string",
    outputType: "string",
    json: anyScalar,
    secret: true,
    read: (input) => {
      if (typeof input !== "string" || input === "") return new Refusal(expected);
      if (isBcrypt(input) && !isWholeBcrypt(input)) {
        return new Refusal(
          "a whole bcrypt hash (60 characters)",
          "it starts like one, but nobody could ever log in with it",
        );
      }
      return input;
    },
    format: quoteText,
  };
}

/** Where to listen. */
export interface ListenAddress {
  /** Address or host name; absent when only a port was given. */
  readonly host?: string;
  /** Port, 1-65535, or -1 for a random one. */
  readonly port: number;
}

const hostPattern = /^[^\s/:[\]]+$/;
const ipv6Pattern = /^(?=[^:]*:[^:]*:)[0-9A-Fa-f:.]+(?:%[^\s/[\]]+)?$/;

/** Whether `text` may be an IP address (IPv6 without brackets) or a host name. */
function isHost(text: string): boolean {
  return hostPattern.test(text) || ipv6Pattern.test(text);
}

/** An IP address or host name. */
export function host(): Kind<string, string> {
  return {
    inputType: "string",
    outputType: "string",
    json: { type: "string", minLength: 1 },
    read: (input) =>
      typeof input === "string" && isHost(input)
        ? input
        : new Refusal("an IP address or a host name, without a port"),
    format: quoteText,
  };
}

const hostAndPort = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([+-]?\d+))?$/;

/** The parts of `host`, `host:port`, `:port` or `[::1]:port`; `undefined` when it is none of them. */
export function splitHostAndPort(text: string): { host?: string; port?: number } | undefined {
  const match = hostAndPort.exec(text);
  if (match === null) return undefined;
  const [, ipv6, name, portText] = match;
  const host = ipv6 ?? name ?? "";
  if (ipv6 !== undefined ? !ipv6Pattern.test(ipv6) : host !== "" && !hostPattern.test(host)) {
    return undefined;
  }
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && port !== -1 && !(port >= 1 && port <= 65535)) return undefined;
  return { ...(host === "" ? {} : { host }), ...(port === undefined ? {} : { port }) };
}

/** Where to listen: `host:port`, `[::1]:port`, `:port` or a port. */
export function listenAddress(): Kind<number | string, ListenAddress> {
  return {
    inputType: "number | string",
    outputType: "string",
    json: { anyOf: [portJson, { type: "string", minLength: 1 }] },
    read: (input) => {
      const written = typeof input === "number" ? String(input) : input;
      const refusal = new Refusal(`"host:port" or a port (1 to 65535, or -1 for a random one)`);
      if (typeof written !== "string") return refusal;
      const parts = splitHostAndPort(/^[+-]?\d+$/.test(written) ? `:${written}` : written);
      if (parts?.port === undefined) return refusal;
      return { ...parts, port: parts.port };
    },
    format: (address) => quoteText(`${address.host ?? ""}:${address.port}`),
  };
}

/** A subject without wildcards. */
export function literalSubject(): Kind<string, string> {
  const any = subject();
  return {
    ...any,
    read: (input) => {
      const read = any.read(input);
      if (typeof read !== "string") return read;
      const literal = read.split(".").every((token) => token !== "*" && token !== ">");
      return literal ? read : new Refusal("a subject without wildcards");
    },
  };
}

/** An address that others are told to connect to: `host:port` or `host`. */
export function advertisedAddress(): Kind<string, string> {
  return {
    inputType: "string",
    outputType: "string",
    json: { type: "string", minLength: 1 },
    read: (input) => {
      const parts = typeof input === "string" ? splitHostAndPort(input) : undefined;
      if (typeof input === "string" && parts?.host !== undefined && parts.port !== -1) return input;
      return new Refusal(`"host:port" or a host name`);
    },
    format: quoteText,
  };
}

/** A subject as rules name it: tokens parted by dots, `*` for any token, `>` last for any rest. */
export function subject(): Kind<string, string> {
  return {
    inputType: "string",
    outputType: "string",
    json: { type: "string", minLength: 1 },
    read: (input) => {
      if (input === undefined) return new Refusal("a subject");
      if (input === "" || input === null) {
        return new Refusal(
          "a subject",
          `quote it: YAML takes an unquoted > for the start of a block of text`,
        );
      }
      return typeof input === "string" && isSubject(input) ? input : new Refusal(
        `a subject: tokens without spaces parted by single dots, ">" only as the last`,
      );
    },
    format: quoteText,
  };
}

/** Whether `text` is a subject that can be subscribed to. */
export function isSubject(text: string): boolean {
  return isValidSubscriptionSubject(text) && !/\s/.test(text);
}
