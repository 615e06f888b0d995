import { Group, Skeleton, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import * as metrics from "#insights/metrics/contract.ts";
import type { MetricResult } from "#insights/metrics/contract.ts";
import { valueSays } from "#insights/metrics/sentence.ts";
import { call } from "#web/call.ts";
import { Sparkline } from "#web/kit/sparkline.tsx";

const quarter = { last: 13, unit: "week" } as const;

/** The last value that is final, the one before it, and the shape of the quarter. */
const readOf = ({ groups, openFrom, buckets, format, metric, interval }: MetricResult) => {
  const points = groups[0]?.points ?? [];
  const known = points.flatMap(({ value }, place) => (value === null || place >= openFrom ? [] : [{ value, bucket: buckets[place] ?? "" }])); // prettier-ignore
  const [last, before] = [known.at(-1), known.at(-2)];
  const values = points.map(({ value }, place) => (place < openFrom ? value : null));
  return { last, before, values, format, unit: metric.unit, interval, direction: metric.direction };
};

const signs = { up: "▲", down: "▼", same: "＝" } as const;

/** How a metric stands: the last whole week, against the one before. */
export const Latest = ({ metric, version }: { metric: string; version: number }) => {
  const { data, error } = useQuery({
    queryKey: ["metric-latest", metric, version],
    queryFn: ({ signal }) => call(metrics.askMetric, { metric, range: quarter, interval: "week" }, signal),
    staleTime: 60_000,
  });
  if (error !== null) return <Text size="sm">{error.message}</Text>;
  if (data === undefined) return <Skeleton height={28} width={220} />;
  const { last, before, values, format, unit, interval, direction } = readOf(data);
  if (last === undefined) return <Text size="sm">No value yet</Text>;
  const moved = before === undefined ? undefined : last.value - before.value;
  const way = moved === undefined || Math.abs(moved) < 1e-9 ? "same" : moved > 0 ? "up" : "down";
  const isGood = direction === "none" || way === "same" ? undefined : way === direction;
  const told = format === "share" ? `${((moved ?? 0) * 100).toFixed(1)} points` : `${(((moved ?? 0) / Math.abs(before?.value === 0 ? 1 : (before?.value ?? 1))) * 100).toFixed(1)} %`; // prettier-ignore
  return (
    <Group gap="sm" wrap="nowrap">
      <Sparkline values={values} />
      <Text size="sm" fw={600} title={`${interval} of ${last.bucket}`}>
        {valueSays(last.value, format, unit)}
      </Text>
      {moved !== undefined && (
        <Text size="xs" style={{ whiteSpace: "nowrap" }}>
          {signs[way]} {told.replace("-", "")}
          {isGood === undefined ? "" : isGood ? ", better" : ", worse"}
        </Text>
      )}
    </Group>
  );
};
