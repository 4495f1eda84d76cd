/**
 * All accounts of a server, and what ties them together.
 *
 * @module
 */
import type { AccountDefinition, ImportDefinition, LatencySettings } from "../config/mod.ts";
import {
  destinationPattern,
  encodeByteString,
  hasWildcard,
  isValidSubscriptionSubject,
  numberWildcards,
  subjectCovers,
  SubjectMapping,
  SubjectTransform,
  TransformError,
} from "../protocol/mod.ts";
import { Account, type AccountOptions } from "./account.ts";
import type { ServerNames } from "./request_info.ts";
import { ServiceImport } from "./service_import.ts";
import type { StreamImport } from "./stream_import.ts";

/** In which an exporter is expected to answer where it says nothing else, in milliseconds. */
const DEFAULT_THRESHOLD_MS = 120_000;
/** Requests to JetStream, which other servers of the cluster have. */
const JETSTREAM_API = "$JS.API.>";

/** What a directory of accounts takes from its surroundings. */
export interface AccountDirectoryOptions extends AccountOptions {
  /** The name of the system account; null where there is none. */
  readonly systemAccount: string | null;
  /** Whether other servers may have JetStream, which is asked through the system account. */
  readonly jetStreamElsewhere: boolean;
  /** Names of this server and its cluster. */
  readonly server: () => ServerNames;
  /** Is told of an import that cannot be, in words. */
  readonly onProblem: (account: string, problem: string) => void;
}

/** One export that an import may refer to. */
type Export = NonNullable<AccountDefinition["exports"]>[number];

/**
 * The accounts by name. There may be very many, of which few are in use: an account is made when it is first
 * asked for.
 */
export class AccountDirectory {
  #options: AccountDirectoryOptions;
  readonly #definitions = new Map<string, AccountDefinition>();
  readonly #accounts = new Map<string, Account>();
  #limited = false;
  readonly #onCreated: ((account: Account) => void)[] = [];
  /** Whether an import with a token is allowed; there are none where nobody can say so. */
  activates: (importer: string, definition: ImportDefinition, exported: Export) => boolean = () =>
    false;
  /** Whether there may be accounts that nobody has told of yet. */
  isOpen: (name: string) => boolean = () => false;

  /** The accounts of a configuration. */
  constructor(
    definitions: Iterable<readonly [string, AccountDefinition]>,
    options: AccountDirectoryOptions,
  ) {
    this.#options = options;
    for (const [name, definition] of definitions) this.#set(name, definition);
    if (options.systemAccount !== null && !this.#definitions.has(options.systemAccount)) {
      this.#definitions.set(options.systemAccount, {});
    }
  }

  /** The name of the system account; null where there is none. */
  get systemAccount(): string | null {
    return this.#options.systemAccount;
  }

  /** Whether an account has a limit of connections, which other servers have to do with. */
  get limitsConnections(): boolean {
    return this.#limited;
  }

  /** How many accounts are in use. */
  get size(): number {
    return this.#accounts.size;
  }

  /** Whether there is an account of a name. */
  has(name: string): boolean {
    return this.#definitions.has(name) || this.isOpen(name);
  }

  /** The account of a name, made where it is asked for the first time. */
  get(name: string): Account | undefined {
    const known = this.#accounts.get(name);
    if (known !== undefined || !this.has(name)) return known;
    const account = new Account(name, this.#options);
    this.#accounts.set(name, account);
    for (const listener of this.#onCreated) listener(account);
    this.#define(account);
    return account;
  }

  /** The account of a name if it is in use; it is not made. */
  inUse(name: string): Account | undefined {
    return this.#accounts.get(name);
  }

  /** The accounts that are in use. */
  [Symbol.iterator](): IterableIterator<[string, Account]> {
    return this.#accounts.entries();
  }

  /** Calls `listener` with every account that is made, and with those there are. */
  onCreated(listener: (account: Account) => void): void {
    this.#onCreated.push(listener);
    for (const account of this.#accounts.values()) listener(account);
  }

  /**
   * Adds accounts, or changes them. Whoever imports from them is connected anew. What is undefined is
   * removed; where it was in use it stays, without imports and exports, for what other servers have told
   * of it would be missed if it came back.
   */
  update(changes: Iterable<readonly [string, AccountDefinition | undefined]>): void {
    const changed = new Set<string>();
    for (const [name, definition] of changes) {
      changed.add(name);
      if (definition !== undefined) this.#set(name, definition);
      else this.#definitions.delete(name);
    }
    for (const [name, account] of this.#accounts) {
      const imports = this.#definitions.get(name)?.imports ?? [];
      const isConcerned = changed.has(name) ||
        imports.some((each) => changed.has((each.stream ?? each.service)!.account));
      if (isConcerned) this.#define(account);
    }
  }

  /** Drops messages and makes publishers wait at other levels from now on, in all accounts. */
  setFlow({ dropAbove, pressAbove }: Pick<AccountOptions, "dropAbove" | "pressAbove">): void {
    this.#options = { ...this.#options, dropAbove, pressAbove };
    for (const account of this.#accounts.values()) account.setFlow(this.#options);
  }

  #set(name: string, definition: AccountDefinition): void {
    this.#definitions.set(name, definition);
    if ((definition.limits?.max_connections ?? -1) >= 0) this.#limited = true;
  }

  /** Gives an account what its definition says. */
  #define(account: Account): void {
    const { name } = account, definition = this.#definitions.get(name) ?? {};
    const cluster = this.#options.server().cluster;
    account.limits = definition.limits ?? {};
    account.mappings = Object.entries(definition.mappings ?? {}).flatMap(
      ([source, destinations]) => {
        try {
          return [SubjectMapping.compile(
            encodeByteString(source),
            destinations.map((each) => ({
              ...each,
              destination: encodeByteString(each.destination),
            })),
            cluster,
          )];
        } catch (error) {
          if (!(error instanceof TransformError)) throw error;
          this.#options.onProblem(
            name,
            `the mapping of ${source} is not possible: ${error.message}`,
          );
          return [];
        }
      },
    );
    const streams: StreamImport[] = [], services: ServiceImport[] = [];
    for (const each of definition.imports ?? []) {
      try {
        const stream = this.#stream(account, each), service = this.#service(account, each);
        if (stream !== null) streams.push(stream);
        if (service !== null) services.push(service);
      } catch (error) {
        if (!(error instanceof TransformError)) throw error;
        this.#options.onProblem(name, `an import is not possible: ${error.message}`);
      }
    }
    const jetStream = this.#jetStream(account);
    if (jetStream !== null) services.push(jetStream);
    account.importStreams(streams);
    account.importServices(services);
  }

  /** JetStream is asked in the system account, and told who asks. */
  #jetStream(account: Account): ServiceImport | null {
    const { systemAccount, jetStreamElsewhere, server } = this.#options;
    if (systemAccount === null || account.name === systemAccount || !jetStreamElsewhere) {
      return null;
    }
    if (this.#definitions.get(account.name)?.jetstream !== true) return null;
    return new ServiceImport({
      importer: account,
      exporter: this.get(systemAccount)!,
      local: JETSTREAM_API,
      toSource: null,
      share: true,
      responseType: "singleton",
      thresholdMs: DEFAULT_THRESHOLD_MS,
      latency: undefined,
      clock: this.#options.clock,
      random: this.#options.random,
      server,
    });
  }

  #stream(importer: Account, definition: ImportDefinition): StreamImport | null {
    const { stream, prefix } = definition;
    if (stream === undefined) return null;
    const exported = this.#exported(importer.name, definition);
    if (exported === null) return null;
    const to = prefix === undefined ? definition.to : `${prefix}.${stream.subject}`;
    const { local, toLocal, toSource } = renaming(stream.subject, to);
    const key = JSON.stringify([stream.account, stream.subject, to]);
    return { importer, exporter: this.get(stream.account)!, local, toLocal, toSource, key };
  }

  #service(importer: Account, definition: ImportDefinition): ServiceImport | null {
    const { service, to, share = false } = definition;
    if (service === undefined) return null;
    const exported = this.#exported(importer.name, definition);
    if (exported === null) return null;
    const { local, toSource } = renaming(service.subject, to);
    return new ServiceImport({
      importer,
      exporter: this.get(service.account)!,
      local,
      toSource,
      share: share || service.account === this.#options.systemAccount,
      responseType: exported.response_type ?? "singleton",
      thresholdMs: exported.response_threshold ?? DEFAULT_THRESHOLD_MS,
      latency: this.#latency(service.account, exported),
      clock: this.#options.clock,
      random: this.#options.random,
      server: this.#options.server,
    });
  }

  /** Whether and where a service is measured. What is no subject would be more than one in a frame. */
  #latency(exporter: string, { latency }: Export): LatencySettings | undefined {
    if (latency === undefined) return undefined;
    const subject = encodeByteString(latency.subject);
    const isPossible = isValidSubscriptionSubject(subject) && !hasWildcard(subject) &&
      !/[\t\n\f\r ]/.test(subject);
    if (isPossible) return latency;
    const named = JSON.stringify(latency.subject);
    this.#options.onProblem(exporter, `measurements cannot be published to ${named}`);
    return undefined;
  }

  /** The export that an import refers to; null, and somebody is told, where it may not. */
  #exported(importer: string, definition: ImportDefinition): Export | null {
    const { account, subject } = (definition.stream ?? definition.service)!;
    const kind = definition.stream === undefined ? "service" : "stream";
    const pattern = destinationPattern(subject);
    const exports = this.#definitions.get(account)?.exports ?? [];
    const candidates = exports.filter((each) =>
      each[kind] !== undefined && subjectCovers(each[kind], pattern)
    );
    const allowed = candidates.find((each) => this.#mayImport(importer, definition, pattern, each));
    if (allowed !== undefined) return allowed;
    this.#options.onProblem(
      importer,
      `${kind} import of ${subject} from account ${account}: ` +
        (candidates.length === 0 ? "there is no such export" : "not authorized"),
    );
    return null;
  }

  #mayImport(
    importer: string,
    definition: ImportDefinition,
    pattern: string,
    exported: Export,
  ): boolean {
    const { accounts, token_required = false, account_token_position: position = 0 } = exported;
    if (position > 0) return pattern.split(".")[position - 1] === importer;
    if (accounts !== undefined && accounts.length > 0) return accounts.includes(importer);
    return !token_required || this.activates(importer, definition, exported);
  }
}

/** How a subject of another account is called here. */
interface Renaming {
  /** The subject here, with wildcards. */
  readonly local: string;
  readonly toLocal: SubjectTransform | null;
  readonly toSource: SubjectTransform | null;
}

function renaming(subject: string, to: string | undefined): Renaming {
  const source = encodeByteString(destinationPattern(subject));
  const target = to === undefined || to === "" ? source : encodeByteString(to);
  if (target === source) return { local: source, toLocal: null, toSource: null };
  const toLocal = SubjectTransform.compile(source, numberWildcards(target), "import");
  return { local: destinationPattern(target), toLocal, toSource: toLocal.reverse() };
}
