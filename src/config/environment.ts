/**
 * Environment variables in the values of a file.
 *
 * @module
 */

/** The value of an environment variable, or `undefined` when it is not set. */
export type Environment = (name: string) => string | undefined;

/** A text with its variables filled in, or why that cannot be done. */
export type Substitution =
  | { readonly text: string }
  | { readonly problem: string; readonly hint?: string };

const reference = /\$\$\{|\$\{([^}]*)(\}?)/g;
const literally = "write $${ for the characters ${ themselves";
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Puts the value of the variable for every `${NAME}`. The value is text: nothing in it is YAML, and
 * it is not searched for variables again. `$${` stands for `${` itself.
 *
 * @param secret Whether the text may be a secret, and `${` a piece of it: a name is then told only
 * where it is all there is.
 */
export function substitute(
  text: string,
  environment: Environment,
  secret: boolean,
): Substitution {
  let problem: Substitution | undefined;
  const filled = text.replace(reference, (whole: string, name = "", end = "") => {
    if (whole === "$${") return "${";
    if (end === "" || !variableName.test(name)) {
      problem ??= {
        problem: "a ${ that does not begin a variable",
        hint: "write ${NAME} for a variable, $${ for the characters themselves",
      };
      return whole;
    }
    const value = environment(name);
    if (value === undefined) {
      problem ??= secret && whole !== text
        ? { problem: "the environment variable in it is not set", hint: literally }
        : { problem: `the environment variable ${name} is not set` };
    }
    return value ?? whole;
  });
  return problem ?? { text: filled };
}
