import { diff } from "node:util";

/** Above this many lines a line-by-line comparison costs more than it tells. */
const maxDiffLines = 2000;

const styled = !Deno.noColor;
const red = (text: string) => styled ? `\x1b[31m\x1b[1m${text}\x1b[22m\x1b[39m` : text;
const green = (text: string) => styled ? `\x1b[32m\x1b[1m${text}\x1b[22m\x1b[39m` : text;

/** A value as assertion messages show it: in full, with sorted keys, one entry per line. */
export function format(value: unknown): string {
  return Deno.inspect(value, {
    depth: Infinity,
    sorted: true,
    trailingComma: true,
    compact: false,
    iterableLimit: Infinity,
    getters: true,
    strAbbreviateSize: Infinity,
  });
}

/** How a message ends: the caller's own words when there are any. */
export function suffix(message: string | undefined): string {
  return message ? `: ${message}` : ".";
}

/** The lines two values differ in, `-` for the actual and `+` for the expected side. */
export function describeDifference(actual: unknown, expected: unknown): string {
  const bothText = typeof actual === "string" && typeof expected === "string";
  const left = bothText ? visibleLines(actual) : format(actual).split("\n");
  const right = bothText ? visibleLines(expected) : format(expected).split("\n");
  const shown = left.length + right.length > maxDiffLines
    ? [
      ...left.map((line) => removed(line)),
      ...right.map((line) => added(line)),
    ]
    : diff(left, right).map(([side, line]) =>
      side === 0 ? `    ${line}` : side === 1 ? removed(line) : added(line)
    );
  return [
    "",
    "",
    `    [Diff] ${red("Actual")} / ${green("Expected")}`,
    "",
    "",
    ...shown,
    "",
  ]
    .join("\n");
}

/** The lines of a text with its control characters, line ends included, made visible. */
function visibleLines(text: string): string[] {
  return text.split(/(?<=\n)/).map((line) =>
    JSON.stringify(line).slice(1, -1).replaceAll('\\"', '"')
  );
}

function removed(line: string): string {
  return red(`-   ${line}`);
}

function added(line: string): string {
  return green(`+   ${line}`);
}
