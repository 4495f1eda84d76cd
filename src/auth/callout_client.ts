/**
 * Asks services of `auth_callout`, and understands their answers.
 *
 * @module
 */
import type { Clock, Random } from "../platform/mod.ts";
import { calloutClaims, type CalloutServer } from "./callout_request.ts";
import { AUTH_CALLOUT_SUBJECT, type Credentials } from "./credentials.ts";
import { type PeerFacts, Refusal } from "./decision.ts";
import { createUserKey, type ServerIdentity } from "./identity.ts";
import { type JwtClaims, JwtError, jwtTimeProblem, looksLikeJwt, readJwt, signJwt } from "./jwt.ts";
import { GateFullError, LookupGate } from "./lookup_gate.ts";
import { type BusMessage, type MessageBus, NoRespondersError } from "./message_bus.ts";
import { SealedBox } from "./sealed_box.ts";

/** What {@linkcode CalloutClient} needs. */
export interface CalloutClientOptions {
  /** Keys of this server: questions are signed by it, and sealed. */
  readonly identity: ServerIdentity;
  /** What services are told of the server, as it is now. */
  readonly server: () => Omit<CalloutServer, "id">;
  /** A client of an account; null where there is no such account. */
  readonly bus: (account: string) => MessageBus | null;
  /** The time. */
  readonly clock: Clock;
  /** Chance. */
  readonly random: Random;
  /** How long an answer may take, in milliseconds, as it is now. */
  readonly timeoutMs: () => number;
  /** How many questions may be open at once, 1 or more; 256 when left out. */
  readonly openMax?: number | undefined;
  /** How many more may wait for that; 8,192 when left out. */
  readonly waitingMax?: number | undefined;
}

/** Something to ask a service. */
export interface Question {
  /** Name of the account in which it is asked. */
  readonly account: string;
  /** `sub` of the question. */
  readonly subject: string;
  /** Public curve key of the service, where the question is to be sealed; else empty. */
  readonly xkey: string;
  /** What the client has shown. */
  readonly credentials: Credentials;
  /** What else is known of the client. */
  readonly peer: PeerFacts;
  /** What it is known by: an nkey, a name or `[REDACTED]` for a token; empty for nothing. */
  readonly user: string;
}

/** An answer that is one to its question. Whether its issuer may answer is for others to say. */
export interface Answer {
  /** Public key of who signed it. */
  readonly issuer: string;
  /** The account for which it was signed, as it says; empty where it says none. */
  readonly issuerAccount: string;
  /** Whether it came sealed by the owner of the curve key. */
  readonly isSealed: boolean;
  /** The token of the user that the client is; of which nothing is known yet. */
  readonly token: string;
  /** Public key that must be that of the user. */
  readonly userKey: string;
}

/** How much of what a service says is repeated. */
const ERROR_LENGTH = 256;

const encoder = new TextEncoder(), decoder = new TextDecoder("utf-8", { fatal: true });

/** Asks services about clients. */
export class CalloutClient {
  readonly #options: CalloutClientOptions;
  readonly #gate: LookupGate;
  readonly #box: SealedBox;

  /** Asks nothing yet. */
  constructor(options: CalloutClientOptions) {
    this.#options = options;
    this.#gate = new LookupGate(options.openMax ?? 256, options.waitingMax ?? 8192);
    this.#box = new SealedBox(options.identity, options.random);
  }

  /**
   * Asks, once it is this question's turn, and waits for the answer. A service that is not there, is late,
   * says no or something that cannot be understood makes a refusal.
   *
   * The promise rejects with `signal`'s reason when it is aborted.
   */
  async ask(question: Question, signal?: AbortSignal): Promise<Answer | Refusal> {
    const refuse = (reason: string) => new Refusal(reason, { account: question.account });
    try {
      return await this.#gate.run(async () => {
        signal?.throwIfAborted();
        return await this.#ask(question, refuse, signal);
      });
    } catch (error) {
      if (!(error instanceof GateFullError)) throw error;
      return refuse("too many questions wait for the callout service");
    }
  }

  async #ask(
    question: Question,
    refuse: (reason: string) => Refusal,
    signal: AbortSignal | undefined,
  ): Promise<Answer | Refusal> {
    const { identity, bus: busOf, clock, random } = this.#options;
    const { account, xkey } = question;
    const bus = busOf(account);
    if (bus === null) return refuse("the account of the callout service does not exist");
    const timeoutMs = this.#options.timeoutMs();
    // Only an answer to this very question can name it.
    const userKey = await createUserKey(random);
    const token = await signJwt(
      calloutClaims({
        ...question,
        server: { ...this.#options.server(), id: identity.id },
        xkey: xkey === "" ? null : identity.xkey,
        userKey,
        nowMs: clock.now(),
        timeoutMs,
      }),
      identity,
    );
    const clear = encoder.encode(token);
    const payload = xkey === "" ? clear : await this.#box.seal(clear, xkey);
    let message: BusMessage;
    try {
      message = await bus.request(AUTH_CALLOUT_SUBJECT, payload, {
        timeoutMs,
        ...(signal !== undefined && { signal }),
        ...(xkey !== "" && { headers: xkeyHeader(identity.xkey) }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof NoRespondersError) return refuse("nobody answers as callout service");
      if (!(error instanceof DOMException)) throw error;
      return error.name === "TimeoutError"
        ? refuse(`the callout service did not answer within ${timeoutMs} ms`)
        : refuse(`the callout service could not be asked: ${error.message}`);
    }
    return await this.#understand(message.payload, { userKey, xkey }, refuse);
  }

  async #understand(
    payload: Uint8Array,
    { userKey, xkey }: { readonly userKey: string; readonly xkey: string },
    refuse: (reason: string) => Refusal,
  ): Promise<Answer | Refusal> {
    if (payload.length === 0) return refuse("the callout service refused without a reason");
    let text = textOf(payload);
    const isSealed = xkey !== "" && (text === null || !looksLikeJwt(text));
    if (isSealed) {
      const opened = await this.#box.open(payload, xkey);
      if (opened === null) return refuse("the callout's answer is not sealed by its service");
      text = textOf(opened);
    }
    if (text === null) return refuse("the callout's answer is not text");
    let claims: JwtClaims;
    try {
      claims = await readJwt(text, { type: "authorization_response" });
    } catch (error) {
      if (!(error instanceof JwtError)) throw error;
      return refuse(`the callout's answer cannot be used: ${error.message}`);
    }
    const stale = jwtTimeProblem(claims, this.#options.clock.now());
    if (stale !== null) return refuse(`the callout's answer does not hold: ${stale}`);
    if (claims.sub !== userKey) return refuse("the callout's answer is for another user");
    if (claims.aud !== this.#options.identity.id) {
      return refuse("the callout's answer is for another server");
    }
    const { jwt = "", error = "", issuer_account: issuerAccount = "" } = claims.nats;
    if (typeof jwt !== "string" || typeof error !== "string" || typeof issuerAccount !== "string") {
      return refuse("the callout's answer has fields that are not text");
    }
    if (error !== "" && jwt === "") {
      return refuse(`the callout service refused: ${error.slice(0, ERROR_LENGTH)}`);
    }
    if ((error === "") === (jwt === "")) {
      return refuse("the callout's answer has not exactly one of a user and an error");
    }
    return { issuer: claims.iss, issuerAccount, isSealed, token: jwt, userKey };
  }
}

function xkeyHeader(xkey: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`NATS/1.0\r\nNats-Server-Xkey: ${xkey}\r\n\r\n`);
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
