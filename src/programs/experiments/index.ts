import { z } from "zod";
import type { EventMatch, Unit } from "#insights/common/frame.ts";
import { allMetrics } from "#insights/metrics/catalog.ts";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { State } from "#kernel/state/schema.ts";
import type { Store } from "#kernel/state/store.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import type { Ingest } from "#records/events/ingest.ts";
import { Flag } from "../flags/document.ts";
import { exposuresOf, momentsByDay, type AnalysisQuestion } from "./analysis-query.ts";
import { analyse, type DayRow } from "./analysis.ts";
import * as contract from "./contract.ts";
import type { Plan } from "./contract.ts";
import { Agreed, Experiment, experimentFaults, type AgreedMetric, type UnitMeasure } from "./document.ts";
import { startChecks } from "./gate.ts";
import { unitMeasureOf } from "./measure.ts";
import * as operations from "./operations.ts";
import { planOf } from "./plan.ts";
import { reportOf } from "./report.ts";
import { pastOf } from "./query.ts";

const dayMs = 86_400_000;
const [mostExperiments, pastDays] = [2_000, 28];
const Past = z.object({ people: z.number(), mean: z.number(), sd: z.number(), share: z.number(), shareSd: z.number(), meanCorrelation: z.number(), shareCorrelation: z.number() }); // prettier-ignore
const Counted = z.object({ arm: z.string(), units: z.number(), crossed: z.number(), ripe: z.number() });
const Numbers = z.array(z.number());
const Moments = z.object({ arm: z.string(), day: z.string(), n: z.number(), y: Numbers, x: Numbers, varY: Numbers, varX: Numbers, covXY: Numbers }); // prettier-ignore
const Decision = z.object({ decision: z.enum(operations.decisions), arm: z.string().nullable(), reason: z.string(), by: z.string(), at: z.string() }); // prettier-ignore
const StateName = z.enum(operations.experimentStates);

interface Parts {
  readonly ingest: Ingest;
  readonly store: Store;
}

/** What those who would take part did in the past, after and before. */
interface PastAsked {
  readonly exposure: EventMatch;
  readonly outcome: EventMatch;
  readonly property: string | undefined;
  readonly isShare: boolean;
  readonly days: number;
  readonly windowDays: number;
  readonly unit: Unit;
}

/** Experiments: how large they have to be, whether they may start, and what may be said of them. */
export const experiments = ({ ingest, store }: Parts): Module => {
  const past = async (call: WorkspaceCall, { exposure, outcome, property, isShare, days, windowDays, unit }: PastAsked) => {
    const scope = await scopeOf(ingest, call);
    // who was exposed last has had the whole window
    const to = call.now - windowDays * dayMs;
    const [found] = await ask(call, pastOf(scope, exposure, outcome, property, { from: to - days * dayMs, to }, windowDays, unit), Past);
    if (found === undefined || found.people < 2) return undefined;
    return {
      people: found.people,
      perDay: found.people / days,
      baseline: isShare ? found.share : found.mean,
      sd: isShare ? found.shareSd : found.sd,
      correlation: Math.max(0, Math.min(0.99, isShare ? found.shareCorrelation : found.meanCorrelation)),
    };
  }; // prettier-ignore

  const viewOf = (row: State["experiments"]): operations.ExperimentView => ({
    experiment: Experiment.parse(JSON.parse(row.content)),
    state: StateName.parse(row.state),
    version: row.version,
    agreed: row.agreed === null ? null : Agreed.parse(JSON.parse(row.agreed)),
    startedAt: row.started_at,
    endedAt: row.ended_at,
    decision: row.decision === null ? null : Decision.parse(JSON.parse(row.decision)),
    updatedAt: row.updated_at,
  });

  const rowOf = async (call: WorkspaceCall, key: string) => {
    const row = await store.selectFrom("experiments").selectAll().where("workspace", "=", call.workspace.id).where("key", "=", key).executeTakeFirst(); // prettier-ignore
    if (row === undefined) throw new Refusal("experiments.unknown", "There is no such experiment in this workspace.", {}, 404); // prettier-ignore
    return row;
  };

  const metricsOf = async (call: WorkspaceCall, { metrics }: Experiment) => {
    const catalog = await allMetrics(store, call);
    const found = metrics.map((one) => ({ ...one, definition: catalog.find(({ key }) => key === one.metric) }));
    return {
      unknown: found.filter(({ definition }) => definition === undefined).map(({ metric }) => metric),
      measured: found.flatMap(({ definition, ...one }): AgreedMetric[] => {
        const measure = definition === undefined ? undefined : unitMeasureOf(definition);
        return definition === undefined || measure === undefined ? [] : [{ ...one, name: definition.name, direction: definition.direction, measure }]; // prettier-ignore
      }),
    };
  };

  const flagOf = async (call: WorkspaceCall, key: string | null): Promise<Flag | undefined> => {
    const row = key === null ? undefined : await store.selectFrom("flags").select("content").where("workspace", "=", call.workspace.id).where("key", "=", key).where("archived_at", "is", null).executeTakeFirst(); // prettier-ignore
    return row === undefined ? undefined : Flag.parse(JSON.parse(row.content));
  };

  /** The primary metric as it is planned: a ratio is sized by how it spreads, which the past does not tell here. */
  const plannedBy = async (call: WorkspaceCall, experiment: Experiment, measure: UnitMeasure | undefined) => {
    const { eligible, windowDays, unit, covariateDays, effect } = experiment;
    if (measure === undefined || measure.kind === "ratio") return { past: undefined, plan: undefined, noPlan: measure === undefined ? "Without a primary metric there is no plan." : "A ratio cannot be planned from the past yet. Let a count, a sum or a share of people decide, and make the ratio secondary." }; // prettier-ignore
    if (eligible === null) return { past: undefined, plan: undefined, noPlan: "Without the past there is no plan." };
    const isShare = measure.kind === "proportion";
    const found = await past(call, { exposure: eligible, outcome: measure.part.match, property: measure.part.property, isShare, days: pastDays, windowDays, unit }); // prettier-ignore
    if (found === undefined) return { past: undefined, plan: undefined, noPlan: `In ${pastDays} days fewer than two did what would make them take part.` }; // prettier-ignore
    if (effect === null || effect === 0)
      return { past: found, plan: undefined, noPlan: "Without a least effect there is no plan." };
    try {
      const metric = isShare ? { kind: "proportion" as const, baseline: found.baseline } : { kind: "mean" as const, baseline: found.baseline, sd: found.sd }; // prettier-ignore
      const plan = planOf(
        contract.PlanInput.parse({
          metric,
          effect,
          alpha: experiment.alpha,
          power: experiment.power,
          sides: experiment.sides,
          design: experiment.design,
          looks: experiment.looks,
          treatments: experiment.arms.length - 1,
          correlation: covariateDays === 0 ? 0 : found.correlation,
          guardrails: experiment.metrics.filter(({ role }) => role === "guardrail").length,
          perDay: found.perDay,
          share: experiment.share,
        }),
      );
      return { past: found, plan, noPlan: "" };
    } catch (error) {
      const says = error instanceof Refusal ? error.message : "The past does not give what a plan needs: somebody must do what is measured, and not everybody."; // prettier-ignore
      if (!(error instanceof Refusal) && !(error instanceof z.ZodError)) throw error;
      return { past: found, plan: undefined, noPlan: says };
    }
  };

  const agreedOf = (
    plan: Plan,
    found: NonNullable<Awaited<ReturnType<typeof past>>>,
    metrics: readonly AgreedMetric[],
  ): Agreed => ({
    metrics: [...metrics],
    perArm: plan.perArm,
    total: plan.total,
    days: plan.days ?? 0,
    alphaEach: plan.alphaEach,
    powerEach: plan.powerEach,
    baseline: found.baseline,
    sd: found.sd,
    correlation: found.correlation,
    perDay: found.perDay,
    sentence: plan.sentence,
  });

  const gateOf = async (call: WorkspaceCall, experiment: Experiment) => {
    const { unknown, measured } = await metricsOf(call, experiment);
    const primary = measured.find(({ role }) => role === "primary");
    const [{ past: found, plan, noPlan }, flag] = await Promise.all([plannedBy(call, experiment, primary?.measure), flagOf(call, experiment.flag)]); // prettier-ignore
    const unmeasurable = experiment.metrics.map(({ metric }) => metric).filter((key) => !unknown.includes(key) && !measured.some(({ metric }) => metric === key)); // prettier-ignore
    const checks = startChecks({ experiment, unknown, unmeasurable, flag, past: found, plan, noPlan });
    const agreed = plan === undefined || found === undefined ? null : agreedOf(plan, found, measured);
    return { passed: checks.every(({ passed }) => passed), checks: [...checks], agreed, plan };
  };

  /** Changes a row while it has the version that was seen. */
  const change = async (call: WorkspaceCall, seen: State["experiments"], next: Partial<State["experiments"]>) => {
    const row = { ...next, version: seen.version + 1, updated_at: new Date(call.now).toISOString() };
    const { numUpdatedRows } = await store.updateTable("experiments").set(row).where("workspace", "=", seen.workspace).where("key", "=", seen.key).where("version", "=", seen.version).executeTakeFirst(); // prettier-ignore
    if (numUpdatedRows !== 1n) throw new Refusal("experiments.changed", "Somebody changed this experiment in the meantime. Load it again.", {}, 409); // prettier-ignore
    return { ...seen, ...row };
  };

  const create = async (call: WorkspaceCall, experiment: Experiment): Promise<{ version: number }> => {
    const workspace = call.workspace.id;
    const { count } = await store.selectFrom("experiments").select(({ fn }) => fn.countAll<number>().as("count")).where("workspace", "=", workspace).executeTakeFirstOrThrow(); // prettier-ignore
    if (Number(count) >= mostExperiments) throw new Refusal("experiments.too_many", `A workspace keeps ${mostExperiments} experiments.`); // prettier-ignore
    const row = { workspace, key: experiment.key, content: JSON.stringify(experiment), version: 1, state: "draft", agreed: null, started_at: null, ended_at: null, decision: null, updated_at: new Date(call.now).toISOString() }; // prettier-ignore
    const made = await store.insertInto("experiments").values(row).onConflict((conflict) => conflict.columns(["workspace", "key"]).doNothing()).executeTakeFirst(); // prettier-ignore
    if (made.numInsertedOrUpdatedRows !== 1n) throw new Refusal("experiments.there", "There is an experiment of this key.", {}, 409); // prettier-ignore
    return { version: 1 };
  };

  const resultsOf = async (call: WorkspaceCall, { experiment, agreed, startedAt, endedAt }: operations.ExperimentView): Promise<operations.Results> => {
    if (agreed === null || startedAt === null) throw new Refusal("experiments.not_started", "It has not been started, so nothing can be said of it.", {}, 409);
    const scope = await scopeOf(ingest, call);
    const measured = agreed.metrics;
    const question: AnalysisQuestion = {
      unit: experiment.unit,
      exposure: experiment.exposure,
      armProperty: experiment.armProperty,
      measures: measured.map(({ measure }) => measure),
      range: { from: Date.parse(startedAt), to: endedAt === null ? call.now : Date.parse(endedAt) },
      windowDays: experiment.windowDays,
      covariateDays: experiment.covariateDays,
      now: call.now,
    };
    const arms = experiment.arms.map(({ name }) => name);
    const [counts, moments] = await Promise.all([ask(call, exposuresOf(scope, question), Counted), measured.length === 0 ? [] : ask(call, momentsByDay(scope, question, arms), Moments)]);
    const rows = moments.map(({ arm, day, n, y, x, varY, varX, covXY }): DayRow => ({ arm, day, pairs: measured.map((_, at) => ({ n, y: y[at] ?? 0, x: x[at] ?? 0, varY: varY[at] ?? 0, varX: varX[at] ?? 0, covXY: covXY[at] ?? 0 })) }));
    const { arms: counted, looks, metrics, ...rest } = analyse(experiment, agreed, counts, rows);
    return {
      ...rest,
      arms: [...counted],
      strange: counts.filter(({ arm }) => !arms.includes(arm)).map(({ arm, units }) => ({ arm, units })),
      looks: [...looks],
      metrics: metrics.map((one) => ({ ...one, comparisons: one.comparisons.map((comparison) => ({ ...comparison, course: [...comparison.course] })) })),
    };
  }; // prettier-ignore

  return defineModule({
    name: "experiments",
    assets: async (call) =>
      (await store.selectFrom("experiments").selectAll().where("workspace", "=", call.workspace.id).execute()).map((row) => {
        const { experiment, state } = viewOf(row);
        return { kind: "experiment", id: row.key, title: experiment.name, address: `/experiments/plan/${encodeURIComponent(row.key)}`, owner: experiment.owner, description: experiment.hypothesis, updatedAt: row.updated_at, definition: experiment, state };
      }), // prettier-ignore
    operations: [
      handle(contract.plan, (_, input) => Promise.resolve(planOf(input))),
      handle(contract.history, async (call, { exposure, outcome, property, kind, days, windowDays }) => {
        const found = await past(call, { exposure, outcome, property, isShare: kind === "proportion", days, windowDays, unit: "people" }); // prettier-ignore
        if (found === undefined)
          throw new Refusal("experiments.nobody", `In ${days} days, up to ${windowDays} days ago, fewer than two people did what would make them take part.`, {}, 404); // prettier-ignore
        return found;
      }),
      handle(operations.list, async (call, { search, state }) => {
        const rows = await store.selectFrom("experiments").selectAll().where("workspace", "=", call.workspace.id).orderBy("updated_at", "desc").execute(); // prettier-ignore
        const wanted = search.toLowerCase();
        const all = rows.map(viewOf).filter((one) => state === undefined || one.state === state);
        return { experiments: all.filter(({ experiment, decision }) => [experiment.key, experiment.name, experiment.hypothesis, experiment.owner, decision?.reason ?? "", ...experiment.metrics.map(({ metric }) => metric)].some((text) => text.toLowerCase().includes(wanted))) }; // prettier-ignore
      }),
      handle(operations.get, async (call, { key }) => viewOf(await rowOf(call, key))),
      handle(operations.save, async (call, { experiment, version }) => {
        const faults = experimentFaults(experiment);
        if (faults.length > 0) throw new Refusal("experiments.faults", faults.join(" "), { faults });
        if (version === 0) return create(call, experiment);
        const row = await rowOf(call, experiment.key);
        if (row.version !== version) throw new Refusal("experiments.changed", "Somebody changed this experiment in the meantime. Load it again.", {}, 409); // prettier-ignore
        const before = Experiment.parse(JSON.parse(row.content));
        const kept = { ...experiment, name: before.name, owner: before.owner };
        if (row.state !== "draft" && JSON.stringify(kept) !== JSON.stringify(before)) throw new Refusal("experiments.agreed", "What was agreed at the start is not changed after. End it, and begin another.", {}, 409); // prettier-ignore
        return { version: (await change(call, row, { content: JSON.stringify(experiment) })).version };
      }),
      handle(operations.remove, async (call, { key }) => {
        const row = await rowOf(call, key);
        if (row.state !== "draft") throw new Refusal("experiments.has_run", "What has run stays, so that what was learned can be found.", {}, 409); // prettier-ignore
        await store.deleteFrom("experiments").where("workspace", "=", row.workspace).where("key", "=", key).where("version", "=", row.version).execute(); // prettier-ignore
        return { ok: true as const };
      }),
      handle(operations.gate, async (call, { key }) => {
        const { passed, checks, plan } = await gateOf(call, viewOf(await rowOf(call, key)).experiment);
        return { passed, checks, plan: plan ?? null };
      }),
      handle(operations.start, async (call, { key }) => {
        const row = await rowOf(call, key);
        if (row.state !== "draft") throw new Refusal("experiments.state", "It was started already.", {}, 409);
        const { passed, checks, agreed } = await gateOf(call, viewOf(row).experiment);
        if (!passed || agreed === null) throw new Refusal("experiments.gate", checks.filter((one) => !one.passed).map(({ name, says }) => `${name}: ${says}`).join(" "), { checks }, 409); // prettier-ignore
        return viewOf(await change(call, row, { state: "running", agreed: JSON.stringify(agreed), started_at: new Date(call.now).toISOString() })); // prettier-ignore
      }),
      handle(operations.end, async (call, { key, decision, arm, reason }) => {
        const row = await rowOf(call, key);
        if (row.state !== "running") throw new Refusal("experiments.state", "Only what runs can be ended.", {}, 409);
        const { arms } = viewOf(row).experiment;
        if (decision === "ship" && !arms.some(({ name }) => name === arm)) throw new Refusal("experiments.arm", "Say which arm is shipped.", { arms: arms.map(({ name }) => name) }); // prettier-ignore
        const member = call.principal.kind === "nobody" ? undefined : await store.selectFrom("members").select("name").where("id", "=", call.principal.id).executeTakeFirst(); // prettier-ignore
        const at = new Date(call.now).toISOString();
        const said = { decision, arm: decision === "ship" ? arm : null, reason, by: member?.name ?? "", at };
        return viewOf(await change(call, row, { state: "ended", ended_at: at, decision: JSON.stringify(said) }));
      }),
      handle(operations.report, async (call, { key }) => {
        const view = viewOf(await rowOf(call, key));
        return {
          name: `${key.replaceAll(/[^A-Za-z0-9_.-]/g, "-")}.md`,
          markdown: reportOf(view, await resultsOf(call, view)),
        };
      }),
      handle(operations.results, async (call, { key }) => resultsOf(call, viewOf(await rowOf(call, key)))),
    ],
  });
};
