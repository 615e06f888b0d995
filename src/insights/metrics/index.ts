import { defineModule, handle, type Asset, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import { provenanceOf, daysOf } from "#insights/common/provenance.ts";
import { bucketsOf, labelOf, resolveRange, shifted } from "#insights/common/time.ts";
import { usesOf } from "#kernel/lineage.ts";
import { scopeOf } from "#records/common/ask.ts";
import type { Ingest } from "#records/events/ingest.ts";
import { allMetrics, carryOut, checkCatalog, findMetric, historyOf, planOf, withDefinition } from "./catalog.ts"; // prettier-ignore
import * as contract from "./contract.ts";
import { definitionOf, type Definition, type MetricInput, type MetricResult, type MetricView } from "./contract.ts";
import { differences } from "./differences.ts";
import { evaluate } from "./evaluate.ts";
import { formatOf } from "./question.ts";
import { metricSays } from "./says.ts";
import { whoOfMetric } from "./who.ts";
import { sentenceOf } from "./sentence.ts";

interface Parts {
  readonly ingest: Ingest;
  readonly store: Store;
  /** What people made, in the whole program. */
  readonly assets: (call: WorkspaceCall) => Promise<readonly Asset[]>;
}

/** Metrics: one catalogued definition of each number, asked as the question that it is. */
export const metrics = ({ ingest, store, assets }: Parts): Module => {
  const answer = async (
    call: WorkspaceCall,
    definition: Definition,
    version: number,
    { compare, ...asked }: Omit<MetricInput, "metric">,
  ): Promise<MetricResult> => {
    const began = performance.now();
    const scope = await scopeOf(ingest, call, asked);
    const range = resolveRange(asked.range, scope);
    const [from, to] = daysOf(range, scope.zone);
    const over = (days: { from: string; to: string }) =>
      evaluate({ call, scope, definition, frame: { ...asked, range: days } });
    const current = await over({ from, to });
    const whole = resolveRange({ from, to }, scope);
    const before = compare ? shifted(whole, undefined, scope.zone) : undefined;
    const [first, last] = before === undefined ? ["", ""] : daysOf(before, scope.zone);
    const previous = before === undefined ? undefined : await over({ from: first, to: last });
    const { key, name, unit, direction } = definition;
    const groups = [
      ...current.groups.map((group) => ({ ...group, period: "current" as const })),
      ...(previous?.groups ?? []).map((group) => ({ ...group, period: "previous" as const })),
    ];
    const said = { definition, ...current, buckets: [...current.buckets], groups };
    return {
      kind: "metric",
      metric: { key, name, unit, direction, version },
      format: formatOf(definition),
      interval: current.interval,
      buckets: [...current.buckets],
      previousBuckets: before === undefined ? [] : bucketsOf(before, current.interval, scope).map((start) => labelOf(start, current.interval, scope.zone)), // prettier-ignore
      openFrom: current.openFrom,
      groups,
      sentence: sentenceOf(said, from, to),
      provenance: provenanceOf(scope, whole, current.sql, metricSays(definition), began),
    };
  };

  const planned = async (call: WorkspaceCall, wanted: readonly Definition[]) => {
    const all = await allMetrics(store, call);
    // metrics made on the page stand beside those of files
    const fromFiles = all.filter(({ key, origin }) => origin === "files" || wanted.some((one) => one.key === key));
    const others = all.filter((metric) => !fromFiles.includes(metric)).map(definitionOf);
    const star = wanted.some(({ northStar }) => northStar);
    checkCatalog([...others.map((one) => (star ? { ...one, northStar: false } : one)), ...wanted]);
    const yielding = star
      ? others.filter(({ northStar }) => northStar).map((one) => ({ ...one, northStar: false }))
      : [];
    const held = [...fromFiles, ...all.filter(({ key }) => yielding.some((one) => one.key === key))];
    const plan = planOf(held, [...wanted, ...yielding]);
    const told = await Promise.all(
      plan.map(async ({ key, name, action, changes }) => {
        const isFelt = action === "change" || action === "remove";
        return {
          key,
          name,
          action,
          changes,
          uses: isFelt ? [...(await usersOf(call, key))] : [],
        };
      }),
    );
    return { plan, told, fileKeys: new Set(wanted.map(({ key }) => key)) };
  };

  const known = async (call: WorkspaceCall, key: string): Promise<MetricView | undefined> =>
    (await allMetrics(store, call)).find((metric) => metric.key === key);

  const usersOf = async (call: WorkspaceCall, id: string) => usesOf(await assets(call), { kind: "metric", id });

  return defineModule({
    name: "metrics",
    assets: async (call) =>
      (await allMetrics(store, call)).map((metric) => ({
        kind: "metric",
        id: metric.key,
        title: metric.name,
        address: `/catalog/metrics/${metric.key}`,
        owner: metric.owner,
        description: metric.description,
        updatedAt: metric.updatedAt,
        definition: definitionOf(metric),
      })),
    operations: [
      handle(contract.list, async (call) => ({
        metrics: (await allMetrics(store, call)).map((metric) => ({ ...metric, says: metricSays(metric) })),
      })),
      handle(contract.get, async (call, { metric }) => {
        const found = await findMetric(store, call, metric);
        const [history, uses] = await Promise.all([historyOf(store, call, metric), usersOf(call, metric)]);
        return { ...found, says: metricSays(found), history, uses: [...uses] };
      }),
      handle(contract.askMetric, async (call, { metric, ...asked }) => {
        const { version, ...found } = await findMetric(store, call, metric);
        return answer(call, found, version, asked);
      }),
      handle(contract.metricWho, async (call, { question: { metric, ...asked }, bucket, group, limit }) => {
        const found = await findMetric(store, call, metric);
        const scope = await scopeOf(ingest, call, asked);
        const [from, to] = daysOf(resolveRange(asked.range, scope), scope.zone);
        const frame = { ...asked, range: { from, to } };
        return whoOfMetric(call, scope, found, frame, { bucket, group, limit });
      }),
      handle(contract.preview, async (call, { definition, ...asked }) => {
        const all = await allMetrics(store, call);
        const current = all.find(({ key }) => key === definition.key);
        checkCatalog(withDefinition(all.map(definitionOf), definition));
        return {
          before: current === undefined ? null : await answer(call, current, current.version, asked),
          after: await answer(call, definition, (current?.version ?? 0) + 1, asked),
          changes: current === undefined ? [] : differences(definitionOf(current), definition),
          uses: current === undefined ? [] : [...(await usersOf(call, definition.key))],
          version: current?.version ?? 0,
        };
      }),
      handle(contract.define, async (call, { definition, over }) => {
        const all = await allMetrics(store, call);
        const current = all.find(({ key }) => key === definition.key);
        const wanted = withDefinition(all.map(definitionOf), definition);
        checkCatalog(wanted);
        const plan = planOf(all, wanted).map((one) => (one.key === definition.key && over !== undefined ? { ...one, over } : one)); // prettier-ignore
        const changing = plan.filter(({ key, action }) => action !== "keep" || key === definition.key);
        const origins = new Map(all.map(({ key, origin }) => [key, origin]));
        // what came from a file and is changed here stays the file's: the next plan shows the difference
        await carryOut(store, call, changing, (key) => origins.get(key) ?? "page");
        const isSame = current !== undefined && differences(definitionOf(current), definition).length === 0;
        const version = isSame ? current.version : ((await known(call, definition.key))?.version ?? 1);
        return { key: definition.key, version };
      }),
      handle(contract.remove, async (call, { metric }) => {
        const found = await findMetric(store, call, metric);
        const [use] = await usersOf(call, metric);
        if (use !== undefined)
          throw new Refusal(
            "metrics.in_use",
            `The ${use.kind} ${use.title} uses this metric. Take it out there first.`,
          );
        const { key, name, version } = found;
        const removal = { key, name, action: "remove" as const, changes: [], definition: undefined, over: version };
        await carryOut(store, call, [removal], () => found.origin);
        return { ok: true as const };
      }),
      handle(contract.plan, async (call, { metrics: wanted }) => ({ planned: (await planned(call, wanted)).told })),
      handle(contract.apply, async (call, { metrics: wanted }) => {
        const { plan, told, fileKeys } = await planned(call, wanted);
        await carryOut(store, call, plan, (key) => (fileKeys.has(key) ? "files" : "page"));
        return { planned: told };
      }),
    ],
  });
};
