/**
 * Deadlines of very many connections, without a timer for each.
 *
 * @module
 */

/** Something that waits for a moment. */
export interface Timed {
  /** When it is due, in monotonic milliseconds. */
  dueMs: number;
  /** Managed by the wheel: where it waits, -1 when it does not. */
  wheelSlot: number;
  /** Called at the first turn of the wheel at or after `dueMs`. May schedule itself again. */
  due(nowMs: number): void;
}

/**
 * A hashed timer wheel. Scheduling and cancelling cost a set insertion; turning costs what is due.
 * Its resolution is how often it is turned.
 */
export class TimerWheel {
  /** The time of the last turn, in monotonic milliseconds: a clock that costs nothing to read. */
  nowMs: number;
  readonly #slotMs: number;
  readonly #slots: Set<Timed>[];
  #turned: number;

  /** A wheel of `slots` slots of `slotMs` each. What is due later than one round is looked at once a round. */
  constructor(nowMs: number, slotMs = 100, slots = 1024) {
    this.nowMs = nowMs;
    this.#slotMs = slotMs;
    this.#slots = Array.from({ length: slots }, () => new Set<Timed>());
    this.#turned = Math.floor(nowMs / slotMs);
  }

  /** Schedules `timed` for `dueMs`, instead of what it waited for before. */
  schedule(timed: Timed, dueMs: number): void {
    this.cancel(timed);
    timed.dueMs = dueMs;
    const first = this.#turned + 1, last = this.#turned + this.#slots.length;
    const wanted = Math.ceil(dueMs / this.#slotMs);
    const slot = Math.min(Math.max(wanted, first), last) % this.#slots.length;
    timed.wheelSlot = slot;
    this.#slots[slot]!.add(timed);
  }

  /** Makes `timed` wait for nothing. */
  cancel(timed: Timed): void {
    if (timed.wheelSlot < 0) return;
    this.#slots[timed.wheelSlot]!.delete(timed);
    timed.wheelSlot = -1;
  }

  /**
   * Moves on to `nowMs`, and calls what has become due.
   *
   * @throws what the first of them threw, after all of them were called.
   */
  turn(nowMs: number): void {
    this.nowMs = nowMs;
    const target = Math.floor(nowMs / this.#slotMs);
    // After a long pause every slot is looked at once, not once per missed round.
    let turn = Math.max(this.#turned, target - this.#slots.length);
    const errors: unknown[] = [];
    while (turn < target) {
      turn++;
      this.#turned = turn;
      const slot = this.#slots[turn % this.#slots.length]!;
      if (slot.size === 0) continue;
      for (const timed of [...slot]) {
        if (timed.wheelSlot !== turn % this.#slots.length) continue;
        slot.delete(timed);
        timed.wheelSlot = -1;
        if (timed.dueMs > nowMs) {
          this.schedule(timed, timed.dueMs);
          continue;
        }
        try {
          timed.due(nowMs);
        } catch (error) {
          errors.push(error);
        }
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
