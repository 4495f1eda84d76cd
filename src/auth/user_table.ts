/**
 * The users of one configuration, found by what their clients show.
 *
 * @module
 */
import {
  type ConnectionType,
  GLOBAL_ACCOUNT,
  isBcrypt,
  type PermissionSettings,
  type UserConfig,
} from "../config/mod.ts";
import { type UserList, userLists } from "./configured_users.ts";
import type { AuthenticatorConfig } from "./credentials.ts";
import type { Identity, PeerCertificate } from "./decision.ts";
import { type DistinguishedName, parseDistinguishedName } from "./distinguished_name.ts";
import { PlainSecret } from "./secret.ts";

/** The hash of a secret. */
export interface BcryptHash {
  /** As bcrypt writes it. */
  readonly hash: string;
}

/** What proved that somebody is a user. */
export type Proof = "password" | "nkey" | "certificate" | "nothing";

/** A user, ready to be compared with what a client shows. */
export interface UserEntry {
  /** The user as it is configured. */
  readonly configured: UserConfig;
  /** Its account. */
  readonly account: string;
  /** Its password. */
  readonly secret: PlainSecret | BcryptHash;
  /** Whether it may be connected like that. */
  allows(type: ConnectionType): boolean;
  /** Who it is, once that is proven; always the same object for the same proof. */
  identity(proof: Proof): Identity;
}

/** What is to be forbidden to users of an account besides what their permissions forbid. */
export interface AccountDenial {
  /** The account. */
  readonly account: string;
  /** The subject that must not be published to. */
  readonly subject: string;
}

/** The character that hashes begin with. */
const DOLLAR = 0x24;
/** Lists longer than this get an index of their own when they are first searched. */
const SHORT_LIST = 32;

/**
 * Finds users. At once it only takes down which list a user is in, which for 100,000 users takes some 25 ms
 * of the processor; what else there is to know of a user is made when the first client shows up as that
 * user.
 */
export class UserTable {
  readonly #denial: AccountDenial | null;
  /** By account. */
  readonly #lists = new Map<string, UserList>();
  readonly #byName = new Map<string, UserList>();
  readonly #byKey = new Map<string, UserList>();
  readonly #longLists = new Map<UserList, ReadonlyMap<string, UserConfig>>();
  readonly #entries = new Map<UserConfig, UserEntry>();
  #bySubject: ReadonlyMap<string, readonly NamedUser[]> | null = null;
  #someHash: BcryptHash | null = null;

  /** The users that `config` lists. */
  constructor(config: AuthenticatorConfig, denial: AccountDenial | null) {
    this.#denial = denial;
    for (const list of userLists(config)) this.#add(list);
  }

  /** How many users have names. */
  get named(): number {
    return this.#byName.size;
  }

  /** How many have nkeys. */
  get keyed(): number {
    return this.#byKey.size;
  }

  /** One of the hashes of passwords, if there is any. */
  get someHash(): BcryptHash | null {
    return this.#someHash;
  }

  /**
   * A table of the users that `config` lists. It is this one, changed, where the denial is the same: that
   * takes as long as there are users in lists that are not the same objects as before.
   */
  changedTo(config: AuthenticatorConfig, denial: AccountDenial | null): UserTable {
    const { account, subject } = this.#denial ?? {};
    if (account !== denial?.account || subject !== denial?.subject) {
      return new UserTable(config, denial);
    }
    const lists = new Map(userLists(config).map((list) => [list.account, list]));
    for (const [account, list] of this.#lists) {
      const now = lists.get(account);
      if (now?.users === list.users && now.defaults === list.defaults) lists.delete(account);
      else this.#remove(list);
    }
    // Behind all that are gone: somebody may have moved to another account.
    for (const list of lists.values()) this.#add(list);
    this.#bySubject = null;
    if (this.#someHash === null) this.#findHash();
    return this;
  }

  #add(list: UserList): void {
    this.#lists.set(list.account, list);
    for (const { user, nkey, password } of list.users) {
      if (nkey) this.#byKey.set(nkey, list);
      else if (user) this.#byName.set(user, list);
      if (this.#someHash === null) this.#someHash = hashIn(password);
    }
  }

  #remove(list: UserList): void {
    this.#lists.delete(list.account);
    this.#longLists.delete(list);
    for (const one of list.users) {
      const { user, nkey, password } = one;
      const [index, id] = nkey ? [this.#byKey, nkey] : [this.#byName, user ?? ""];
      if (index.get(id) === list) index.delete(id);
      this.#entries.delete(one);
      if (this.#someHash?.hash === password) this.#someHash = null;
    }
  }

  #findHash(): void {
    for (const { users } of this.#lists.values()) {
      for (const { password } of users) {
        this.#someHash = hashIn(password);
        if (this.#someHash !== null) return;
      }
    }
  }

  /** The user of a name. */
  byName(name: string): UserEntry | null {
    return this.#entry(this.#byName.get(name), name);
  }

  /** The user of a public key. */
  byKey(nkey: string): UserEntry | null {
    return this.#entry(this.#byKey.get(nkey), nkey);
  }

  /**
   * The user that a certificate names: the first one of its e-mail addresses, DNS names, URIs and, at
   * last, its subject, whose parts may be in another order. Users that must not be connected like that
   * do not count.
   */
  byCertificate(certificate: PeerCertificate, type: ConnectionType): UserEntry | null {
    const { emails, dnsNames, uris, subject } = certificate;
    for (const name of [...emails, ...dnsNames, ...uris]) {
      const entry = this.byName(name);
      if (entry?.allows(type)) return entry;
    }
    return this.#bySubjectName(subject, type);
  }

  #bySubjectName(subject: string, type: ConnectionType): UserEntry | null {
    const name = parseDistinguishedName(subject);
    if (name !== null) {
      this.#bySubject ??= this.#indexSubjects();
      const candidates = (this.#bySubject.get(name.unordered) ?? [])
        .map(({ name, user }) => ({ name, entry: this.byName(user)! }))
        .filter(({ entry }) => entry.allows(type));
      const exact = candidates.find((one) => sameOrder(one.name, name));
      const found = exact ?? candidates[0];
      if (found !== undefined) return found.entry;
    }
    const literal = this.byName(subject);
    return literal?.allows(type) ? literal : null;
  }

  #indexSubjects(): ReadonlyMap<string, readonly NamedUser[]> {
    const index = new Map<string, NamedUser[]>();
    for (const user of this.#byName.keys()) {
      const name = parseDistinguishedName(user);
      if (name === null) continue;
      const others = index.get(name.unordered);
      if (others === undefined) index.set(name.unordered, [{ name, user }]);
      else others.push({ name, user });
    }
    return index;
  }

  #entry(list: UserList | undefined, id: string): UserEntry | null {
    if (list === undefined) return null;
    const configured = this.#find(list, id);
    const known = this.#entries.get(configured);
    if (known !== undefined) return known;
    const entry = new Entry(configured, list, this.#denial);
    this.#entries.set(configured, entry);
    return entry;
  }

  #find(list: UserList, id: string): UserConfig {
    if (list.users.length <= SHORT_LIST) return list.users.findLast((one) => idOf(one) === id)!;
    let index = this.#longLists.get(list);
    if (index === undefined) {
      index = new Map(list.users.map((one) => [idOf(one), one]));
      this.#longLists.set(list, index);
    }
    return index.get(id)!;
  }
}

function hashIn(password: string | undefined): BcryptHash | null {
  const isHash = password?.charCodeAt(0) === DOLLAR && isBcrypt(password);
  return isHash ? { hash: password } : null;
}

function idOf({ user, nkey }: UserConfig): string {
  return nkey || user || "";
}

/** Where an identity comes from, to find out whether that is still so after a reload. */
export interface UserOrigin {
  /** The user as it was configured. */
  readonly configured: UserConfig;
  /** What proved it. */
  readonly proof: Proof;
}

const origins = new WeakMap<Identity, UserOrigin>();

/** Which configured user an identity is of; undefined where it is of none that is listed. */
export function userOrigin(identity: Identity): UserOrigin | undefined {
  return origins.get(identity);
}

interface NamedUser {
  readonly name: DistinguishedName;
  readonly user: string;
}

function sameOrder(one: DistinguishedName, other: DistinguishedName): boolean {
  return one.parts.every((part, i) => part === other.parts[i]);
}

class Entry implements UserEntry {
  readonly configured: UserConfig;
  readonly account: string;
  readonly secret: PlainSecret | BcryptHash;
  readonly #permissions: PermissionSettings | undefined;
  readonly #identities: Partial<Record<Proof, Identity>> = {};

  constructor(
    configured: UserConfig,
    { account, defaults }: UserList,
    denial: AccountDenial | null,
  ) {
    this.configured = configured;
    this.account = account;
    this.secret = secretOf(configured.password);
    this.#permissions = withDenial(configured.permissions ?? defaults, account, denial);
  }

  allows(type: ConnectionType): boolean {
    const { allowed_connection_types: types = [] } = this.configured;
    return types.length === 0 || types.includes(type);
  }

  identity(proof: Proof): Identity {
    const known = this.#identities[proof];
    if (known !== undefined) return known;
    const { user, nkey } = this.configured, permissions = this.#permissions;
    const identity: Identity = {
      user: nkey ?? user ?? "",
      account: this.account,
      ...(nkey && { publicKey: nkey }),
      ...(permissions && { permissions }),
    };
    origins.set(identity, { configured: this.configured, proof });
    return this.#identities[proof] = identity;
  }
}

/** A configured secret; the empty one where there is none. */
export function secretOf(secret: string | undefined): PlainSecret | BcryptHash {
  return isBcrypt(secret ?? "") ? { hash: secret! } : new PlainSecret(secret ?? "");
}

/** `permissions` without those that `denial` takes from users of `account`. */
export function withDenial(
  permissions: PermissionSettings | undefined,
  account: string,
  denial: AccountDenial | null,
): PermissionSettings | undefined {
  if (denial === null || denial.account !== account) return permissions;
  const { publish } = permissions ?? {};
  const deny = [...publish?.deny ?? [], denial.subject];
  return { ...permissions, publish: { ...publish, deny } };
}

/** The identity of everybody who is let in without being told from others. */
export const anybody: Identity = { user: null, account: GLOBAL_ACCOUNT };

/** A client that shows nothing, where others may show that they are of the system. */
export const stranger: Identity = { user: null, account: GLOBAL_ACCOUNT };
