import type { Module, Use, Used, WorkspaceCall } from "./module.ts";

/** Something that hangs on another thing, and through what. */
export interface Downstream extends Use {
  /** The title of what lies between; empty where it uses the thing itself. */
  readonly via: string;
}

const mostFound = 500;

/** Everything that uses a thing, and what uses that in turn, the nearest first. */
export const downstreamOf = async (
  modules: readonly Module[],
  call: WorkspaceCall,
  used: Used,
): Promise<readonly Downstream[]> => {
  const found = new Map<string, Downstream>();
  const next: { readonly used: Used; readonly via: string }[] = [{ used, via: "" }];
  for (let one = next.shift(); one !== undefined && found.size < mostFound; one = next.shift()) {
    for (const module of modules) {
      for (const use of (await module.uses?.(call, one.used)) ?? []) {
        const key = `${use.kind} ${use.id}`;
        if (found.has(key)) continue;
        found.set(key, { ...use, via: one.via });
        if (use.kind === "metric" || use.kind === "cohort") next.push({ used: { kind: use.kind, id: use.id }, via: use.title }); // prettier-ignore
      }
    }
  }
  return [...found.values()];
};
