/**
 * Users, as both `authorization` and accounts have them.
 *
 * @module
 */
import { block, listOrOne, optional, type Rule, scalar } from "./fields.ts";
import { CONNECTION_TYPES, type ConnectionType } from "./account_definition.ts";
import type { Kind } from "./kind.ts";
import { permissions } from "./permissions_section.ts";
import { publicKey } from "./public_key.ts";
import { password, userName, word } from "./text_kinds.ts";

/** Other names of keys of credentials. */
export const credentialAliases = { username: "user", pass: "password" };

const connectionType: Kind<ConnectionType, ConnectionType> = {
  ...word(CONNECTION_TYPES),
  inputType: "ConnectionType",
  outputType: "ConnectionType",
  outputFrom: "./account_definition.ts",
};

/** Who a user is. */
export interface UserNames {
  /** Name of the user. */
  readonly user?: string | undefined;
  /** Public key, instead of a name. */
  readonly nkey?: string | undefined;
}

const nameOrKey: Rule<UserNames & { readonly password?: string | undefined }> = (
  _values,
  report,
  given,
) => {
  if (given.has("nkey")) {
    if (!given.has("user") && !given.has("password")) return;
    report([[given.has("user") ? "user" : "password"], ["nkey"]], {
      expected: "either a user and a password or an nkey",
      found: "both",
    });
  } else if (!given.has("user")) {
    report([["user"]], { expected: "a user name or an nkey", found: "nothing" });
  }
};

/** One of several users. */
export const user = block({
  user: optional(scalar(userName()), "alice", "Name of the user."),
  password: optional(
    scalar(password()),
    "secret",
    "Password, in the clear or as a bcrypt hash. Without one only an empty password is accepted.",
  ),
  nkey: optional(
    scalar(publicKey("user")),
    "UDLUX4VUTBVSQJ2QC5FGZMYFVPLLB4XPLWWP5NQFQAHOUJKT7J5QRXHY",
    "Public key of the user, who signs what the server asks, instead of a name and a password.",
  ),
  permissions: optional(
    permissions,
    undefined,
    "What the user may do; where it is not given, default_permissions hold.",
  ),
  allowed_connection_types: optional(
    listOrOne(scalar(connectionType)),
    ["STANDARD", "WEBSOCKET"],
    "How the user may be connected; in any way where it is not given.",
  ),
}, {
  typeName: "UserConfig",
  doc: "A user that may connect.",
  aliases: {
    ...credentialAliases,
    permission: "permissions",
    authorization: "permissions",
    connection_types: "allowed_connection_types",
    clients: "allowed_connection_types",
  },
  unsupported: ["proxy_required"],
  harmless: { proxy_required: ["false"] },
  rules: [nameOrKey],
});

/** What tells a user from all others. */
export function identityOf({ user, nkey }: UserNames): string | undefined {
  return nkey ?? user;
}
