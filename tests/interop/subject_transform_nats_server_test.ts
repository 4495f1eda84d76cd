/**
 * Transforms beside nats-server: the same mappings, the same subjects.
 *
 * A mapping is what nats-server shows of its transforms: what is published to one subject arrives
 * on another.
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { hasWildcard } from "../../src/protocol/subject.ts";
import { SubjectTransform } from "../../src/protocol/subject_transform.ts";
import { RawClient } from "../support/conversation.ts";
import { findNatsServer, startNatsServer } from "../support/nats_server.ts";
import { fromBytes, toBytes } from "../support/wire_text.ts";
import { SEED } from "./side_by_side.ts";

const binary = await findNatsServer("2.15");

/** How many mappings a server gets, how many subjects are published to each, and the servers. */
const MAPPING_COUNT = 400, SUBJECT_COUNT = 12, ATTEMPT_COUNT = 150;

/** What draws; functions that do get a limit of one, so that there is one answer. */
const draw = () => 0;

interface Case {
  readonly source: string;
  readonly destination: string;
  readonly subjects: readonly string[];
}

/** Text of tokens: short and of few characters, so that delimiters and lengths meet. */
const plain = fc.string({
  unit: fc.constantFrom("a", "b", "-", "x"),
  minLength: 1,
  maxLength: 9,
});
const text = fc.oneof(
  plain,
  fc.string({ unit: fc.constantFrom("\xc3", "\xa9", "\xff", "\xe2", "\x82", "z"), minLength: 1 }),
);

const number = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 6 }) },
  { weight: 1, arbitrary: fc.constantFrom(-3, 1000, 0x7fff_ffff) },
);

/** Blanks and capital letters as nats-server allows them. */
function call(name: string, args: fc.Arbitrary<(string | number)[]>): fc.Arbitrary<string> {
  const blank = fc.constantFrom("", "", "", " ", "  ");
  const letters = fc.array(fc.boolean(), { minLength: 3, maxLength: 3 });
  return fc.tuple(args, blank, blank, blank, letters).map(([args, one, two, three, upper]) => {
    let word = 0;
    const spelled = name.replace(
      /(^|_)([a-z])/g,
      (_match, _separator, letter: string) => upper[word++] ? letter.toUpperCase() : letter,
    );
    return `{{${one}${spelled}${two}(${args.join(`,${three}`)})${one}}}`;
  });
}

/** Every function, of wildcards up to `count`. */
function functions(count: number): fc.Arbitrary<string> {
  const index = fc.integer({ min: count === 0 ? 0 : -1, max: count }).map((value) =>
    value === -1 && count > 0 ? 1 : value
  );
  const delimiter = fc.oneof(fc.constantFrom("-", "--", "", "x", "\xc3\xa9"), plain);
  return fc.oneof(
    index.map((index) => `$${index}`),
    call("wildcard", index.map((index) => [index])),
    call("partition", fc.tuple(number, fc.array(index, { maxLength: 3 })).map((all) => all.flat())),
    call("split", fc.tuple(index, delimiter)),
    ...["split_from_left", "split_from_right", "slice_from_left", "slice_from_right"]
      .map((name) => call(name, fc.tuple(index, number))),
    call("left", fc.tuple(index, number)),
    call("right", fc.tuple(index, number)),
    call("random", fc.constantFrom([0], [1], [-1])),
  );
}

/** A mapping whose source begins with a token of its own, so that mappings do not meet. */
function mapping(name: string): fc.Arbitrary<Case> {
  const shape = fc.record({
    pattern: fc.array(fc.constantFrom("*", "*", "k"), { maxLength: 4 }),
    isOpen: fc.boolean(),
  });
  return shape.chain(({ pattern, isOpen }) => {
    const count = pattern.filter((token) => token === "*").length;
    const isLiteral = count === 0 && !isOpen;
    const made = isLiteral
      ? fc.oneof(
        call("partition", fc.tuple(number, fc.constantFrom(1, 0, 2))),
        call("partition", number.map((number) => [number])),
        call("random", fc.constant([1])),
      )
      : functions(count);
    const token = fc.oneof(
      { weight: 3, arbitrary: made },
      { weight: 1, arbitrary: fc.constantFrom("lit", "$JS", "$x", "{{}}", "x{{left(1,2)}}", "$") },
    );
    const tail = fc.array(text, { minLength: 1, maxLength: 3 });
    const subject = fc.tuple(fc.array(text, { minLength: 4, maxLength: 4 }), tail).map((
      [values, tail],
    ) =>
      [
        name,
        ...pattern.map((token, index) => token === "*" ? values[index] as string : token),
        ...isOpen ? tail : [],
      ].join(".")
    );
    const open = isOpen ? [">"] : [];
    return fc.record({
      source: fc.constant([name, ...pattern, ...open].join(".")),
      destination: fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) =>
        [`to_${name}`, ...tokens, ...open].join(".")
      ),
      subjects: fc.array(subject, { minLength: SUBJECT_COUNT, maxLength: SUBJECT_COUNT }),
    });
  });
}

/** Starts a nats-server with mappings and returns where each subject arrives, `null` for nowhere. */
async function arrivals(
  binary: string,
  cases: readonly Case[],
): Promise<(string | null)[]> {
  const mappings = cases.map(({ source, destination }) =>
    `${quoted(source)}: ${quoted(destination)}`
  );
  await using server = await startNatsServer(binary, `mappings: {\n${mappings.join("\n")}\n}\n`);
  using client = await RawClient.connect(server);
  await client.send('CONNECT {"verbose":false,"pedantic":false}\r\nSUB > 1\r\n');
  const subjects = cases.flatMap(({ subjects }) => subjects);
  const publications = subjects.map((subject, index) => {
    const payload = `${index}`;
    return `PUB ${subject} ${payload.length}\r\n${payload}\r\n`;
  });
  const { text } = await client.exchange(publications.join(""));
  const found: (string | null)[] = subjects.map(() => null);
  for (const message of text.matchAll(/MSG (\S+) 1 \d+\r\n(\d+)\r\n/g)) {
    found[Number(message[2])] = message[1] as string;
  }
  return found;
}

/** A byte string as it stands in a configuration. */
function quoted(text: string): string {
  return `"${new TextDecoder().decode(toBytes(text))}"`;
}

/**
 * The literal source that nats-server compares first, if it is one: it has not read the subject
 * then, and takes the partition of nothing. Which of the mappings is first is chance.
 */
function unread(cases: readonly Case[], actual: readonly (string | null)[]): string | undefined {
  return cases.find(({ source, destination }, index) => {
    if (hasWildcard(source)) return false;
    const transform = SubjectTransform.compile(source, destination, "mapping");
    return actual[index * SUBJECT_COUNT] !== expected(transform, source);
  })?.source;
}

/** What the subject is on its way to a subscriber: none has subscriptions to empty tokens. */
function expected(transform: SubjectTransform, subject: string): string | null {
  const made = transform.apply(subject, draw);
  return made === null ? subject : made.split(".").includes("") ? null : made;
}

Deno.test({
  name: `transforms do what nats-server's do (seed ${SEED})`,
  ignore: binary === undefined,
  fn: async () => {
    if (binary === undefined) return;
    const cases = Array.from({ length: MAPPING_COUNT }, (_, index) => {
      const [one] = fc.sample(mapping(`m${index}`), { seed: SEED + index, numRuns: 1 });
      return one as Case;
    });
    const actual = await arrivals(binary, cases);
    const wanted = cases.flatMap(({ source, destination, subjects }) => {
      const transform = SubjectTransform.compile(source, destination, "mapping");
      return subjects.map((subject) => ({
        source,
        destination,
        subject,
        arrives: expected(transform, subject),
      }));
    });
    const differing = wanted.map((one, index) => ({ ...one, natsServer: actual[index] }))
      .filter(({ arrives, natsServer }) => arrives !== natsServer)
      .filter(({ source }) => source !== unread(cases, actual));
    assertEquals(differing.slice(0, 10), [], `${differing.length} of ${wanted.length} differ`);
  },
});

Deno.test({
  name: `what nats-server refuses as a mapping is refused (seed ${SEED})`,
  ignore: binary === undefined,
  fn: async () => {
    if (binary === undefined) return;
    const cases = attempts();
    const folder = await Deno.makeTempDir({ prefix: "mappings-" });
    try {
      // One file with all: nats-server reports every entry that it refuses.
      const file = `${folder}/mappings.conf`;
      const lines = cases.map(([source, destination]) =>
        `${quoted(source)}: ${quoted(destination)}`
      );
      await Deno.writeTextFile(file, `mappings: {\n${lines.join("\n")}\n}\n`);
      const { stderr } = await new Deno.Command(binary, { args: ["-t", "-c", file] }).output();
      const report = fromBytes(stderr);
      const differing = cases.filter(([source, destination]) => {
        const isRefused = report.includes(`Error adding mapping for ${quoted(source)} to `) ||
          report.includes(`Subject ${quoted(source)} is not a valid subject`);
        return isRefused !== refuses(source, destination);
      });
      assertEquals(differing, []);
      const refused = cases.filter(([source, destination]) => refuses(source, destination)).length;
      assertEquals(refused > cases.length / 5 && refused < cases.length * 4 / 5, true);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

function refuses(source: string, destination: string): boolean {
  try {
    SubjectTransform.compile(source, destination, "mapping");
    return false;
  } catch {
    return true;
  }
}

/** Sources with destinations that are wrong half the time. Each source is there once. */
function attempts(): (readonly [source: string, destination: string])[] {
  const argument = fc.constantFrom("1", "2", "0", "-1", "+1", " 1 ", "x", "", "1x", "99999999999");
  const name = fc.constantFrom(
    ...["wildcard", "partition", "split", "splitfromleft", "splitFromRight", "SliceFromLeft"],
    ...["slicefromright", "left", "Right", "random", "WILDCARD", "splitfroMleft", "other"],
  );
  const wrong = fc.tuple(name, fc.array(argument, { maxLength: 3 })).map(([name, args]) =>
    `{{${name}(${args.join(",")})}}`
  );
  const right = fc.constantFrom("{{left(1,2)}}", "{{partition(3,1)}}", "{{split(1,-)}}", "$1");
  const token = fc.oneof(
    right,
    wrong,
    fc.constantFrom("$1", "$2", "lit", "$x", "*", ">", "", "a b", "{{left}}", "{{}}"),
  );
  return Array.from({ length: ATTEMPT_COUNT }, (_, index) => {
    const ending = index % 20 === 0 ? " b" : [".*", "", ".>", ".*.*", ".*.>"][index % 5] as string;
    const open = ending.endsWith(">") ? [">"] : [];
    const destination = fc.array(token, { minLength: 1, maxLength: 2 })
      .map((tokens) => ["to", ...tokens, ...open].join("."));
    const source = `s${index}${ending}`;
    const [made] = fc.sample(destination, { seed: SEED + index, numRuns: 1 });
    return [source, made as string] as const;
  });
}
