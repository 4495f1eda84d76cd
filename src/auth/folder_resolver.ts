/**
 * Accounts in a folder, and those that other servers of the cluster have.
 *
 * @module
 */
import { FileError } from "../platform/mod.ts";
import type { AccountFolder } from "./account_folder.ts";
import { AccountLookupError, type AccountResolver } from "./account_resolver.ts";
import type { MessageBus } from "./message_bus.ts";
import type { VerifiedAccount } from "./verified_account.ts";

/** What {@linkcode FolderResolver} needs. */
export interface FolderResolverOptions {
  /** The folder. */
  readonly folder: AccountFolder;
  /** Verifies what another server answers. */
  readonly verify: (token: string, account: string) => Promise<VerifiedAccount>;
}

/** The bus of the system account, and what begins the subjects of answers in it. */
export interface LookupBus {
  /** The bus. */
  readonly bus: MessageBus;
  /** A subject that nobody else waits for an answer at, another one each time. */
  readonly newInbox: () => string;
}

/** Finds accounts in a folder, and asks other servers for those that are not in it. */
export class FolderResolver implements AccountResolver {
  /** The folder. */
  readonly folder: AccountFolder;
  readonly #options: FolderResolverOptions;
  #bus: LookupBus | null = null;

  /** Asks nobody before {@linkcode connect}. */
  constructor(options: FolderResolverOptions) {
    this.folder = options.folder;
    this.#options = options;
  }

  /** Asks other servers from now on. */
  connect(bus: LookupBus): void {
    this.#bus = bus;
  }

  /** See {@link AccountResolver.fetch}. */
  async fetch(account: string, signal: AbortSignal): Promise<string> {
    try {
      const token = await this.folder.load(account);
      if (token !== null) return token;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw new AccountLookupError(error.message, { cause: error });
    }
    if (this.#bus === null) throw new AccountLookupError("the folder of accounts does not have it");
    const token = await this.#ask(this.#bus, account, signal);
    try {
      await this.folder.saveIfNewer(account, token);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw new AccountLookupError(error.message, { cause: error });
    }
    return token;
  }

  /** The first answer that is to be trusted; those who have none answer with nothing. */
  async #ask({ bus, newInbox }: LookupBus, account: string, signal: AbortSignal): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const inbox = newInbox();
    let answers = 0, expected = Infinity;
    let problem = "no server has it";
    const isOver = () => {
      if (answers >= expected) reject(new AccountLookupError(problem));
    };
    const judge = async (token: string) => {
      try {
        if (token !== "") resolve((await this.#options.verify(token, account)).token);
      } catch (error) {
        if (!(error instanceof AccountLookupError)) return reject(error);
        problem = `what another server has of it cannot be used: ${error.message}`;
      }
      answers++;
      isOver();
    };
    using stack = new DisposableStack();
    stack.use(bus.subscribe(
      inbox,
      // Settles the one promise that is waited for, and never rejects.
      ({ payload }) => void judge(new TextDecoder().decode(payload).trim()),
    ));
    const leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    stack.defer(() => signal.removeEventListener("abort", leave));
    const subject = `$SYS.REQ.ACCOUNT.${account}.CLAIMS.LOOKUP`;
    expected = bus.publish(subject, new Uint8Array(), { reply: inbox });
    isOver();
    return await promise;
  }
}
