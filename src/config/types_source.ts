/**
 * Writes the documented TypeScript interfaces of the configuration.
 *
 * @module
 */
import type { BlockShape, Field, Shape } from "./shape.ts";
import { configShape } from "./schema.ts";

type Side = "input" | "output";

/** The text of `types.ts`. */
export function typesSource(): string {
  const parts = [
    `/**
 * The configuration as TypeScript: what a program may ask for, and what the broker then has.
 * Generated from the schema by \`deno run -A src/config/generate.ts\`; a test holds the two equal.
 *
 * @module
 */`,
  ];
  const blocks = new Map([...blocksOf(configShape)].map((block) => [block.typeName, block]));
  const imports = new Map([...blocks.values()].flatMap(importsOf));
  for (const [type, from] of imports) parts.push(`import type { ${type} } from "${from}";`);
  for (const block of blocks.values()) {
    parts.push(interfaceSource(block, "input"), interfaceSource(block, "output"));
  }
  return `${parts.join("\n\n")}\n`;
}

function* blocksOf(shape: Shape): Generator<BlockShape> {
  if (shape.type === "list") yield* blocksOf(shape.item);
  if (shape.type === "map") yield* blocksOf(shape.value);
  if (shape.type !== "block") return;
  yield shape;
  for (const field of shape.fields.values()) yield* blocksOf(field.shape);
}

/** What the interface of `block` takes from other modules: names of types, and the modules. */
function importsOf(block: BlockShape): (readonly [string, string])[] {
  return [...block.fields.values()].flatMap(({ shape }) => {
    const inner = shape.type === "list" ? shape.item : shape.type === "map" ? shape.value : shape;
    return inner.type === "scalar" && inner.kind.outputFrom !== undefined
      ? [[inner.kind.outputType, inner.kind.outputFrom] as const]
      : [];
  });
}

function interfaceSource(block: BlockShape, side: Side): string {
  const state = side === "input" ? "as it is asked for" : "complete and checked";
  const lines = [
    ...docLines([`${block.doc.replace(/\.$/, "")} (${state}).`], ""),
    `export interface ${typeName(block, side)} {`,
  ];
  for (const [key, field] of block.fields) {
    if (side === "output" && field.presence === "input only") continue;
    lines.push(...docLines(fieldDoc(field, side), "  "), ...propertyLines(key, field, side));
  }
  return [...lines, "}"].join("\n");
}

function typeName(block: BlockShape, side: Side): string {
  return side === "input" ? `${block.typeName}Input` : block.typeName;
}

function propertyLines(key: string, field: Field, side: Side): string[] {
  const certain = field.presence === "required" ||
    (side === "output" && field.presence === "default");
  const type = typeSource(field.shape, side);
  if (certain) return [`  readonly ${key}: ${type};`];
  const line = `  readonly ${key}?: ${type} | undefined;`;
  return line.length <= lineWidth || type.includes("\n")
    ? [line]
    : [`  readonly ${key}?:`, `    | ${type}`, "    | undefined;"];
}

function typeSource(shape: Shape, side: Side): string {
  switch (shape.type) {
    case "scalar":
      return side === "input" ? shape.kind.inputType : shape.kind.outputType;
    case "list": {
      const item = typeSource(shape.item, side);
      const all = `readonly ${item.includes(" | ") ? `(${item})` : item}[]`;
      return shape.orOne && side === "input" ? `${item} | ${all}` : all;
    }
    case "map": {
      const source = mapSource(shape.names, typeSource(shape.value, side));
      return shape.orNames && side === "input" ? `${source} | readonly string[]` : source;
    }
    case "block": {
      if (side === "output") return typeName(shape, side);
      const short = shape.short === undefined ? undefined : shape.fields.get(shape.short);
      const others = [
        ...(short === undefined ? [] : [typeSource(short.shape, side)]),
        ...(shape.shortForm === undefined ? [] : [shape.shortForm.inputType]),
      ];
      return [...others, typeName(shape, side)].join(" | ");
    }
  }
}

function mapSource(names: readonly string[] | undefined, value: string): string {
  if (names === undefined) return `Readonly<Record<string, ${value}>>`;
  return ["{", ...names.map((name) => `    readonly ${name}?: ${value};`), "  }"].join("\n");
}

function fieldDoc(field: Field, side: Side): string[] {
  const sentences = [field.doc];
  if (field.shape.type === "scalar") {
    const { inputNote, outputNote } = field.shape.kind;
    const note = side === "input" ? inputNote : outputNote;
    if (note !== undefined) sentences.push(note);
  }
  if (side === "input" && field.presence === "default" && field.shape.type !== "block") {
    sentences.push(`Default: \`${JSON.stringify(field.defaultValue)}\`.`);
  }
  return sentences;
}

const lineWidth = 100;

/** A doc comment of the sentences: on one line where it fits, else wrapped. */
function docLines(sentences: readonly string[], indent: string): string[] {
  const text = sentences.join(" ");
  const single = `${indent}/** ${text} */`;
  if (single.length <= lineWidth) return [single];
  const lines = [`${indent}/**`];
  let line = `${indent} *`;
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > lineWidth) {
      lines.push(line);
      line = `${indent} *`;
    }
    line += ` ${word}`;
  }
  return [...lines, line, `${indent} */`];
}
