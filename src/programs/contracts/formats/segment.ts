import { subjectOf, nameOf, type Odcs } from "../odcs.ts";
import { isFields } from "./json-schema.ts";
import { contractsOf, listOf, originOf, taken, textOf, versionOf, whole, without, type Fields, type Plan, type Rule } from "./plan.ts"; // prettier-ignore

/**
 * Segment Protocols: tracking plans of the Public API (`rules[] {type, key, version, jsonSchema}`) and of the Config API
 * (`rules {global, events[], identify, group}`), both in JSON Schema draft-07 of a whole call.
 */

const traits = ["properties", "traits"] as const;
const properties = ["properties", "properties"] as const;

/** What a rule of some type is of, and where in the call that lies. */
const placesOf: Readonly<Record<string, { of: Rule["of"]; path: readonly string[] }>> = {
  TRACK: { of: "event", path: properties },
  IDENTIFY: { of: "person", path: traits },
  GROUP: { of: "account", path: traits },
};
const kept = (type: string): string => `The rule for ${type} calls is kept, and nothing is held against it.`;

const ruleOf = (
  type: string,
  key: string | undefined,
  version: unknown,
  schema: Fields,
  rest: Fields,
): Rule | undefined => {
  const place = placesOf[type];
  if (place === undefined) return undefined;
  const { schema: own, rest: around } = taken(schema, place.path);
  const description = textOf(rest["description"] ?? schema["description"]);
  return { of: place.of, name: key || type.toLowerCase(), version: versionOf(version), description, schema: own, rest: { ...rest, type, version, ...(key === undefined ? {} : { key }), ...around } }; // prettier-ignore
};

const asksMore = (envelope: unknown): boolean => {
  const context =
    isFields(envelope) && isFields(envelope["properties"]) ? envelope["properties"]["context"] : undefined;
  return isFields(context) && Object.keys(context).length > 0;
};

export const readSegment = (given: unknown): Plan | undefined => {
  if (!isFields(given) && !Array.isArray(given)) return undefined;
  const data = isFields(given) && isFields(given["data"]) ? given["data"] : undefined;
  const top: Fields = isFields(given) ? given : {};
  const described: Fields = isFields(data?.["trackingPlan"]) ? data["trackingPlan"] : (data ?? top);
  const listed = Array.isArray(given) ? given : (data?.["rules"] ?? top["rules"]);
  const title = textOf(top["display_name"] ?? described["name"]);
  const notes: string[] = [];
  const rules: Rule[] = [];
  const others: Fields[] = [];
  const take = (type: string, key: string | undefined, version: unknown, schema: unknown, rest: Fields): void => {
    const rule = ruleOf(type, key, version, isFields(schema) ? schema : {}, rest);
    if (rule !== undefined) {
      rules.push(rule);
      if (asksMore(rule.rest["envelope"])) notes.push(`What ${rule.name} asks of \`context\` is kept, and nothing is held against it.`); // prettier-ignore
      return;
    }
    others.push({ ...rest, type, ...(key === undefined ? {} : { key }), version, jsonSchema: schema });
    notes.push(kept(type));
  };
  if (Array.isArray(listed)) {
    if (!listed.every((rule) => isFields(rule) && typeof rule["type"] === "string" && "jsonSchema" in rule))
      return undefined;
    for (const rule of listed.filter(isFields))
      take(textOf(rule["type"]), typeof rule["key"] === "string" ? rule["key"] : undefined, rule["version"], rule["jsonSchema"], without(rule, "type", "key", "version", "jsonSchema")); // prettier-ignore
    const plan = { shape: "rules", around: without(top, "rules", "data"), data: data === undefined ? null : without(data, "rules"), others }; // prettier-ignore
    return { contracts: contractsOf("segment", title, plan, rules), notes: [...new Set(notes)], faults: [] };
  }
  if (!isFields(listed) || !Array.isArray(listed["events"])) return undefined;
  for (const event of listed["events"].filter(isFields))
    take("TRACK", textOf(event["name"]), event["version"], event["rules"], without(event, "name", "version", "rules"));
  for (const [name, type] of [["identify", "IDENTIFY"], ["group", "GROUP"]] as const)
    if (listed[name] !== undefined) take(type, undefined, 1, listed[name], {}); // prettier-ignore
  if (isFields(listed["global"]) && Object.keys(listed["global"]).length > 0) notes.push(kept("all"));
  const plan = {
    shape: "events",
    around: without(top, "rules"),
    rules: without(listed, "events", "identify", "group"),
  };
  return { contracts: contractsOf("segment", title, plan, rules), notes: [...new Set(notes)], faults: [] };
};

const written = (contract: Odcs) =>
  contract.schema.flatMap((schema) => {
    const of = subjectOf(schema);
    const type = Object.keys(placesOf).find((one) => placesOf[one]?.of === of);
    if (type === undefined) return [];
    const { rule, plan } = originOf(contract, "segment") ?? {};
    const own = rule === undefined ? {} : without(rule, "type", "key", "version", "envelope", "shared", "bare");
    const version = rule?.["version"] ?? Number(contract.version.split(".")[0]);
    return [{ type, key: rule === undefined ? (of === "event" ? nameOf(schema) : undefined) : rule["key"], version, schema: whole(schema, placesOf[type]?.path ?? [], rule), own, plan }]; // prettier-ignore
  });

export const writeSegment = (contracts: readonly Odcs[]): unknown => {
  const all = contracts.flatMap(written);
  const plan = all.find((one) => one.plan !== undefined)?.plan ?? {};
  const isFrom = (field: string): Fields => (isFields(plan[field]) ? plan[field] : {});
  if (plan["shape"] === "events") {
    const events = all.filter(({ type }) => type === "TRACK").map(({ key, version, schema, own }) => ({ name: key, version, ...own, rules: schema })); // prettier-ignore
    const one = (type: string, name: string): Fields => {
      const found = all.find((rule) => rule.type === type);
      return found === undefined ? {} : { [name]: found.schema };
    };
    return { ...isFrom("around"), rules: { ...isFrom("rules"), ...one("IDENTIFY", "identify"), ...one("GROUP", "group"), events } }; // prettier-ignore
  }
  const described = all.map(({ type, key, version, schema, own }) => ({
    ...own,
    type,
    key,
    version,
    jsonSchema: schema,
  }));
  const rules = [...described, ...listOf(plan["others"])];
  return plan["data"] === null || plan["data"] === undefined
    ? { ...isFrom("around"), rules }
    : { ...isFrom("around"), data: { ...isFrom("data"), rules } };
};
