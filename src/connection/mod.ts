/**
 * One socket's bytes, in and out.
 *
 * @module
 */
export * from "./inbox.ts";
export * from "./outbox.ts";
export * from "./slab_pool.ts";
export * from "./timer_wheel.ts";
export * from "./touched.ts";
export * from "./write_watch.ts";
