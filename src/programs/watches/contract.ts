import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";
import { Key } from "#insights/metrics/contract.ts";

const Id = z.string().max(100);
export const steps = ["day", "week", "month"] as const;
export type Step = (typeof steps)[number];

/** What is waited for, of each day, week or month once it is over. */
export const Condition = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("below"), value: z.number() }),
  z.strictObject({ kind: z.literal("above"), value: z.number() }),
  z.strictObject({
    kind: z.enum(["falls", "rises"]),
    share: z.number().gt(0).max(100).describe("0.2 for 20 %: against the same weekday of the week before, or the week or month before."), // prettier-ignore
  }),
  z
    .strictObject({ kind: z.literal("unusual"), way: z.enum(["any", "down", "up"]).default("any") })
    .describe(
      "Far from what it has been: of days, from the same weekdays of eight weeks; else from twelve weeks or months.",
    ),
]);
export type Condition = z.output<typeof Condition>;

export const Watch = z.strictObject({
  metric: Key,
  by: z.enum(steps).default("day").describe("A metric of retention has its own, whatever is asked."),
  when: Condition,
  least: z
    .int()
    .min(0)
    .max(1e9)
    .default(0)
    .describe("Of a share or an average: where it is of fewer, nothing is said of it."),
  tell: z.array(Id).max(20).default([]).describe("Channels of alerts; none: it is shown beside the metric alone."),
});
export type Watch = z.output<typeof Watch>;

export const Judged = z.object({
  bucket: z.string(),
  value: z.number().nullable(),
  fires: z.boolean(),
  /** Between what it would have been as it should; null where there is no such end, or nothing can be said. */
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  says: z.string(),
});
export type Judged = z.output<typeof Judged>;

/** `waits`: nothing has ended since. `frozen`: its numbers have changed their meaning, and somebody must say that it goes on. */
export const states = ["waits", "calm", "fires", "frozen"] as const;
export type WatchState = (typeof states)[number];

const Firing = z.object({ bucket: z.string(), value: z.number(), says: z.string(), at: z.string() });
export const WatchView = z.object({
  id: z.string(),
  watch: Watch,
  isOn: z.boolean(),
  state: z.enum(states),
  problem: z.string().describe("Why it could not be asked, the last time; empty where it could."),
  seen: z.string().describe("The last day, week or month that was looked at."),
  firings: z.array(Firing).describe("The latest, newest first."),
});
export type WatchView = z.output<typeof WatchView>;

export const list = defineOperation({
  name: "watches.list",
  summary: "What is watched, and when it was not as it should be.",
  permission: "read",
  input: z.strictObject({ metric: Key.optional() }),
  output: z.object({ watches: z.array(WatchView) }),
});

export const attempt = defineOperation({
  name: "watches.try",
  summary: "When it would have told, by what happened before. Nobody is told, and nothing is kept.",
  permission: "edit",
  onlyLooks: true,
  input: z.strictObject({ watch: Watch }),
  output: z.object({
    judged: z.array(Judged).describe("The last 120 days, 26 weeks or 12 months that are over."),
    told: z.int().describe("How often it would have begun."),
    format: z.enum(["number", "share", "seconds"]),
  }),
});

export const save = defineOperation({
  name: "watches.save",
  summary: "Watches a metric from now on, or changes how. A watch that was frozen goes on.",
  permission: "edit",
  input: z.strictObject({ id: Id.optional(), watch: Watch, isOn: z.boolean().default(true) }),
  output: z.object({ id: z.string() }),
});

export const remove = defineOperation({
  name: "watches.remove",
  summary: "Watches no more.",
  permission: "edit",
  input: z.strictObject({ id: Id }),
  output: z.object({ ok: z.literal(true) }),
});

const percent = (share: number): string => `${Number((share * 100).toFixed(2)).toLocaleString("en")} %`;

/** What is waited for, in words. A value is said as the metric's own page says it. */
export const titleOf = ({ by, when }: Watch, said: (value: number) => string = (value) => value.toLocaleString("en")): string => {
  const each = { day: "A day", week: "A week", month: "A month" }[by];
  const before = by === "day" ? "the same weekday of the week before" : `the ${by} before`;
  switch (when.kind) {
    case "below":
      return `${each} below ${said(when.value)}`;
    case "above":
      return `${each} above ${said(when.value)}`;
    case "falls":
      return `${each} ${percent(when.share)} or more below ${before}`;
    case "rises":
      return `${each} ${percent(when.share)} or more above ${before}`;
    case "unusual":
      return `${each} unusually ${{ any: "low or high", down: "low", up: "high" }[when.way]}`;
  }
}; // prettier-ignore
