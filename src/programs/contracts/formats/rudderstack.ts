import { nameOf, subjectOf, type Odcs } from "../odcs.ts";
import { isFields } from "./json-schema.ts";
import { contractsOf, originOf, taken, textOf, versionOf, whole, without, type Fields, type Plan, type Rule } from "./plan.ts"; // prettier-ignore

/** RudderStack tracking plans: `events[] {name, eventType, rules}`, where rules are JSON Schema of a whole call. */

const pathOf = (event: Fields): readonly string[] => {
  if (textOf(event["eventType"] ?? "track") === "track") return ["properties", "properties"];
  // traits lie where the plan says: beside the call or in its context
  return textOf(event["identitySection"]) === "context.traits"
    ? ["properties", "context", "properties", "traits"]
    : ["properties", "traits"];
};
const kinds: Readonly<Record<string, Rule["of"]>> = { track: "event", identify: "person", group: "account" };
const kindOf = (event: Fields): Rule["of"] | undefined => kinds[textOf(event["eventType"] ?? "track")];

export const readRudderstack = (given: unknown): Plan | undefined => {
  if (!isFields(given)) return undefined;
  const isNested = isFields(given["rules"]);
  const listed = isNested && isFields(given["rules"]) ? given["rules"]["events"] : given["events"];
  if (!Array.isArray(listed) || !listed.every((one) => isFields(one) && isFields(one["rules"]))) return undefined;
  const notes: string[] = [];
  const others: Fields[] = [];
  const rules = listed.filter(isFields).flatMap((event): Rule[] => {
    const of = kindOf(event);
    if (of === undefined) {
      others.push(event);
      notes.push(`The rule for ${textOf(event["eventType"])} calls is kept, and nothing is held against it.`);
      return [];
    }
    const { schema, rest } = taken(isFields(event["rules"]) ? event["rules"] : {}, pathOf(event));
    const name = textOf(event["name"]) || textOf(event["eventType"]);
    return [{ of, name, version: versionOf(given["version"]), description: textOf(event["description"]), schema, rest: { ...without(event, "rules"), ...rest } }]; // prettier-ignore
  });
  const around = isNested ? { ...given, rules: without(given["rules"] as Fields, "events") } : without(given, "events");
  return { contracts: contractsOf("rudderstack", textOf(given["name"]), { around, isNested, others }, rules), notes: [...new Set(notes)], faults: [] }; // prettier-ignore
};

const inFormat: Readonly<Record<string, string>> = { event: "track", person: "identify", account: "group" };

export const writeRudderstack = (contracts: readonly Odcs[]): unknown => {
  const origins = contracts.map((contract) => originOf(contract, "rudderstack"));
  const events = contracts.flatMap((contract, at) =>
    contract.schema.flatMap((schema) => {
      const of = subjectOf(schema);
      const eventType = inFormat[of];
      if (eventType === undefined) return [];
      const { rule } = origins[at] ?? {};
      const own: Fields = rule === undefined ? { name: of === "event" ? nameOf(schema) : "", description: schema.description ?? "", eventType } : without(rule, "envelope", "shared", "bare"); // prettier-ignore
      return [{ ...own, rules: whole(schema, pathOf(own), rule) }];
    }),
  );
  const plan = origins.find((one) => one !== undefined)?.plan;
  const others = Array.isArray(plan?.["others"]) ? plan["others"] : [];
  const around = isFields(plan?.["around"])
    ? plan["around"]
    : { name: "Throughline", version: "1", creationType: "api" };
  const all = [...events, ...others];
  return plan?.["isNested"] === true && isFields(around["rules"])
    ? { ...around, rules: { ...around["rules"], events: all } }
    : { ...around, events: all };
};
