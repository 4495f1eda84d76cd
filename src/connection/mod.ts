/**
 * One socket's bytes, in and out.
 *
 * @module
 */
export * from "./accept.ts";
export * from "./accept_failure.ts";
export * from "./accept_refusal.ts";
export * from "./deadlines.ts";
export * from "./flow_settings.ts";
export * from "./inbox.ts";
export * from "./outbox.ts";
export * from "./peer_session.ts";
export * from "./slab_pool.ts";
export * from "./timer_wheel.ts";
export * from "./touched.ts";
export * from "./write_watch.ts";
