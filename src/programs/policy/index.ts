import { classesIn, dataClasses, decided, policyIn } from "#kernel/classes.ts";
import type { Holder } from "#kernel/class-names.ts";
import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { failedTests, nameIn, namedIn, noAttributes, sightOf, type Policy } from "#kernel/policy.ts";
import { Refusal } from "#kernel/refusal.ts";
import { roles } from "#kernel/roles.ts";
import type { Store } from "#kernel/state/store.ts";
import * as contract from "./contract.ts";
import { demandTests, readPolicy } from "./document.ts";

const mostPolicies = 5_000;

const numbers = (version: string): readonly number[] => version.split(".").map(Number);
const isLater = (one: string, other: string): boolean => {
  const [a, b] = [numbers(one), numbers(other)];
  const at = a.findIndex((part, place) => part !== b[place]);
  return at >= 0 && (a[at] ?? 0) > (b[at] ?? 0);
};

const tableOf = (policy: Policy) =>
  roles.flatMap((role) =>
    dataClasses.map((one) => ({ role, class: one, see: sightOf(policy, { role, ...noAttributes }, one) })),
  );

/** Who sees values of which class, and how: written as a document with tests, or left to the roles. */
export const policy = ({ store }: { readonly store: Store }): Module => {
  const latest = (call: WorkspaceCall) =>
    store.selectFrom("policies").selectAll().where("workspace", "=", call.workspace.id).orderBy("number", "desc").limit(1).executeTakeFirst(); // prettier-ignore

  return defineModule({
    name: "policy",
    operations: [
      handle(contract.get, async (call) => {
        const [row, held] = await Promise.all([latest(call), policyIn(store, call.workspace.id)]);
        const by = row === undefined ? undefined : await store.selectFrom("members").select("name").where("id", "=", row.set_by).executeTakeFirst(); // prettier-ignore
        return { text: row?.text ?? null, version: held.version, k: held.k, setAt: row?.set_at ?? null, setBy: by?.name ?? row?.set_by ?? "", table: tableOf(held) }; // prettier-ignore
      }),
      handle(contract.check, async (call, { text }) => {
        const given = readPolicy(text);
        const before = tableOf(await policyIn(store, call.workspace.id));
        const changes = tableOf(given).flatMap((cell, at) => {
          const was = before[at]?.see ?? cell.see;
          return was === cell.see ? [] : [{ ...cell, before: was }];
        });
        return { version: given.version, tests: given.tests.length, failed: [...failedTests(given)], changes };
      }),
      handle(contract.set, async (call, { text }) => {
        const given = readPolicy(text);
        demandTests(given);
        const row = await latest(call);
        if (row !== undefined && !isLater(given.version, row.version))
          throw new Refusal("policy.version", `Version ${row.version} holds. Raise the version of this one above it.`, {}, 409); // prettier-ignore
        const number = (row?.number ?? 0) + 1;
        if (number > mostPolicies) throw new Refusal("policy.too_many", `A workspace keeps ${mostPolicies} policies.`);
        const by = call.principal.kind === "nobody" ? "" : call.principal.id;
        await store
          .insertInto("policies")
          .values({
            workspace: call.workspace.id,
            number,
            version: given.version,
            document: JSON.stringify(given),
            text,
            set_by: by,
            set_at: new Date(call.now).toISOString(),
          }) // prettier-ignore
          .execute();
        return { version: given.version };
      }),
      handle(contract.sees, async (call, asker) => {
        const [held, rows] = await Promise.all([policyIn(store, call.workspace.id), classesIn(store, call.workspace.id)]); // prettier-ignore
        const classes = decided(rows);
        const spoken = namedIn(held).map(({ holder, name }) => `${holder} ${name}`).filter((key) => !classes.has(key)); // prettier-ignore
        const all = [...classes, ...spoken.map((key) => [key, "internal"] as const)];
        const names = all.slice(0, 5_000).map(([key, one]) => {
          const name = nameIn(key.slice(0, key.indexOf(" ")) as Holder, key.slice(key.indexOf(" ") + 1)); // the keys of `decided`
          return { name, class: one, see: sightOf(held, asker, one, name) };
        });
        return {
          classes: dataClasses.map((one) => ({ class: one, see: sightOf(held, asker, one) })),
          names: names.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
        };
      }),
    ],
  });
};
