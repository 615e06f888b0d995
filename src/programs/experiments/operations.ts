import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { Check, Plan } from "./contract.ts";
import { FlagKey } from "../flags/document.ts";
import { Agreed, Experiment, metricRoles } from "./document.ts";

/** What is asked and done with experiments; the calculator's part is in contract.ts. */

export const experimentStates = ["draft", "running", "ended"] as const;
export const decisions = ["ship", "stop", "inconclusive"] as const;
const State = z.enum(experimentStates);

const Effect = z.object({ metric: z.string(), role: z.enum(metricRoles), arm: z.string(), estimate: z.number(), standardError: z.number() }); // prettier-ignore

export const Decision = z.object({
  decision: z.enum(decisions),
  arm: z.string().nullable(),
  reason: z.string(),
  by: z.string(),
  at: z.string(),
  effects: z.array(Effect).default([]).describe("As they stood when it was decided; relative to the control."),
});

const View = z.object({
  experiment: Experiment,
  state: State,
  version: z.number(),
  agreed: Agreed.nullable().describe("What was agreed at the start."),
  startedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  decision: Decision.nullable(),
  updatedAt: z.string(),
});
export type ExperimentView = z.output<typeof View>;

const One = z.strictObject({ key: FlagKey });

export const list = defineOperation({
  name: "experiments.list",
  summary: "All experiments: planned, running and ended, with what was decided.",
  permission: "read",
  input: z.strictObject({ search: z.string().max(200).default(""), state: State.optional() }),
  output: z.object({ experiments: z.array(View) }),
});

export const get = defineOperation({
  name: "experiments.get",
  summary: "An experiment with its plan.",
  permission: "read",
  input: One,
  output: View,
});

export const save = defineOperation({
  name: "experiments.save",
  summary:
    "Writes an experiment. What runs or has ended keeps what was agreed: only its name and owner can be changed.",
  permission: "edit",
  input: z.strictObject({ experiment: Experiment, version: z.int().min(0) }),
  output: z.object({ version: z.number() }),
});

export const remove = defineOperation({
  name: "experiments.remove",
  summary: "Takes a draft away. What has run stays.",
  permission: "edit",
  input: One,
  output: z.object({ ok: z.literal(true) }),
});

export const gate = defineOperation({
  name: "experiments.gate",
  summary: "Whether an experiment may be started, what is missing, and the plan that follows from the past.",
  permission: "read",
  input: One.extend({ draft: Experiment.optional().describe("Instead of what is kept of it.") }),
  output: z.object({ passed: z.boolean(), checks: z.array(Check), plan: Plan.nullable() }),
});

export const start = defineOperation({
  name: "experiments.start",
  summary: "Starts an experiment; refused where a check fails. The plan is kept as it was agreed.",
  permission: "edit",
  input: One,
  output: View,
});

export const end = defineOperation({
  name: "experiments.end",
  summary: "Ends an experiment with a decision and its reason.",
  permission: "edit",
  input: One.extend({ decision: z.enum(decisions), arm: z.string().max(200).nullable().default(null), reason: z.string().trim().min(1, "Say why.").max(5_000) }), // prettier-ignore
  output: View,
});

const Point = z.object({ day: z.string(), estimate: z.number(), lower: z.number(), upper: z.number() });
const Look = z.object({ day: z.string(), units: z.number(), information: z.number(), critical: z.number() });

export const results = defineOperation({
  name: "experiments.results",
  summary: "What may be said of an experiment now: arms, each metric with its interval, and what follows by the plan.",
  permission: "read",
  input: One,
  output: z.object({
    arms: z.array(z.object({ arm: z.string(), units: z.number(), expected: z.number(), crossed: z.number(), ripe: z.number() })),
    strange: z.array(z.object({ arm: z.string(), units: z.number() })).describe("Arms that exposures name and the experiment does not have."),
    triggered: z.object({ exposed: z.number(), triggered: z.number() }).nullable().describe("How many were exposed, and how many of them came to where it can make a difference; null where everybody counts."),
    health: z.array(Check).describe("What speaks for and against believing the rest."),
    mismatch: z.object({ pValue: z.number(), sequentialPValue: z.number(), isMismatch: z.boolean() }),
    look: Look.nullable(),
    looks: z.array(Look),
    metrics: z.array(
      z.object({
        metric: z.string(),
        name: z.string(),
        role: z.enum(metricRoles),
        margin: z.number().nullable(),
        direction: z.enum(["up", "down", "none"]),
        kind: z.enum(["proportion", "mean", "ratio", "conversion", "return"]),
        comparisons: z.array(
          z.object({
            arm: z.string(),
            control: z.number(),
            treatment: z.number(),
            effect: Point.extend({ standardError: z.number() }).nullable(),
            reduction: z.number(),
            guardrail: z.enum(["holds", "broken", "open"]).nullable(),
            course: z.array(Point),
          }),
        ),
      }),
    ),
    verdict: z.enum(["invalid", "keep_running", "ship", "stop", "inconclusive"]),
    best: z.string().nullable(),
    sentence: z.string(),
    turns: z.array(z.string()).describe("What would change what is said."),
  }),
}); // prettier-ignore
export type Results = z.output<typeof results.output>;

export const report = defineOperation({
  name: "experiments.report",
  summary: "An experiment as a document (Markdown): what was expected, agreed, found and decided.",
  permission: "read",
  input: One,
  output: z.object({ name: z.string(), markdown: z.string() }),
});

const Impact = z.object({
  key: z.string(),
  name: z.string(),
  units: z.number(),
  effects: z.array(z.object({ metric: z.string(), name: z.string(), arm: z.string(), estimate: z.number(), lower: z.number(), upper: z.number() })),
}); // prettier-ignore
export type Impact = z.output<typeof Impact>;

const Share = z.object({ share: z.number(), lower: z.number(), upper: z.number(), ended: z.number() });

export const learned = defineOperation({
  name: "experiments.learned",
  summary: "What ended experiments say together: how often one is shipped, and of each metric what usually moves it and how far.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({
    winRate: Share.nullable(),
    northStar: z.string().nullable().describe("The metric that the company follows."),
    holdouts: z.array(Impact).describe("What everything together did: those who get it against those who are kept out."),
    metrics: z.array(
      z.object({
        metric: z.string(),
        experiments: z.number(),
        mean: z.number(),
        lower: z.number(),
        upper: z.number(),
        spread: z.number(),
        typical: z.number(),
        summed: z.number(),
        believed: z.number(),
        findings: z.array(z.object({ key: z.string(), name: z.string(), metric: z.string(), arm: z.string(), estimate: z.number(), standardError: z.number(), isShipped: z.boolean(), endedAt: z.string(), shrunk: z.number(), shrunkLower: z.number(), shrunkUpper: z.number() })),
      }),
    ),
  }),
}); // prettier-ignore

export const slices = defineOperation({
  name: "experiments.slices",
  summary: "The effect on the metric that decides by a property of the exposure. To look around: nothing is decided by it.",
  permission: "read",
  input: One.extend({ property: z.string().min(1).max(500) }),
  output: z.object({
    slices: z.array(z.object({ slice: z.string(), arm: z.string(), units: z.number(), control: z.number(), treatment: z.number(), effect: Point.omit({ day: true }).nullable() })),
    says: z.string(),
  }),
}); // prettier-ignore
export type Slices = z.output<typeof slices.output>;

export const beside = defineOperation({
  name: "experiments.beside",
  summary: "Other experiments on the same units at the same time, and whether this one does the same whatever their arm.",
  permission: "read",
  input: One,
  output: z.object({
    experiments: z.array(
      z.object({
        key: z.string(),
        name: z.string(),
        pValue: z.number().nullable().describe("Of effects that differ so much by chance; null where that cannot be told yet."),
        isAlarm: z.boolean(),
        arms: z.array(z.object({ other: z.string(), arm: z.string(), units: z.number(), effect: z.object({ estimate: z.number(), standardError: z.number() }).nullable() })),
      }),
    ),
    left: z.number().describe("Older ones that were not looked at."),
  }),
}); // prettier-ignore
export type Beside = z.output<typeof beside.output>;
