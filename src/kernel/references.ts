import type { Used } from "#kernel/module.ts";

/**
 * What a saved definition refers to, by the names that all questions share: `event` of a match, `property` of a condition
 * or a breakdown, `cohort`, `metric`, and the text of a `query`. Everything in this file is browser-safe.
 */
interface Found {
  readonly events: Set<string>;
  /** Whether it speaks of every event somewhere. */
  any: boolean;
  /** Event properties with the event that they are asked of; null where that is all the events of the question. */
  readonly properties: { readonly name: string; readonly event: string | null }[];
  readonly cohorts: Set<string>;
  readonly metrics: Set<string>;
  readonly queries: string[];
}

type Fields = Readonly<Record<string, unknown>>;
const textIn = (fields: Fields, name: string): string | undefined => {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : undefined;
};
const textsIn = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one) => typeof one === "string") : []); // prettier-ignore

/** Names in lists: properties that are held constant, events that are no steps, metrics that another is made of. */
const note = (fields: Fields, event: string | null, found: Found): void => {
  const of = textIn(fields, "on") ?? "event";
  const property = textIn(fields, "property");
  if (property !== undefined && of === "event") found.properties.push({ name: property, event });
  for (const name of textsIn(fields["hold"])) found.properties.push({ name, event: null });
  for (const name of textsIn(fields["exclude"])) found.events.add(name);
  for (const name of textsIn(fields["inputs"])) found.metrics.add(name);
  if (of === "cohort") for (const id of textsIn(fields["values"])) found.cohorts.add(id);
  const [cohort, metric, query] = ["cohort", "metric", "query"].map((name) => textIn(fields, name));
  if (cohort !== undefined) found.cohorts.add(cohort);
  if (metric !== undefined) found.metrics.add(metric);
  if (query !== undefined) found.queries.push(query);
};

const read = (value: unknown, event: string | null, found: Found): void => {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const part of value) read(part, event, found);
    return;
  }
  const fields = value as Fields;
  const own = "event" in fields ? textIn(fields, "event") : undefined;
  if (own !== undefined) found.events.add(own);
  else if ("event" in fields) found.any = true;
  const within = own ?? event;
  note(fields, within, found);
  for (const part of Object.values(fields)) read(part, within, found);
};

const quoted = (name: string): string => `'${name.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
const nameInQuery = (name: string): RegExp =>
  new RegExp(`properties\\s*\\.\\s*["\`]?${name.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w])`, "u");

/** What was read of a definition, as long as somebody holds it: lineage asks of each for every name that there is. */
const known = new WeakMap<object, Found>();

const foundIn = (definition: unknown): Found => {
  const held = typeof definition === "object" && definition !== null ? known.get(definition) : undefined;
  if (held !== undefined) return held;
  const found: Found = { events: new Set(), any: false, properties: [], cohorts: new Set(), metrics: new Set(), queries: [] }; // prettier-ignore
  read(definition, null, found);
  if (typeof definition === "object" && definition !== null) known.set(definition, found);
  return found;
};

/** Whether a definition uses a thing: an event, a property of an event (or of any), a metric or a cohort. */
export const isUsedIn = (definition: unknown, used: Used): boolean => {
  const { events, any, properties, cohorts, metrics, queries } = foundIn(definition);
  if (used.kind === "metric") return metrics.has(used.id);
  if (used.kind === "cohort") return cohorts.has(used.id);
  const says = (name: string) => queries.some((query) => query.includes(quoted(name)) || query.includes(`'${name.replaceAll("'", "''")}'`)); // prettier-ignore
  if (used.kind !== "property") return events.has(used.id) || says(used.id);
  const of = used.event;
  /** A property of the whole question is asked of each of its events. */
  const isOf = (event: string | null): boolean =>
    of === undefined || (event === null ? any || events.size === 0 || events.has(of) : event === of);
  const inQuery = queries.some((query) => nameInQuery(used.id).test(query) && (of === undefined || says(of) || !/\bevent\b/.test(query))); // prettier-ignore
  return inQuery || properties.some(({ name, event }) => name === used.id && isOf(event));
};
