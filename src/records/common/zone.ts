import { Refusal } from "#kernel/refusal.ts";

/** Refuses a zone that nobody knows, before it reaches the engine. */
export const checkZone = (zone: string): string => {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return zone;
  } catch {
    throw new Refusal("frame.zone", `${zone} is no IANA time zone. Use a name like Europe/Paris.`);
  }
};
