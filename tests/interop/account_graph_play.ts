/**
 * Plays a graph of accounts to one server or to two of a cluster, and tells what each client got.
 *
 * Nothing sleeps. After every step a message goes from each client of every account to the other
 * one, behind everything that the step caused; on the way back of answers the same again.
 *
 * @module
 */
import { RawClient, type ServerAddress } from "../support/conversation.ts";
import { splitFrames } from "../support/server_frames.ts";
import { escape } from "../support/wire_text.ts";
import { CLIENTS_PER_ACCOUNT, type Graph, type Step, type Subscribe } from "./account_graph.ts";

/** What the clients got in one step, ready to be compared. */
export interface Receipts {
  /** By client: deliveries and errors. Those of different publishers are sorted. */
  readonly clients: readonly (readonly string[])[];
  /** By queue group, whoever of it got them. */
  readonly queues: Readonly<Record<string, readonly string[]>>;
}

/** The player's own sids. */
const INBOX_SID = 1, FENCE_SID = 2;

/** How long interest may take to reach the other server, in milliseconds. */
const SETTLE_LIMIT_MS = 8000;

/** How often a message is repeated until the other server knows whom it is for, in milliseconds. */
const RETRY_MS = 5;

/** Plays `graph`; the clients of an account are at the servers in turn. The first are its opening's. */
export async function playGraph(
  graph: Graph,
  servers: readonly ServerAddress[],
): Promise<Receipts[]> {
  using player = new Player(graph);
  await player.connect(servers);
  return await player.play();
}

class Player implements Disposable {
  readonly #graph: Graph;
  readonly #clients: GraphClient[] = [];
  #fenceNumber = 0;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  async connect(servers: readonly ServerAddress[]): Promise<void> {
    const count = this.#graph.accounts.length * CLIENTS_PER_ACCOUNT;
    for (let number = 0; number < count; number++) {
      const { name } = this.#graph.accounts[Math.floor(number / CLIENTS_PER_ACCOUNT)]!;
      const server = servers[number % servers.length]!;
      this.#clients.push(await GraphClient.connect(server, name, number));
    }
  }

  async play(): Promise<Receipts[]> {
    await this.#settle();
    for (const step of this.#graph.opening) await this.#do(step, 0);
    await this.#settle();
    const receipts = [await this.#collect("opening")];
    for (const [index, step] of this.#graph.steps.entries()) {
      await this.#do(step, index);
      if (step.kind !== "publish") await this.#settle();
      receipts.push(await this.#collect(`${index}`));
    }
    return receipts;
  }

  async #do(step: Step, index: number): Promise<void> {
    const client = this.#clients[step.client]!;
    switch (step.kind) {
      case "subscribe": {
        const limit = step.limit === 0 ? "" : `UNSUB ${step.sid} ${step.limit}\r\n`;
        const queue = step.queue === undefined ? "" : ` ${step.queue}`;
        client.subscriptions.set(step.sid, step);
        await client.raw.send(`SUB ${step.subject}${queue} ${step.sid}\r\n${limit}`);
        break;
      }
      case "unsubscribe":
        await client.raw.send(`UNSUB ${step.sid}\r\n`);
        break;
      case "publish": {
        let text = "";
        for (let number = 0; number < step.count; number++) {
          const reply = step.asks ? ` inbox.${step.client}.${index}` : "";
          text += publication(step.subject + reply, `m${index}.${number}`, step.headers);
        }
        await client.raw.send(text);
      }
    }
    await client.answered();
  }

  /** What everybody got since the last time, answers included. */
  async #collect(label: string): Promise<Receipts> {
    const receipts = this.#clients.map((): Delivery[] => []);
    const gather = async () => {
      await this.#fence();
      const gathered = await Promise.all(this.#clients.map((client) => client.take()));
      gathered.forEach((some, index) => receipts[index]!.push(...some));
      return gathered;
    };
    // Which of a client's subscriptions gets a message first differs.
    const asked = (await gather()).map((some) => some.sort((a, b) => a.sid - b.sid));
    // One after the other, because the first answer may be the only one that counts; members of a
    // queue group last, because who of them it is differs.
    for (const queue of [undefined, ...this.#queues()]) {
      for (const [index, client] of this.#clients.entries()) {
        const answers = asked[index]!.map((one) => client.answers(one, queue, label)).join("");
        if (answers === "") continue;
        await client.raw.send(answers);
        await gather();
      }
    }
    return this.#receipts(receipts);
  }

  #queues(): string[] {
    return ["all", ...this.#graph.accounts.map(({ name }) => `${name}.q`)];
  }

  #receipts(deliveries: readonly (readonly Delivery[])[]): Receipts {
    // In one order, whoever is served first.
    const queues = Object.fromEntries(
      this.#queues().map((queue): [string, string[]] => [queue, []]),
    );
    const clients = deliveries.map((some, index) => {
      const own: Delivery[] = [];
      for (const one of some) {
        const queue = this.#clients[index]!.subscriptions.get(one.sid)?.queue;
        if (queue === undefined) own.push(one);
        else queues[queue]!.push(`${one.headers} ${one.payload}`);
      }
      return inOrder(own);
    });
    for (const all of Object.values(queues)) all.sort();
    return { clients, queues };
  }

  /** Waits until everything that was caused so far has arrived. */
  async #fence(): Promise<void> {
    const number = ++this.#fenceNumber;
    await Promise.all(this.#clients.map((client) => client.answered()));
    await Promise.all(this.#clients.map(async (client, index) => {
      await client.raw.send(publication(`fence.${number}.${index}`, "", []));
      const other = this.#clients[index ^ 1]!;
      await other.received(`fence.${number}.${index} `);
    }));
    await Promise.all(this.#clients.map((client) => client.answered()));
  }

  /** Waits until both servers know what clients of the other one have subscribed to. */
  async #settle(): Promise<void> {
    const number = ++this.#fenceNumber;
    await Promise.all(this.#clients.map(async (client, index) => {
      const subject = `settle.${number}.${index}`, sid = `${number}00${index}`;
      await client.raw.send(`SUB ${subject} ${sid}\r\n`);
      await client.answered();
      const other = this.#clients[index ^ 1]!;
      const end = performance.now() + SETTLE_LIMIT_MS;
      let arrived = false;
      const arrival = client.received(`${subject} ${sid} `).then(() => {
        arrived = true;
      });
      arrival.catch(() => {}); // awaited below
      while (!arrived) {
        if (performance.now() > end) throw new Error(`${subject} does not arrive`);
        await other.raw.send(publication(subject, "", []));
        await Promise.race([arrival, pause(RETRY_MS)]);
      }
      await arrival;
      await client.raw.send(`UNSUB ${sid}\r\n`);
    }));
    await this.#fence();
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.raw[Symbol.dispose]();
  }
}

/** One message or error that a client got. */
interface Delivery {
  /** -1 for what is no message. */
  readonly sid: number;
  /** The subject to answer on; empty for none. */
  readonly reply: string;
  readonly headers: string;
  readonly payload: string;
  /** Who may have sent it: messages of one publisher arrive in order. */
  readonly publisher: string;
  /** In a form that two servers must share. */
  readonly text: string;
}

/** A raw connection of an account's user. */
class GraphClient {
  readonly raw: RawClient;
  readonly subscriptions = new Map<number, Subscribe>();
  readonly #number: number;
  /** How many PONGs have been asked for since {@link take}. */
  #pongCount = 0;

  private constructor(raw: RawClient, number: number) {
    this.raw = raw;
    this.#number = number;
  }

  static async connect(
    server: ServerAddress,
    account: string,
    number: number,
  ): Promise<GraphClient> {
    const client = new GraphClient(await RawClient.connect(server), number);
    await client.raw.receiveLine();
    const options = {
      verbose: false,
      pedantic: false,
      headers: true,
      no_responders: true,
      protocol: 1,
      user: account,
      pass: "secret",
      name: `client ${number}`,
      lang: "raw",
      version: "1.2",
    };
    await client.raw.send(
      `CONNECT ${JSON.stringify(options)}\r\n` +
        `SUB inbox.${number}.* ${INBOX_SID}\r\nSUB fence.*.* ${FENCE_SID}\r\n`,
    );
    await client.answered();
    await client.take();
    return client;
  }

  /** Waits until the server has read everything and everything for the client has come. */
  async answered(): Promise<void> {
    const wanted = ++this.#pongCount;
    await this.raw.send("PING\r\n");
    await this.raw.receiveUntil((received) => received.split("PONG\r\n").length > wanted);
    if (this.raw.closedByServer) throw new Error(`closed after ${escape(this.raw.received)}`);
  }

  /** Waits until `text` has come. */
  async received(text: string): Promise<void> {
    await this.raw.receiveUntil((received) => received.includes(text));
    if (this.raw.closedByServer) throw new Error(`closed after ${escape(this.raw.received)}`);
  }

  /** What has come since the last time, without what the player itself sent. */
  take(): Delivery[] {
    this.#pongCount = 0;
    return splitFrames(this.raw.take()).map(parseFrame).filter((one) => one !== null);
  }

  /** The answers to a request that a subscription with this queue group got; empty for none. */
  answers(request: Delivery, queue: string | undefined, label: string): string {
    const subscription = this.subscriptions.get(request.sid);
    if (request.reply === "" || subscription === undefined) return "";
    if (subscription.queue !== queue) return "";
    let text = "";
    for (let number = 1; number <= subscription.answerCount; number++) {
      const isEnd = number > 1 && number === subscription.answerCount;
      const payload = `r${label}.${queue ?? this.#number}.${number}`;
      text += publication(request.reply, isEnd ? "" : payload, []);
    }
    return text;
  }
}

/**
 * Deliveries by subscription and publisher. Within these the order stays, but that of one message
 * that came in several ways.
 */
function inOrder(deliveries: readonly Delivery[]): string[] {
  const sorted = deliveries.map((one, place) => ({ one, place })).sort((a, b) =>
    a.one.sid - b.one.sid || compare(a.one.publisher, b.one.publisher) || a.place - b.place
  );
  const texts: string[] = [];
  for (let start = 0, end = 0; start < sorted.length; start = end) {
    const { sid, publisher, payload } = sorted[start]!.one;
    const isSame = (other: Delivery | undefined) =>
      other?.sid === sid && other.publisher === publisher && other.payload === payload;
    while (isSame(sorted[end]?.one)) end++;
    texts.push(...sorted.slice(start, end).map(({ one }) => one.text).sort());
  }
  return texts;
}

function publication(subject: string, payload: string, headers: readonly string[]): string {
  if (headers.length === 0) return `PUB ${subject} ${payload.length}\r\n${payload}\r\n`;
  const block = `NATS/1.0\r\n${headers.map((line) => `${line}\r\n`).join("")}\r\n`;
  return `HPUB ${subject} ${block.length} ${
    block.length + payload.length
  }\r\n${block}${payload}\r\n`;
}

/** A frame in comparable form; `null` for what is the player's own. */
function parseFrame(frame: string): Delivery | null {
  const match = /^(H?)MSG (\S+) (\d+) [^\r]*\r\n([^]*)\r\n$/.exec(frame);
  if (match === null) {
    if (frame === "PONG\r\n" || frame === "PING\r\n" || frame.startsWith("INFO ")) return null;
    return { sid: -1, reply: "", headers: "", payload: "", publisher: "", text: escape(frame) };
  }
  const hasHeaders = match[1] === "H", subject = match[2] as string, sid = match[3] as string;
  if (/^(?:fence|settle)\./.test(subject)) return null;
  const numbers = frame.slice(0, frame.indexOf("\r\n")).split(" ").slice(3);
  const body = match[4] as string;
  const reply = numbers.length > (hasHeaders ? 2 : 1) ? numbers[0] as string : "";
  const headerSize = hasHeaders ? Number(numbers.at(-2)) : 0;
  const headers = body.slice(0, headerSize).split("\r\n").map(maskHeader).join("|");
  const payload = body.slice(headerSize);
  return {
    sid: Number(sid),
    reply,
    headers,
    payload,
    publisher: payload.startsWith("r") ? payload.split(".")[1] ?? "" : "",
    text: escape(`${sid} ${maskSubject(subject)} ${maskSubject(reply)} ${headers} ${payload}`),
  };
}

/** Replies through services have names by chance. */
function maskSubject(subject: string): string {
  return subject.replace(/^_R_\.\S+$/, "_R_");
}

/** What differs from time to time and from connection to connection is only there or not. */
function maskHeader(line: string): string {
  const match = /^(Nats-Request-Info: )(\{.*\})$/.exec(line);
  if (match === null) return line;
  const info = JSON.parse(match[2] as string) as Record<string, unknown>;
  delete info["rtt"];
  for (const key of ["start", "id"]) if (key in info) info[key] = "some";
  return match[1] + JSON.stringify(Object.entries(info).sort(([a], [b]) => compare(a, b)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
