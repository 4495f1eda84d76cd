/**
 * Choosing one of several transforms for a message.
 *
 * @module
 */
import { numberWildcards, SubjectTransform } from "./subject_transform.ts";
import { TransformError } from "./transform_error.ts";
import type { Draw } from "./transform_token.ts";

/** One of the subjects that a subject is mapped to. */
export interface WeightedDestination {
  /** Subject, possibly with functions. */
  readonly destination: string;
  /** Share of the messages in percent, a whole number in 0-100; 100 when absent. */
  readonly weight?: number | undefined;
  /** Only on servers of the cluster of this name. */
  readonly cluster?: string | undefined;
}

/** A share of the messages: those that drew less than `below` and were not taken by one before. */
interface Share {
  readonly transform: SubjectTransform;
  /** Percent, 0-100. */
  readonly below: number;
}

/** What an account does with messages to one subject or pattern. */
export class SubjectMapping {
  /** Leaves a subject as it is; knows which subjects the mapping is for. */
  readonly #identity: SubjectTransform;
  readonly #shares: readonly Share[];

  private constructor(identity: SubjectTransform, shares: readonly Share[]) {
    this.#identity = identity;
    this.#shares = shares;
  }

  /** Which subjects it is for. */
  get source(): string {
    return this.#identity.source;
  }

  /**
   * Compiles a mapping. What the weights leave of 100 % stays on the original subject, unless that
   * is itself one of the destinations: then it is dropped.
   *
   * @param cluster Name of the cluster that this server is in, or `null`. Where it has destinations
   * of its own, the others do not count.
   * @throws {TransformError} when a destination is impossible or there is twice or too much of it.
   */
  static compile(
    source: string,
    destinations: readonly WeightedDestination[],
    cluster: string | null,
  ): SubjectMapping {
    const identity = SubjectTransform.compile(source, numberWildcards(source), "mapping");
    const byCluster = new Map<string | undefined, { shares: Share[]; total: number }>();
    byCluster.set(undefined, { shares: [], total: 0 });
    const seen = new Set<string>();
    for (const { destination, weight = 100, cluster } of destinations) {
      if (seen.has(destination)) throw new TransformError("duplicate entry", destination);
      seen.add(destination);
      if (!Number.isInteger(weight) || weight < 0 || weight > 100) {
        throw new TransformError(
          `weight ${weight} is not a whole number from 0 to 100`,
          destination,
        );
      }
      const key = cluster === "" ? undefined : cluster;
      const group = byCluster.get(key) ?? { shares: [], total: 0 };
      byCluster.set(key, group);
      group.total += weight;
      if (group.total > 100) throw new TransformError("total weight is over 100", source);
      group.shares.push({
        transform: SubjectTransform.compile(source, destination, "mapping"),
        below: group.total,
      });
    }
    const chosen = (cluster === null ? undefined : byCluster.get(cluster)) ??
      byCluster.get(undefined) as { shares: Share[]; total: number };
    if (chosen.total < 100 && !seen.has(source)) {
      chosen.shares.push({ transform: identity, below: 100 });
    }
    return new SubjectMapping(identity, chosen.shares);
  }

  /**
   * The subject that a message to `subject` has from now on, `""` when it is to be dropped, or
   * `null` when the mapping is not for it.
   *
   * @param random Chance, of the choice as well as for `{{random(n)}}`.
   */
  choose(subject: string, random: Draw): string | null {
    const [first] = this.#shares;
    if (first !== undefined && first.below === 100) return first.transform.apply(subject, random);
    const drawn = random(100);
    const share = this.#shares.find(({ below }) => drawn < below);
    if (share !== undefined) return share.transform.apply(subject, random);
    return this.#identity.matches(subject) ? "" : null;
  }
}
