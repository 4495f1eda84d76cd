/**
 * One socket's bytes, in and out.
 *
 * @module
 */
export * from "./accept.ts";
export * from "./accept_failure.ts";
export * from "./accept_refusal.ts";
export type { ShownCertificate } from "./certificate.ts";
export * from "./deadlines.ts";
export * from "./first_bytes.ts";
export * from "./flow_settings.ts";
export * from "./inbox.ts";
export * from "./outbox.ts";
export * from "./peer_session.ts";
export * from "./slab_pool.ts";
export * from "./timer_wheel.ts";
export {
  acceptTls,
  dialTls,
  type HandshakeOptions,
  type Secured,
  TlsError,
  type TlsFacts,
} from "./tls.ts";
export * from "./tls_context.ts";
export {
  loadTlsMaterial,
  type TlsMaterial,
  TlsMaterialError,
  type TlsSettings,
} from "./tls_material.ts";
export * from "./touched.ts";
export * from "./write_watch.ts";
