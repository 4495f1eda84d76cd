/**
 * What publishes in one account what services brought from another.
 *
 * @module
 */
import { Subscriber } from "./subscriber.ts";

/** A publisher of requests to services and of their answers; it receives nothing. */
export class ServiceBridge extends Subscriber {
  /** One that has published nothing yet. */
  constructor() {
    super(null);
  }
}
