/**
 * The schema of the configuration: the one source of its types, defaults, checks, JSON Schema and
 * example file. To add a section: declare its fields in a file of its own, name them in
 * {@link sections} and spread them into the block below, take their keys out of `unsupported.ts`,
 * and run `deno run -A src/config/generate.ts`.
 *
 * @module
 */
import type { InputOf, OutputOf } from "./checking.ts";
import {
  accountFields,
  accountsHaveNames,
  accountUsersDiffer,
  calloutFits,
  clusterAccountsExist,
  hasNoSystem,
  systemAccountExists,
} from "./accounts_section.ts";
import { authorizationFields, noAuthUserExists } from "./authorization_section.ts";
import { clusterFields, resolveCluster } from "./cluster_section.ts";
import { block, resolved } from "./fields.ts";
import type { BlockShape } from "./shape.ts";
import { exchangesFit } from "./exchange_rules.ts";
import { mappingsFit } from "./mapping_rules.ts";
import { limitFields, payloadFits, pingFields } from "./limits_section.ts";
import { loggingFields } from "./logging_section.ts";
import { operatorAliases, operatorFields, operatorStandsAlone } from "./operator_section.ts";
import {
  addressFields,
  defaultListen,
  fileFields,
  graceIsShorter,
  lameDuckFields,
  listenAgrees,
  portsDiffer,
  reloadFields,
} from "./server_section.ts";
import { authenticationTimeout, resolveTls, tlsTopFields } from "./tls_section.ts";
import { unsupportedKeys } from "./unsupported.ts";

/** The headings under which the top-level keys are documented. */
export const sections: readonly { readonly title: string; readonly keys: readonly string[] }[] = [
  { title: "The server", keys: Object.keys(addressFields) },
  { title: "Limits", keys: Object.keys(limitFields) },
  { title: "Pings", keys: Object.keys(pingFields) },
  { title: "Who may connect", keys: Object.keys(authorizationFields) },
  { title: "Accounts", keys: Object.keys(accountFields) },
  { title: "Operators", keys: Object.keys(operatorFields) },
  { title: "TLS", keys: Object.keys(tlsTopFields) },
  { title: "The cluster", keys: Object.keys(clusterFields) },
  { title: "Logging", keys: Object.keys(loggingFields) },
  { title: "Files for other programs", keys: Object.keys(fileFields) },
  { title: "Changing it while it runs", keys: Object.keys(reloadFields) },
  { title: "Lame duck mode", keys: Object.keys(lameDuckFields) },
];

const settings = block({
  ...addressFields,
  ...limitFields,
  ...pingFields,
  ...authorizationFields,
  ...accountFields,
  ...operatorFields,
  ...tlsTopFields,
  ...clusterFields,
  ...loggingFields,
  ...fileFields,
  ...reloadFields,
  ...lameDuckFields,
}, {
  typeName: "Config",
  doc: "The configuration of a broker.",
  aliases: {
    net: "host",
    max_conn: "max_connections",
    max_subs: "max_subscriptions",
    max_subscription_tokens: "max_sub_tokens",
    logfile: "log_file",
    logfile_size_limit: "log_size_limit",
    logfile_max_num: "log_max_num",
    pidfile: "pid_file",
    system: "system_account",
    maps: "mappings",
    no_system: "no_system_account",
    no_sys_acc: "no_system_account",
    ...operatorAliases,
  },
  unsupported: unsupportedKeys,
  rules: [
    listenAgrees,
    payloadFits,
    noAuthUserExists,
    accountsHaveNames,
    accountUsersDiffer,
    systemAccountExists,
    clusterAccountsExist,
    calloutFits,
    exchangesFit,
    mappingsFit,
    operatorStandsAlone,
    portsDiffer,
    graceIsShorter,
  ],
});

/** The whole configuration: nats-server's keys in, a resolved configuration out. */
export const configSchema = resolved(settings, (values) => {
  const { listen, host, port, cluster: _cluster, tls, authorization, ...rest } = values;
  return Object.freeze({
    ...rest,
    ...resolveCluster(values),
    ...resolveTls(tls),
    authorization: Object.freeze({
      ...authorization,
      timeout: authenticationTimeout(authorization.timeout, tls),
    }),
    host: host ?? listen?.host ?? defaultListen.host,
    port: port ?? listen?.port ?? defaultListen.port,
    no_system_account: hasNoSystem(values),
    trace: values.trace || values.trace_verbose,
  });
});

/** The schema's input, as it is inferred. */
export type SchemaInput = InputOf<typeof configSchema>;

/** The schema's output, as it is inferred. */
export type SchemaOutput = OutputOf<typeof configSchema>;

/** The shape of the whole configuration. */
export const configShape: BlockShape = blockShape();

function blockShape(): BlockShape {
  const { shape } = configSchema;
  if (shape.type !== "block") throw new TypeError("the configuration is not a block");
  return shape;
}
