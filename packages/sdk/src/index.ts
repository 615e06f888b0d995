export { createFlags } from "./client.ts";
export type { Assignments, Details, Exposure, FlagContext, Flags, FlagsOptions } from "./client.ts";
export { openFeatureProvider } from "./openfeature.ts";
export { bucketer } from "./bucketing.ts";
export type { Rules } from "./rules.ts";
