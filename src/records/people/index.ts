import { z } from "zod";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import { iso } from "#records/common/iso.ts";
import type { Ingest } from "#records/events/ingest.ts";
import * as contract from "./contract.ts";
import { veiledText, veiledTraits } from "#records/common/veiled.ts";
import { actorsOf, joinsOf, peopleCount, peopleList, timelineOf, traitsOfActors } from "./query.ts";

const Text = z.string();
const Person = z.object({ id: Text, ids: z.array(Text), name: Text, events: z.number(), first: Text, last: Text });
const Actor = z.object({ key: Text, id: Text, kind: Text, joined: z.number() });
const Trait = z.object({ trait: Text, value: Text, moment: Text });
const Event = z.object({ moment: Text, event: Text, source: Text, account: Text, properties: Text });
const Join = z.object({ moment: Text, kind: Text, child: Text, into: Text, by: Text });

const decider = (call: WorkspaceCall): string => (call.principal.kind === "nobody" ? "" : call.principal.id);

/** People: who they are, what they did, and who is who. */
export const people = ({ ingest }: { readonly ingest: Ingest }): Module =>
  defineModule({
    name: "people",
    operations: [
      handle(contract.list, async (call, { search, limit }) => {
        const scope = await scopeOf(ingest, call);
        const [rows, [count]] = await Promise.all([
          ask(call, peopleList(scope, search, limit), Person),
          ask(call, peopleCount(scope, search), z.object({ total: z.number() })),
        ]);
        return {
          people: rows.map((row) => ({ ...row, first: iso(row.first), last: iso(row.last) })),
          total: count?.total ?? 0,
        };
      }),
      handle(contract.profile, async (call, { id, before, limit }) => {
        const scope = await scopeOf(ingest, call);
        const actors = await ask(call, actorsOf(scope, id), Actor);
        if (actors.length === 0)
          throw new Refusal("people.unknown", "There is no such person, or they were joined to another.", {}, 404);
        const keys = actors.map((actor) => actor.key);
        const until = before === undefined ? scope.now + 366 * 86_400_000 : Date.parse(before);
        const [traits, events, joins] = await Promise.all([
          ask(call, traitsOfActors(keys), Trait),
          ask(call, timelineOf(keys, until, limit), Event),
          ask(call, joinsOf(keys), Join),
        ]);
        const dated = <T extends { moment: string }>(row: T) => ({ ...row, at: iso(row.moment) });
        return {
          person: id,
          ids: actors.map((actor) => ({ ...actor, joined: actor.joined === 1 })),
          traits: veiledTraits(call.veil, "person", traits).map(dated),
          events: events.map((event) => dated({ ...event, properties: veiledText(call.veil, event.properties) })),
          joins: joins.map(dated).map((join) => ({ ...join, actor: join.child, parent: join.into })),
        };
      }),
      handle(contract.merge, async (call, { person, into }) => {
        if (person === into) throw new Refusal("people.same", "Choose two different persons.");
        await ingest.decide(call.workspace.id, ["merge", person, into, decider(call)]);
        return { ok: true as const };
      }),
      handle(contract.unlink, async (call, { key }) => {
        await ingest.decide(call.workspace.id, ["unlink", key, "", decider(call)]);
        return { ok: true as const };
      }),
    ],
  });
