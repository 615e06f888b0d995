import { Group, Select, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { EChartsCoreOption } from "echarts/core";
import { lazy, Suspense, useMemo, useState } from "react";
import { grid, groupName, seriesColors } from "#insights/common/chart.ts";
import { timeToConvert, type FunnelInput } from "#insights/funnels/contract.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { Loaded } from "#web/kit/states.tsx";
import { shownCell } from "../cells.ts";

const Chart = lazy(() => import("#web/kit/chart.tsx"));

type Bins = readonly (readonly [start: number, people: number])[];

const duration = (seconds: number | null): string => shownCell(seconds, { title: "", format: "seconds" });

const histogram = (bins: Bins): EChartsCoreOption => ({
  grid: { ...grid, top: 24 },
  tooltip: { trigger: "axis" },
  xAxis: { type: "category", data: bins.map(([start]) => duration(start)) },
  yAxis: { type: "value" },
  series: [
    {
      type: "bar",
      name: "People",
      color: seriesColors[0],
      barCategoryGap: "4%",
      data: bins.map(([, people]) => people),
    },
  ],
});

/** How long it takes from one step of a funnel to another: its spread, and its percentiles by the breakdown. */
export const TimeToConvert = ({ funnel }: { funnel: FunnelInput }) => {
  const last = funnel.steps.length - 1;
  const [chosen, choose] = useState<{ from: number; to: number }>();
  const from = Math.min(chosen?.from ?? 0, last - 1);
  const to = Math.min(Math.max(chosen?.to ?? last, from + 1), last);
  const query = useQuery({
    queryKey: ["time-to-convert", funnel, from, to],
    queryFn: ({ signal }) => call(timeToConvert, { funnel, from, to }, signal),
  });
  const bins = query.data?.bins;
  const options = useMemo(() => histogram(bins ?? []), [bins]);
  const steps = funnel.steps.map(({ name, event }, place) => ({ value: String(place), label: `${place + 1}. ${name ?? event ?? "Every event"}` })); // prettier-ignore
  return (
    <Stack component="section" aria-label="Time to convert" gap="sm">
      <Title order={2}>Time to convert</Title>
      <Group>
        <Select label="From" data={steps.slice(0, -1)} value={String(from)} allowDeselect={false} onChange={(value) => choose({ from: Number(value), to })} />
        <Select label="To" data={steps.slice(from + 1)} value={String(to)} allowDeselect={false} onChange={(value) => choose({ from, to: Number(value) })} />
      </Group>
      <Loaded query={query} height={200}>
        {({ people, groups }) =>
          people === 0 ? (
            <Text>Nobody took both steps.</Text>
          ) : (
            <>
              <Suspense>
                <Chart options={options} label={`Histogram of the time from one step to the other, of ${people} people. The table below says when which share had done it.`} height={200} />
              </Suspense>
              <DataTable
                caption="Within what time which share of those who took both steps took the second"
                rows={groups}
                columns={[
                  ...(groups.some(({ group }) => group !== null) ? [{ title: "Group", cell: ({ group }: (typeof groups)[number]) => groupName(group ?? "") }] : []),
                  { title: "People", numeric: true, cell: (row) => row.people.toLocaleString() },
                  { title: "25 %", numeric: true, cell: (row) => duration(row.p25) },
                  { title: "50 %", numeric: true, cell: (row) => duration(row.median) },
                  { title: "75 %", numeric: true, cell: (row) => duration(row.p75) },
                  { title: "90 %", numeric: true, cell: (row) => duration(row.p90) },
                  { title: "95 %", numeric: true, cell: (row) => duration(row.p95) },
                  { title: "Average", numeric: true, cell: (row) => duration(row.average) },
                ]}
              />
            </>
          )
        }
      </Loaded>
    </Stack>
  ); // prettier-ignore
};
