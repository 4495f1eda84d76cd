/** Accounts of a server that is not there. */
import { AccountDirectory, type AccountDirectoryOptions } from "../../src/account/mod.ts";
import type { AccountDefinition } from "../../src/config/mod.ts";
import { TouchedOutboxes } from "../../src/connection/mod.ts";
import { SeededRandom, VirtualClock } from "../../src/platform/mod.ts";

/** A directory without limits, system account or JetStream, but for what `options` say. */
export function accountDirectory(
  definitions: Readonly<Record<string, AccountDefinition>>,
  options: Partial<AccountDirectoryOptions> = {},
): AccountDirectory {
  return new AccountDirectory(Object.entries(definitions), {
    random: new SeededRandom(1),
    clock: new VirtualClock(),
    touched: new TouchedOutboxes(),
    dropAbove: Infinity,
    pressAbove: Infinity,
    systemAccount: null,
    jetStreamElsewhere: false,
    server: () => ({ name: "s", cluster: null }),
    onProblem: () => {},
    ...options,
  });
}
