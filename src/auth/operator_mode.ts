/**
 * Operator mode as a whole: operators, where accounts are found, and who may connect.
 *
 * @module
 */
import type { ResolverConfig } from "../config/mod.ts";
import type { Log } from "../log/mod.ts";
import { type Clock, FileError, type Files, type HttpClient } from "../platform/mod.ts";
import { AccountFolder } from "./account_folder.ts";
import { AccountLookupError, type AccountResolver, MemoryResolver } from "./account_resolver.ts";
import { ClaimsService } from "./claims_service.ts";
import { outOfDate, secondsOf } from "./claims.ts";
import { FolderResolver, type LookupBus } from "./folder_resolver.ts";
import { OperatorAccounts } from "./operator_accounts.ts";
import { OperatorAuthenticator } from "./operator.ts";
import {
  OperatorError,
  type OperatorSettings,
  type OtherCredentials,
  readOperators,
  type TrustedOperators,
} from "./trusted_operators.ts";
import { UrlResolver } from "./url_resolver.ts";
import { examineAccount, verifyAccount } from "./verified_account.ts";

/** What {@linkcode OperatorMode.open} needs besides settings. */
export interface OperatorModeOptions {
  /** The file system. */
  readonly files: Files;
  /** The time. */
  readonly clock: Clock;
  /** Gets what goes wrong with accounts. */
  readonly log: Log;
  /** Makes what asks account servers, if there is one to be asked; closed with the mode. */
  readonly http: () => HttpClient;
  /** Version of this server, three numbers. */
  readonly version: string;
}

/** The bus of the system account, and what answers there say of this server. */
export interface SystemBus extends LookupBus {
  /** What answers say of this server: the field `server`, its sequence number and time included. */
  readonly serverInfo: () => unknown;
}

/** How long a lookup may take where the configuration says nothing, as in nats-server. */
const LOOKUP_TIMEOUT_MS = 1900;

/** How often full resolvers compare what they have, where the configuration says nothing. */
const INTERVAL_MS = 60_000;

/** Most accounts in a folder where the configuration says nothing. */
const FULL_LIMIT = 1_000_000, CACHE_LIMIT = 1000;

/** Operator mode, from when the server starts until it ends. */
export class OperatorMode {
  /** Whom to trust. */
  readonly operators: TrustedOperators;
  /** The accounts in use. */
  readonly accounts: OperatorAccounts;
  /** Decides who may connect. */
  readonly authenticator: OperatorAuthenticator;
  readonly #options: OperatorModeOptions;
  readonly #resolver: AccountResolver;
  readonly #http: HttpClient | null;
  #service: ClaimsService | null = null;

  private constructor(
    operators: TrustedOperators,
    resolver: AccountResolver,
    http: HttpClient | null,
    options: OperatorModeOptions,
  ) {
    const { clock, log } = options;
    const { timeout } = operators.resolver;
    this.operators = operators;
    this.#options = options;
    this.#resolver = resolver;
    this.#http = http;
    const lookupTimeoutMs = timeout || LOOKUP_TIMEOUT_MS;
    this.accounts = new OperatorAccounts({ operators, resolver, clock, log, lookupTimeoutMs });
    const { accounts } = this;
    this.authenticator = new OperatorAuthenticator({ operators, accounts, clock });
  }

  /**
   * Reads the operators and looks whether the settings can be; opens nothing.
   *
   * @throws {OperatorError} when settings contradict each other, or a JWT cannot be used.
   * @throws {FileError} when the file of an operator cannot be read.
   */
  static async check(
    settings: OperatorSettings,
    others: OtherCredentials,
    options: Pick<OperatorModeOptions, "files" | "clock" | "log" | "version">,
  ): Promise<TrustedOperators> {
    const { files, clock, log, version } = options;
    const operators = await readOperators(settings, others, {
      readText: (path) => files.readText(path),
      version,
      nowMs: clock.now(),
      warn: (message) => log.warn(message),
    });
    await checkPreload(settings.resolver_preload ?? {}, operators.resolver, options);
    return operators;
  }

  /**
   * Reads the operators and opens the resolver.
   *
   * @throws {OperatorError} when settings contradict each other, or something they name cannot be used.
   * @throws {FileError} when the file of an operator or the folder of accounts cannot be read.
   */
  static async open(
    settings: OperatorSettings,
    others: OtherCredentials,
    options: OperatorModeOptions,
  ): Promise<OperatorMode> {
    const operators = await OperatorMode.check(settings, others, options);
    const preload = settings.resolver_preload ?? {};
    if (operators.resolver.type !== "url") {
      const resolver = await openResolver(operators, preload, options);
      return new OperatorMode(operators, resolver, null, options);
    }
    const http = options.http();
    try {
      const resolver = new UrlResolver(operators.resolver.url ?? "", http);
      await resolver.check(new AbortController().signal);
      return new OperatorMode(operators, resolver, http, options);
    } catch (error) {
      http.close();
      if (!(error instanceof AccountLookupError)) throw error;
      throw new OperatorError(`resolver: ${error.message}`, { cause: error });
    }
  }

  /**
   * Takes part in the system account: answers for accounts, and asks others for those that are missing.
   * To be called once, when there is a bus.
   */
  connect(system: SystemBus): void {
    const { accounts, operators, operators: { resolver: settings } } = this;
    const { clock, log } = this.#options;
    const isFolder = this.#resolver instanceof FolderResolver;
    if (this.#resolver instanceof FolderResolver) this.#resolver.connect(system);
    this.#service = new ClaimsService({
      ...system,
      operators,
      accounts,
      clock,
      log,
      served: !isFolder ? null : {
        folder: (this.#resolver as FolderResolver).folder,
        type: settings.type === "cache" ? "cache" : "full",
        allowDelete: settings.type === "cache" || settings.allow_delete === true,
        intervalMs: settings.interval || INTERVAL_MS,
      },
    });
  }

  /** Reads the folder of accounts again, as on SIGHUP; resolves when what changed was told of. */
  async reload(): Promise<void> {
    await this.#service?.reload();
  }

  /** Forgets everybody; resolves when what is under way is over. Calling it again does no more. */
  async close(): Promise<void> {
    await this.#service?.close();
    this.#service = null;
    await this.accounts.close();
    this.#http?.close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function openResolver(
  operators: TrustedOperators,
  preload: Readonly<Record<string, string>>,
  { files, clock, log }: OperatorModeOptions,
): Promise<AccountResolver> {
  const { type, dir = "", limit, ttl, hard_delete } = operators.resolver;
  if (type === "memory") return new MemoryResolver(preload);
  const isCache = type === "cache";
  const folder = await AccountFolder.open({
    path: dir,
    files,
    clock,
    log,
    limit: limit || (isCache ? CACHE_LIMIT : FULL_LIMIT),
    evicts: isCache,
    ttlMs: isCache && ttl ? ttl : null,
    renamesDeleted: !isCache && hard_delete !== true,
  });
  for (const [account, token] of Object.entries(preload)) {
    try {
      await folder.saveIfNewer(account, token);
    } catch (error) {
      if (!(error instanceof AccountLookupError || error instanceof FileError)) throw error;
      throw new OperatorError(`resolver_preload.${account}: ${error.message}`, { cause: error });
    }
  }
  log.info("Accounts are kept in a folder", { folder: dir, accounts: folder.size });
  const verify = (token: string, account: string) =>
    verifyAccount(token, {
      trustedKeys: operators.keys,
      nowSeconds: secondsOf(clock.now()),
      account,
    });
  return new FolderResolver({ folder, verify });
}

/** A preloaded account that is none is an error, one that nobody can use is told of. */
async function checkPreload(
  preload: Readonly<Record<string, string>>,
  resolver: ResolverConfig,
  { clock, log }: Pick<OperatorModeOptions, "clock" | "log">,
): Promise<void> {
  const accounts = Object.entries(preload);
  if (accounts.length > 0 && resolver.type === "url") {
    throw new OperatorError(
      "resolver_preload is only for resolvers of type memory, full and cache",
    );
  }
  for (const [account, token] of accounts) {
    try {
      const { claims, problem } = await examineAccount(token);
      const reason = problem ?? outOfDate(claims, secondsOf(clock.now()));
      if (reason !== null) log.warn("Preloaded account cannot be used", { account, reason });
    } catch (error) {
      if (!(error instanceof AccountLookupError)) throw error;
      throw new OperatorError(`resolver_preload.${account}: ${error.message}`, { cause: error });
    }
  }
}
