/**
 * What is said between the thread that loads a configuration and the one that wants it.
 *
 * @module
 */
import type { ReadFiles } from "../platform/mod.ts";
import type { AccountTexts } from "./account_texts.ts";
import type { Flags } from "./flags.ts";
import type { AccountFacts } from "./known_account.ts";
import type { ConfigWarning } from "./load.ts";
import type { ConfigPiece } from "./pieces.ts";
import type { Problem } from "./problem.ts";
import type { Config } from "./types.ts";

/** What to load. */
export type LoadFlags = Pick<Flags, "configFile" | "overrides" | "ignoreUnsupported">;

/**
 * To the thread: at first what is known of accounts, then what to load; where it has loaded the whole,
 * what there is already; and that the next piece is wanted.
 */
export type LoadRequest =
  | { readonly type: "facts"; readonly facts: readonly AccountFacts[] }
  | { readonly type: "load"; readonly flags: LoadFlags; readonly texts: AccountTexts | null }
  | { readonly type: "known"; readonly digests: ReadonlyMap<string, number> }
  | { readonly type: "next" };

/** From the thread: the configuration, then piece by piece, or why not. */
export type LoadReply =
  | {
    readonly type: "config";
    readonly base: Config;
    /** Whether accounts whose text is known were passed over. */
    readonly quick: boolean;
    /** What is known from now on. */
    readonly texts: AccountTexts | null;
    readonly warnings: readonly ConfigWarning[];
    readonly files: ReadFiles;
  }
  | { readonly type: "piece"; readonly piece: ConfigPiece }
  | { readonly type: "end" }
  | {
    readonly type: "refused";
    readonly problems: readonly Problem[];
    readonly omitted: number;
    /** What was known, which is so still. */
    readonly texts: AccountTexts | null;
  }
  | { readonly type: "failed"; readonly reason: string };
