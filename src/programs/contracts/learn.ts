import { yamlOf } from "./yaml.ts";
import { maskText } from "../privacy/redact.ts";

/** What came of a property: its types as the store tells them, in how many of the events, and its values while few. */
export interface Seen {
  readonly name: string;
  readonly types: readonly string[];
  /** Undefined for an object, of which only the parts are known. */
  readonly present: number | undefined;
  readonly values: readonly string[];
  /** Of the numbers among them; null where there is none. */
  readonly least: number | null;
  readonly greatest: number | null;
}

/** What came is told; that nothing else may come is for people to say. */
const rangeOf = ({ least, greatest }: Seen, type: string | undefined): string =>
  (type === "number" || type === "integer") && least !== null && greatest !== null ? ` From ${least.toLocaleString("en")} to ${greatest.toLocaleString("en")}.` : ""; // prettier-ignore

const mostValues = 12;
/** So often must a property have come before a list of its values is taken for all that there are. */
const enough = 50;

/** The logical type that takes everything that came; undefined where nothing but any type does. */
const typeOf = (types: readonly string[]): string | undefined => {
  const kinds = new Set(
    types.map((type) => {
      if (/^U?Int/.test(type)) return "integer";
      if (type.startsWith("Float") || type.startsWith("Decimal")) return "number";
      if (type === "Bool") return "boolean";
      if (type.startsWith("Array")) return "array";
      // a time reads in many ways, and only one of them is the format of a contract
      return /^Date(?!Time)/.test(type) ? "date" : "string";
    }),
  );
  if (kinds.size < 2) return [...kinds][0];
  return [...kinds].every((kind) => kind === "integer" || kind === "number") ? "number" : undefined;
};

/** Whether a list of values says what there can be: few, often seen, and nobody's own. */
const isClosed = ({ values, present, types }: Seen, type: string | undefined): boolean =>
  type === "string" &&
  types.every((one) => one === "String") &&
  values.length > 0 &&
  values.length <= mostValues &&
  (present ?? 0) >= enough &&
  values.every((value) => value.length <= 40 && maskText(value) === value);

/** A contract in ODCS 3.1 that everything that came would meet, open for more. */
export const proposed = (event: string, events: number, seen: readonly Seen[]): string => {
  const properties = seen.map((one) => {
    if (one.present === undefined) return { name: one.name, description: "An object." };
    const type = typeOf(one.types);
    const values = [...one.values].toSorted();
    return {
      name: one.name,
      ...(type === undefined ? {} : { logicalType: type }),
      ...(one.present === events ? { required: true } : {}),
      description: `In ${one.present.toLocaleString("en")} of ${events.toLocaleString("en")} events.${rangeOf(one, type)}`,
      ...(isClosed(one, type)
        ? { quality: [{ metric: "invalidValues", mustBe: 0, arguments: { validValues: values } }] }
        : {}),
    };
  });
  const id = event.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, ""); // prettier-ignore
  return yamlOf({
    apiVersion: "v3.1.0",
    kind: "DataContract",
    id: id === "" ? "event" : id,
    version: "1.0.0",
    status: "draft",
    schema: [{ name: event, logicalType: "object", properties }],
  });
};
