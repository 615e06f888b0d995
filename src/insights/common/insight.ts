import type { EChartsCoreOption } from "echarts/core";
import type { z } from "zod";
import type { Operation } from "#kernel/operation.ts";
import type { Provenance, Who } from "./frame.ts";

/** Browser-safe: what every kind of question declares, for all that shows, saves or exports answers. */

/** A value with a mark, such as * for time that is not over. A file has the value alone. */
export interface Marked {
  readonly value: string | number | null;
  readonly mark: string;
}
export type Cell = string | number | null | Marked;

export interface AnswerColumn {
  readonly title: string;
  /** How numbers read; text where absent. Shares lie between 0 and 1. */
  readonly format?: "number" | "share" | "seconds";
  /** Shares are shaded by how large they are. */
  readonly heat?: true;
}

/** Every number of an answer. */
export interface AnswerTable {
  readonly caption: string;
  readonly columns: readonly AnswerColumn[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface AnswerBase {
  readonly kind: string;
  readonly sentence: string;
  readonly provenance: z.output<typeof Provenance>;
}

/** A choice that a point of an answer is told by, such as its day. */
export interface Axis {
  readonly name: string;
  readonly label: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
}

export type Chosen = Readonly<Record<string, string>>;

/** From a point of an answer to the people that it is about. */
export interface Drill<I, R> {
  readonly operation: Operation<z.ZodType, typeof Who>;
  readonly axes: (result: R) => readonly Axis[];
  /** The operation's input for a point, less how many. */
  readonly input: (question: I, chosen: Chosen, result: R) => Readonly<Record<string, unknown>>;
  /** The point that a click on the chart chose, as far as it says. `item` is the chart's own name for what was hit. */
  readonly clicked: (
    result: R,
    at: { readonly series: string; readonly place: number; readonly item: string },
  ) => Chosen;
  /** Who they are, in a few words. */
  readonly says: (chosen: Chosen, result: R) => string;
}

/** One kind of question, as people meet it. */
export interface Insight<I extends z.ZodType, R extends AnswerBase> {
  readonly kind: R["kind"];
  readonly title: string;
  /** What it shows, for those who have not asked it yet. */
  readonly explains: string;
  readonly operation: Operation<I, z.ZodType<R>>;
  /** Undefined where there is nothing but a table to show. */
  readonly chart: (result: R) => EChartsCoreOption | undefined;
  readonly tables: (result: R) => readonly AnswerTable[];
  /** What the chart leaves to the table, if anything. */
  readonly note?: (result: R) => string;
  readonly drill?: Drill<z.output<I>, R>;
  /** Rows for a file, where they differ from the tables. */
  readonly file?: (result: R) => readonly (readonly Cell[])[];
}

export const defineInsight = <I extends z.ZodType, R extends AnswerBase>(insight: Insight<I, R>): Insight<I, R> =>
  insight;
