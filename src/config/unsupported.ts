/**
 * Settings of nats-server that denats does not have yet. A configuration that names one is refused
 * with these words rather than called unknown, and nothing is ignored in silence.
 *
 * @module
 */

/** Top-level keys of nats-server 2.15 that denats does not have yet. */
export const unsupportedKeys: readonly string[] = [
  "connect_error_reports",
  "default_js_domain",
  "disable_sublist_cache",
  "feature_flags",
  "gateway",
  "http",
  "http_base_path",
  "http_port",
  "https",
  "https_port",
  "jetstream",
  "leaf",
  "leafnodes",
  "max_closed_clients",
  "monitor_port",
  "mqtt",
  "no_sublist_cache",
  "ocsp",
  "ocsp_cache",
  "prof_block_rate",
  "prof_port",
  "proxies",
  "proxy_protocol",
  "reconnect_error_reports",
  "remote_syslog",
  "resolver_tls",
  "store_dir",
  "storedir",
  "syslog",
  "trace_headers",
  "websocket",
  "write_timeout",
  "ws",
];
