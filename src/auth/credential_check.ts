/**
 * What a client shows, compared with what a configuration says.
 *
 * @module
 */
import { ERROR_TEXT, isNkey } from "../protocol/mod.ts";
import type { Credentials } from "./credentials.ts";
import { type Decision, type Identity, type PeerFacts, Refusal } from "./decision.ts";
import type { Guess, GuessLimiter } from "./guess_limiter.ts";
import type { PasswordVerifier } from "./password_verifier.ts";
import type { AuthenticationRules } from "./rules.ts";
import { PlainSecret } from "./secret.ts";
import { isNonceSigned } from "./signature.ts";
import type { BcryptHash, Proof, UserEntry } from "./user_table.ts";

/** Most characters of the names of a certificate that a reason shows. */
const MAX_SHOWN = 256;

/** What a secret would prove, and why it does not. */
interface Claim {
  /** Who is claimed to be there, for the limiter of guesses; empty for a token. */
  readonly user: string;
  /** What was shown. */
  readonly offered: string;
  /** What it must be; null where nothing could be right. */
  readonly secret: PlainSecret | BcryptHash | null;
  /** Who it is when the secret is right. */
  granted(): Decision;
  /** Why it is refused when the secret is wrong. */
  readonly wrong: Refusal;
}

/** One look at the credentials of one client. */
export class CredentialCheck {
  readonly #rules: AuthenticationRules;
  readonly #verifier: PasswordVerifier;
  readonly #credentials: Credentials;
  readonly #peer: PeerFacts;
  readonly #signal: AbortSignal | undefined;
  readonly #limiter: GuessLimiter | undefined;

  /** Looks at nothing yet. */
  constructor(
    rules: AuthenticationRules,
    verifier: PasswordVerifier,
    credentials: Credentials,
    peer: PeerFacts,
    signal: AbortSignal | undefined,
    limiter: GuessLimiter | undefined,
  ) {
    this.#rules = rules;
    this.#verifier = verifier;
    this.#credentials = credentials;
    this.#peer = peer;
    this.#signal = signal;
    this.#limiter = limiter;
  }

  /** Who the client is, by nkeys, users, the token and the one user. */
  decide(): Decision | Promise<Decision> {
    const { users, nobody, noAuthUser, token, single } = this.#rules;
    const { user, pass, auth_token, nkey } = this.#credentials;
    const isSilent = !user && !pass && !auth_token;
    // Without any rule, whatever is shown is ignored.
    if (nobody !== null && !this.#tellsApart) return nobody;
    if (users.keyed > 0) {
      if (nkey) return this.#byNkey(nkey);
      if (isSilent && noAuthUser?.configured.nkey) return this.#proven(noAuthUser, "nothing");
    }
    if (users.named > 0) {
      if (this.#rules.config.verify_and_map === true) return this.#byCertificate();
      if (isSilent && noAuthUser?.configured.user) return this.#proven(noAuthUser, "nothing");
      if (user) return this.#byName(user);
    }
    if (nobody !== null && isSilent) return nobody;
    if (token !== null) {
      return this.#bySecret({
        user: "",
        offered: auth_token ?? "",
        secret: token.secret,
        granted: () => token.identity,
        wrong: new Refusal(auth_token ? "the token is wrong" : "no token was shown"),
      });
    }
    if (single !== null) {
      const isIt = user === single.identity.user;
      return this.#bySecret({
        user: user ?? "",
        offered: pass ?? "",
        secret: isIt ? single.secret : null,
        granted: () => single.identity,
        wrong: isIt ? wrongPassword() : noSuchUser(user),
      });
    }
    return this.#bySecret(this.#nobodyClaims());
  }

  /** Whether there is anybody to be told from others. */
  get #tellsApart(): boolean {
    const { users } = this.#rules;
    return users.named + users.keyed > 0;
  }

  #nobodyClaims(): Claim {
    const { user, pass } = this.#credentials;
    const wrong = noSuchUser(user);
    return { user: user ?? "", offered: pass ?? "", secret: null, granted: () => wrong, wrong };
  }

  #byName(user: string): Decision | Promise<Decision> {
    const entry = this.#rules.users.byName(user);
    if (entry === null) return this.#bySecret(this.#nobodyClaims());
    return this.#withPassword(entry, "password");
  }

  /** The certificate stands for the name; a password is asked for only where there is one. */
  #byCertificate(): Decision | Promise<Decision> {
    const { certificate, connectionType } = this.#peer;
    if (certificate === null) return new Refusal("no certificate was shown to find the user by");
    const entry = this.#rules.users.byCertificate(certificate, connectionType);
    if (entry === null) {
      const { subject, emails, dnsNames, uris } = certificate;
      const names = [...emails, ...dnsNames, ...uris, subject].join(", ");
      const shown = names.length > MAX_SHOWN ? `${names.slice(0, MAX_SHOWN)}...` : names;
      return new Refusal(`the certificate names no user: ${shown}`);
    }
    return this.#withPassword(entry, "certificate");
  }

  #withPassword(entry: UserEntry, proof: Proof): Decision | Promise<Decision> {
    return this.#bySecret({
      user: entry.configured.user ?? "",
      offered: this.#credentials.pass ?? "",
      secret: entry.secret,
      granted: () => this.#proven(entry, proof),
      wrong: wrongPassword(entry.account),
    });
  }

  /** Whether the user exists is told neither by the answer nor by the time that it takes. */
  async #byNkey(nkey: string): Promise<Decision> {
    const entry = this.#rules.users.byKey(nkey);
    if (entry !== null && entry === this.#rules.noAuthUser) return this.#proven(entry, "nothing");
    const { sig } = this.#credentials, { nonce } = this.#peer;
    const isSigned = nonce !== null && !!sig && await isNonceSigned(nkey, nonce, sig);
    this.#signal?.throwIfAborted();
    if (entry === null) {
      return new Refusal(
        isNkey(nkey, "user") ? "there is no such nkey" : "the nkey is not that of a user",
      );
    }
    if (isSigned) return this.#proven(entry, "nkey");
    const reason = sig ? "the nonce is not signed by the nkey" : "the signature is missing";
    return new Refusal(reason, { account: entry.account });
  }

  #proven(entry: UserEntry, proof: Proof): Identity | Refusal {
    const { connectionType } = this.#peer;
    if (entry.allows(connectionType)) return entry.identity(proof);
    return new Refusal(`the user may not be connected as ${connectionType}`, {
      account: entry.account,
    });
  }

  #bySecret(claim: Claim): Decision | Promise<Decision> {
    const { user, offered, secret, wrong } = claim;
    // What is wrong here may be right there, and is for the service to count.
    const isReferred = this.#rules.refersUser(user);
    const guess = isReferred ? undefined : this.#limiter?.begin(this.#peer.hostname, user, offered);
    if (guess === null) {
      // Not a violation: official clients give up for good after two of those.
      return new Refusal("too many different passwords were tried from this address", {
        text: ERROR_TEXT.authenticationTimeout,
        ...(wrong.account !== null && { account: wrong.account }),
      });
    }
    const settle = (isRight: boolean): Decision => {
      if (!isRight) {
        guess?.wrong();
        return wrong;
      }
      guess?.right();
      return claim.granted();
    };
    if (secret instanceof PlainSecret && secret.matches(offered)) return settle(true);
    const { decoy } = this.#rules;
    if (secret !== null && !(secret instanceof PlainSecret)) {
      return this.#verify(offered, secret.hash, undefined, guess).then(settle);
    }
    if (decoy === null || isReferred) return settle(false);
    return this.#verify(offered, decoy.hash, user, guess).then(() => settle(false));
  }

  async #verify(
    offered: string,
    hash: string,
    decoyFor: string | undefined,
    guess: Guess | undefined,
  ): Promise<boolean> {
    try {
      return await this.#verifier.verify(offered, hash, this.#signal, decoyFor);
    } catch (error) {
      guess?.open();
      throw error;
    }
  }
}

function wrongPassword(account?: string): Refusal {
  return new Refusal("the password is wrong", account === undefined ? {} : { account });
}

function noSuchUser(user: string | undefined): Refusal {
  return new Refusal(user ? "there is no such user" : "no user was named");
}
