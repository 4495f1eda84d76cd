/**
 * Whether numbered messages arrive exactly once and in order.
 *
 * @module
 */

/** Looks at the numbers of one publisher's messages as they arrive. */
export class MessageSequence {
  /** The number that comes next when nothing is lost. */
  next: number;
  /** How many were left out. */
  lost = 0;
  /** How many came again, or after a later one. */
  repeated = 0;

  /** `first`: the number of the first message. */
  constructor(first = 0) {
    this.next = first;
  }

  /** Takes the number of the next message. */
  add(number: number): void {
    if (number < this.next) {
      this.repeated++;
      return;
    }
    this.lost += number - this.next;
    this.next = number + 1;
  }

  /** What to compare in a test: `"1000 in order"` when all is well. */
  get summary(): string {
    const faults = [
      ...(this.lost > 0 ? [`${this.lost} lost`] : []),
      ...(this.repeated > 0 ? [`${this.repeated} repeated or late`] : []),
    ];
    return `${this.next} ${faults.length === 0 ? "in order" : `with ${faults.join(", ")}`}`;
  }
}
