/**
 * What the system account may ask and change of the accounts of a server, over messages.
 *
 * @module
 */
import type { Log } from "../log/mod.ts";
import { type Clock, FileError, type Timer } from "../platform/mod.ts";
import { isNkey } from "../protocol/mod.ts";
import type { AccountFolder } from "./account_folder.ts";
import { AccountLookupError } from "./account_resolver.ts";
import { ClaimsError, ClaimsReader } from "./claims_reader.ts";
import type { LookupBus } from "./folder_resolver.ts";
import { JwtError, readJwt } from "./jwt.ts";
import { GateFullError, LookupGate } from "./lookup_gate.ts";
import type { BusMessage, MessageBus } from "./message_bus.ts";
import type { OperatorAccounts } from "./operator_accounts.ts";
import type { TrustedOperators } from "./trusted_operators.ts";
import { examineAccount, verifyAccount } from "./verified_account.ts";

/** The folder that is served, and how. */
export interface ServedFolder {
  /** The folder. */
  readonly folder: AccountFolder;
  /** Whether it is to hold all accounts that there are, or only those that are in use. */
  readonly type: "full" | "cache";
  /** Whether accounts may be deleted. */
  readonly allowDelete: boolean;
  /** Milliseconds between two comparisons with other servers; only of a full one. */
  readonly intervalMs: number;
}

/** What {@linkcode ClaimsService} needs. */
export interface ClaimsServiceOptions extends LookupBus {
  /** Whom to trust. */
  readonly operators: TrustedOperators;
  /** The accounts in use. */
  readonly accounts: OperatorAccounts;
  /** The folder of accounts; null where there is none. */
  readonly served: ServedFolder | null;
  /** What answers say of this server. */
  readonly serverInfo: () => unknown;
  /** The time. */
  readonly clock: Clock;
  /** Gets what was done and what failed. */
  readonly log: Log;
}

/** How many messages may wait; more are not answered. */
const WAITING_MAX = 4096;

/** How often it is looked what has expired. */
const EXPIRE_EVERY_MS = 60_000;

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** A request that is refused, with the words of its answer. */
class RequestError extends Error {
  constructor(readonly account: string, readonly what: string, reason: string) {
    super(reason);
  }
}

/** Answers for the accounts of a server until it is closed. */
export class ClaimsService {
  readonly #options: ClaimsServiceOptions;
  readonly #bus: MessageBus;
  readonly #gate = new LookupGate(1, WAITING_MAX);
  readonly #stack = new DisposableStack();
  readonly #timers = new Set<Timer>();
  #closed = false;

  /** Begins to answer. */
  constructor(options: ClaimsServiceOptions) {
    this.#options = options;
    this.#bus = options.bus;
    const { served } = options;
    for (const subject of ["$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE", "$SYS.ACCOUNT.*.CLAIMS.UPDATE"]) {
      this.#serve(subject, (message) => this.#update(message, accountIn(message.subject)));
    }
    if (served === null) return;
    this.#serve("$SYS.REQ.CLAIMS.UPDATE", (message) => this.#update(message, null));
    this.#serve("$SYS.REQ.CLAIMS.LIST", (message) => this.#list(served, message));
    this.#serve("$SYS.REQ.CLAIMS.DELETE", (message) => this.#delete(served, message));
    this.#every(EXPIRE_EVERY_MS, () => served.folder.expire());
    if (served.type === "cache") return;
    this.#serve("$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP", (message) => this.#lookUp(served, message));
    this.#serve("$SYS.REQ.CLAIMS.PACK", (message) => this.#pack(served, message), "responder");
    const inbox = options.newInbox();
    this.#serve(inbox, (message) => this.#merge(served, message));
    this.#every(served.intervalMs, () => {
      this.#bus.publish("$SYS.REQ.CLAIMS.PACK", served.folder.hash, { reply: inbox });
      return Promise.resolve();
    });
  }

  /** Reads the folder again and changes what is in use. */
  async reload(): Promise<void> {
    const { served } = this.#options;
    if (served === null) return;
    await this.#gate.run(async () => {
      for (const account of await served.folder.reload()) await this.#apply(served.folder, account);
    });
  }

  /** Answers no more; resolves when what is under way is over. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stack.dispose();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    // What came before has its turn before.
    await this.#gate.run(() => Promise.resolve()).catch((error) => {
      if (!(error instanceof GateFullError)) throw error;
    });
  }

  #serve(subject: string, handler: (message: BusMessage) => Promise<void>, queue?: string): void {
    this.#stack.use(
      this.#bus.subscribe(subject, (message) => this.#queue(() => handler(message)), queue),
    );
  }

  /** One message after the other: an update is in the folder before the next lookup is answered. */
  #queue(task: () => Promise<void>): void {
    const { log } = this.#options;
    const running = this.#gate.run(async () => {
      if (!this.#closed) await task();
    });
    running.catch((error) => {
      const reason = error instanceof Error ? error.message : String(error);
      log.limited("claims", 1000)?.error("Request about accounts failed", { reason });
    });
  }

  #every(periodMs: number, task: () => Promise<void>): void {
    const timer = this.#options.clock.setTimer(periodMs, () => {
      this.#timers.delete(timer);
      if (this.#closed) return;
      this.#queue(task);
      this.#every(periodMs, task);
    });
    this.#timers.add(timer);
  }

  async #update({ payload, reply }: BusMessage, named: string | null): Promise<void> {
    const { served, accounts } = this.#options;
    const cached = served?.type === "cache" ? " cache" : "";
    try {
      const account = await this.#accept(decoder.decode(payload).trim(), named, cached);
      if (served?.type !== "full" && !accounts.isLoaded(account)) {
        return this.#answer(reply, account, `jwt update${cached} skipped`);
      }
      await this.#put(account, decoder.decode(payload).trim());
      this.#answer(reply, account, cached ? "jwt updated cache" : "jwt updated");
    } catch (error) {
      this.#refuse(reply, error, named ?? "n/a", `jwt update${cached} resulted in error`);
    }
  }

  /** The account of a token that may be put in the place of what is there. */
  async #accept(token: string, named: string | null, cached: string): Promise<string> {
    const { operators, served } = this.#options;
    if (token === "" && served === null) {
      throw new RequestError(named ?? "", "jwt update error", "request body is empty");
    }
    // A full resolver names no account that it could not read.
    const unread = served?.type === "full" ? "n/a" : named ?? "n/a";
    const failed = `jwt update${cached} resulted in error`;
    const { claims, problem } = await examineAccount(token).catch((error) => {
      if (!(error instanceof AccountLookupError)) throw error;
      throw new RequestError(unread, failed, error.message);
    });
    const { subject } = claims;
    if (named !== null && subject !== named) {
      throw new RequestError(named, failed, "subject does not match jwt content");
    }
    const isOwnKey = operators.operators.some((operator) =>
      operator.strictSigningKeyUsage && operator.subject === claims.issuer
    );
    if (isOwnKey) {
      throw new RequestError(subject, failed, "operator requires issuer to be a signing key");
    }
    // nats-server keeps these, and then refuses everybody of the account.
    if (!operators.keys.has(claims.issuer)) {
      throw new RequestError(subject, failed, "account JWT is not signed by a trusted operator");
    }
    if (problem !== null) {
      const what = `jwt${served?.type === "cache" ? " update cache" : ""} validation failed`;
      throw new RequestError(subject, what, `validation errors: [${problem}]`);
    }
    return subject;
  }

  async #put(account: string, token: string): Promise<void> {
    const { served, accounts } = this.#options;
    if (served !== null) {
      if (await served.folder.save(account, token)) await this.#apply(served.folder, account);
      return;
    }
    await accounts.replace(account, token);
  }

  /** What the folder has of an account holds from now on for those who are in it. */
  async #apply(folder: AccountFolder, account: string): Promise<void> {
    const { accounts, log } = this.#options;
    try {
      const token = await folder.load(account);
      if (token !== null) await accounts.replace(account, token);
    } catch (error) {
      if (!(error instanceof AccountLookupError || error instanceof FileError)) throw error;
      log.error("Update of an account cannot be used", { account, reason: error.message });
    }
  }

  async #lookUp({ folder }: ServedFolder, { subject, reply }: BusMessage): Promise<void> {
    const account = accountIn(subject);
    if (reply === null || !isNkey(account, "account")) return;
    const token = await folder.load(account);
    this.#bus.publish(reply, encoder.encode(token ?? ""));
  }

  #list({ folder }: ServedFolder, { reply }: BusMessage): Promise<void> {
    if (reply !== null) this.#send(reply, { data: folder.accounts() });
    return Promise.resolve();
  }

  async #pack({ folder }: ServedFolder, { reply, payload }: BusMessage): Promise<void> {
    if (reply === null) return;
    const { hash } = folder;
    const isSame = payload.length === hash.length &&
      payload.every((byte, index) => byte === hash[index]);
    for (const account of isSame ? [] : folder.accounts()) {
      const token = await folder.load(account);
      if (token !== null) this.#bus.publish(reply, encoder.encode(`${account}|${token}`));
    }
    this.#bus.publish(reply, new Uint8Array());
  }

  async #merge({ folder }: ServedFolder, { payload }: BusMessage): Promise<void> {
    const { operators, clock, log } = this.#options;
    for (const line of decoder.decode(payload).split("\n")) {
      if (line === "") continue;
      const [account, token, ...rest] = line.split("|");
      try {
        if (token === undefined || rest.length > 0) throw new AccountLookupError("it has no key");
        const nowSeconds = Math.floor(clock.now() / 1000);
        await verifyAccount(token, { trustedKeys: operators.keys, nowSeconds, account });
        if (await folder.saveIfNewer(account!, token)) await this.#apply(folder, account!);
      } catch (error) {
        if (!(error instanceof AccountLookupError || error instanceof FileError)) throw error;
        log.limited("merge", 1000)?.error("Account of another server cannot be used", {
          account: isNkey(account!, "account") ? account! : null,
          reason: error.message,
        });
      }
    }
  }

  async #delete({ folder, allowDelete }: ServedFolder, message: BusMessage): Promise<void> {
    const { reply, payload } = message;
    const { accounts: inUse, operators } = this.#options;
    let subject = "";
    try {
      const claims = await readJwt(decoder.decode(payload).trim(), { type: "generic" });
      subject = claims.sub;
      if (!allowDelete) throw new ClaimsError("delete must be enabled in server config");
      if (claims.sub !== claims.iss) throw new ClaimsError("not self signed");
      if (!operators.keys.has(claims.iss)) throw new ClaimsError("not trusted");
      const accounts = this.#accountsToDelete(claims.nats);
      for (const account of accounts) {
        await folder.delete(account);
        await inUse.remove(account);
      }
      this.#answer(reply, "", `deleted ${accounts.length} accounts`);
    } catch (error) {
      this.#refuse(reply, error, "", `delete accounts request by ${subject} failed`);
    }
  }

  #accountsToDelete(nats: unknown): string[] {
    const malformed = () => new ClaimsError("malformed request");
    let accounts: string[] | undefined;
    try {
      accounts = new ClaimsReader(nats).texts("accounts");
    } catch (error) {
      throw error instanceof ClaimsError ? malformed() : error;
    }
    if (accounts === undefined || !accounts.every((it) => isNkey(it, "account"))) throw malformed();
    if (accounts.some((it) => it === this.#options.operators.systemAccount)) {
      throw new ClaimsError("not allowed to delete system account");
    }
    return accounts;
  }

  #answer(reply: string | null, account: string, message: string): void {
    this.#options.log.debug("Accounts were changed", { account, message });
    if (reply === null) return;
    this.#send(reply, { data: { ...(account !== "" && { account }), code: 200, message } });
  }

  /** Tells why a request failed; what is a fault of this server is thrown on. */
  #refuse(reply: string | null, error: unknown, account: string, what: string): void {
    const isKnown = [RequestError, AccountLookupError, FileError, JwtError, ClaimsError]
      .some((kind) => error instanceof kind);
    if (!isKnown) throw error;
    const said = error instanceof RequestError ? error : { account, what };
    const description = `${said.what} - ${(error as Error).message}`;
    this.#options.log.error("Change of accounts was refused", {
      account: said.account,
      reason: description,
    });
    if (reply === null) return;
    const named = said.account !== "" && { account: said.account };
    this.#send(reply, { error: { ...named, code: 500, description } });
  }

  #send(reply: string, answer: Readonly<Record<string, unknown>>): void {
    const text = JSON.stringify({ server: this.#options.serverInfo(), ...answer });
    this.#bus.publish(reply, encoder.encode(text));
  }
}

/** The name between the words of `$SYS.REQ.ACCOUNT.<account>.CLAIMS.UPDATE` and the older one. */
function accountIn(subject: string): string {
  return subject.split(".").at(-3) ?? "";
}
