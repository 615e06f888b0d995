import type { WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import { Definition, definitionOf, type Change, type MetricView, type Planned } from "./contract.ts";
import { differences } from "./differences.ts";

/** The catalog as it is kept: the current definition of each metric, and every one that it has had. */

const mostMetrics = 1_000;

type Origin = MetricView["origin"];
interface Row {
  readonly version: number;
  readonly definition: string;
  readonly origin: string;
  readonly updated_at: string;
}

export const readDefinition = (json: string): Definition => Definition.parse(JSON.parse(json));

const viewOf = ({ version, definition, origin, updated_at }: Row): MetricView => ({
  ...readDefinition(definition),
  version,
  origin: origin === "files" ? "files" : "page",
  updatedAt: updated_at,
});

export const allMetrics = async (store: Store, call: WorkspaceCall): Promise<MetricView[]> => {
  const rows = await store
    .selectFrom("metrics")
    .selectAll()
    .where("workspace", "=", call.workspace.id)
    .where("removed_at", "is", null)
    .orderBy("key")
    .execute();
  return rows.map(viewOf);
};

export const findMetric = async (store: Store, call: WorkspaceCall, key: string): Promise<MetricView> => {
  const row = await store
    .selectFrom("metrics")
    .selectAll()
    .where("workspace", "=", call.workspace.id)
    .where("key", "=", key)
    .where("removed_at", "is", null)
    .executeTakeFirst();
  if (row === undefined) throw new Refusal("metrics.unknown", `There is no metric ${key} here.`, {}, 404);
  return viewOf(row);
};

/** Whether the catalog can be as these definitions say: inputs exist, nothing is moved by itself, one North Star. */
export const checkCatalog = (definitions: readonly Definition[]): void => {
  if (definitions.length > mostMetrics)
    throw new Refusal("metrics.too_many", `A catalog holds ${mostMetrics} metrics. Remove some.`);
  const byKey = new Map(definitions.map((definition) => [definition.key, definition]));
  if (byKey.size < definitions.length) {
    const twice = definitions.find(({ key }, place) => definitions.findIndex((one) => one.key === key) !== place);
    throw new Refusal("metrics.twice", `The metric ${twice?.key ?? ""} is defined twice.`);
  }
  const stars = definitions.filter(({ northStar }) => northStar);
  if (stars.length > 1)
    throw new Refusal("metrics.north_stars", `There is one North Star; ${stars.map(({ key }) => key).join(" and ")} say that they are it.`); // prettier-ignore
  // each metric is followed once, however many ways lead to it
  const followed = new Set<string>();
  const visit = (key: string, trail: readonly string[]): void => {
    if (followed.has(key)) return;
    for (const input of byKey.get(key)?.inputs ?? []) {
      if (!byKey.has(input))
        throw new Refusal("metrics.unknown_input", `${key} names ${input}, which is no metric here.`);
      if ([...trail, key].includes(input))
        throw new Refusal("metrics.circle", `${[...trail, key, input].join(" → ")}: a metric cannot move itself.`);
      visit(input, [...trail, key]);
    }
    followed.add(key);
  };
  for (const { key } of definitions) visit(key, []);
};

/** Puts definitions into a catalog: another North Star takes the place of the one before. */
export const withDefinition = (all: readonly Definition[], definition: Definition): Definition[] => {
  const others = all.filter(({ key }) => key !== definition.key);
  const rest = definition.northStar
    ? others.map((one) => (one.northStar ? { ...one, northStar: false } : one))
    : others;
  return [...rest, definition];
};

/** What has to happen for the catalog to be as wanted. */
export const planOf = (
  current: readonly MetricView[],
  wanted: readonly Definition[],
): (Omit<Planned, "uses"> & { definition: Definition | undefined; over: number })[] => {
  const held = new Map(current.map((metric) => [metric.key, metric]));
  const kept = new Set(wanted.map(({ key }) => key));
  const changed = wanted.map((definition) => {
    const known = held.get(definition.key);
    const changes: Change[] = known === undefined ? [] : differences(definitionOf(known), definition);
    const action =
      known === undefined ? ("add" as const) : changes.length > 0 ? ("change" as const) : ("keep" as const);
    return { key: definition.key, name: definition.name, action, changes, definition, over: known?.version ?? 0 };
  });
  const gone = current
    .filter(({ key }) => !kept.has(key))
    .map(({ key, name, version }) => ({ key, name, action: "remove" as const, changes: [], definition: undefined, over: version })); // prettier-ignore
  return [...changed, ...gone];
};

/** Carries a plan out, whole or not at all; refused where a metric has changed since the plan was made. */
export const carryOut = (
  store: Store,
  call: WorkspaceCall,
  planned: ReturnType<typeof planOf>,
  origin: (key: string) => Origin,
): Promise<void> => {
  const at = new Date(call.now).toISOString();
  const by = call.principal.kind === "nobody" ? "" : call.principal.id;
  const { id: workspace } = call.workspace;
  return store.transaction().execute(async (tx) => {
    for (const { key, action, definition, over } of planned) {
      const current = await tx
        .selectFrom("metrics")
        .select(["version", "removed_at"])
        .where("workspace", "=", workspace)
        .where("key", "=", key)
        .executeTakeFirst();
      const known = current?.removed_at === null ? current.version : 0;
      if (known !== over)
        throw new Refusal("metrics.changed", `${key} was changed meanwhile (version ${known}). Look at it again.`, {}, 409); // prettier-ignore
      if (action === "keep") {
        await tx.updateTable("metrics").set({ origin: origin(key) }).where("workspace", "=", workspace).where("key", "=", key).execute(); // prettier-ignore
        continue;
      }
      if (definition === undefined) {
        await tx.updateTable("metrics").set({ removed_at: at }).where("workspace", "=", workspace).where("key", "=", key).execute(); // prettier-ignore
        continue;
      }
      const version = (current?.version ?? 0) + 1;
      const json = JSON.stringify(definition);
      const row = { version, definition: json, origin: origin(key), updated_at: at, removed_at: null };
      await tx
        .insertInto("metrics")
        .values({ workspace, key, ...row })
        .onConflict((conflict) => conflict.columns(["workspace", "key"]).doUpdateSet(row))
        .execute();
      await tx
        .insertInto("metric_versions")
        .values({ workspace, key, version, definition: json, changed_by: by, changed_at: at })
        .execute();
    }
  });
};

/** Every definition that a metric has had, the newest first, with what each changed. */
export const historyOf = async (store: Store, call: WorkspaceCall, key: string) => {
  const rows = await store
    .selectFrom("metric_versions")
    .leftJoin("members", "members.id", "metric_versions.changed_by")
    .select(["version", "definition", "changed_at", "changed_by", "members.name as name"])
    .where("workspace", "=", call.workspace.id)
    .where("key", "=", key)
    .orderBy("version", "desc")
    .limit(100)
    .execute();
  return rows.map((row, place) => {
    const before = rows[place + 1];
    const changes = before === undefined ? [] : differences(readDefinition(before.definition), readDefinition(row.definition)); // prettier-ignore
    return { version: row.version, at: row.changed_at, by: row.name ?? row.changed_by, changes };
  });
};
