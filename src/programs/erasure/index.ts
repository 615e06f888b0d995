import { z } from "zod";
import { linesIn } from "#kernel/lines.ts";
import { newId } from "#kernel/ids.ts";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { FileAnswer } from "#kernel/operation.ts";
import { Refusal } from "#kernel/refusal.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import { keysOf } from "#records/people/keys.ts";
import * as contract from "./contract.ts";
import { actorsNamed, allAbout, emailsOf, idsOfPeople, type Subject } from "./query.ts";
import { holdsOf, workOn, type Parts } from "./work.ts";

const month = 30 * 86_400_000;
const everyMs = 30_000;
const Named = z.object({ actor: z.string(), named: z.string() });
const Id = z.object({ person: z.string(), actor: z.string(), id: z.string() });

interface Person extends Subject {
  readonly person: string;
}

const nobody = (identifiers: readonly string[]): Refusal =>
  new Refusal("erasure.unknown", `Nobody is known by ${identifiers.slice(0, 5).join(", ")}.`, {}, 404);

/** Requests of people about their own data: what is kept of them, and that it be erased. */
export const erasure = (parts: Parts): Module => {
  const { store, ingest, gate, tables } = parts;
  const working = new Map<string, Promise<void>>();

  /** One at a time in a workspace; whoever asks while it runs has it looked at once more after. */
  const work = (call: WorkspaceCall): Promise<void> => {
    const before = working.get(call.workspace.id) ?? Promise.resolve();
    const next = before.then(() => workOn(parts, call));
    const settled = next.catch((error: unknown) => call.log.error({ err: error }, "erasures could not be worked on"));
    working.set(call.workspace.id, settled);
    return settled;
  };

  /** Who each identifier stands for: by any id, by email, or by our key. */
  const peopleOf = async (call: WorkspaceCall, identifiers: readonly string[]): Promise<Person[][]> => {
    const scope = await scopeOf(ingest, call);
    const keysIn = (id: string) => [scope.keys.actor(id), ...(/^\d{1,20}$/.test(id) && BigInt(id) < 2n ** 64n ? [String(BigInt(id))] : [])]; // prettier-ignore
    const actors = await ask(call, actorsNamed(identifiers.flatMap(keysIn), identifiers), Named, "export");
    const rows = actors.length === 0 ? [] : await ask(call, idsOfPeople(scope, actors.map(({ actor }) => actor)), Id, "export"); // prettier-ignore
    const held = new Map<string, { person: string; keys: Set<string>; ids: Set<string> }>();
    for (const { person, actor, id } of rows) {
      const own = held.get(person) ?? { person, keys: new Set([person]), ids: new Set() };
      held.set(person, own);
      own.keys.add(actor);
      own.ids.add(id);
    }
    const owners = new Map<string, Person>();
    for (const { person, keys, ids } of held.values()) {
      const whole = { person, keys: [...keys], ids: [...ids] };
      for (const key of keys) owners.set(key, whole);
    }
    return identifiers.map((id) => {
      const [keys, email] = [new Set(keysIn(id)), id.toLowerCase()];
      const found = actors.filter(({ actor, named: by }) => (by === "" ? keys.has(actor) : by === email));
      return [...new Set(found.flatMap(({ actor }) => owners.get(actor) ?? []))];
    });
  };

  const subjectOf = async (call: WorkspaceCall, people: readonly Person[]): Promise<Subject> => {
    const keys = [...new Set(people.flatMap((person) => person.keys))];
    const emails = await ask(call, emailsOf(keys), z.object({ value: z.string() }));
    const ids = new Set([...people.flatMap((person) => person.ids), ...emails.map(({ value }) => value)]);
    return { keys, ids: [...ids] };
  };

  /** Every row of every table that is about them, as a line of JSON with its table. */
  async function* linesOf(call: WorkspaceCall, subject: Subject): AsyncGenerator<string> {
    for (const table of tables) {
      if (table.derived === true) continue;
      for (const statement of allAbout(table, subject)) {
        const stream = await call.engine.stream(statement, "JSONEachRow", { signal: call.signal });
        for await (const line of linesIn(stream))
          if (line !== "") yield `{"table":${JSON.stringify(table.name)},"row":${line}}\n`;
      }
    }
  }

  return defineModule({
    name: "erasure",
    operations: [
      handle(contract.find, async (call, { identifier }) => {
        const people = (await peopleOf(call, [identifier])).flat();
        const found = people.slice(0, 20).map(async (one) => {
          const subject = await subjectOf(call, [one]);
          return { person: one.person, ids: [...subject.ids], holds: await holdsOf(call, tables, subject) };
        });
        return { people: await Promise.all(found) };
      }),
      handle(contract.access, async (call, { identifier }) => {
        const people = (await peopleOf(call, [identifier])).flat();
        if (people.length === 0) throw nobody([identifier]);
        const subject = await subjectOf(call, people);
        return new FileAnswer("person.ndjson", "application/x-ndjson", linesOf(call, subject));
      }),
      handle(contract.erase, async (call, { identifiers, everyone }) => {
        const found = await peopleOf(call, identifiers);
        const unknown = identifiers.filter((_, at) => found[at]?.length === 0);
        if (unknown.length > 0) throw nobody(unknown);
        const several = identifiers.filter((_, at) => (found[at]?.length ?? 0) > 1);
        if (several.length > 0 && !everyone)
          throw new Refusal("erasure.several", `${several.slice(0, 5).join(", ")} stand for several people. Name each by an id of their own, or say that all are meant.`, {}, 409); // prettier-ignore
        const people = [...new Map(found.flat().map((one) => [one.person, one])).values()];
        const subject = await subjectOf(call, people);
        const [request, at] = [newId("era"), new Date(call.now).toISOString()];
        const by = call.principal.kind === "nobody" ? "" : call.principal.id;
        const row = { id: request, workspace: call.workspace.id, state: "received", subject: JSON.stringify(subject), reached: JSON.stringify({ received: at }), people: people.length, rows: 0, left: "[]", problem: "", made_by: by, made_at: at }; // prettier-ignore
        await store.insertInto("erasures").values(row).execute();
        // goes on after this call has been answered
        void work({ ...call, signal: new AbortController().signal });
        return { request, people: people.length };
      }),
      handle(contract.requests, async (call, { limit }) => {
        const rows = await store
          .selectFrom("erasures")
          .leftJoin("members", "members.id", "erasures.made_by")
          .leftJoin("api_keys", "api_keys.id", "erasures.made_by")
          .selectAll("erasures")
          .select(["members.name as member", "api_keys.name as key"])
          .where("erasures.workspace", "=", call.workspace.id)
          .orderBy("made_at", "desc")
          .limit(limit)
          .execute();
        const listed = await store.selectFrom("suppressions").select(({ fn }) => fn.countAll().as("count")).where("workspace", "=", call.workspace.id).executeTakeFirstOrThrow(); // prettier-ignore
        const requests = rows.map((row) => ({
          id: row.id,
          state: contract.State.parse(row.state),
          madeAt: row.made_at,
          madeBy: row.member ?? (row.key === null ? row.made_by : `key ${row.key}`),
          dueAt: new Date(Date.parse(row.made_at) + month).toISOString(),
          reached: z.partialRecord(contract.State, z.string()).parse(JSON.parse(row.reached)),
          people: row.people,
          rows: row.rows,
          left: z.array(z.string()).parse(JSON.parse(row.left)),
          problem: row.problem,
        }));
        return { requests, suppressed: Number(listed.count) };
      }),
      handle(contract.allow, async (call, { identifier }) => {
        const actor = keysOf(call.workspace.secret).actor(identifier);
        const { numDeletedRows } = await store.deleteFrom("suppressions").where("workspace", "=", call.workspace.id).where("actor", "=", actor).executeTakeFirst(); // prettier-ignore
        if (numDeletedRows === 0n) throw new Refusal("erasure.not_listed", "This id is not on the list.", {}, 404);
        gate.forget(call.workspace.id);
        return { ok: true as const };
      }),
    ],
    jobs: [{ name: "erasure.work", everyMs, run: work }],
  });
};
