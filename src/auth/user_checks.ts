/**
 * What is asked of the tokens of users before anybody is let in by one, whoever issued it.
 *
 * @module
 */
import { CONNECTION_TYPES } from "../config/mod.ts";
import { allowedUntilMs } from "./allowed_times.ts";
import { outOfDate } from "./claims.ts";
import { ClaimsError } from "./claims_reader.ts";
import { type Decision, type PeerFacts, Refusal } from "./decision.ts";
import { JwtError, readJwt } from "./jwt.ts";
import { isInNetwork, parseNetwork } from "./network.ts";
import { readUserClaims, type UserClaims } from "./user_claims.ts";
import { type UserSettings, userSettingsProblems } from "./user_settings.ts";

const connectionTypes: ReadonlySet<string> = new Set(CONNECTION_TYPES);

/** A refusal on its way up. */
export class Refused extends Error {
  /** What is on its way. */
  readonly refusal: Refusal;

  /** Takes `refusal` to whoever decides. */
  constructor(refusal: Refusal) {
    super(refusal.reason);
    this.refusal = refusal;
  }
}

/** Runs something that decides by refusing. */
export async function deciding(decide: () => Promise<Decision>): Promise<Decision> {
  try {
    return await decide();
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    throw error;
  }
}

/** A refusal of a user of an account, to be thrown. */
export function refused(reason: string, account?: string): Refused {
  return new Refused(new Refusal(reason, account === undefined ? {} : { account }));
}

/**
 * Refuses a user.
 *
 * @throws {Refused} always.
 */
export function refuse(reason: string, user?: UserClaims): never {
  throw refused(reason, user?.account);
}

/**
 * The user of a token, which is signed by its issuer.
 *
 * @throws {Refused} when it is none.
 */
export async function readUser(token: string): Promise<UserClaims> {
  try {
    return readUserClaims(await readJwt(token, { type: "user" }));
  } catch (error) {
    if (!(error instanceof JwtError || error instanceof ClaimsError)) throw error;
    return refuse(`the JWT of the user cannot be used: ${error.message}`);
  }
}

/**
 * Refuses what does not hold now, and what cannot be understood.
 *
 * @throws {Refused} with the first problem.
 */
export function checkClaims(user: UserClaims, nowSeconds: number): void {
  const stale = outOfDate(user, nowSeconds);
  if (stale !== null) refuse(`the JWT of the user does not hold: ${stale}`, user);
  const [problem] = userSettingsProblems(user.settings);
  if (problem !== undefined) refuse(`the JWT of the user has problems: ${problem}`, user);
}

/**
 * Refuses who may not be connected like that. What is not known is left out, but a user who may only be
 * connected so may not be otherwise.
 *
 * @throws {Refused} when it may not.
 */
export function checkConnectionType(
  user: UserClaims,
  settings: UserSettings,
  peer: PeerFacts,
): void {
  const wanted = settings.connectionTypes.map((it) => it.toUpperCase());
  if (wanted.length === 0) return;
  if (wanted.some((it) => connectionTypes.has(it) && it === peer.connectionType)) return;
  refuse(`the user may not be connected as ${peer.connectionType}`, user);
}

/**
 * Refuses who may not connect from there.
 *
 * @throws {Refused} when it may not.
 */
export function checkSource(user: UserClaims, { sources }: UserSettings, peer: PeerFacts): void {
  if (sources.length === 0) return;
  const networks = sources.map(parseNetwork);
  // A template is not checked before: one wrong entry must not open the others.
  const known = networks.filter((network) => network !== null);
  if (known.length < networks.length || !isInNetwork(known, peer.hostname)) {
    refuse(`the user may not connect from ${peer.hostname}`, user);
  }
}

/**
 * When a user must leave, in wall-clock milliseconds; null where it may stay.
 *
 * @throws {Refused} when it may not be there now.
 */
export function endOfStay(user: UserClaims, settings: UserSettings, nowMs: number): number | null {
  const { times, timeZone } = settings;
  const ends: number[] = [];
  if (user.expiresAt > 0) ends.push(user.expiresAt * 1000);
  if (times.length > 0) {
    const until = allowedUntilMs(times, timeZone, nowMs);
    if (until === null) {
      return refuse("it is outside of the times when the user may connect", user);
    }
    ends.push(until);
  }
  return ends.length === 0 ? null : Math.min(...ends);
}
