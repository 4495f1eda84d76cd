/** What the documentation shows is type-checked and run, as a program that embeds denats has it. */
import { assert, assertEquals } from "@std/assert";
import { loadConfig } from "../../src/config/mod.ts";
import { startBroker } from "../support/broker.ts";
import { MemoryFiles } from "../support/memory_files.ts";

/** How long one example may run, in milliseconds. */
const RUN_LIMIT_MS = 30_000;

const root = new URL("../../", import.meta.url);

/** A block of TypeScript in a page. */
interface Example {
  /** Page, and line of its first line, for people: `README.md:21`. */
  readonly place: string;
  readonly code: string;
}

async function examplesOf(page: string, language = "ts"): Promise<Example[]> {
  const text = await Deno.readTextFile(new URL(page, root));
  const blocks = new RegExp(`^\`\`\`${language}\\b[^\\n]*\\n([^]*?)^\`\`\`$`, "gm");
  return [...text.matchAll(blocks)].map((match) => ({
    place: `${page}:${text.slice(0, match.index).split("\n").length + 1}`,
    code: match[1]!,
  }));
}

/** What an example says it prints, line by line: `console.log(1); // → 1`. */
function promisedLines(code: string): string[] {
  return [...code.matchAll(/\/\/ → (.*)$/gm)].map((match) => match[1]!);
}

/** The configuration of a program that has denats beside it, as the page on embedding has it. */
async function programConfiguration(): Promise<string> {
  const page = await Deno.readTextFile(new URL("docs/embedding.md", root));
  const shown = JSON.parse(/^```json\n([^]*?)^```$/m.exec(page)![1]!);
  assertEquals(shown.links, ["../denats"]);
  const own = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  // The stand-ins for @std too, so that the test does not depend on JSR.
  const folders = [".", ...own.links];
  const links = folders.map((folder) => decodeURIComponent(new URL(folder, root).pathname));
  return JSON.stringify({ ...shown, links });
}

/** Runs the deno command in a folder; its output, and standard error when it failed. */
async function deno(folder: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: folder,
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(RUN_LIMIT_MS),
  }).output();
  const decoder = new TextDecoder();
  assert(success, `deno ${args.join(" ")}:\n${decoder.decode(stderr)}${decoder.decode(stdout)}`);
  return decoder.decode(stdout);
}

Deno.test("the examples of the README and of the page on embedding do what they say", async (test) => {
  const pages = ["README.md", "docs/embedding.md", "docs/cluster.md"];
  const examples = (await Promise.all(pages.map((page) => examplesOf(page)))).flat();
  assert(examples.length >= 8, `only ${examples.length} examples were found`);
  await using broker = await startBroker();
  const folder = await Deno.makeTempDir({ prefix: "denats-examples-" });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  await Deno.writeTextFile(`${folder}/deno.json`, await programConfiguration());
  const files = examples.map((_, at) => `example_${at + 1}.ts`);
  for (const [at, { code }] of examples.entries()) {
    // The port of a broker that is started by hand.
    const runnable = code.replaceAll("localhost:4222", `127.0.0.1:${broker.address.port}`);
    await Deno.writeTextFile(`${folder}/${files[at]}`, runnable);
  }

  await test.step("they type-check", () => deno(folder, "check", ...files).then(() => {}));
  for (const [at, { place, code }] of examples.entries()) {
    await test.step(place, async () => {
      const printed = (await deno(folder, "run", "-A", files[at]!)).split("\n");
      const promised = promisedLines(code);
      assertEquals(printed.filter((line) => promised.includes(line)), promised, printed.join("\n"));
    });
  }
});

Deno.test("every configuration in the documentation is valid", async (test) => {
  const pages = ["README.md"];
  for await (const { name } of Deno.readDir(new URL("docs/", root))) {
    if (name.endsWith(".md")) pages.push(`docs/${name}`);
  }
  const examples = (await Promise.all(pages.map((page) => examplesOf(page, "yaml")))).flat();
  assert(examples.length >= 8, `only ${examples.length} examples were found`);
  for (const { place, code } of examples) {
    await test.step(place, async () => {
      await loadConfig({ text: code, env: () => "from the environment", files: new MemoryFiles() });
    });
  }
});
