import { filterSays, matchSays } from "#insights/common/says.ts";
import type { Definition, Measure, Simple } from "./contract.ts";

/** A definition in words. Browser-safe. */

const statistics: Readonly<Record<string, string>> = {
  avg: "average", average: "average", median: "median", p75: "75th percentile", p90: "90th percentile", p95: "95th percentile", p99: "99th percentile", min: "least", max: "most",
}; // prettier-ignore

const simpleSays = (measure: Simple): string => {
  const what = matchSays(measure);
  if (measure.kind === "count") return `events ${what}`;
  if (measure.kind === "sum") return `the sum of ${measure.property} of ${what}`;
  if (measure.kind === "average") return `the ${statistics[measure.statistic] ?? ""} of ${measure.property} of ${what}`;
  const during = measure.rollingDays === undefined ? "" : ` in the last ${measure.rollingDays} days`;
  return `${measure.of} who did ${what}${during}`;
};

const duration = (seconds: number): string =>
  seconds % 86_400 === 0
    ? `${seconds / 86_400} days`
    : seconds % 3_600 === 0
      ? `${seconds / 3_600} hours`
      : `${seconds} seconds`;

const stepsSay = ({ steps, windowSeconds, order }: Measure & { kind: "conversion" | "time_to_value" }): string =>
  `${steps.map((step) => step.name ?? matchSays(step)).join(order === "unordered" ? " and " : ", then ")} within ${duration(windowSeconds)}`;

const figures = {
  sessions: "sessions",
  averageSeconds: "average length of sessions",
  medianSeconds: "median length of sessions",
  eventsPerSession: "events per session",
  single: "share of sessions with one event only",
} as const;
const statesSay = {
  new: "new",
  returning: "active again",
  resurrecting: "back after a pause",
  dormant: "gone quiet",
} as const;

const measureSays = (measure: Measure): string => {
  switch (measure.kind) {
    case "ratio":
      return `${simpleSays(measure.numerator)}, for each of ${simpleSays(measure.denominator)}`;
    case "cumulative":
      return `${simpleSays(measure.of)}, added up${measure.since === undefined ? "" : ` since ${measure.since}`}`;
    case "conversion":
      return `share of ${measure.counting === "attempts" ? "attempts" : measure.unit} from ${stepsSay(measure)}`;
    case "time_to_value":
      return `${statistics[measure.statistic] ?? ""} time from ${stepsSay(measure)}`;
    case "retention":
      return `share of ${measure.unit} who, having started with ${matchSays(measure.start)}, did ${matchSays(measure.returning)} in ${measure.period} ${measure.after}${measure.onOrAfter ? " or later" : ""}`;
    case "lifecycle":
      return `${measure.unit} ${statesSay[measure.state]} by ${matchSays(measure.activity)}`;
    case "stickiness":
      return `share of the ${measure.unit} who did ${matchSays(measure.activity)} that did so on at least ${measure.atLeast} ${measure.per}s`;
    case "sessions":
      return `${figures[measure.figure]} of ${matchSays(measure.activity)}, cut after ${measure.gapMinutes} minutes of pause`;
    case "sql":
      return `the ${{ sum: "sum", average: "average", last: "last" }[measure.combine]} of value of the rows of a query`;
    default:
      return simpleSays(measure);
  }
};

/** "Share of people from Signed up, then Task created within 7 days, where plan is pro". */
export const metricSays = ({
  measure,
  filters,
  product,
}: Pick<Definition, "measure" | "filters" | "product">): string => {
  const said = measureSays(measure);
  const conditions = [...filters.map(filterSays), ...(product === "" ? [] : [`product is ${product}`])];
  const where = conditions.length === 0 ? "" : `, where ${conditions.join(" and ")}`;
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}${where}.`;
};
