import { createHash } from "node:crypto";
import { stringify } from "yaml";
import { z } from "zod";
import { classesIn, decided } from "#kernel/classes.ts";
import { newId } from "#kernel/ids.ts";
import { defineModule, handle, type AiUse, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import { eventsOf, Odcs } from "#programs/contracts/odcs.ts";
import { ask } from "#records/common/ask.ts";
import { iso } from "#records/common/iso.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { SourceRegistry } from "#records/sources/registry.ts";
import { biasOf } from "#stats/bias.ts";
import * as contract from "./contract.ts";
import { datasetFields, Evaluation, modelFields, type Use } from "./contract.ts";
import { checksOf, type Standing } from "./gate.ts";
import { eventsFrom, span } from "./query.ts";

interface Parts {
  readonly store: Store;
  readonly ingest: Ingest;
  readonly registry: SourceRegistry;
  /** What the program itself decides or writes by. */
  readonly builtIn: () => readonly AiUse[];
}

type Kind = (typeof contract.cardKinds)[number];
const [mostUses, mostVersions] = [500, 20_000];
const Content = contract.register.input.omit({ id: true });
const Fields = z.record(z.string(), z.string());
const Span = z.object({
  rows: z.number(),
  people: z.number(),
  first: z.string(),
  last: z.string(),
  events: z.number(),
});
const EventRow = z.object({ event: z.string(), rows: z.number() });

const number = (value: number): string => value.toLocaleString("en", { maximumFractionDigits: 4 });
const fieldsOf = (kind: Kind): readonly string[] => (kind === "dataset" ? datasetFields : modelFields);

/** What a card needs of people before anything that stands on it is released. */
const missingIn = (kind: Kind, written: Readonly<Record<string, string>>): readonly string[] =>
  fieldsOf(kind).filter((field) => (written[field] ?? "").trim() === "");

const heading = (field: string): string => field.replaceAll(/([A-Z])/g, " $1").toLowerCase().replace(/^./, (one) => one.toUpperCase()); // prettier-ignore
/** What people wrote cannot begin a heading, a rule or a table of the document. */
const quoted = (text: string): string => text.split("\n").map((line) => `> ${line}`).join("\n"); // prettier-ignore
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");

/** Settings of how long things are kept, as they are stored, in words. */
const keptFor = (settings: string | undefined): string => {
  const days = Object.entries(z.record(z.string(), z.number().nullable()).parse(JSON.parse(settings ?? "{}")));
  const said = days.flatMap(([what, count]) => (count === null ? [] : [`${what} ${count} days`]));
  return said.length === 0 ? "ever" : said.join(", ");
};

interface Known {
  readonly title: string;
  readonly front: Readonly<Record<string, unknown>>;
  readonly known: readonly { readonly name: string; readonly value: string }[];
}

/** Cards of data sets and models, the register of AI uses, and the gate that a release passes. */
export const cards = ({ store, ingest, registry, builtIn }: Parts): Module => {
  const by = ({ principal }: WorkspaceCall): string => (principal.kind === "nobody" ? "" : principal.id);
  const at = (call: WorkspaceCall): string => new Date(call.now).toISOString();

  const nextNumber = async (table: "evaluations" | "cards" | "releases", workspace: string): Promise<number> => {
    const row = await store.selectFrom(table).select(({ fn }) => fn.max("number").as("last")).where("workspace", "=", workspace).executeTakeFirst(); // prettier-ignore
    const next = Number(row?.last ?? 0) + 1;
    if (next > mostVersions) throw new Refusal("cards.too_many", `A workspace keeps ${mostVersions} of them.`);
    return next;
  };

  const releasedOf = async (workspace: string): Promise<ReadonlyMap<string, string>> => {
    const rows = await store.selectFrom("releases").selectAll().where("workspace", "=", workspace).orderBy("number").execute(); // prettier-ignore
    // of each the last counts, and nothing where it was taken back
    return new Map(rows.map((row) => [row.use_id, row.withdrawn_at === null ? row.version : ""]));
  };

  const allUses = async (
    call: WorkspaceCall,
  ): Promise<readonly (Use & { readonly registeredBy: string; readonly registeredAt: string })[]> => {
    const [rows, released] = await Promise.all([
      store.selectFrom("ai_uses").selectAll().where("workspace", "=", call.workspace.id).orderBy("registered_at").execute(), // prettier-ignore
      releasedOf(call.workspace.id),
    ]);
    const known = new Map(rows.map((row) => [row.id, { ...Content.parse(JSON.parse(row.content)), registeredBy: row.registered_by, registeredAt: row.registered_at }])); // prettier-ignore
    const of = (id: string): string | null => released.get(id) || null;
    const own = builtIn().map(({ id, ...use }) => {
      // people say who owns one of ours, and what it was trained on; what it is the program says
      const said = known.get(id);
      return { id, ...use, oversight: said?.oversight || use.oversight, owner: said?.owner ?? "", trainedOn: said?.trainedOn ?? [], prompt: said?.prompt ?? "", isBuiltIn: true, released: of(id), registeredBy: said?.registeredBy ?? "", registeredAt: said?.registeredAt ?? at(call) }; // prettier-ignore
    });
    const ids = new Set(own.map(({ id }) => id));
    const others = [...known].flatMap(([id, use]) => (ids.has(id) ? [] : [{ id, ...use, isBuiltIn: false, needsRelease: true, released: of(id) }])); // prettier-ignore
    return [...own, ...others];
  };

  const useOf = async (call: WorkspaceCall, id: string) => {
    const found = (await allUses(call)).find((use) => use.id === id);
    if (found === undefined) throw new Refusal("cards.unknown", "There is no such use in the register.", {}, 404);
    return found;
  };

  const written = async (call: WorkspaceCall, kind: Kind, id: string): Promise<Readonly<Record<string, string>>> => {
    const row = await store.selectFrom("cards").select("fields").where("workspace", "=", call.workspace.id).where("kind", "=", kind).where("id", "=", id).orderBy("number", "desc").limit(1).executeTakeFirst(); // prettier-ignore
    return row === undefined ? {} : Fields.parse(JSON.parse(row.fields));
  };

  const evaluationOf = async (call: WorkspaceCall, use: string, version: string) => {
    const row = await store.selectFrom("evaluations").selectAll().where("workspace", "=", call.workspace.id).where("use_id", "=", use).where("version", "=", version).orderBy("number", "desc").limit(1).executeTakeFirst(); // prettier-ignore
    return row === undefined ? undefined : { content: Evaluation.parse(JSON.parse(row.content)), by: row.made_by, at: row.made_at }; // prettier-ignore
  };

  const openFindings = async (call: WorkspaceCall): Promise<number> => {
    const { count } = await store.selectFrom("findings").select(({ fn }) => fn.countAll().as("count")).where("workspace", "=", call.workspace.id).where("state", "=", "open").executeTakeFirstOrThrow(); // prettier-ignore
    return Number(count);
  };

  /** What the system knows of the events of a source. */
  const dataset = async (call: WorkspaceCall, id: string): Promise<Known> => {
    const source = (await registry.list(call.workspace.id)).find((one) => one.id === id);
    if (source === undefined) throw new Refusal("cards.unknown", "There is no such data set: it is the id of a source.", {}, 404); // prettier-ignore
    await ingest.caughtUp(2_000);
    const { workspace } = call;
    const [[found], events, contracts, classes, purposes, keeping, erasures] = await Promise.all([
      ask(call, span(id), Span),
      ask(call, eventsFrom(id), EventRow),
      store.selectFrom("contracts").select("document").where("workspace", "=", workspace.id).where("status", "=", "active").execute(), // prettier-ignore
      classesIn(store, workspace.id),
      store.selectFrom("purposes").selectAll().where("workspace", "=", workspace.id).orderBy("number").execute(),
      store.selectFrom("keeping").select("settings").where("workspace", "=", workspace.id).executeTakeFirst(),
      store.selectFrom("erasures").select(["state", "made_at"]).where("workspace", "=", workspace.id).where("state", "in", ["confirmed", "partial"]).orderBy("made_at", "desc").execute(), // prettier-ignore
    ]);
    const names = new Set(events.map(({ event }) => event));
    const agreed = contracts.map(({ document }) => Odcs.parse(JSON.parse(document))).filter((one) => eventsOf(one).some(([event]) => names.has(event))); // prettier-ignore
    const counts = new Map<string, number>();
    for (const one of decided(classes).values()) counts.set(one, (counts.get(one) ?? 0) + 1);
    const bases = [...new Map(purposes.map(({ purpose, basis }) => [purpose, `${purpose} (${basis})`])).values()];
    const rows = found?.rows ?? 0;
    const [first, last] = rows === 0 ? ["", ""] : [iso(found?.first ?? ""), iso(found?.last ?? "")];
    const size = rows < 1_000 ? "n<1K" : rows < 10_000 ? "1K<n<10K" : rows < 100_000 ? "10K<n<100K" : rows < 1_000_000 ? "100K<n<1M" : rows < 10_000_000 ? "1M<n<10M" : rows < 100_000_000 ? "10M<n<100M" : "100M<n<1B"; // prettier-ignore
    return {
      title: source.name,
      front: { pretty_name: source.name, size_categories: [size], source_datasets: ["original"], dataset_info: { features: events.slice(0, 200).map(({ event }) => ({ name: event })), splits: [{ name: "all", num_examples: rows }] } }, // prettier-ignore
      known: [
        { name: "Events", value: `${number(rows)} of ${number(found?.events ?? 0)} kinds` },
        { name: "People", value: `${number(found?.people ?? 0)} ids` },
        { name: "Time", value: rows === 0 ? "nothing came yet" : `${first} to ${last}` },
        { name: "Contracts", value: agreed.length === 0 ? "none" : agreed.map(({ id: one, version }) => `${one} ${version}`).join(", ") }, // prettier-ignore
        {
          name: "Classes",
          value: [...counts].map(([one, count]) => `${count} ${one}`).join(", ") || "nothing is classed",
        },
        { name: "Consent", value: bases.join(", ") || "no purpose is written down" },
        { name: "Kept for", value: keptFor(keeping?.settings) },
        { name: "Erasures", value: erasures.length === 0 ? "none" : `${erasures.length}, the last asked for at ${erasures[0]?.made_at ?? ""}` }, // prettier-ignore
        { name: "Lineage", value: `throughline://${workspace.id}/source/${id}` },
        { name: "Fingerprint", value: createHash("sha256").update(JSON.stringify([rows, first, last, events])).digest("hex") }, // prettier-ignore
      ],
    };
  };

  const model = async (call: WorkspaceCall, id: string): Promise<Known> => {
    const use = await useOf(call, id);
    const evaluation = await evaluationOf(call, id, use.version);
    const results = evaluation?.content.metrics.map(({ name, value, slice }) => ({ type: name, value, ...(slice === undefined ? {} : { slice }) })) ?? []; // prettier-ignore
    return {
      title: use.name,
      front: { datasets: use.trainedOn, metrics: [...new Set(results.map(({ type }) => type))], "model-index": [{ name: use.name, results: evaluation === undefined ? [] : [{ task: { type: use.kind }, dataset: { name: evaluation.content.set }, metrics: results }] }] }, // prettier-ignore
      known: [
        { name: "Kind", value: use.kind },
        { name: "Version", value: use.version },
        { name: "Purpose", value: use.purpose },
        { name: "Risk", value: use.risk },
        { name: "Human oversight", value: use.oversight },
        { name: "Owner", value: use.owner === "" ? "nobody yet" : use.owner },
        { name: "Trained on", value: use.trainedOn.join(", ") || "nothing of this workspace" },
        {
          name: "Measured",
          value: evaluation === undefined ? "not yet" : `on ${evaluation.content.set}, ${evaluation.at}`,
        },
        ...(evaluation?.content.metrics ?? []).map(({ name, slice, value, atLeast, atMost }) => ({ name: slice === undefined ? name : `${name} (${slice})`, value: `${number(value)}${atLeast === undefined ? "" : `, at least ${atLeast}`}${atMost === undefined ? "" : `, at most ${atMost}`}` })), // prettier-ignore
        ...(evaluation?.content.groups ?? []).flatMap(({ attribute, decisions, scores }) => {
          const bias = decisions.length === 0 ? undefined : biasOf(decisions);
          return [
            ...(bias?.rates ?? []).map((one) => ({ name: `${attribute}: ${one.group}`, value: `${number(one.n)} decided, ${number(one.selection)} positive, true positives ${one.truePositiveRate === null ? "–" : number(one.truePositiveRate)}, false ${one.falsePositiveRate === null ? "–" : number(one.falsePositiveRate)}${one.isJudged ? "" : " (too few to judge)"}` })), // prettier-ignore
            ...(bias === undefined ? [] : [{ name: `${attribute}: parity`, value: `ratio ${bias.parityRatio === null ? "–" : number(bias.parityRatio)}, difference ${bias.parityDifference === null ? "–" : number(bias.parityDifference)}, equalized odds ${bias.oddsDifference === null ? "–" : number(bias.oddsDifference)}` }]), // prettier-ignore
            ...scores.map(({ group, n, error, kappa }) => ({ name: `${attribute}: ${group}`, value: `${number(n)} scored, mean error ${number(error)}${kappa === undefined ? "" : `, kappa ${number(kappa)}`}` })), // prettier-ignore
          ];
        }),
        { name: "Released", value: use.released ?? "no version" },
      ],
    };
  };

  const knownOf = (call: WorkspaceCall, kind: Kind, id: string): Promise<Known> => (kind === "dataset" ? dataset(call, id) : model(call, id)); // prettier-ignore

  const markdown = ({ title, front, known }: Known, kind: Kind, said: Readonly<Record<string, string>>): string =>
    [
      `---\n${stringify({ ...front, ...((said["license"] ?? "") === "" ? {} : { license: said["license"] }) })}---`,
      `# ${kind === "dataset" ? "Dataset" : "Model"} card: ${cell(title)}`,
      ["| | |", "| --- | --- |", ...known.map(({ name, value }) => `| ${cell(name)} | ${cell(value)} |`)].join("\n"),
      ...fieldsOf(kind).map((field) => `## ${heading(field)}\n\n${(said[field] ?? "") === "" ? "_To be written._" : quoted(said[field] ?? "")}`), // prettier-ignore
    ].join("\n\n");

  const standing = async (call: WorkspaceCall, id: string, reviewer: string): Promise<Standing> => {
    const { registeredBy, registeredAt: _at, ...use } = await useOf(call, id);
    const sources = new Set((await registry.list(call.workspace.id)).map((one) => one.id));
    const datasets = await Promise.all(use.trainedOn.map(async (one) => ({ id: one, missing: sources.has(one) ? missingIn("dataset", await written(call, "dataset", one)).length : undefined }))); // prettier-ignore
    const [said, evaluation, open] = await Promise.all([written(call, "model", id), evaluationOf(call, id, use.version), openFindings(call)]); // prettier-ignore
    return { use, missing: missingIn("model", said), evaluation, datasets, openFindings: open, registeredBy, reviewer };
  };

  return defineModule({
    name: "cards",
    assets: async (call) =>
      (await allUses(call)).map(({ id, name, owner, purpose, released, needsRelease, registeredAt, trainedOn }) => ({
        kind: "model",
        id,
        title: name,
        address: "/govern/ai",
        owner,
        description: purpose,
        updatedAt: registeredAt,
        state: needsRelease ? (released === null ? "not released" : `released ${released}`) : "active",
        reads: trainedOn,
      })),
    operations: [
      handle(contract.uses, async (call) => {
        const [all, sources] = await Promise.all([allUses(call), registry.list(call.workspace.id)]);
        const datasets = await Promise.all(sources.map(async ({ id, name }) => ({ id, name, missing: missingIn("dataset", await written(call, "dataset", id)).length }))); // prettier-ignore
        return { uses: [...all], datasets }; // who registered it is not in the answer
      }),
      handle(contract.register, async (call, { id: given, ...content }) => {
        const rows = await store
          .selectFrom("ai_uses")
          .select("id")
          .where("workspace", "=", call.workspace.id)
          .execute();
        const isOurs = builtIn().some(({ id }) => id === given);
        if (given !== undefined && !isOurs && !rows.some(({ id }) => id === given))
          throw new Refusal("cards.unknown", "There is no such use in the register.", {}, 404);
        if (rows.length >= mostUses) throw new Refusal("cards.too_many", `A workspace keeps ${mostUses} uses.`);
        const id = given ?? newId("use");
        const row = { content: JSON.stringify(content), version: content.version, registered_by: by(call), registered_at: at(call) }; // prettier-ignore
        await store.insertInto("ai_uses").values({ id, workspace: call.workspace.id, ...row }).onConflict((conflict) => conflict.columns(["workspace", "id"]).doUpdateSet(row)).execute(); // prettier-ignore
        return { id };
      }),
      handle(contract.evaluate, async (call, { use, version, evaluation }) => {
        await useOf(call, use);
        await store.insertInto("evaluations").values({ workspace: call.workspace.id, number: await nextNumber("evaluations", call.workspace.id), use_id: use, version, content: JSON.stringify(evaluation), made_by: by(call), made_at: at(call) }).execute(); // prettier-ignore
        return { ok: true as const };
      }),
      handle(contract.write, async (call, { kind, id, fields }) => {
        const known = fieldsOf(kind);
        const strange = Object.keys(fields).find((field) => !known.includes(field));
        if (strange !== undefined) throw new Refusal("cards.field", `A card of a ${kind} has no field ${strange.slice(0, 50)}: ${known.join(", ")}.`); // prettier-ignore
        await knownOf(call, kind, id);
        const next = { ...(await written(call, kind, id)), ...fields };
        await store.insertInto("cards").values({ workspace: call.workspace.id, number: await nextNumber("cards", call.workspace.id), kind, id, fields: JSON.stringify(next), made_by: by(call), made_at: at(call) }).execute(); // prettier-ignore
        return { missing: [...missingIn(kind, next)] };
      }),
      handle(contract.get, async (call, { kind, id }) => {
        const [found, said] = await Promise.all([knownOf(call, kind, id), written(call, kind, id)]);
        return { title: found.title, known: [...found.known], written: said, fields: [...fieldsOf(kind)], missing: [...missingIn(kind, said)], markdown: markdown(found, kind, said) }; // prettier-ignore
      }),
      handle(contract.gate, async (call, { use }) => {
        const found = await standing(call, use, "");
        const checks = checksOf(found);
        return { version: found.use.version, passed: checks.every(({ passed }) => passed), checks: [...checks] };
      }),
      handle(contract.release, async (call, { use, note }) => {
        // somebody, and no program: a key stands for nobody who could answer for it
        if (call.principal.kind !== "member") throw new Refusal("cards.reviewer", "A release is a member's decision; a key cannot take it.", {}, 403); // prettier-ignore
        const found = await standing(call, use, by(call));
        const checks = checksOf(found);
        const failed = checks.filter(({ passed }) => !passed);
        if (failed.length > 0) throw new Refusal("cards.gate", `It cannot be released. ${failed.map(({ name, says }) => `${name}: ${says}`).join(" ")}`, { failed }, 409); // prettier-ignore
        await store.insertInto("releases").values({ workspace: call.workspace.id, number: await nextNumber("releases", call.workspace.id), use_id: use, version: found.use.version, checks: JSON.stringify(checks), note, released_by: by(call), released_at: at(call), withdrawn_at: null }).execute(); // prettier-ignore
        return { version: found.use.version };
      }),
      handle(contract.withdraw, async (call, { use }) => {
        await useOf(call, use);
        await store.updateTable("releases").set({ withdrawn_at: at(call) }).where("workspace", "=", call.workspace.id).where("use_id", "=", use).where("withdrawn_at", "is", null).execute(); // prettier-ignore
        return { ok: true as const };
      }),
    ],
  });
};
