/**
 * What two subjects with wildcards have in common.
 *
 * @module
 */

/**
 * The subject that matches exactly what both `a` and `b` match; null when that is nothing. All are
 * valid subjects of subscriptions, byte strings.
 */
export function subjectOverlap(a: string, b: string): string | null {
  const left = a.split("."), right = b.split("."), tokens: string[] = [];
  for (let i = 0;; i++) {
    const one = left[i], other = right[i];
    if (one === undefined || other === undefined) {
      return one === other ? tokens.join(".") : null;
    }
    if (one === ">") return [...tokens, ...right.slice(i)].join(".");
    if (other === ">") return [...tokens, ...left.slice(i)].join(".");
    if (one === "*" || one === other) tokens.push(other);
    else if (other === "*") tokens.push(one);
    else return null;
  }
}

/** Whether `wide` matches everything that `narrow` matches. Valid subjects, byte strings. */
export function subjectCovers(wide: string, narrow: string): boolean {
  const left = wide.split("."), right = narrow.split(".");
  for (let i = 0; i < left.length; i++) {
    const one = left[i], other = right[i];
    if (other === undefined) return false;
    if (one === ">") return true;
    if (other === ">") return false;
    if (one !== "*" && one !== other) return false;
  }
  return left.length === right.length;
}
