/**
 * Subjects that published messages are mapped to.
 *
 * @module
 */
import { block, listOrOne, map, optional, orForm, required, scalar } from "./fields.ts";
import type { ShortForm } from "./shape.ts";
import { type Kind, Refusal } from "./kind.ts";
import { readInteger } from "./number_kinds.ts";
import { text } from "./text_kinds.ts";

/** Share of the messages, in percent. */
function weight(): Kind<number | string, number> {
  return {
    inputType: "number | string",
    outputType: "number",
    inputNote: 'Percent, such as 60 or "60%".',
    outputNote: "Percent.",
    json: { anyOf: [{ type: "integer", minimum: 0, maximum: 100 }, { type: "string" }] },
    read: (input) => {
      const value = readInteger(typeof input === "string" ? input.replace(/%$/, "") : input);
      return value !== undefined && value >= 0 && value <= 100
        ? value
        : new Refusal("a percentage from 0 to 100");
    },
    format: String,
  };
}

/** A subject alone, to which everything goes. */
const alone: ShortForm<string> = {
  inputType: "string",
  json: { type: "string", minLength: 1 },
  expected: "a subject or a map (destination, weight)",
  expand: (value) => typeof value === "string" ? { destination: value, weight: 100 } : undefined,
};

const destination = block({
  destination: required(
    // Calls of functions may have blanks in them, which no other subject may.
    scalar(text({ expected: "a subject" })),
    "Subject, with $1 or functions such as {{wildcard(1)}} and {{partition(3,1)}}.",
  ),
  weight: required(scalar(weight()), "Share of the messages."),
  cluster: optional(
    scalar(text({ expected: "the name of a cluster" })),
    "east",
    "Only on servers of the cluster of this name.",
  ),
}, {
  typeName: "MappedTo",
  doc: "A subject that messages are mapped to; a subject alone has all of them.",
  aliases: { dest: "destination" },
});

/** Subjects and what they are mapped to. */
export const mappings = map(listOrOne(orForm(destination, alone)));
