import type { Asset, Module, Use, Used, WorkspaceCall } from "./module.ts";
import { isUsedIn } from "./references.ts";

/** Something that hangs on another thing, and through what. */
export interface Downstream extends Use {
  /** The title of what lies between; empty where it uses the thing itself. */
  readonly via: string;
}

const mostFound = 500;

/** Everything that people made in a workspace. */
export const assetsOf = async (modules: readonly Module[], call: WorkspaceCall): Promise<readonly Asset[]> =>
  (await Promise.all(modules.map(async (module) => (await module.assets?.(call)) ?? []))).flat();

const asUse = ({ kind, id, title, address }: Asset): Use => ({ kind, id, title, address });

/** What uses a thing itself. */
export const usesOf = (assets: readonly Asset[], used: Used): Use[] =>
  assets.filter(({ definition }) => definition !== undefined && isUsedIn(definition, used)).map(asUse);

/** What an asset is to those that use it; undefined for what nothing can. */
export const usable = ({ kind, id }: Pick<Use, "kind" | "id">): Used | undefined =>
  kind === "metric" || kind === "cohort" ? { kind, id } : undefined;

/** Everything that uses a thing, and what uses that in turn, the nearest first. */
export const downstreamOf = (assets: readonly Asset[], used: Used): readonly Downstream[] => {
  const found = new Map<string, Downstream>();
  const next: { readonly used: Used; readonly via: string }[] = [{ used, via: "" }];
  for (let one = next.shift(); one !== undefined && found.size < mostFound; one = next.shift()) {
    for (const use of usesOf(assets, one.used)) {
      const key = `${use.kind} ${use.id}`;
      if (found.has(key)) continue;
      found.set(key, { ...use, via: one.via });
      const inTurn = usable(use);
      if (inTurn !== undefined) next.push({ used: inTurn, via: use.title });
    }
  }
  return [...found.values()];
};
