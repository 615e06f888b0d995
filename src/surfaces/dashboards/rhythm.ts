import { Temporal } from "temporal-polyfill";
import type { Rhythm } from "./contract.ts";

/** The first moment after an instant at which a rhythm beats, in milliseconds. Hours that a zone skips come an hour later. */
export const nextBeat = (rhythm: Rhythm, after: number): number => {
  const now = Temporal.Instant.fromEpochMilliseconds(after).toZonedDateTimeISO(rhythm.zone);
  for (let day = now.toPlainDate(); ; day = day.add({ days: 1 })) {
    if (rhythm.every === "week" && day.dayOfWeek !== rhythm.weekday) continue;
    if (rhythm.every === "month" && day.day !== rhythm.day) continue;
    const beat = day.toZonedDateTime({ timeZone: rhythm.zone, plainTime: { hour: rhythm.hour } }).epochMilliseconds;
    if (beat > after) return beat;
  }
};
