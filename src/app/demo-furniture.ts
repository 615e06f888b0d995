import type { Clock } from "#kernel/clock.ts";
import { newId } from "#kernel/ids.ts";
import type { Store } from "#kernel/state/store.ts";
import { Tile } from "#surfaces/dashboards/contract.ts";
import { demoExperiments } from "./demo-experiments.ts";
import type { Watch } from "#programs/watches/contract.ts";
import { demoMetrics } from "./demo-metrics.ts";
import { Question } from "#surfaces/explore/contract.ts";

/** An address of the Explore page, as its router writes it: text as it is, everything else as JSON. */
const address = (asked: Readonly<Record<string, unknown>>): string => {
  const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  const parts = Object.entries(asked).map(([name, value]) => `${name}=${encodeURIComponent(shown(value))}`);
  return `/explore?${parts.join("&")}`;
};

const tile = (title: string, asked: Readonly<Record<string, unknown>>, kind: string, input: unknown): Tile =>
  Tile.parse({
    id: newId("tile"),
    title,
    question: Question.parse({ kind, input }),
    address: address({ kind, ...asked }),
  });

const days = (last: number) => ({ last, unit: "day" }) as const;

const tiles = (): Tile[] => [
  tile("Teams at work each week", { metric: "weekly_active_teams", interval: "week", days: 365 }, "metric", {
    range: days(365),
    interval: "week",
    metric: "weekly_active_teams",
  }),
  tile(
    "From sign-up to the first task",
    { events: ["Signed up", "Project created", "Task created"], days: 365, windowDays: 7 },
    "funnel",
    {
      range: days(365),
      windowSeconds: 7 * 86_400,
      steps: ["Signed up", "Project created", "Task created"].map((event) => ({ event })),
    },
  ),
  tile(
    "Invoices by plan",
    { events: ["Invoice paid"], measure: "sum", property: "amount", interval: "month", days: 365, breakdown: "plan" },
    "trends",
    {
      range: days(365),
      interval: "month",
      series: [{ event: "Invoice paid", measure: "sum", property: "amount" }],
      breakdown: { property: "plan" },
    },
  ),
  tile(
    "Who comes back after the first session",
    { events: ["Session started"], interval: "week", days: 90 },
    "retention",
    { range: days(90), period: "week", start: { event: "Session started" }, returning: { event: "Session started" } },
  ),
  tile(
    "New, staying, coming back, going quiet",
    { events: ["Session started"], interval: "month", days: 365 },
    "lifecycle",
    { range: days(365), interval: "month", activity: { event: "Session started" } },
  ),
  tile("What people do first after signing up", { start: "Signed up", days: 90, gapMinutes: 1_440 }, "journey", {
    range: days(90),
    start: "Signed up",
    gapMinutes: 1_440,
  }),
];

/** The metrics of the simulated company, and a dashboard that shows what can be asked of it. */
export const furnishDemo =
  (store: Store, clock: Clock) =>
  async (workspace: string, member: string): Promise<void> => {
    const now = new Date(clock.now()).toISOString();
    const row = {
      id: newId("dash"),
      workspace,
      name: "Fernly at a glance",
      tiles: JSON.stringify(tiles()),
      view: "{}",
    };
    await store
      .insertInto("dashboards")
      .values({ ...row, created_by: member, created_at: now, updated_at: now })
      .execute();
    const end = Math.floor(clock.now() / 86_400_000) * 86_400_000;
    for (const one of demoExperiments(end)) await store.insertInto("experiments").values({ workspace, ...one }).execute(); // prettier-ignore
    for (const definition of demoMetrics()) {
      const kept = { workspace, key: definition.key, version: 1, definition: JSON.stringify(definition) };
      await store
        .insertInto("metrics")
        .values({ ...kept, origin: "page", updated_at: now, removed_at: null })
        .execute();
      await store
        .insertInto("metric_versions")
        .values({ ...kept, changed_by: member, changed_at: now })
        .execute();
    }
    const watch: Watch = { metric: "weekly_active_teams", by: "day", when: { kind: "unusual", way: "down" }, least: 0, tell: [] }; // prettier-ignore
    const seen = new Date(end - 86_400_000).toISOString().slice(0, 10);
    await store
      .insertInto("watches")
      .values({
        workspace,
        id: newId("wch"),
        metric: watch.metric,
        content: JSON.stringify(watch),
        is_on: 1,
        state: "waits",
        seen,
        problem: "",
        made_by: member,
        updated_at: now,
      })
      .execute();
  };
