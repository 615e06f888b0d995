import { Odcs, type OdcsSchema, type Subject } from "../odcs.ts";
import type { JsonSchema } from "../schema.ts";
import { fromJsonSchema, isFields, toJsonSchema } from "./json-schema.ts";

/** What all formats of tracking plans share: a plan is a contract for each of its events, so that one can begin alone. */

export type Fields = Readonly<Record<string, unknown>>;
type Custom = { readonly property: string; readonly value: unknown };

/** One rule of a plan: a schema of an event or of traits, with all that its format says besides. */
export interface Rule {
  readonly of: Subject;
  /** Name of the event; of traits, what the plan calls them. */
  readonly name: string;
  readonly version: string;
  readonly description?: string | undefined;
  readonly schema: JsonSchema;
  /** What has no place in a contract, to be written again as it was. */
  readonly rest: Fields;
}

/** What was read: contracts, what is kept although nothing is held against it, and what could not be read. */
export interface Plan {
  readonly contracts: readonly Odcs[];
  readonly notes: readonly string[];
  readonly faults: readonly { readonly rule: string; readonly message: string }[];
}

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const without = (fields: Fields, ...names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));

const slug = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")
    .slice(0, 80) || "event";

/** `3` and `1-0-2` as versions of contracts have them. */
export const versionOf = (given: unknown): string => {
  const text = typeof given === "number" ? String(given) : textOf(given);
  const parts = text.match(/\d+/g)?.slice(0, 3).map(Number) ?? []; // prettier-ignore
  const [major = 1, minor = 0, patch = 0] = parts;
  return [major, minor, patch].map((part) => Math.min(part, 999_999)).join(".");
};

/** What a contract keeps of the plan and the rule that it is from. */
export interface Origin {
  readonly format: string;
  readonly plan: Fields;
  readonly rule: Fields;
}

/** Contracts, one for each rule: drafts, until somebody makes one active. */
export const contractsOf = (format: string, title: string, plan: Fields, rules: readonly Rule[]): readonly Odcs[] => {
  const ids = new Map<string, string>();
  return rules.map(({ of, name, version, description, schema, rest }) => {
    const key = `${of} ${name}`;
    const base = slug(of === "event" ? name : `${of}-traits`);
    const taken = new Set(ids.values());
    const free = (n = 1): string => (taken.has(n === 1 ? base : `${base}-${n}`) ? free(n + 1) : n === 1 ? base : `${base}-${n}`); // prettier-ignore
    const id = ids.get(key) ?? free();
    ids.set(key, id);
    const custom: Custom[] = of === "event" ? [] : [{ property: "of", value: of }];
    const one = fromJsonSchema(name.slice(0, 500), schema, custom);
    return Odcs.parse({
      apiVersion: "v3.1.0",
      kind: "DataContract",
      id,
      version,
      status: "draft",
      name: name.slice(0, 500),
      schema: [description === undefined || description === "" ? one : { ...one, description: description.slice(0, 10_000) }],
      customProperties: [{ property: "origin", value: { format, title, plan, rule: rest } }],
    }); // prettier-ignore
  });
};

/** Where a contract is from, if it is from a plan of this format. */
export const originOf = ({ customProperties = [] }: Odcs, format: string): Origin | undefined => {
  const value = customProperties.find(({ property }) => property === "origin")?.value;
  if (!isFields(value) || value["format"] !== format) return undefined;
  const { plan, rule } = value;
  return { format, plan: isFields(plan) ? plan : {}, rule: isFields(rule) ? rule : {} };
};

/**
 * A schema of a whole call, of which a contract holds the part at `path`. The rest is kept, to be put around it again;
 * the draft and the definitions of the whole are those of the part.
 */
export const taken = (whole: Fields, path: readonly string[]): { readonly schema: JsonSchema; readonly rest: Fields } => {
  const parents: Fields[] = [whole];
  for (const name of path) {
    const next = parents.at(-1)?.[name];
    if (!isFields(next)) return { schema: { type: "object" }, rest: { envelope: whole, bare: true } };
    parents.push(next);
  }
  const part = parents.pop() ?? {};
  const shared = Object.fromEntries(["$schema", "definitions", "$defs"].flatMap((name) => (whole[name] === undefined || part[name] !== undefined ? [] : [[name, whole[name]]]))); // prettier-ignore
  const envelope = path.reduceRight<Fields>((inner, name, at) => ({ ...parents[at], [name]: inner }), { "...": true });
  return { schema: { ...shared, ...part }, rest: { envelope, shared: Object.keys(shared) } };
}; // prettier-ignore

/** The whole call again. Without an origin it is as the formats write it. */
export const whole = (schema: OdcsSchema, path: readonly string[], rule: Fields | undefined): Fields => {
  const own = toJsonSchema(schema);
  const envelope = rule?.["envelope"];
  if (!isFields(envelope)) {
    const draft = { $schema: "http://json-schema.org/draft-07/schema#" };
    return { ...draft, type: "object", ...path.reduceRight<Fields>((inner, name) => (name === "properties" ? { properties: inner } : { [name]: inner }), own) }; // prettier-ignore
  }
  // changed since it was taken over: what was bare has something to say now
  if (rule?.["bare"] === true && Object.keys(without(own, "type")).length === 0) return envelope;
  const part = without(own, ...listOf(rule?.["shared"]).map(textOf));
  const put = (at: Fields, [name, ...others]: readonly string[]): Fields => {
    if (name === undefined) return part;
    const inner = at[name];
    return { ...at, [name]: put(isFields(inner) ? inner : {}, others) };
  };
  return put(envelope, path);
};
