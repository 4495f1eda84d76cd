/**
 * What a broker makes of the accounts of its configuration.
 *
 * @module
 */
import { AccountDirectory, type AccountDirectoryOptions } from "./account/mod.ts";
import {
  type AccountDefinition,
  accountNames,
  type Config,
  GLOBAL_ACCOUNT,
  hasNoSystem,
  systemAccountName,
} from "./config/mod.ts";

/** The accounts that a configuration describes, by name. */
export function accountDefinitions(config: Config): Map<string, AccountDefinition> {
  const configured: Readonly<Record<string, AccountDefinition>> = config.accounts ?? {};
  return new Map(
    accountNames(config).map((name) => [name, configured[name] ?? globalDefinition(config, name)]),
  );
}

/** The account of all clients that no other account is said for has its settings at the top level. */
function globalDefinition(config: Config, name: string): AccountDefinition {
  if (name !== GLOBAL_ACCOUNT) return {};
  // As in nats-server: where there are accounts, those have JetStream that say so.
  return { mappings: config.mappings, jetstream: config.accounts === undefined };
}

/** The directory of a configuration's accounts. */
export function createAccounts(
  config: Config,
  surroundings: Omit<AccountDirectoryOptions, "systemAccount" | "jetStreamElsewhere">,
): AccountDirectory {
  return new AccountDirectory(accountDefinitions(config), {
    ...surroundings,
    systemAccount: hasNoSystem(config) ? null : systemAccountName(config),
    jetStreamElsewhere: config.cluster !== undefined,
  });
}
