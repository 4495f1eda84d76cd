/**
 * Generated permissions, and what a server makes of them.
 *
 * @module
 */
import fc from "fast-check";
import type { PermissionSettings } from "../../src/config/mod.ts";
import { RawClient, type ServerAddress } from "../support/conversation.ts";
import { ReferencePermissions } from "../support/reference_permissions.ts";

/** A user and what is asked in its name. */
export interface MatrixUser {
  /** Its name. */
  readonly user: string;
  /** What it may do. */
  readonly permissions: PermissionSettings;
  /** Subjects that it publishes to. */
  readonly subjects: readonly string[];
  /** Subscriptions that it asks for. */
  readonly subscriptions: readonly { readonly subject: string; readonly queue: string | null }[];
}

/** What a server has said to a user. */
export interface MatrixAnswers {
  /** To its messages, all in one. */
  readonly published: string;
  /** To its subscriptions, all in one. */
  readonly subscribed: string;
  /** By `subject queue`, what each allowed wildcard subscription gets of {@link LITERALS}, sorted. */
  readonly delivered: Readonly<Record<string, readonly string[]>>;
  /** To the answers that it gives to requests, where it may only answer. */
  readonly answered: string;
}

const TOKENS = ["a", "b", "c"] as const;

/** The literal subjects that deliveries are tried with. */
export const LITERALS: readonly string[] = [
  ...TOKENS,
  ...TOKENS.flatMap((one) => TOKENS.map((two) => `${one}.${two}`)),
  ...["a.a.a", "a.a.b", "a.b.c", "b.a.c", "b.b.b", "c.a.b", "c.c.c", "a.b.a.b", "b.c.a.c"],
];

const pattern = fc.tuple(
  fc.array(fc.constantFrom(...TOKENS, "*"), { maxLength: 2 }),
  fc.constantFrom(...TOKENS, "*", ">"),
).map(([tokens, last]) => [...tokens, last].join("."));
const group = fc.constantFrom("q", "r", "v.a", "v.b");
const groupPattern = fc.oneof(group, fc.constantFrom("v.*", "v.>", "*", ">"));
const entry = fc.tuple(pattern, fc.option(groupPattern, { freq: 2 }))
  .map(([subject, queue]) => queue === null ? subject : `${subject} ${queue}`);
const published = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...LITERALS) },
  { weight: 2, arbitrary: pattern },
  { weight: 1, arbitrary: fc.constantFrom("a..b", ".a", "a.", "a.>.b", "a.*.", "*a", "b>") },
);

function list(of: fc.Arbitrary<string>) {
  return fc.uniqueArray(of, { maxLength: 5 });
}

const permissions: fc.Arbitrary<PermissionSettings> = fc.record({
  publish: fc.record({ allow: list(pattern), deny: list(pattern) }),
  subscribe: fc.record({ allow: list(entry), deny: list(entry) }),
  allow_responses: fc.option(
    fc.record({ max: fc.constantFrom(1, 2, 3, -1), expires: fc.constant(60_000) }),
    { nil: undefined, freq: 2 },
  ),
});

/** `count` users; the same ones for the same seed. */
export function generateUsers(seed: number, count: number): MatrixUser[] {
  const one = fc.record({
    permissions,
    subjects: fc.array(published, { minLength: 30, maxLength: 30 }),
    subscriptions: fc.array(
      fc.record({ subject: pattern, queue: fc.option(group, { freq: 1 }) }),
      { minLength: 30, maxLength: 30 },
    ),
  });
  return fc.sample(one, { seed, numRuns: count }).map((each, i) => ({ ...each, user: `u${i}` }));
}

/** The users as a configuration file, which is JSON and so both servers' format. */
export function matrixConfig(users: readonly MatrixUser[]) {
  return {
    authorization: {
      users: [
        { user: "full", password: "x" },
        ...users.map(({ user, permissions: { publish, subscribe, allow_responses } }) => ({
          user,
          password: "x",
          permissions: {
            ...(isEmpty(publish) ? {} : { publish }),
            ...(isEmpty(subscribe) ? {} : { subscribe }),
            ...(allow_responses === undefined
              ? {}
              : { allow_responses: { max: allow_responses.max, expires: "1m" } }),
          },
        })),
      ],
    },
  };
}

/** nats-server takes an empty list for none, but a block without any for a mistake. */
function isEmpty(lists: PermissionSettings["publish"]): boolean {
  return (lists?.allow?.length ?? 0) + (lists?.deny?.length ?? 0) === 0;
}

/** Asks a server all that there is to ask. */
export async function askServer(
  server: ServerAddress,
  users: readonly MatrixUser[],
): Promise<Map<string, MatrixAnswers>> {
  using full = await connect(server, "full");
  const answers = new Map<string, MatrixAnswers>();
  for (const user of users) answers.set(user.user, await askUser(server, full, user));
  return answers;
}

async function askUser(
  server: ServerAddress,
  full: RawClient,
  { user, permissions, subjects, subscriptions }: MatrixUser,
): Promise<MatrixAnswers> {
  using client = await connect(server, user);
  const published = await exchange(client, subjects.map((one) => `PUB ${one} 0\r\n\r\n`).join(""));
  // An UNSUB behind each: what is allowed to one must not depend on another.
  const subscribed = await exchange(
    client,
    subscriptions.map((one, i) => `${subscribe(one, i)}UNSUB ${i}\r\n`).join(""),
  );
  const reference = new ReferencePermissions(permissions);
  const delivered: Record<string, readonly string[]> = {};
  const wide = subscriptions.filter(({ subject, queue }) =>
    /[*>]/.test(subject) && reference.maySubscribe(subject, queue)
  ).slice(0, 12);
  for (const one of wide) {
    await exchange(client, subscribe(one, 1));
    await exchange(full, LITERALS.map((literal) => `PUB ${literal} 0\r\n\r\n`).join(""));
    const received = await exchange(client, "UNSUB 1\r\n");
    delivered[`${one.subject} ${one.queue ?? "-"}`] = [...received.matchAll(/^MSG (\S+) 1 /gm)]
      .map(([, subject]) => subject!).sort();
  }
  return {
    published,
    subscribed,
    delivered,
    answered: await askToAnswer(client, full, permissions),
  };
}

/** Has a user asked twice, and lets it answer each more often than it may. */
async function askToAnswer(
  client: RawClient,
  full: RawClient,
  { allow_responses }: PermissionSettings,
): Promise<string> {
  if (allow_responses === undefined) return "";
  const refusals = await exchange(client, LITERALS.map((one, i) => `SUB ${one} ${i}\r\n`).join(""));
  const asked = LITERALS.find((one) => !refusals.includes(`"${one}"`));
  if (asked === undefined) return "";
  await exchange(full, `PUB ${asked} reply.1 0\r\n\r\nPUB ${asked} reply.2 0\r\n\r\n`);
  await exchange(client, "");
  return await exchange(
    client,
    ["reply.1", "reply.3", "reply.2", "reply.1", "reply.1", "reply.2", "reply.1"]
      .map((reply) => `PUB ${reply} 0\r\n\r\n`).join(""),
  );
}

function subscribe(one: { subject: string; queue: string | null }, sid: number): string {
  return `SUB ${one.subject} ${one.queue === null ? "" : `${one.queue} `}${sid}\r\n`;
}

async function connect(server: ServerAddress, user: string): Promise<RawClient> {
  const client = await RawClient.connect(server);
  const options = { verbose: false, pedantic: false, protocol: 0, user, pass: "x" };
  await client.send(`CONNECT ${JSON.stringify(options)}\r\n`);
  await exchange(client, "");
  return client;
}

/** Sends `text` and a PING; what comes before its PONG. */
async function exchange(client: RawClient, text: string): Promise<string> {
  await client.send(`${text}PING\r\n`);
  await client.receiveUntil((received) => received.endsWith("PONG\r\n"));
  return client.take();
}
