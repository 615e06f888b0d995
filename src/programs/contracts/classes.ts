import type { DataClass } from "#kernel/classes.ts";
import type { WorkspaceCall } from "#kernel/module.ts";
import type { Store } from "#kernel/state/store.ts";
import type { Holder } from "#kernel/classes.ts";
import { Odcs, subjectOf, type OdcsProperty } from "./odcs.ts";

/** What the words of contracts mean here; others class nothing. */
const meant: Readonly<Record<string, DataClass>> = {
  public: "public",
  internal: "internal",
  confidential: "personal",
  personal: "personal",
  pii: "personal",
  sensitive: "restricted",
  restricted: "restricted",
  secret: "restricted",
};

/** Properties that a contract classes, by their dotted names; what lies in the items of a list classes the list. */
export const classesOf = (
  properties: readonly OdcsProperty[],
  base = "",
): { readonly name: string; readonly class: DataClass }[] =>
  properties.flatMap((property) => {
    const name = base + (property.name ?? "");
    const own = meant[(property.classification ?? "").toLowerCase()];
    const inItems = classesOf([...(property.items?.properties ?? []), ...(property.items === undefined ? [] : [{ ...property.items, name: "item" }])]); // prettier-ignore
    return [
      ...(own === undefined ? [] : [{ name, class: own }]),
      ...inItems.map((one) => ({ name, class: one.class })),
      ...classesOf(property.properties ?? [], `${name}.`),
    ];
  });

/** Writes down what the active contracts of a workspace class, in place of what they did. */
export const noteClasses = async (store: Store, call: WorkspaceCall): Promise<void> => {
  const workspace = call.workspace.id;
  const active = await store.selectFrom("contracts").selectAll().where("workspace", "=", workspace).where("status", "=", "active").execute(); // prettier-ignore
  const order: readonly DataClass[] = ["public", "internal", "personal", "restricted"];
  const found = new Map<string, { holder: Holder; name: string; class: DataClass; origin: string; by: string; at: string }>(); // prettier-ignore
  for (const { id, version, document, updated_at } of active) {
    const classed = Odcs.parse(JSON.parse(document)).schema.flatMap((schema) => {
      const of = subjectOf(schema);
      return of === "table" ? [] : classesOf(schema.properties).map((one) => ({ ...one, holder: of }));
    });
    for (const one of classed) {
      const key = `${id} ${one.holder} ${one.name}`;
      const held = found.get(key);
      if (held !== undefined && order.indexOf(held.class) >= order.indexOf(one.class)) continue;
      found.set(key, { ...one, origin: `contract ${id}`, by: `${id} ${version}`, at: updated_at });
    }
  }
  await store.transaction().execute(async (tx) => {
    await tx.deleteFrom("classifications").where("workspace", "=", workspace).where("origin", "like", "contract %").execute(); // prettier-ignore
    for (const { holder, name, class: dataClass, origin, by, at } of found.values())
      await tx.insertInto("classifications").values({ workspace, holder, name, class: dataClass, origin, note: "", decided_by: by, decided_at: at }).execute(); // prettier-ignore
  });
};
