import type { Details, FlagContext, Flags } from "./client.ts";

/** As OpenFeature's clients take it. Its package is not needed for that; its enumeration of error codes is no text to the compiler, and any text to a program. */
type Resolved<T> = Omit<Details<T>, "errorCode"> & { readonly errorCode?: never };

const resolver =
  (flags: Flags) =>
  <T>(flag: string, fallback: T, context: FlagContext = {}): Promise<Resolved<T>> =>
    Promise.resolve(flags.details(flag, fallback, context) as Resolved<T>);

/**
 * A provider for `@openfeature/server-sdk`: `OpenFeature.setProviderAndWait(openFeatureProvider(flags))`. Values are decided
 * here; the client only passes them on.
 */
export const openFeatureProvider = (flags: Flags) => {
  const resolve = resolver(flags);
  return {
    metadata: { name: "throughline" },
    runsOn: "server" as const,
    initialize: () => flags.ready,
    onClose: async () => flags.close(),
    resolveBooleanEvaluation: resolve<boolean>,
    resolveStringEvaluation: resolve<string>,
    resolveNumberEvaluation: resolve<number>,
    resolveObjectEvaluation: resolve,
  };
};
