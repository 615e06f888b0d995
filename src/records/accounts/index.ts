import { z } from "zod";
import { defineModule, handle, type Module } from "#kernel/module.ts";
import { Refusal } from "#kernel/refusal.ts";
import { ask, scopeOf } from "#records/common/ask.ts";
import { iso } from "#records/common/iso.ts";
import type { Ingest } from "#records/events/ingest.ts";
import { peopleInAccount } from "#records/people/query.ts";
import { veiledText, veiledTraits } from "#records/common/veiled.ts";
import * as contract from "./contract.ts";
import { accountCount, accountList, eventsOfAccount, traitsOfAccount } from "./query.ts";

const Text = z.string();
const Account = z.object({ id: Text, name: Text, events: z.number(), people: z.number(), last: Text });
const Trait = z.object({ trait: Text, value: Text, moment: Text });
const Person = z.object({ id: Text, name: Text, events: z.number(), last: Text });
const Event = z.object({ moment: Text, event: Text, person: Text, properties: Text });

const shown = 100;
const back = contract.accountDays * 86_400_000;

/** Accounts: the companies or households that people act for. */
export const accounts = ({ ingest }: { readonly ingest: Ingest }): Module =>
  defineModule({
    name: "accounts",
    operations: [
      handle(contract.list, async (call, { search, limit }) => {
        const scope = await scopeOf(ingest, call);
        const since = scope.now - back;
        const [rows, [count]] = await Promise.all([
          ask(call, accountList(scope, since, search, limit), Account),
          ask(call, accountCount(scope, since, search), z.object({ total: z.number() })),
        ]);
        return {
          accounts: rows.map((row) => ({ ...row, last: row.last === "" ? null : iso(row.last) })),
          total: count?.total ?? 0,
        };
      }),
      handle(contract.profile, async (call, { id }) => {
        const scope = await scopeOf(ingest, call);
        const since = scope.now - back;
        const [traits, people, events] = await Promise.all([
          ask(call, traitsOfAccount(id), Trait),
          ask(call, peopleInAccount(scope, id, since, shown), Person),
          ask(call, eventsOfAccount(scope, id, since, shown), Event),
        ]);
        if (traits.length === 0 && events.length === 0)
          throw new Refusal("accounts.unknown", `There is no such account, or it has been silent for ${contract.accountDays} days.`, {}, 404); // prettier-ignore
        return {
          id,
          traits: veiledTraits(call.veil, "account", traits).map((row) => ({ ...row, at: iso(row.moment) })),
          people: people.map((row) => ({ ...row, last: iso(row.last) })),
          events: events.map((row) => ({ ...row, at: iso(row.moment), properties: veiledText(call.veil, row.properties) })), // prettier-ignore
        };
      }),
    ],
  });
