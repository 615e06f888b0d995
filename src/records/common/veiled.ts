import type { Holder, Veil } from "#kernel/classes.ts";

/** Traits that are set, as whoever asks may see them. */
export const veiledTraits = <T extends { readonly trait: string; readonly value: string }>(
  veil: Veil,
  holder: Holder,
  traits: readonly T[],
): T[] =>
  traits
    .filter(({ value }) => value !== "")
    .flatMap((row) => {
      const shown = veil.shown(holder, { [row.trait]: row.value })[row.trait];
      return typeof shown === "string" ? [{ ...row, value: shown }] : [];
    });

/** An event's properties, which are JSON, as whoever asks may see them. */
export const veiledText = (veil: Veil, properties: string): string =>
  veil.isDrawn
    ? JSON.stringify(veil.shown("event", JSON.parse(properties) as Record<string, unknown>)) // an object in the store
    : properties;
