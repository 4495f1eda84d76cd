/**
 * What publishes in one account what services brought from another.
 *
 * @module
 */
import { type Requester, Subscriber } from "./subscriber.ts";

/** Who answers a request. */
export interface Answerer {
  /** Its account. */
  readonly account: string;
  /** Who it is; null where another server knows that. */
  readonly requester: Requester | null;
}

/** A publisher of requests to services and of their answers; it receives nothing. */
export class ServiceBridge extends Subscriber {
  /** Whose answer it publishes; null where it publishes requests, whose headers say who asks. */
  answerer: Answerer | null = null;

  /** One that has published nothing yet. */
  constructor() {
    super(null);
  }
}
