/** Clients that show who they are, without connections. */
import { assert } from "@std/assert";
import {
  Authenticator,
  type AuthenticatorConfig,
  type AuthenticatorParts,
  type Credentials,
  type Decision,
  type Identity,
  PasswordVerifier,
  type PeerCertificate,
  type PeerFacts,
  Refusal,
} from "../../src/auth/mod.ts";
import { VirtualClock } from "../../src/platform/virtual_clock.ts";

/** "pw" stands for the password of every hash; what was asked of it is kept. */
export class FakeVerifier extends PasswordVerifier {
  /** Passwords and the beginnings of the hashes that they were compared with. */
  readonly asked: string[] = [];

  constructor() {
    super({ clock: new VirtualClock() });
  }

  override verify(password: string, hash: string, signal?: AbortSignal): Promise<boolean> {
    this.asked.push(`${password} ${hash.slice(0, 4)}`);
    return signal?.aborted ? Promise.reject(signal.reason) : Promise.resolve(password === "pw");
  }
}

/** A bcrypt hash of "pw", to {@linkcode FakeVerifier}. */
export const HASH = "$2b$10$" + "h".repeat(53);

/** An authenticator with a verifier that knows one password. */
export function authenticatorOf(config: AuthenticatorConfig, parts: AuthenticatorParts = {}) {
  const verifier = new FakeVerifier();
  return { verifier, authenticator: new Authenticator(config, verifier, parts) };
}

/** A client of which nothing special is known. */
export function peerWith(facts: Partial<PeerFacts> = {}): PeerFacts {
  return {
    id: 1,
    hostname: "192.0.2.1",
    nonce: null,
    connectionType: "STANDARD",
    certificate: null,
    tls: null,
    ...facts,
  };
}

/** A certificate with those names. */
export function certificateWith(names: Partial<PeerCertificate>): PeerCertificate {
  return { emails: [], dnsNames: [], uris: [], subject: "", chain: [], ...names };
}

/** Who was let in; the reason why where nobody was. */
export function outcome(decision: Decision): Identity | string {
  return decision instanceof Refusal ? decision.reason : decision;
}

/** Who is let in or why not, as soon as that is known. */
export async function decided(
  authenticator: Authenticator,
  credentials: Credentials,
  facts: Partial<PeerFacts> = {},
): Promise<Identity | string> {
  return outcome(await authenticator.authenticate(credentials, peerWith(facts)));
}

/** Who is let in, with an error where nobody is. */
export async function admitted(
  authenticator: Authenticator,
  credentials: Credentials,
  facts: Partial<PeerFacts> = {},
): Promise<Identity> {
  const who = await decided(authenticator, credentials, facts);
  assert(typeof who !== "string", `refused: ${who}`);
  return who;
}
