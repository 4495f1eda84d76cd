type Name = string | undefined;
type Flatten<T> = { [Key in keyof T]: T[Key] };
type Aliases = Readonly<Record<string, string | readonly string[]>>;

/** What {@link parseArgs} is told of the flags there are. */
export interface ParseOptions<
  Booleans extends Name = Name,
  Strings extends Name = Name,
  Collected extends Name = Name,
  Negatable extends Name = Name,
  Defaults extends Record<string, unknown> | undefined = Record<string, unknown> | undefined,
  Alias extends Aliases | undefined = Aliases | undefined,
  DoubleDash extends boolean | undefined = boolean | undefined,
> {
  /** Whether what follows `--` is kept apart, in `"--"`, instead of being added to `_`. */
  "--"?: DoubleDash;
  /** Other names of a flag; each of them is set when one of them is given. */
  alias?: Alias;
  /** Flags that take no value; `true`: all flags with two dashes and no `=`. */
  boolean?: boolean | Booleans | ReadonlyArray<Extract<Booleans, string>>;
  /** Values of flags that are not given. */
  default?: Defaults;
  /** Whether everything from the first argument that is no flag on goes to `_` as it is. */
  stopEarly?: boolean;
  /** Flags whose value stays a string, however much it looks like a number. */
  string?: Strings | ReadonlyArray<Extract<Strings, string>>;
  /** Flags that may be given several times; their value is an array. */
  collect?: Collected | ReadonlyArray<Extract<Collected, string>>;
  /** Flags that `--no-<flag>` sets to false. */
  negatable?: Negatable | ReadonlyArray<Extract<Negatable, string>>;
  /**
   * Called with an argument that is no declared flag (and its name and value when it is a flag);
   * it is left out of the result when false is returned.
   */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

type Declared<Names extends Name, Value, Collected extends Name, Negatable extends Name> =
  & { [Key in Exclude<Extract<Names, string>, Collected>]?: Value | No<Key, Negatable> }
  & { [Key in Extract<Extract<Names, string>, Collected>]: Value[] | No<Key, Negatable> };

type No<Key, Negatable> = Key extends Negatable ? false : never;

type AlwaysSet<Names extends Name, Collected extends Name> =
  & { [Key in Exclude<Extract<Names, string>, Collected>]: boolean }
  & { [Key in Extract<Extract<Names, string>, Collected>]: boolean[] };

type Values<
  Booleans extends Name,
  Strings extends Name,
  Collected extends Name,
  Negatable extends Name,
> =
  & AlwaysSet<Booleans, Collected>
  & Declared<Strings, string, Collected, Negatable>
  & {
    [Key in Exclude<Extract<Collected, string>, Booleans | Strings>]:
      | unknown[]
      | No<Key, Negatable>;
  };

type WithDefaults<Given, Defaults> = Defaults extends Record<string, unknown> ?
    & Omit<Given, keyof Defaults>
    & {
      [Key in keyof Defaults]: Key extends keyof Given ? NonNullable<Given[Key]> | Defaults[Key]
        : unknown;
    }
  : Given;

type NamesOf<Key, Alias> = Key extends keyof Alias
  ? Key | (Alias[Key] extends readonly (infer Each)[] ? Each : Alias[Key])
  : Key;

type WithAliases<Given, Alias> = {
  [Key in keyof Given as Extract<NamesOf<Key, Alias>, PropertyKey>]: Given[Key];
};

type Known<
  Booleans extends Name,
  Strings extends Name,
  Collected extends Name,
  Negatable extends Name,
  Defaults,
  Alias,
> = [Booleans | Strings | Collected] extends [undefined]
  // deno-lint-ignore no-explicit-any -- as in the original: nothing is known of undeclared flags
  ? Record<string, any>
  :
    & Record<string, unknown>
    & WithAliases<WithDefaults<Values<Booleans, Strings, Collected, Negatable>, Defaults>, Alias>;

/** What {@link parseArgs} returns: the flags by name, and the rest. */
export type Args<
  // deno-lint-ignore no-explicit-any -- as in the original
  Flags extends Record<string, unknown> = Record<string, any>,
  DoubleDash extends boolean | undefined = undefined,
> = Flatten<
  & Flags
  & {
    /** The arguments that are neither flags nor their values. */
    _: Array<string | number>;
  }
  & (DoubleDash extends true ? {
      /** The arguments after `--`. */
      "--": string[];
    }
    : Record<never, never>)
>;

/** The {@link Args} that some {@link ParseOptions} lead to. */
export type ParsedArgs<
  Booleans extends Name,
  Strings extends Name,
  Collected extends Name,
  Negatable extends Name,
  Defaults extends Record<string, unknown> | undefined,
  Alias extends Aliases | undefined,
  DoubleDash extends boolean | undefined,
> = Args<Known<Booleans, Strings, Collected, Negatable, Defaults, Alias>, DoubleDash>;

export type { Aliases, Name };
