/**
 * How a broker logs.
 *
 * @module
 */
import type { LoggingConfig } from "../log/mod.ts";
import type { Config } from "./types.ts";

/** What the log is told of a configuration. */
export function loggingConfig(config: Config): LoggingConfig {
  const level = config.trace ? "trace" : config.debug ? "debug" : config.log.level;
  return {
    level,
    levels: config.log.levels,
    format: config.log.format,
    log_file: config.log_file,
    log_size_limit: config.log_size_limit,
    log_max_num: config.log_max_num,
    logtime: config.logtime,
    logtime_utc: config.logtime_utc,
    max_traced_msg_len: config.max_traced_msg_len,
  };
}
