/**
 * The configuration of a broker: its types, the command's flags, and how both are read, checked and
 * shown.
 *
 * @module
 */
export {
  accountNames,
  type AccountSettings,
  DEFAULT_SYSTEM_ACCOUNT,
  GLOBAL_ACCOUNT,
  hasNoSystem,
  systemAccountName,
} from "./accounts_section.ts";
export {
  BackgroundLoadError,
  type BackgroundLoadOptions,
  type LoadedBefore,
  type LoadedInBackground,
  loadInBackground,
} from "./background_loader.ts";
export type { AccountTexts } from "./account_texts.ts";
export { type Change, changedPath, isSame } from "./changes.ts";
export { type ChangePart, type ChangeRule, changeTable, type Effect } from "./change_table.ts";
export {
  changeLine,
  formatPlan,
  obstacleText,
  type Plan,
  planChange,
  planInSlices,
  planJson,
  type PlannedChange,
} from "./plan.ts";
export { isBcrypt } from "./bcrypt.ts";
export { convertConfig, type ConvertedConfig } from "./convert.ts";
export type { Environment } from "./environment.ts";
export { type CommandHelp, helpText, type Mode } from "./flag_table.ts";
export { FlagError, type Flags, normaliseArguments, parseFlags } from "./flags.ts";
export { jsonSchema } from "./json_schema.ts";
export type { JsonSchema } from "./kind.ts";
export {
  type ConfigSources,
  type ConfigWarning,
  ignoresUnsupported,
  loadConfig,
  normaliseConfig,
} from "./load.ts";
export { exampleYaml, printConfig } from "./print.ts";
export type { Override } from "./overrides.ts";
export { ConfigError, formatProblem, type Path, type Problem, type Step } from "./problem.ts";
export type { FileReader } from "./source.ts";
export { type RouteUrl, showRouteUrl } from "./route_url.ts";
export * from "./account_definition.ts";
export * from "./types.ts";
export { loggingConfig } from "./logging.ts";
export { splitHostAndPort } from "./text_kinds.ts";
