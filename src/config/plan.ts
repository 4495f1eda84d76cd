/**
 * What a running server would make of a new configuration.
 *
 * @module
 */
import { type ChangePart, type ChangeRule, type Effect, ruleFor } from "./change_table.ts";
import { type Change, changedPath, changesBetween, differences } from "./changes.ts";
import type { Config } from "./types.ts";

/** A change, and what becomes of it. */
export interface PlannedChange extends Change {
  /** What it leads to. */
  readonly effect: Effect;
  /** Who carries it out; null where nobody can while the server runs. */
  readonly part: ChangePart | null;
  /** How it takes effect, or why it does not. */
  readonly note: string;
}

/** What becomes of a new configuration. */
export interface Plan {
  /** Whether there is nothing to do, all of it can be done, or why nothing is. */
  readonly verdict: "unchanged" | Effect;
  /** Everything that differs. */
  readonly changes: readonly PlannedChange[];
}

/** Plans the change from one configuration to another. */
export function planChange(before: Config, after: Config): Plan {
  return planOf(changesBetween(before, after));
}

/**
 * The same, with `rest` called between two entries of a map, so that it need not all be done at once.
 */
export async function planInSlices(
  before: Config,
  after: Config,
  rest: () => Promise<void> | undefined,
): Promise<Plan> {
  const changes: Change[] = [];
  for (const change of differences(before, after)) {
    if (change !== undefined) changes.push(change);
    else await rest();
  }
  return planOf(changes);
}

/** What becomes of changes. */
export function planOf(changes: readonly Change[]): Plan {
  const planned = changes.map(plannedChange);
  const verdict = planned.some(({ effect }) => effect === "refused")
    ? "refused"
    : planned.some(({ effect }) => effect === "restart")
    ? "restart"
    : planned.length > 0
    ? "applied"
    : "unchanged";
  return { verdict, changes: planned };
}

function plannedChange(change: Change): PlannedChange {
  const rule = ruleOf(change);
  return { ...change, effect: rule.effect, part: rule.part ?? null, note: rule.note };
}

function ruleOf({ setting }: Change): ChangeRule {
  const rule = ruleFor(setting);
  if (rule === undefined) throw new TypeError(`no rule for changes of ${setting}`);
  return rule;
}

/** In nats-server's words, why a plan is not carried out; null where it is. */
export function obstacleText(plan: Plan): string | null {
  const change = plan.changes.find(({ effect }) => effect === plan.verdict);
  if (change === undefined || change.effect === "applied") return null;
  const { before, after } = change;
  const name = ruleOf(change).field ?? changedPath(change);
  return `config reload not supported for ${name}: old=${before ?? ""}, new=${after ?? ""}`;
}

/** A change in a line, as the log has it: `max_payload = 2000`. */
export function changeLine(change: Change): string {
  const path = changedPath(change), { kind, after } = change;
  if (kind === "removed") return `${path} removed`;
  if (after === null) return kind === "added" ? `${path} added` : path;
  return `${path} = ${after}`;
}

/** A plan for people to read. */
export function formatPlan(plan: Plan): string {
  const { verdict, changes } = plan;
  if (verdict === "unchanged") return "Nothing differs.\n";
  const lines: string[] = [];
  for (const effect of ["refused", "restart", "applied"] as const) {
    const some = changes.filter((change) => change.effect === effect);
    if (some.length === 0) continue;
    if (lines.length > 0) lines.push("");
    lines.push(`${HEADINGS[effect]}:`, ...some.flatMap(planLines));
  }
  return `${lines.join("\n")}\n\n${VERDICTS[verdict]}\n`;
}

/** A plan for programs to read. */
export function planJson(plan: Plan): unknown {
  return {
    verdict: plan.verdict,
    changes: plan.changes.map((change) => ({
      path: changedPath(change),
      kind: change.kind,
      before: change.before,
      after: change.after,
      effect: change.effect,
      note: change.note,
    })),
  };
}

const HEADINGS: Readonly<Record<Effect, string>> = {
  refused: "Refused",
  restart: "Needs a restart",
  applied: "Applied while it runs",
};

const VERDICTS: Readonly<Record<Effect, string>> = {
  refused: "A running server refuses this and changes nothing.",
  restart: "A running server changes nothing before it is restarted with this.",
  applied: "A running server applies all of it.",
};

const MARKS = { added: "+", removed: "-", changed: "~" } as const;

function planLines(change: PlannedChange): string[] {
  const { kind, before, after, note } = change;
  const values = before === null && after === null
    ? ""
    : kind === "added"
    ? `: ${readable(after)}`
    : kind === "removed"
    ? `: was ${readable(before)}`
    : `: ${readable(before)} -> ${readable(after)}`;
  return [`  ${MARKS[kind]} ${changedPath(change)}${values}`, `      ${note}`];
}

/** A value that cannot be taken for anything but one, whatever characters are in it. */
function readable(value: string | null): string {
  const text = value ?? "";
  return /^[\w.:/@*>$,[\] +-]+$/.test(text) ? text : JSON.stringify(text);
}
