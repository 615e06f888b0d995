import { Refusal } from "#kernel/refusal.ts";
import { readContract } from "#programs/contracts/document.ts";
import { byVersion, eventsOf, schemaOf, type Odcs } from "#programs/contracts/odcs.ts";
import type { JsonSchema } from "#programs/contracts/schema.ts";
import { contractsUnder } from "./check.ts";

/** TypeScript for the senders of events, from the contracts of a repository: a type and a function for each event. */

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value); // prettier-ignore
const fieldsIn = (value: unknown): Fields => (isFields(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Names and texts of a contract stand in code only as literals and in comments that they cannot end. */
const literal = (value: unknown): string => JSON.stringify(value).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029"); // prettier-ignore
const comment = (text: unknown, indent: string): string =>
  typeof text !== "string" || text === "" ? "" : `${indent}/** ${text.replaceAll("*/", "* /").replaceAll(/\s+/g, " ").trim()} */\n`; // prettier-ignore

/** A name of a property: plain where it can be. */
const keyOf = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name));

const plainTypes: Readonly<Record<string, string>> = {
  string: "string",
  number: "number",
  integer: "number",
  boolean: "boolean",
  null: "null",
};

const objectType = (schema: JsonSchema, indent: string): string => {
  const required = new Set(listOf(schema["required"]));
  const inner = `${indent}  `;
  const properties = Object.entries(fieldsIn(schema["properties"])).map(([name, value]) => {
    const own = fieldsIn(value);
    return `${comment(own["description"], inner)}${inner}readonly ${keyOf(name)}${required.has(name) ? "" : "?"}: ${typeOf(own, inner)};\n`; // prettier-ignore
  });
  return properties.length === 0 ? "Readonly<Record<string, unknown>>" : `{\n${properties.join("")}${indent}}`;
};

const typeOf = (schema: JsonSchema, indent: string): string => {
  const closed = listOf(schema["enum"]);
  if (closed.length > 0) return closed.map((value) => (isFields(value) || Array.isArray(value) ? "unknown" : literal(value))).join(" | "); // prettier-ignore
  const types = typeof schema["type"] === "string" ? [schema["type"]] : listOf(schema["type"]);
  if (types.length === 0) return "unknown";
  return types
    .map((type) => {
      if (type === "object") return objectType(schema, indent);
      if (type === "array") return `readonly (${typeOf(fieldsIn(schema["items"]), indent)})[]`;
      return plainTypes[String(type)] ?? "unknown";
    })
    .join(" | ");
};

const wordsOf = (name: string): string[] =>
  name.normalize("NFKD")
    .replaceAll(/\p{M}/gu, "").split(/[^A-Za-z0-9]+/).filter(Boolean).map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)); // prettier-ignore

/** A name that can stand in code, of its own among those that are taken. */
const identifierFor = (name: string, taken: Set<string>): string => {
  const base = wordsOf(name).join("");
  const first = /^[A-Za-z]/.test(base) ? base : `Event${base}`;
  let own = first;
  for (let n = 2; taken.has(own); n += 1) own = `${first}${n}`;
  taken.add(own);
  return own;
};

/** Of each contract the newest version that is in use, or about to be. */
const newest = (documents: readonly Odcs[]): Odcs[] => {
  const byId = new Map<string, Odcs>();
  for (const document of documents.filter(({ status }) => status !== "retired").toSorted((a, b) => byVersion(b, a))) byId.set(document.id, document); // prettier-ignore
  return [...byId.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
};

/** The code for some contracts. Throws where an event is in two of them. */
export const codeFor = (documents: readonly Odcs[]): string => {
  const taken = new Set(["Events", "Send", "senders"]);
  const events = newest(documents).flatMap((document) => eventsOf(document).map(([event, schema]) => ({ document, schema, event }))); // prettier-ignore
  const names = events.map(({ event }) => event);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Refusal("codegen.twice", `The event ${twice} is in two contracts; code cannot tell which is meant.`); // prettier-ignore
  const parts = events.map(({ document, schema, event }) => {
    const type = identifierFor(event, taken);
    const says = `${schema.description ?? event} Contract ${document.id} ${document.version}.`;
    return { event, type, code: `${comment(says, "")}export type ${type} = ${objectType(schemaOf(schema), "")};\n` };
  });
  return `// Made by throughline codegen. Change the contracts, and make it again.

${parts.map(({ code }) => code).join("\n")}
/** What each event holds. */
export interface Events {
${parts.map(({ event, type }) => `  readonly ${literal(event)}: ${type};\n`).join("")}}

/** What any SDK sends events with, such as \`(event, properties) => analytics.track(event, properties)\`. */
export type Send = (event: string, properties: Readonly<Record<string, unknown>>) => unknown;

/** A function for each event, which takes only what its contract does. */
export const senders = (send: Send) => ({
${parts.map(({ event, type }) => `  send${type}: (properties: ${type}) => send(${literal(event)}, properties),\n`).join("")}});
`;
};

/** The code for the contracts of a file or folder. */
export const codeFrom = (path: string): string => {
  const documents = contractsUnder(path).map(({ file, line, text }) => {
    try {
      return readContract(text);
    } catch (error) {
      if (error instanceof Refusal) throw new Refusal("codegen.contract", `${file}:${line}: ${error.message}`);
      throw error;
    }
  });
  if (documents.length === 0) throw new Refusal("codegen.nothing", `There is no contract (kind: DataContract) at ${path}.`); // prettier-ignore
  return codeFor(documents);
};
