/**
 * One simulated cluster: its brokers, its clients, its network, and who watches over it.
 *
 * @module
 */
import type { Checked, Checker } from "./checkers/checker.ts";
import { duplicatesChecker } from "./checkers/duplicates.ts";
import { interestChecker } from "./checkers/interest.ts";
import { isolationChecker } from "./checkers/isolation.ts";
import { lossChecker } from "./checkers/loss.ts";
import { orderChecker } from "./checkers/order.ts";
import { panicsChecker } from "./checkers/panics.ts";
import { queueGroupsChecker } from "./checkers/queue_groups.ts";
import { stalenessChecker } from "./checkers/staleness.ts";
import { beginFault, type Fault } from "./faults.ts";
import { Ledger } from "./ledger.ts";
import { MeshWatch } from "./mesh_watch.ts";
import { SimulatedNetwork } from "./network.ts";
import { SimulatedNode } from "./node.ts";
import { between, type Plan, streamOf } from "./plan.ts";
import { Population } from "./population.ts";
import { Ticks } from "./ticks.ts";
import { Trace } from "./trace.ts";

/** How often everything is looked at, in milliseconds. */
const LOOK_MS = 100;
/** How soon an end that was not possible yet is tried again. */
const AGAIN_MS = 50;

interface Lasting {
  readonly fault: Fault;
  dueMs: number;
}

/** A cluster that nothing happens in unless time passes. */
export class World implements Checked {
  readonly plan: Plan;
  readonly ticks: Ticks = new Ticks();
  readonly trace: Trace = new Trace(this.ticks);
  readonly ledger: Ledger = new Ledger(this.ticks);
  readonly network: SimulatedNetwork;
  readonly nodes: readonly SimulatedNode[];
  readonly mesh: MeshWatch;
  readonly population: Population;
  /** How many faults there were. */
  faults = 0;
  readonly #checkers: readonly Checker[];
  readonly #faultRandom;
  #lasting: Lasting[] = [];
  #lastLookMs = 0;
  #reported: { error: unknown } | null = null;

  /** A cluster of brokers that do not run yet. */
  constructor(plan: Plan) {
    const { ticks, trace, ledger } = this;
    this.plan = plan;
    const random = streamOf(plan.seed, "network");
    const network = this.network = new SimulatedNetwork({ ticks, trace, random });
    network.onPath = (path) => {
      path.delayMs = between(random, 1, plan.pathMs);
      path.jitterMs = random.below(plan.pathMs - path.delayMs + 1);
      if (random.below(4) === 0) path.pieceBytes = between(random, 1, 100);
    };
    this.nodes = Array.from(
      { length: plan.nodes },
      (_, index) => new SimulatedNode({ plan, ticks, network }, index),
    );
    this.mesh = new MeshWatch(plan, ticks, this.nodes);
    this.population = new Population(
      {
        ticks,
        network,
        ledger,
        random: streamOf(plan.seed, "traffic"),
        report: (error) => {
          this.#reported ??= { error };
          // What is wrong may also be what multiplies messages without end.
          ticks.halt();
        },
      },
      plan,
      this.nodes,
    );
    this.#faultRandom = streamOf(plan.seed, "faults");
    this.#checkers = [
      isolationChecker(),
      duplicatesChecker(),
      orderChecker(),
      queueGroupsChecker(),
      lossChecker(this),
      stalenessChecker(this),
      panicsChecker(this),
      interestChecker(this),
    ];
    for (const { delivered } of this.#checkers) {
      if (delivered !== undefined) ledger.onDelivery.push(delivered);
    }
  }

  /**
   * Lets time pass, ends faults that are due, and looks at everything.
   *
   * @throws {Violation} when an invariant does not hold.
   */
  async pass(durationMs: number): Promise<void> {
    const untilMs = this.ticks.nowMs + durationMs;
    for (;;) {
      const stopMs = Math.min(
        untilMs,
        this.#lastLookMs + LOOK_MS,
        ...this.#lasting.map(({ dueMs }) => dueMs),
      );
      await this.ticks.advance(Math.max(0, stopMs - this.ticks.nowMs));
      if (this.#reported !== null) throw this.#reported.error;
      await this.#endFaults((lasting) => lasting.dueMs <= this.ticks.nowMs);
      if (this.ticks.nowMs - this.#lastLookMs >= LOOK_MS) this.#look();
      if (this.ticks.nowMs >= untilMs) return;
    }
  }

  #look(): void {
    this.#lastLookMs = this.ticks.nowMs;
    this.mesh.look();
    for (const { look } of this.#checkers) look?.();
  }

  /** Begins a fault at random. */
  beginFault(): void {
    const { plan, network, nodes, mesh, population } = this;
    const random = this.#faultRandom;
    const fault = beginFault({ plan, random, network, nodes, mesh, population });
    this.faults++;
    const { text, durationMs, end } = fault;
    this.trace.note(end === undefined ? text : `${text}, for ${durationMs} ms`);
    if (end !== undefined) this.#lasting.push({ fault, dueMs: this.ticks.nowMs + durationMs });
  }

  /** Whether any fault lasts. */
  get faulty(): boolean {
    return this.#lasting.length > 0;
  }

  /** Ends all faults, as far as that is possible at once. */
  heal(): Promise<void> {
    return this.#endFaults(() => true);
  }

  async #endFaults(isOver: (lasting: Lasting) => boolean): Promise<void> {
    for (const lasting of this.#lasting.filter(isOver)) {
      if (await lasting.fault.end!()) {
        this.#lasting.splice(this.#lasting.indexOf(lasting), 1);
        this.trace.note(`over: ${lasting.fault.text}`);
      } else lasting.dueMs = this.ticks.nowMs + AGAIN_MS;
    }
  }

  /** Has the checkers look that need a calm. */
  checkCalm(): void {
    for (const { calm } of this.#checkers) calm?.();
  }
}
