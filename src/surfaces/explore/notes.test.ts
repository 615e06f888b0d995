import { describe, expect, it } from "vitest";
import type { Answer } from "./insights.ts";
import { notesIn, withNotes } from "./notes.ts";

const note = (day: string) => ({ id: day, day, text: "x", by: "" });
const answer = (from: string, to: string, buckets?: string[]) => ({ kind: "trends", sentence: "", buckets, provenance: { from, to } }) as unknown as Answer; // prettier-ignore

describe("notes of days", () => {
  it("stand in the bucket that holds their day, and only within the range", () => {
    const weeks = answer("2026-03-04", "2026-03-17", ["2026-03-02", "2026-03-09", "2026-03-16"]);
    const days = ["2026-03-03", "2026-03-04", "2026-03-08", "2026-03-09", "2026-03-17", "2026-03-18"].map(note);
    expect(notesIn(weeks, days).map(({ day, place }) => [day, place])).toEqual([
      ["2026-03-04", 0],
      ["2026-03-08", 0],
      ["2026-03-09", 1],
      ["2026-03-17", 2],
    ]);
    const hours = answer("2026-03-04", "2026-03-04", ["2026-03-04T00:00", "2026-03-04T01:00"]);
    expect(notesIn(hours, days)).toMatchObject([{ day: "2026-03-04" }]);
    expect(notesIn(answer("2026-03-04", "2026-03-17"), days)).toEqual([]);
  });

  it("are lines of the last series, numbered as in the list below", () => {
    const options = withNotes({ series: [{ name: "band" }, { name: "line" }] }, [{ place: 2 }, { place: 0 }]);
    expect(options["series"]).toMatchObject([{ name: "band" }, { markLine: { data: [{ xAxis: 2, label: { formatter: "1" } }, { xAxis: 0 }] } }]); // prettier-ignore
    expect(withNotes({ series: [{}] }, [])).toEqual({ series: [{}] });
  });
});
