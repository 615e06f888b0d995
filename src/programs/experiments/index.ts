import { z } from "zod";
import type { EventMatch } from "#insights/common/frame.ts";
import { allMetrics } from "#insights/metrics/catalog.ts";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { State } from "#kernel/state/schema.ts";
import type { Store } from "#kernel/state/store.ts";
import type { Sql } from "#kernel/sql.ts";
import { askOver, writtenRows } from "#insights/sql/ask.ts";
import { mergedPairs, type PairMoments } from "#stats/cuped.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import type { Scope } from "#records/events/scope.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { Notify } from "../alerts/index.ts";
import type { Desk } from "../flags/desk.ts";
import { Flag } from "../flags/document.ts";
import {
  columnsOfWritten,
  countExposures,
  Counted,
  dayRowOf,
  exposuresByDay,
  Moments,
  momentsByDay,
  type AnalysisQuestion,
} from "./analysis-query.ts";
import { analyse, countedByArm, ratioOf, withIdle } from "./analysis.ts";
import * as contract from "./contract.ts";
import type { Plan } from "./contract.ts";
import { Agreed, Experiment, experimentFaults, type AgreedMetric, type Unit, type UnitMeasure } from "./document.ts";
import { startChecks } from "./gate.ts";
import { learnedByMetric, learnedOf, winRate, type Finding } from "./learning.ts";
import { healthOf } from "./health.ts";
import { interferenceIn } from "./interference.ts";
import { slicesIn } from "./slices.ts";
import { daysNeeded, eventsOfMeasure, unitMeasureOf } from "./measure.ts";
import * as operations from "./operations.ts";
import { turnsOf } from "./outlook.ts";
import { planOf } from "./plan.ts";
import { reportOf } from "./report.ts";

const dayMs = 86_400_000;
const [mostExperiments, pastDays, mostBeside] = [2_000, 28, 8];
const StateName = z.enum(operations.experimentStates);

interface Parts {
  readonly ingest: Ingest;
  readonly store: Store;
  readonly desk: Desk;
  readonly notify: Notify;
}

/** What those who would take part did in the past, after and before. */
interface PastAsked {
  readonly exposure: EventMatch;
  readonly measure: UnitMeasure;
  readonly days: number;
  readonly windowDays: number;
  readonly covariateDays: number;
  readonly unit: Unit;
}

const dayIn = (zone: string, at: number): string => new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(at);

/** Experiments: how large they have to be, whether they may start, and what may be said of them. */
export const experiments = ({ ingest, store, desk, notify }: Parts): Module => {
  /** Exposures by arm, and what those whose window is over did, by day. */
  const daysOf = async (call: WorkspaceCall, scope: Scope, question: AnalysisQuestion, arms: readonly string[]) => {
    const { measures } = question;
    const isWritten = question.written !== undefined || question.beside?.written !== undefined;
    const asked = <T>(statement: Sql, row: z.ZodType<T>): Promise<T[]> => (isWritten ? askOver(call, statement, row) : ask(call, statement, row));
    const most = isWritten ? 0 : ((await asked(countExposures(scope, question), Counted.pick({ units: true })))[0]?.units ?? 0);
    const ofThese = await asked(exposuresByDay(scope, question, most, arms), Counted);
    // arms that nobody planned are called by their names, which takes longer
    const counts = ofThese.some(({ arm }) => arm === "") ? await asked(exposuresByDay(scope, question, most), Counted) : ofThese;
    const units = counts.reduce((sum, one) => sum + one.units, 0);
    const moments = measures.length === 0 ? [] : await asked(momentsByDay(scope, question, arms, units), Moments);
    const known = counts.filter(({ arm }) => arms.includes(arm));
    return { counts: countedByArm(counts), rows: withIdle(known, moments.map(dayRowOf), measures.length) };
  }; // prettier-ignore

  const past = async (call: WorkspaceCall, { exposure, measure, days, windowDays, covariateDays, unit }: PastAsked) => {
    const scope = await scopeOf(ingest, call);
    // who was exposed last has had the whole window
    const to = call.now - windowDays * dayMs;
    const question: AnalysisQuestion = { unit, exposure, armProperty: null, measures: [measure], range: { from: to - days * dayMs, to }, windowDays, covariateDays, now: call.now };
    const rows = await daysOf(call, scope, question, ["all"]);
    const all = rows.rows.map(({ pairs }) => pairs[0]).reduce<PairMoments | undefined>((before, pair) => (pair === undefined || before === undefined ? (before ?? pair) : mergedPairs(before, pair)), undefined);
    if (all === undefined || all.n < 2) return undefined;
    const isRatio = measure.kind === "ratio";
    const { mean, variance } = isRatio ? ratioOf(all) : { mean: all.y, variance: all.varY };
    const together = isRatio || all.varX === 0 || all.varY === 0 ? 0 : all.covXY / Math.sqrt(all.varX * all.varY);
    const byDay = new Map<string, number>();
    for (const { day, pairs } of rows.rows) byDay.set(day, (byDay.get(day) ?? 0) + (pairs[0]?.n ?? 0));
    const arrivals = Array.from({ length: days }, (_, at) => byDay.get(dayIn(scope.zone, question.range.from + at * dayMs)) ?? 0);
    return { people: all.n, perDay: all.n / days, arrivals, baseline: Number.isFinite(mean) ? mean : 0, sd: Number.isFinite(variance) ? Math.sqrt(variance) : 0, correlation: Math.max(0, Math.min(0.99, together)) };
  }; // prettier-ignore

  const viewOf = (row: State["experiments"]): operations.ExperimentView => ({
    experiment: Experiment.parse(JSON.parse(row.content)),
    state: StateName.parse(row.state),
    version: row.version,
    agreed: row.agreed === null ? null : Agreed.parse(JSON.parse(row.agreed)),
    startedAt: row.started_at,
    endedAt: row.ended_at,
    decision: row.decision === null ? null : operations.Decision.parse(JSON.parse(row.decision)),
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
        const plain = definition === undefined ? undefined : unitMeasureOf(definition);
        const measure = plain?.kind === "mean" && one.cap !== null ? { ...plain, cap: one.cap } : plain;
        return definition === undefined || measure === undefined ? [] : [{ ...one, name: definition.name, direction: definition.direction, measure }]; // prettier-ignore
      }),
    };
  };

  const flagOf = async (call: WorkspaceCall, key: string | null): Promise<Flag | undefined> => {
    const row = key === null ? undefined : await store.selectFrom("flags").select("content").where("workspace", "=", call.workspace.id).where("key", "=", key).where("archived_at", "is", null).executeTakeFirst(); // prettier-ignore
    return row === undefined ? undefined : Flag.parse(JSON.parse(row.content));
  };

  const holdoutsIn = async (call: WorkspaceCall, environment: string): Promise<readonly Flag[]> => {
    const rows = await store.selectFrom("flags").select("content").where("workspace", "=", call.workspace.id).where("archived_at", "is", null).execute(); // prettier-ignore
    return rows.map(({ content }) => Flag.parse(JSON.parse(content))).filter(({ holdout, environments }) => holdout !== null && environments[environment]?.isOn === true); // prettier-ignore
  };

  /** Asks a query that gives exposures for the past, so that what is wrong in it is said before the start. */
  const unaskedOf = async (call: WorkspaceCall, experiment: Experiment): Promise<readonly string[]> => {
    if (experiment.written === null) return [];
    const scope = await scopeOf(ingest, call);
    try {
      const from = new Date(call.now - pastDays * dayMs).toISOString();
      const { trigger: _, ...question } = await questionOf(call, scope, experiment, [], from, null);
      if (question.written !== undefined) await askOver(call, columnsOfWritten(experiment.unit, question.written), z.unknown());
      await askOver(call, exposuresByDay(scope, question, 0), Counted);
      return [];
    } catch (error) {
      if (error instanceof Refusal) return [error.message];
      throw error;
    }
  }; // prettier-ignore

  const plannedBy = async (call: WorkspaceCall, experiment: Experiment, measure: UnitMeasure | undefined) => {
    const { eligible, windowDays, unit, covariateDays, effect } = experiment;
    if (measure === undefined)
      return { past: undefined, plan: undefined, noPlan: "Without a primary metric there is no plan." };
    if (eligible === null) return { past: undefined, plan: undefined, noPlan: "Without the past there is no plan." };
    const isShare = measure.kind !== "mean" && measure.kind !== "ratio";
    const found = await past(call, { exposure: eligible, measure, days: pastDays, windowDays, covariateDays, unit });
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
          arrivals: found.arrivals,
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
    const late = measured.filter(({ measure }) => daysNeeded(measure) > experiment.windowDays).map(({ metric, measure }) => `${metric} needs ${daysNeeded(measure)} days after the exposure, and ${experiment.windowDays} count.`); // prettier-ignore
    const before = (await findingsOf(call)).findings.filter(
      ({ metric, key }) => metric === primary?.metric && key !== experiment.key,
    );
    const typical =
      before.length < 3
        ? undefined
        : { experiments: before.length, effect: learnedOf(primary?.metric ?? "", before).typical };
    const [holdouts, unasked] = await Promise.all([
      holdoutsIn(call, experiment.environment),
      unaskedOf(call, experiment),
    ]);
    const checks = startChecks({
      experiment,
      holdouts,
      unasked,
      unknown,
      unmeasurable,
      late,
      typical,
      flag,
      past: found,
      plan,
      noPlan,
    });
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

  const questionOf = async (call: WorkspaceCall, scope: Scope, experiment: Experiment, measures: readonly UnitMeasure[], startedAt: string, endedAt: string | null): Promise<AnalysisQuestion> => ({
    unit: experiment.unit,
    exposure: experiment.exposure,
    ...(experiment.written === null ? {} : { written: await writtenRows(call, scope, experiment.written) }),
    ...(experiment.trigger === null ? {} : { trigger: experiment.trigger }),
    armProperty: experiment.armProperty,
    measures,
    range: { from: Date.parse(startedAt), to: endedAt === null ? call.now : Date.parse(endedAt) },
    windowDays: experiment.windowDays,
    covariateDays: experiment.covariateDays,
    now: call.now,
  }); // prettier-ignore

  /** What decides it, of one that was started. */
  const decisiveOf = ({ agreed, startedAt }: operations.ExperimentView) => {
    const primary = agreed?.metrics.find(({ role }) => role === "primary");
    if (agreed === null || startedAt === null || primary === undefined) throw new Refusal("experiments.not_started", "It has not been started, so nothing can be said of it.", {}, 409); // prettier-ignore
    return { agreed, startedAt, primary };
  };

  const slicesOf = async (call: WorkspaceCall, view: operations.ExperimentView, property: string): Promise<operations.Slices> => {
    const { experiment, endedAt } = view;
    const { agreed, startedAt, primary } = decisiveOf(view);
    if (experiment.written !== null) throw new Refusal("experiments.slices_written", "Exposures by a query have no properties to slice by.");
    const scope = await scopeOf(ingest, call);
    const question = { ...(await questionOf(call, scope, experiment, [primary.measure], startedAt, endedAt)), slice: property };
    const { rows } = await daysOf(call, scope, question, experiment.arms.map(({ name }) => name));
    const found = slicesIn(experiment, agreed, primary.measure.kind, rows);
    return { slices: [...found.slices], says: found.says };
  }; // prettier-ignore

  /** Others that ran on the same units at the same time, and whether this one does the same whatever their arm. */
  const besideOf = async (call: WorkspaceCall, view: operations.ExperimentView): Promise<operations.Beside> => {
    const { experiment, endedAt } = view;
    const { startedAt, primary } = decisiveOf(view);
    const all = (await store.selectFrom("experiments").selectAll().where("workspace", "=", call.workspace.id).where("key", "!=", experiment.key).where("started_at", "is not", null).where("started_at", "<=", endedAt ?? new Date(call.now).toISOString()).where((has) => has.or([has("ended_at", "is", null), has("ended_at", ">=", startedAt)])).orderBy("started_at", "desc").execute()).map(viewOf);
    const others = all.filter((one) => one.experiment.unit === experiment.unit);
    const scope = await scopeOf(ingest, call);
    const own = await questionOf(call, scope, experiment, [primary.measure], startedAt, endedAt);
    const arms = experiment.arms.map(({ name }) => name);
    const found = [];
    for (const other of others.slice(0, mostBeside)) {
      const beside = await questionOf(call, scope, other.experiment, [], other.startedAt ?? startedAt, other.endedAt);
      const { rows } = await daysOf(call, scope, { ...own, beside }, arms);
      const { arms: each, pValue } = interferenceIn(experiment, primary.measure.kind, rows);
      if (each.length > 0) found.push({ key: other.experiment.key, name: other.experiment.name, pValue, isAlarm: pValue !== null && pValue < 0.01 / Math.min(others.length, mostBeside), arms: [...each] });
    }
    return { experiments: found, left: Math.max(0, others.length - mostBeside) };
  }; // prettier-ignore

  const resultsOf = async (call: WorkspaceCall, { experiment, agreed, startedAt, endedAt }: operations.ExperimentView): Promise<operations.Results> => {
    if (agreed === null || startedAt === null) throw new Refusal("experiments.not_started", "It has not been started, so nothing can be said of it.", {}, 409);
    const scope = await scopeOf(ingest, call);
    const measured = agreed.metrics;
    const question = await questionOf(call, scope, experiment, measured.map(({ measure }) => measure), startedAt, endedAt);
    const arms = experiment.arms.map(({ name }) => name);
    const { trigger: _, ...everybody } = question;
    const [{ counts, rows }, exposed] = await Promise.all([daysOf(call, scope, question, arms), experiment.trigger === null ? undefined : daysOf(call, scope, { ...everybody, measures: [] }, arms)]);
    const sum = (all: typeof counts): number => all.filter(({ arm }) => arms.includes(arm)).reduce((whole, { units }) => whole + units, 0);
    const { arms: counted, looks, metrics, ...rest } = analyse(experiment, agreed, counts, rows);
    const turns = turnsOf(experiment, agreed, { look: rest.look, looks, metrics });
    const strange = counts.filter(({ arm }) => !arms.includes(arm));
    const events = [...(experiment.written === null ? [experiment.exposure.event] : []), ...(experiment.trigger === null ? [] : [experiment.trigger.event]), ...measured.flatMap(({ measure }) => eventsOfMeasure(measure))].filter((event) => event !== null);
    const incidents = events.length === 0 ? [] : await store.selectFrom("quality_incidents").select("says").where("workspace", "=", call.workspace.id).where("event", "in", events).where("began_at", "<=", endedAt ?? new Date(call.now).toISOString()).where((has) => has.or([has("ended_at", "is", null), has("ended_at", ">=", startedAt)])).limit(20).execute();
    const health = healthOf({ experiment, agreed, arms: counted, strange, mismatch: rest.mismatch, rows, faults: incidents.map(({ says }) => says), now: endedAt === null ? call.now : Date.parse(endedAt), startedAt: Date.parse(startedAt) });
    return {
      ...rest,
      arms: [...counted],
      turns,
      strange: strange.map(({ arm, units }) => ({ arm, units })),
      health: [...health],
      triggered: exposed === undefined ? null : { exposed: sum(exposed.counts), triggered: sum(counts) },
      looks: [...looks],
      metrics: metrics.map((one) => ({ ...one, comparisons: one.comparisons.map((comparison) => ({ ...comparison, course: [...comparison.course] })) })),
    };
  }; // prettier-ignore

  const findingsOf = async (call: WorkspaceCall): Promise<{ findings: readonly Finding[]; ended: number; shipped: number }> => {
    const rows = await store.selectFrom("experiments").selectAll().where("workspace", "=", call.workspace.id).where("state", "=", "ended").execute();
    // a holdout is no trial of one thing
    const holdouts = await holdoutKeys(call);
    const views = rows.map(viewOf).filter(({ experiment }) => experiment.flag === null || !holdouts.has(experiment.flag));
    const findings = views.flatMap(({ experiment, agreed, decision, endedAt }) =>
      (decision?.effects ?? []).filter(({ role }) => role === "primary").map((effect): Finding => {
        // better is more, whichever way that is
        const sign = agreed?.metrics.find(({ metric }) => metric === effect.metric)?.direction === "down" ? -1 : 1;
        return { key: experiment.key, name: experiment.name, metric: effect.metric, arm: effect.arm, estimate: sign * effect.estimate, standardError: effect.standardError, isShipped: decision?.decision === "ship" && decision.arm === effect.arm, endedAt: endedAt ?? "" };
      }),
    );
    return { findings, ended: views.length, shipped: views.filter(({ decision }) => decision?.decision === "ship").length };
  }; // prettier-ignore

  const holdoutKeys = async (call: WorkspaceCall): Promise<ReadonlySet<string>> => {
    const rows = await store.selectFrom("flags").select("content").where("workspace", "=", call.workspace.id).execute();
    return new Set(rows.map(({ content }) => Flag.parse(JSON.parse(content))).filter(({ holdout }) => holdout !== null).map(({ key }) => key)); // prettier-ignore
  };

  /** What everything together did, by each holdout: those who get what is tested and shipped against those who are kept out. */
  const impactOf = async (call: WorkspaceCall): Promise<operations.Impact[]> => {
    const keys = await holdoutKeys(call);
    if (keys.size === 0) return [];
    const rows = await store.selectFrom("experiments").selectAll().where("workspace", "=", call.workspace.id).where("state", "!=", "draft").orderBy("started_at", "desc").execute();
    const views = rows.map(viewOf).filter(({ experiment }) => experiment.flag !== null && keys.has(experiment.flag)).slice(0, mostBeside);
    const found = [];
    for (const view of views) {
      const { metrics, arms } = await resultsOf(call, view);
      found.push({
        key: view.experiment.key,
        name: view.experiment.name,
        units: arms.reduce((sum, { units }) => sum + units, 0),
        effects: metrics.flatMap(({ metric, name, comparisons }) => comparisons.flatMap(({ arm, effect }) => (effect === null ? [] : [{ metric, name, arm, estimate: effect.estimate, lower: effect.lower, upper: effect.upper }]))),
      });
    }
    return found;
  }; // prettier-ignore

  /** Switches flags off whose experiment breaks a guardrail, where that was agreed. */
  const guard = async (call: WorkspaceCall): Promise<void> => {
    const rows = await store.selectFrom("experiments").selectAll().where("workspace", "=", call.workspace.id).where("state", "=", "running").execute();
    for (const view of rows.map(viewOf)) {
      const { key, name, owner, flag, environment, stopsFlag } = view.experiment;
      if (!stopsFlag || flag === null) continue;
      const { metrics } = await resultsOf(call, view);
      const broken = metrics.filter(({ comparisons }) => comparisons.some(({ guardrail }) => guardrail === "broken")).map((one) => one.name);
      if (broken.length === 0 || !(await desk.turnOff(call, flag, environment, `${name} breaks ${broken.join(", ")}.`))) continue;
      const says = `${broken.join(", ")} became worse than the margin of ${name} allows, so ${flag} was switched off in ${environment}.`;
      await notify(call, [{ key: `experiment ${key} stopped`, title: `${flag} was switched off`, says, hits: [{ title: name, address: `/experiments/plan/${encodeURIComponent(key)}` }], owners: owner === "" ? [] : [owner], address: `/flags/${encodeURIComponent(flag)}` }]);
    }
  }; // prettier-ignore

  return defineModule({
    name: "experiments",
    jobs: [{ name: "experiments.guard", everyMs: 900_000, run: guard }],
    assets: async (call) =>
      (await store.selectFrom("experiments").selectAll().where("workspace", "=", call.workspace.id).execute()).map((row) => {
        const { experiment, state } = viewOf(row);
        return { kind: "experiment", id: row.key, title: experiment.name, address: `/experiments/plan/${encodeURIComponent(row.key)}`, owner: experiment.owner, description: experiment.hypothesis, updatedAt: row.updated_at, definition: experiment, state };
      }), // prettier-ignore
    operations: [
      handle(contract.plan, (_, input) => Promise.resolve(planOf(input))),
      handle(contract.history, async (call, { exposure, outcome, property, kind, days, windowDays }) => {
        const part = { match: outcome, ...(property === undefined ? {} : { property }), isCounted: false };
        const found = await past(call, {
          exposure,
          measure: { kind, part },
          days,
          windowDays,
          covariateDays: windowDays,
          unit: "people",
        });
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
      handle(operations.gate, async (call, { key, draft }) => {
        const kept = viewOf(await rowOf(call, key)).experiment;
        const { passed, checks, plan } = await gateOf(call, draft === undefined ? kept : { ...draft, key });
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
        const { metrics } = await resultsOf(call, viewOf(row));
        const effects = metrics.flatMap(({ metric, role, comparisons }) => comparisons.flatMap((one) => (one.effect === null ? [] : [{ metric, role, arm: one.arm, estimate: one.effect.estimate, standardError: one.effect.standardError }]))); // prettier-ignore
        const said = { decision, arm: decision === "ship" ? arm : null, reason, by: member?.name ?? "", at, effects };
        return viewOf(await change(call, row, { state: "ended", ended_at: at, decision: JSON.stringify(said) }));
      }),
      handle(operations.slices, async (call, { key, property }) =>
        slicesOf(call, viewOf(await rowOf(call, key)), property),
      ),
      handle(operations.beside, async (call, { key }) => besideOf(call, viewOf(await rowOf(call, key)))),
      handle(operations.learned, async (call) => {
        const { findings, ended, shipped } = await findingsOf(call);
        const holdouts = await impactOf(call);
        const metrics = learnedByMetric(findings).map((one) => ({ ...one, findings: [...one.findings] }));
        const northStar = (await allMetrics(store, call)).find((one) => one.northStar)?.key ?? null;
        return { winRate: winRate(shipped, ended), metrics, holdouts, northStar };
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
