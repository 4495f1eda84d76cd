/**
 * A folder of the JWTs of accounts, `<account>.jwt` each, as nats-server keeps it.
 *
 * @module
 */
import type { Log } from "../log/mod.ts";
import { type Clock, FileError, type Files } from "../platform/mod.ts";
import { isNkey } from "../protocol/mod.ts";
import { AccountLookupError } from "./account_resolver.ts";
import { ClaimsError, ClaimsReader } from "./claims_reader.ts";
import { LookupGate } from "./lookup_gate.ts";

/** What {@linkcode AccountFolder} needs. */
export interface AccountFolderOptions {
  /** Path of the folder, which is made where there is none. */
  readonly path: string;
  /** The file system. */
  readonly files: Files;
  /** The time. */
  readonly clock: Clock;
  /** Gets the names of files that cannot be used. */
  readonly log: Log;
  /** Most accounts that it holds. */
  readonly limit: number;
  /** Whether the one that was longest not asked for makes room when it is full. */
  readonly evicts: boolean;
  /** Milliseconds after which an account is removed that nobody asked for; null for never. */
  readonly ttlMs: number | null;
  /** Whether the file of a deleted account is only renamed, to `<account>.jwt.deleted`. */
  readonly renamesDeleted: boolean;
}

/** What is known of a file without reading it again. */
interface Entry {
  readonly path: string;
  readonly digest: Uint8Array;
  readonly id: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** When it was asked for or written last, by the monotonic clock. */
  touchedMs: number;
}

const EXTENSION = ".jwt";
const DIGEST_BYTES = 32;

/** How many operations may wait for the one before. */
const WAITING_MAX = 65_536;

/** How many files are read at once when the folder is opened. */
const READERS = 32;

const encoder = new TextEncoder();

/** A folder of JWTs. What it holds is not verified: whoever puts something in or takes it out does that. */
export class AccountFolder {
  readonly #options: AccountFolderOptions;
  /** By account; the one that was longest not asked for is the first. */
  readonly #entries = new Map<string, Entry>();
  readonly #hash = new Uint8Array(DIGEST_BYTES);
  /** One thing at a time is done to the folder. */
  readonly #gate = new LookupGate(1, WAITING_MAX);

  private constructor(options: AccountFolderOptions) {
    this.#options = options;
  }

  /**
   * Opens the folder. Files in it that are no JWTs are named in the log and left alone.
   *
   * @throws {FileError} when it cannot be made or listed.
   */
  static async open(options: AccountFolderOptions): Promise<AccountFolder> {
    const folder = new AccountFolder(options);
    await options.files.makeFolder(options.path);
    await folder.#gate.run(() => folder.#index());
    return folder;
  }

  /** XOR of the SHA-256 of all JWTs, by which servers see whether they hold the same. */
  get hash(): Uint8Array<ArrayBuffer> {
    return this.#hash.slice();
  }

  /** How many accounts it holds. */
  get size(): number {
    return this.#entries.size;
  }

  /** Its accounts whose time is not over. */
  accounts(): string[] {
    const nowSeconds = this.#options.clock.now() / 1000;
    return [...this.#entries]
      .filter(([, { expiresAt }]) => expiresAt === 0 || expiresAt >= nowSeconds)
      .map(([account]) => account).sort();
  }

  /**
   * The JWT of an account; null where it has none.
   *
   * @throws {FileError} when the file is there but cannot be read.
   */
  async load(account: string): Promise<string | null> {
    return await this.#gate.run(async () => {
      const entry = this.#entries.get(account);
      if (entry === undefined) return null;
      this.#touch(account, entry);
      return (await this.#options.files.readText(entry.path)).trim();
    });
  }

  /**
   * Writes the JWT of an account; resolves to whether it was another one.
   *
   * @throws {AccountLookupError} when the folder is full, or the JWT is not of the account.
   * @throws {FileError} when it cannot be written.
   */
  async save(account: string, token: string): Promise<boolean> {
    return await this.#gate.run(() => this.#write(account, token));
  }

  /** The same, unless what it has is at least as new. */
  async saveIfNewer(account: string, token: string): Promise<boolean> {
    return await this.#gate.run(async () => {
      const before = this.#entries.get(account);
      const { id, issuedAt } = peek(account, token);
      const isOld = before !== undefined &&
        ((id !== "" && before.id === id) || before.issuedAt > issuedAt);
      return isOld ? false : await this.#write(account, token);
    });
  }

  /**
   * Removes an account; resolves to whether it was there.
   *
   * @throws {FileError} when its file can be neither removed nor renamed.
   */
  async delete(account: string): Promise<boolean> {
    return await this.#gate.run(async () => {
      const entry = this.#entries.get(account);
      if (entry === undefined) return false;
      const { files, renamesDeleted } = this.#options;
      if (renamesDeleted) files.renameSync(entry.path, `${entry.path}.deleted`);
      else await files.remove(entry.path);
      this.#untrack(account);
      return true;
    });
  }

  /** Removes what has expired, and what nobody asked for in a long time. */
  async expire(): Promise<void> {
    await this.#gate.run(async () => {
      const { clock, files, ttlMs } = this.#options;
      const isOver = ({ expiresAt, touchedMs }: Entry) =>
        ttlMs === null
          ? expiresAt > 0 && expiresAt * 1000 <= clock.now()
          : touchedMs + ttlMs <= clock.monotonic();
      for (const [account, entry] of this.#entries) {
        if (!isOver(entry)) continue;
        await files.remove(entry.path);
        this.#untrack(account);
      }
    });
  }

  /** Reads the folder again; resolves to the accounts whose JWT is another one now. */
  async reload(): Promise<string[]> {
    return await this.#gate.run(async () => {
      const before = new Map(this.#entries);
      for (const account of before.keys()) this.#untrack(account);
      await this.#index();
      return [...this.#entries].filter(([account, { digest }]) => {
        const old = before.get(account);
        return old !== undefined && old.digest.some((byte, index) => byte !== digest[index]);
      }).map(([account]) => account);
    });
  }

  async #index(): Promise<void> {
    const paths = this.#paths();
    const read = async () => {
      for (let path = paths.pop(); path !== undefined; path = paths.pop()) await this.#adopt(path);
    };
    await Promise.all(Array.from({ length: READERS }, read));
  }

  /** The files in the folder, and in those that nats-server's tools make by the last two letters. */
  #paths(): string[] {
    const { path, files } = this.#options;
    const names = files.listSync(path);
    const shards = names.filter((name) => /^[A-Z2-7]{2}$/.test(name)).flatMap((shard) => {
      try {
        return files.listSync(`${path}/${shard}`).map((name) => `${shard}/${name}`);
      } catch (error) {
        if (error instanceof FileError) return [];
        throw error;
      }
    });
    return [...names, ...shards].filter((name) => name.endsWith(EXTENSION))
      .map((name) => `${path}/${name}`);
  }

  async #adopt(path: string): Promise<void> {
    const { files, log } = this.#options;
    const account = path.slice(path.lastIndexOf("/") + 1, -EXTENSION.length);
    try {
      await this.#track(account, path, await files.readText(path));
    } catch (error) {
      if (!(error instanceof FileError || error instanceof AccountLookupError)) throw error;
      log.warn("JWT of an account cannot be used", { file: path, reason: error.message });
    }
  }

  async #write(account: string, token: string): Promise<boolean> {
    const { files, path, limit, evicts } = this.#options;
    const before = this.#entries.get(account);
    const digest = await digestOf(token);
    if (before?.digest.every((byte, index) => byte === digest[index])) {
      this.#touch(account, before);
      return false;
    }
    peek(account, token);
    if (before === undefined && this.#entries.size >= limit) {
      const [oldest] = this.#entries;
      if (!evicts || oldest === undefined) throw new AccountLookupError("jwt store is full");
      await files.remove(oldest[1].path);
      this.#untrack(oldest[0]);
    }
    const file = before?.path ?? `${path}/${account}${EXTENSION}`;
    await files.writeText(file, token);
    await this.#track(account, file, token);
    return true;
  }

  async #track(account: string, path: string, token: string): Promise<void> {
    const claims = peek(account, token);
    const digest = await digestOf(token);
    this.#untrack(account);
    const touchedMs = this.#options.clock.monotonic();
    this.#entries.set(account, { path, digest, ...claims, touchedMs });
    this.#mix(digest);
  }

  #untrack(account: string): void {
    const entry = this.#entries.get(account);
    if (entry === undefined) return;
    this.#entries.delete(account);
    this.#mix(entry.digest);
  }

  #touch(account: string, entry: Entry): void {
    entry.touchedMs = this.#options.clock.monotonic();
    this.#entries.delete(account);
    this.#entries.set(account, entry);
  }

  #mix(digest: Uint8Array): void {
    for (let i = 0; i < DIGEST_BYTES; i++) this.#hash[i]! ^= digest[i]!;
  }
}

/** What is to be known of a JWT before anybody believes it. */
function peek(account: string, token: string): Pick<Entry, "id" | "issuedAt" | "expiresAt"> {
  try {
    if (!isNkey(account, "account")) throw new ClaimsError("its name is not a public key");
    const parts = token.trim().split(".");
    if (parts.length !== 3) throw new ClaimsError("it is not a JWT");
    const bytes = Uint8Array.fromBase64(parts[1]!, { alphabet: "base64url" });
    const claims = new ClaimsReader(JSON.parse(new TextDecoder().decode(bytes)));
    if (claims.text("sub") !== account) throw new ClaimsError("it is of another account");
    return {
      id: claims.text("jti"),
      issuedAt: claims.integer("iat"),
      expiresAt: claims.integer("exp"),
    };
  } catch (error) {
    const reason = error instanceof ClaimsError ? error.message : "it is not a JWT";
    throw new AccountLookupError(reason, { cause: error });
  }
}

async function digestOf(token: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(token)));
}
