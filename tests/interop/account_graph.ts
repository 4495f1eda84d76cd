/**
 * Seeded graphs of accounts that export and import, with what their clients do.
 *
 * A graph is a configuration and a script. Names, patterns and payloads are few and short, so that
 * exports, imports, mappings and subscriptions meet.
 *
 * @module
 */
import type { Random } from "../../src/platform/mod.ts";
import { destinationPattern, numberWildcards } from "../../src/protocol/mod.ts";

/** What an account lets others have, as in the configuration. */
export interface GraphExport {
  readonly stream?: string;
  readonly service?: string;
  readonly accounts?: readonly string[];
  readonly response_type?: "singleton" | "stream" | "chunked";
  readonly account_token_position?: number;
}

/** What an account takes, as in the configuration. */
export interface GraphImport {
  readonly stream?: { readonly account: string; readonly subject: string };
  readonly service?: { readonly account: string; readonly subject: string };
  readonly to?: string;
  readonly prefix?: string;
  readonly share?: boolean;
}

/** An account of a graph, with one user of its name. */
export interface GraphAccount {
  readonly name: string;
  readonly exports: GraphExport[];
  readonly imports: GraphImport[];
  readonly mappings: Record<string, string>;
}

/** A subscription and how its owner answers what it gets with a reply. */
export interface Subscribe {
  readonly kind: "subscribe";
  /** Number of the client. */
  readonly client: number;
  readonly sid: number;
  readonly subject: string;
  readonly queue: string | undefined;
  /** How many answers a request gets; the last one is empty where there are several. */
  readonly answerCount: number;
  /** After how many messages it ends; 0 for never. */
  readonly limit: number;
}

/** One thing that a client does. */
export type Step =
  | Subscribe
  | { readonly kind: "unsubscribe"; readonly client: number; readonly sid: number }
  | {
    readonly kind: "publish";
    readonly client: number;
    readonly subject: string;
    /** Whether an inbox of the client waits for answers. */
    readonly asks: boolean;
    /** Lines of headers, without line ends. */
    readonly headers: readonly string[];
    /** How many messages follow each other. */
    readonly count: number;
  };

/** Accounts, two clients of each (2n and 2n + 1 of account n), and a script. */
export interface Graph {
  readonly number: number;
  readonly accounts: readonly GraphAccount[];
  /** Subscriptions that exist before the rest begins. */
  readonly opening: readonly Subscribe[];
  readonly steps: readonly Step[];
}

/** How many clients there are of each account; one for each server of two. */
export const CLIENTS_PER_ACCOUNT = 2;

/** First sid of a script; smaller ones are the player's own. */
const FIRST_SID = 10;

/** Makes the graph of a number. Whether nats-server accepts its imports is for it to say. */
export function generateGraph(number: number, random: Random): Graph {
  return new Generator(number, random).graph();
}

class Generator {
  readonly #number: number;
  readonly #random: Random;
  readonly #accounts: GraphAccount[];
  /** How often an account's queue groups answer, so that it does not matter who is chosen. */
  readonly #queueAnswers: number;
  #nextSid = FIRST_SID;

  constructor(number: number, random: Random) {
    this.#number = number;
    this.#random = random;
    this.#accounts = Array.from({ length: 3 + random.below(3) }, (_, index) => ({
      name: `g${number}${"abcde"[index]}`,
      exports: [],
      imports: [],
      mappings: {},
    }));
    this.#queueAnswers = 1 + random.below(2);
  }

  graph(): Graph {
    for (const account of this.#accounts) this.#addExports(account);
    for (const account of this.#accounts) this.#addImports(account);
    for (const account of this.#accounts) this.#addMappings(account);
    const clients = this.#accounts.length * CLIENTS_PER_ACCOUNT;
    const opening = Array.from({ length: clients }, (_, client) => client)
      .flatMap((client) => this.#times(1, 4, () => this.#subscribe(client)));
    const steps: Step[] = [];
    const live = opening.filter(({ limit }) => limit === 0);
    for (let count = 0; count < 14; count++) {
      const client = this.#random.below(clients);
      if (this.#chance(12)) {
        steps.push(this.#subscribe(client));
      } else if (this.#chance(10) && live.length > 0) {
        const [gone] = live.splice(this.#random.below(live.length), 1);
        steps.push({ kind: "unsubscribe", client: gone!.client, sid: gone!.sid });
      } else {
        steps.push(this.#publish(client));
      }
    }
    return { number: this.#number, accounts: this.#accounts, opening, steps };
  }

  #addExports(account: GraphAccount): void {
    const others = this.#accounts.filter((other) => other !== account).map(({ name }) => name);
    for (const index of this.#times(1, 3, (index) => index)) {
      const kind = this.#chance(50) ? "stream" : "service";
      // Sometimes one subject is both.
      const tokens = [
        `${this.#chance(15) ? "t" : kind[1]}${index}`,
        ...this.#times(0, 2, () => this.#pick("a", "b", "*", "*")),
      ];
      if (this.#chance(30)) tokens.push(">");
      const position = tokens.indexOf("*") + 1;
      const chosen = others.filter(() => this.#chance(70));
      const isPrivate = chosen.length > 0 && this.#chance(30);
      account.exports.push({
        [kind]: tokens.join("."),
        ...(isPrivate ? { accounts: chosen } : {}),
        ...(kind === "service"
          ? { response_type: this.#pick("singleton", "singleton", "stream", "chunked") }
          : {}),
        ...(!isPrivate && position > 0 && this.#chance(20)
          ? { account_token_position: position }
          : {}),
      });
    }
  }

  #addImports(account: GraphAccount): void {
    // From earlier accounts only: of a cycle nats-server itself notices some, by chance.
    const earlier = this.#accounts.slice(0, this.#accounts.indexOf(account));
    const offers = earlier.flatMap((exporter) =>
      exporter.exports.filter(({ accounts }) => accounts?.includes(account.name) ?? true)
        .map((offer) => ({ exporter, offer }))
    );
    if (offers.length === 0) return;
    for (const index of this.#times(1, 4, (index) => index)) {
      const { exporter, offer } = this.#pick(...offers);
      const kind = offer.stream === undefined ? "service" : "stream";
      const subject = this.#narrowed((offer[kind])!, offer.account_token_position, account.name);
      // Which of two imports of one subject shares is chance in nats-server.
      const same = account.imports.filter(({ service }) =>
        service?.account === exporter.name && service.subject === subject
      );
      if (same.some(({ share }) => share)) continue;
      const sharing = same.length === 0 && this.#chance(30);
      const remap = this.#remap(subject, kind, `${kind[1]}x${index}`);
      account.imports.push({
        [kind]: { account: exporter.name, subject },
        ...remap,
        ...(kind === "service" && sharing ? { share: true } : {}),
      });
      // Others may import what was imported.
      if (this.#chance(35)) {
        const local = localPattern(account.imports.at(-1)!);
        if (account.exports.every((one) => one[kind] !== local)) {
          account.exports.push({ [kind]: local });
        }
      }
    }
  }

  /** A subject that an import of an export may name. */
  #narrowed(pattern: string, position: number | undefined, importer: string): string {
    return pattern.split(".").map((token, index) => {
      if (index + 1 === position) return importer;
      if (token === "*") return this.#chance(40) ? this.#pick("a", "b") : token;
      if (token === ">") return this.#chance(40) ? this.#pick("a", "a.b", "*", "*.>") : token;
      return token;
    }).join(".");
  }

  /** What the subject is called here. */
  #remap(subject: string, kind: "stream" | "service", name: string): Partial<GraphImport> {
    if (this.#chance(30)) return {};
    if (kind === "stream" && this.#chance(40)) return { prefix: this.#pick("p", "p.q") };
    const numbered = numberWildcards(subject).split(".");
    const references = numbered.filter((token) => token.startsWith("$"));
    if (this.#chance(50)) references.reverse();
    const tail = numbered.at(-1) === ">" ? [">"] : [];
    const middle = this.#chance(30) ? ["k"] : [];
    const to = [name, ...references, ...middle, ...tail].join(".");
    // Wildcards may also be given by their order.
    return { to: this.#chance(30) && references.length < 2 ? destinationPattern(to) : to };
  }

  #addMappings(account: GraphAccount): void {
    for (const index of this.#times(0, 2, (index) => index)) {
      const known = this.#knownPatterns(account);
      const target = this.#pick(...known, "m.*", "other");
      // Sometimes away from a subject that matters.
      const source = this.#chance(25)
        ? this.#pick(...known, "zz.*")
        : target.includes(">")
        ? `m${index}.>`
        : `m${index}${".*".repeat(countWildcards(target))}`;
      const open = source.endsWith(">");
      let reference = 0;
      const count = countWildcards(source);
      const destination = target.split(".").filter((token) => token !== ">").map((token) =>
        token !== "*" ? token : ++reference <= count ? `$${reference}` : "a"
      );
      if (open) destination.push(">");
      if (account.mappings[source] === undefined) {
        account.mappings[source] = destination.join(".");
      }
    }
  }

  /** Patterns that mean something in an account. */
  #knownPatterns(account: GraphAccount): string[] {
    return [
      ...account.exports.map((one) => (one.stream ?? one.service)!),
      ...account.imports.map(localPattern),
      ...Object.keys(account.mappings),
    ];
  }

  #subscribe(client: number): Subscribe {
    const account = this.#accounts[Math.floor(client / CLIENTS_PER_ACCOUNT)]!;
    const pattern = this.#pick(...this.#knownPatterns(account));
    const subject = this.#chance(4) ? ">" : this.#varied(pattern);
    // What also gets messages of the player itself would end at any time. And nats-server takes an
    // answer's queue groups in the exporting account for those in the importing one.
    const isOwn = !/^[*>]/.test(subject);
    // Members of several accounts, who do not answer, share a group where one imports a stream.
    const isShared = this.#chance(15);
    const queue = isOwn && this.#chance(35) ? isShared ? "all" : `${account.name}.q` : undefined;
    // nats-server forgets limits where a stream is imported.
    const mayEnd = queue === undefined && isOwn && account.imports.every(({ stream }) => !stream);
    return {
      kind: "subscribe",
      client,
      sid: this.#nextSid++,
      subject,
      queue,
      answerCount: queue === undefined
        ? this.#pick(0, 1, 1, 1, 2, 3)
        : isShared
        ? 0
        : this.#queueAnswers,
      limit: mayEnd && this.#chance(15) ? 1 + this.#random.below(2) : 0,
    };
  }

  /** A subject narrower or wider than `pattern`. */
  #varied(pattern: string): string {
    const tokens = pattern.split(".");
    const varied = tokens.map((token) => {
      if (token === ">") return this.#chance(30) ? this.#pick("a", "*", "a.b", "a.>") : token;
      if (token === "*") return this.#chance(25) ? this.#pick("a", "b") : token;
      return this.#chance(10) ? "*" : token;
    });
    if (tokens.length > 1 && this.#chance(10)) varied.splice(1, varied.length, ">");
    return varied.join(".");
  }

  #publish(client: number): Step {
    const account = this.#accounts[Math.floor(client / CLIENTS_PER_ACCOUNT)]!;
    const pattern = this.#pick(...this.#knownPatterns(account));
    const subject = pattern.split(".").map((token) => {
      if (token === "*") return this.#pick("a", "a", "b", "zz", account.name);
      return token === ">" ? this.#pick("a", "b", "a.b") : token;
    }).join(".");
    const headers = this.#chance(25) ? ["X-Number: 1"] : [];
    if (this.#chance(8)) headers.push('Nats-Request-Info: {"acc":"forged","rtt":1}');
    return {
      kind: "publish",
      client,
      subject,
      asks: this.#chance(60),
      headers,
      count: this.#chance(20) ? 3 : 1,
    };
  }

  #chance(percent: number): boolean {
    return this.#random.below(100) < percent;
  }

  #pick<T>(...values: readonly T[]): T {
    return values[this.#random.below(values.length)]!;
  }

  #times<T>(least: number, most: number, make: (index: number) => T): T[] {
    return Array.from(
      { length: least + this.#random.below(most - least + 1) },
      (_, index) => make(index),
    );
  }
}

/** The subjects under which an import is known to the importer. */
export function localPattern(one: GraphImport): string {
  const subject = (one.stream ?? one.service)!.subject;
  if (one.prefix !== undefined) return `${one.prefix}.${subject}`;
  return one.to === undefined ? subject : destinationPattern(one.to);
}

function countWildcards(pattern: string): number {
  return pattern.split(".").filter((token) => token === "*").length;
}

/** The `accounts` of a configuration that has these graphs. */
export function accountsOf(graphs: readonly Graph[]): Record<string, unknown> {
  return Object.fromEntries(
    graphs.flatMap(({ accounts }) => accounts).map(({ name, exports, imports, mappings }) => [
      name,
      { users: [{ user: name, password: "secret" }], exports, imports, mappings },
    ]),
  );
}

/** A graph in readable form. */
export function describeGraph(graph: Graph): string {
  return [
    `== graph ${graph.number}`,
    ...graph.accounts.flatMap(({ name, exports, imports, mappings }) => [
      `   account ${name}`,
      ...exports.map((one) => `     export ${JSON.stringify(one)}`),
      ...imports.map((one) => `     import ${JSON.stringify(one)}`),
      ...Object.entries(mappings).map(([from, to]) => `     mapping ${from} -> ${to}`),
    ]),
    ...graph.opening.map((step) => `   first: ${describeStep(graph, step)}`),
    ...graph.steps.map((step, index) => `   ${index}: ${describeStep(graph, step)}`),
  ].join("\n");
}

/** A step in readable form. */
export function describeStep(graph: Graph, step: Step): string {
  const account = graph.accounts[Math.floor(step.client / CLIENTS_PER_ACCOUNT)]!.name;
  const who = `client ${step.client} (${account})`;
  if (step.kind === "unsubscribe") return `${who} UNSUB ${step.sid}`;
  if (step.kind === "publish") {
    const { subject, asks, headers, count } = step;
    return `${who} PUB ${subject}${asks ? " with a reply" : ""} ${headers.join(", ")} x${count}`;
  }
  const { subject, queue = "", sid, answerCount, limit } = step;
  return `${who} SUB ${subject} ${queue} ${sid}, ${answerCount} answers, limit ${limit}`;
}
