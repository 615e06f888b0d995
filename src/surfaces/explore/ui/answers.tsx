import { Accordion, Button, Code, Group, Skeleton, Stack, Table, Text } from "@mantine/core";
import type { EChartsCoreOption } from "echarts/core";
import { lazy, Suspense, useMemo, useRef, type ReactNode } from "react";
import type { FunnelResult } from "#insights/funnels/contract.ts";
import type { RetentionResult } from "#insights/retention/contract.ts";
import type { TrendsResult } from "#insights/trends/contract.ts";
import { DataTable, type Column } from "#web/kit/data-table.tsx";
import { Scroll } from "#web/kit/scroll.tsx";
import { download, pictureOf } from "#web/kit/download.ts";
import type { Answer } from "./answer.ts";
import { funnelChart, groupName, hasSeveral, leftOut, lineName, retentionChart, trendChart } from "./charts.ts";
import { csvOf } from "./csv.ts";

const Chart = lazy(() => import("#web/kit/chart.tsx"));

const number = (value: number | null | undefined): string =>
  value === null || value === undefined ? "–" : value.toLocaleString(undefined, { maximumFractionDigits: 2 });
const percent = (share: number | null | undefined): string =>
  share === null || share === undefined
    ? "–"
    : `${(share * 100).toLocaleString(undefined, { maximumFractionDigits: 1 })} %`;

const duration = (seconds: number | null): string => {
  if (seconds === null) return "–";
  const units = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]] as const; // prettier-ignore
  const [name, size] = units.find(([, length]) => seconds >= length) ?? ["s", 1];
  return `${(seconds / size).toLocaleString(undefined, { maximumFractionDigits: 1 })} ${name}`;
};

const TrendTable = ({ result }: { result: TrendsResult }) => {
  const several = hasSeveral(result);
  const columns: Column<number>[] = [
    {
      title: `Start of ${result.interval}`,
      cell: (place) =>
        `${result.buckets[place] ?? ""}${result.incomplete && place === result.buckets.length - 1 ? " (not over yet)" : ""}`,
    },
    ...result.lines.map((line): Column<number> => ({
      title: lineName(line, several),
      numeric: true,
      cell: (place) => number(line.values[place]),
    })),
  ];
  return (
    <DataTable caption="Every number of the chart" columns={columns} rows={result.buckets.map((_, place) => place)} />
  );
};

const FunnelTable = ({ result }: { result: FunnelResult }) => {
  const rows = result.groups.flatMap((group) =>
    group.steps.map((step, index) => ({ ...step, index, group: group.group })),
  );
  const grouped = result.groups.some((group) => group.group !== null);
  return (
    <DataTable
      caption={`Every step${result.incomplete ? "; some people may still convert within their window" : ""}`}
      rows={rows}
      columns={[
        ...(grouped
          ? [{ title: "Group", cell: (row: (typeof rows)[number]) => (row.group === null ? "" : groupName(row.group)) }]
          : []),
        { title: "Step", cell: (row) => `${row.index + 1}. ${row.label}` },
        { title: "Count", numeric: true, cell: (row) => number(row.count) },
        { title: "From start", numeric: true, cell: (row) => percent(row.fromStart) },
        {
          title: "95 % interval",
          numeric: true,
          cell: (row) => (row.interval === null ? "–" : `${percent(row.interval[0])} to ${percent(row.interval[1])}`),
        },
        { title: "From step before", numeric: true, cell: (row) => percent(row.fromPrevious) },
        { title: "Median time", numeric: true, cell: (row) => duration(row.medianSeconds) },
        { title: "Average time", numeric: true, cell: (row) => duration(row.averageSeconds) },
      ]}
    />
  );
};

const RetentionTable = ({ result }: { result: RetentionResult }) => (
  <Stack>
    {result.groups.map((group) => (
      <Scroll key={group.group ?? ""} label={group.group ?? "Cohorts"}>
        <Table verticalSpacing={4} style={{ fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap" }}>
          <Table.Caption c="var(--mantine-color-text)">
            {group.group === null ? "Share of each cohort that came back" : groupName(group.group)}; cohorts without
            people are left out; * marks time that is not over yet
          </Table.Caption>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Cohort</Table.Th>
              <Table.Th ta="right">People</Table.Th>
              {result.columns.slice(1).map((column) => (
                <Table.Th key={column} ta="right">
                  {column}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {group.cohorts
              .filter(({ size }) => size > 0)
              .map((cohort) => (
                <Table.Tr key={cohort.bucket}>
                  <Table.Td>{cohort.bucket}</Table.Td>
                  <Table.Td ta="right">{number(cohort.size)}</Table.Td>
                  {cohort.counts.slice(1).map((count, index) => (
                    <Table.Td
                      key={result.columns[index + 1]}
                      ta="right"
                      style={{
                        backgroundColor: `color-mix(in srgb, var(--mantine-color-indigo-5) ${cohort.size === 0 ? 0 : Math.round((count / cohort.size) * 45)}%, transparent)`,
                      }}
                    >
                      {cohort.size === 0 ? "–" : percent(count / cohort.size)}
                      {cohort.mature[index + 1] === true ? "" : "*"}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
          </Table.Tbody>
        </Table>
      </Scroll>
    ))}
  </Stack>
);

const shown = (result: Answer): { options: EChartsCoreOption; table: ReactNode } => {
  if (result.kind === "trends") return { options: trendChart(result), table: <TrendTable result={result} /> };
  if (result.kind === "funnel") return { options: funnelChart(result), table: <FunnelTable result={result} /> };
  return { options: retentionChart(result), table: <RetentionTable result={result} /> };
};

/** The sentence, then the picture, then the table (folded away where there is little room), then how it was computed. */
export const AnswerView = ({ result, compact = false }: { result: Answer; compact?: boolean }) => {
  const { options, table } = useMemo(() => shown(result), [result]);
  const { provenance } = result;
  const picture = useRef<HTMLDivElement>(null);
  const name = `${result.kind} ${provenance.from} to ${provenance.to}`;
  const hidden = result.kind === "trends" ? leftOut(result) : 0;
  const note = hidden > 0 ? `${hidden} more lines are in the table only.` : "";
  const saveTable = (): void => download(`${name}.csv`, new Blob([csvOf(result)], { type: "text/csv;charset=utf-8" }));
  const savePicture = async (): Promise<void> => {
    const drawn = (): SVGSVGElement | null => picture.current?.querySelector("svg") ?? null;
    // the chart's own code may still be on its way
    for (let tries = 0; drawn() === null && tries < 100; tries += 1) await new Promise((next) => setTimeout(next, 100));
    const svg = drawn();
    if (svg !== null) download(`${name}.png`, await pictureOf(svg));
  };
  return (
    <Stack>
      <Text size={compact ? "md" : "lg"} data-testid="sentence">
        {result.sentence}
      </Text>
      <Suspense fallback={<Skeleton height={340} />}>
        <div ref={picture}>
          <Chart
            options={options}
            label={`Chart. ${result.sentence} The table below has every number.`}
            height={compact ? 260 : 340}
          />
        </div>
      </Suspense>
      <Group justify="space-between">
        <Text size="sm">{note}</Text>
        <Group gap="sm">
          <Button size="xs" variant="default" onClick={saveTable}>
            Save as CSV
          </Button>
          <Button size="xs" variant="default" onClick={() => void savePicture()}>
            Save as PNG
          </Button>
        </Group>
      </Group>
      {!compact && table}
      <Accordion variant="contained">
        {compact && (
          <Accordion.Item value="numbers">
            <Accordion.Control>Every number</Accordion.Control>
            <Accordion.Panel>{table}</Accordion.Panel>
          </Accordion.Item>
        )}
        <Accordion.Item value="how">
          <Accordion.Control>How this is computed</Accordion.Control>
          <Accordion.Panel>
            <Stack gap="sm">
              <Text size="sm">{provenance.definition}</Text>
              <Text size="sm">
                {provenance.from} to {provenance.to}, days of {provenance.zone}. Asked at{" "}
                {new Date(provenance.askedAt).toLocaleString()}; took {provenance.milliseconds} ms.
              </Text>
              <Code block tabIndex={0} style={{ maxHeight: 320, overflow: "auto" }}>
                {provenance.sql}
              </Code>
            </Stack>
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </Stack>
  );
};
