import { Alert, Anchor, Badge, Button, Card, Code, Group, Select, SimpleGrid, Stack, Text, TextInput, Title } from "@mantine/core"; // prettier-ignore
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { Overview, Part } from "../contract.ts";
import { drivers } from "../scorer/conversation.ts";
import { Breakdown } from "./breakdown.tsx";
import { Judge } from "./judge.tsx";
import { Links } from "./links.tsx";
import { Reviews } from "./reviews.tsx";
import { Rules } from "./rules.tsx";
import { Trust } from "./trust.tsx";
import { Versions } from "./versions.tsx";
import { driverWords, interval, oneDigit, partWords, percent, points, reasonWords } from "./words.ts";

const Chart = lazy(() => import("#web/kit/chart.tsx"));

const day = 86_400_000;
const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10);
const bands = ["all", "low", "middle", "high", "unscored"] as const;
const bandWords = { all: "All", low: "Below 2.5", middle: "To 3.5", high: "Above", unscored: "Not scored" } as const;

const Figure = ({ title, value, says }: { title: string; value: string; says: string }) => (
  <Card withBorder>
    <Text size="sm">{title}</Text>
    <Text fz={32} fw={700}>{value}</Text>
    <Text size="sm">{says}</Text>
  </Card>
); // prettier-ignore

const marks = ["circle", "rect", "triangle", "diamond", "pin", "arrow"] as const;

/** What moved the mean of each week: a line for each driver, told apart by its mark as well. */
const DriverTrend = ({ found }: { found: Overview }) => {
  const [isTable, setTable] = useState(false);
  const names = drivers.filter((driver) => found.trend.some((one) => one.driver === driver));
  const of = (from: string, driver: string): number => found.trend.find((one) => one.from === from && one.driver === driver)?.points ?? 0;
  return (
    <Stack gap="xs" component="section" aria-label="What moved it, by week">
      <Group justify="space-between">
        <Title order={2} size="h4">What moved it, by week</Title>
        <Button size="compact-sm" variant="default" onClick={() => setTable(!isTable)}>{isTable ? "As a chart" : "As a table"}</Button>
      </Group>
      {isTable ? (
        <DataTable caption="Points by which each driver moved the mean of a week" rows={found.weeks} columns={[{ title: "Week", cell: ({ from }) => from }, ...names.map((driver) => ({ title: driverWords[driver], numeric: true, cell: ({ from }: { from: string }) => points(of(from, driver)) }))]} />
      ) : (
        <Suspense fallback={<div style={{ height: 240 }} />}>
          <Chart
            height={260}
            label={`Points by which each driver moved the mean of a week; in the last: ${names.map((driver) => `${driverWords[driver]} ${points(of(found.weeks.at(-1)?.from ?? "", driver))}`).join(", ")}.`}
            options={{
              grid: { left: 48, right: 16, top: 60, bottom: 30 },
              legend: { top: 0 },
              tooltip: { trigger: "axis", valueFormatter: (value: unknown) => (typeof value === "number" ? points(value) : "–") },
              xAxis: { type: "category", data: found.weeks.map(({ from }) => from), axisLine: { onZero: false } },
              yAxis: { type: "value" },
              series: names.map((driver) => ({ name: driverWords[driver], type: "line", symbol: marks[drivers.indexOf(driver)] ?? "circle", symbolSize: 7, data: found.weeks.map(({ from }) => Number(of(from, driver).toFixed(3))) })),
            }}
          />
        </Suspense>
      )}
    </Stack>
  );
}; // prettier-ignore

const Numbers = ({ found, choose }: { found: Overview; choose: (driver: string) => void }) => {
  const { total, weeks, handlers } = found;
  const switched = found.switches.flatMap(({ at, version }) => { const week = weeks.findLast(({ from }) => from <= at)?.from; return week === undefined ? [] : [{ week, version }]; });
  const largest = Math.max(0.01, ...found.drivers.map((one) => Math.abs(one.points)));
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }}>
        <Figure title="4 to 5" value={total.good === null ? "–" : percent(total.good.share)} says={interval(total.good)} />
        <Figure title="Mean" value={oneDigit(total.mean)} says={`of ${total.scored.toLocaleString()} conversations`} />
        <Figure title="Scored" value={total.conversations === 0 ? "–" : percent(total.scored / total.conversations)} says={`of ${total.conversations.toLocaleString()}${found.waiting > 0 ? `; ${found.waiting.toLocaleString()} wait` : ""}`} />
        <Figure title="Answers" value={`${oneDigit(handlers.ai_agent)} / ${oneDigit(handlers.human_agent)}`} says="AI agent / teammates, 1 to 5" />
      </SimpleGrid>
      {weeks.length > 1 && (
        <Suspense fallback={<div style={{ height: 220 }} />}>
          <Chart
            height={220}
            label={`Share of 4 to 5 by week: ${percent(weeks.at(-1)?.good?.share ?? 0)} in the last.`}
            options={{
              grid: { left: 48, right: 16, top: 30, bottom: 30 },
              legend: { top: 0 },
              tooltip: { trigger: "axis", valueFormatter: (value: unknown) => (typeof value === "number" ? percent(value) : "–") },
              xAxis: { type: "category", data: weeks.map(({ from }) => from) },
              yAxis: { type: "value", min: 0, max: 1, axisLabel: { formatter: (value: number) => percent(value) } },
              series: [
                { name: "4 to 5", type: "line", data: weeks.map(({ good }) => good?.share ?? null), markLine: { symbol: "none", data: switched.map(({ week, version }) => ({ xAxis: week, label: { formatter: version } })) } },
                { name: "From", type: "line", lineStyle: { type: "dashed" }, showSymbol: false, data: weeks.map(({ good }) => good?.lower ?? null) },
                { name: "To", type: "line", lineStyle: { type: "dotted" }, showSymbol: false, data: weeks.map(({ good }) => good?.upper ?? null) },
              ],
            }}
          />
        </Suspense>
      )}
      {found.switches.map(({ at, version, rebased }) => <Alert key={at} variant="outline" title={`Another version of the score since ${moment(at)}`}>{version}. {rebased ? "What was scored before counts anew by it." : "What was scored before stays as it was told: a step there may be the version, not the customers."}</Alert>)}
      <DataTable
        caption="What moved the mean, in points"
        rows={found.drivers}
        columns={[
          { title: "Driver", cell: ({ driver }) => <Anchor component="button" type="button" ta="left" onClick={() => choose(driver)}>{driverWords[driver]}</Anchor> },
          { title: "Points", numeric: true, cell: (one) => points(one.points) },
          { title: "", cell: (one) => <svg width={160} height={14} aria-hidden><line x1={80} x2={80} y1={0} y2={14} stroke="var(--mantine-color-dimmed)" /><rect x={one.points < 0 ? 80 - (76 * -one.points) / largest : 80} y={3} width={(76 * Math.abs(one.points)) / largest} height={8} fill="var(--mantine-color-text)" /></svg> },
          { title: "Down in", numeric: true, cell: ({ negative }) => negative.toLocaleString() },
          { title: "Up in", numeric: true, cell: ({ positive }) => positive.toLocaleString() },
        ]}
      />
      {weeks.length > 1 && <DriverTrend found={found} />}
      <DataTable caption="What was scored, and what was not" rows={found.reasons} columns={[{ title: "Reason", cell: ({ reason }) => reasonWords[reason] }, { title: "Conversations", numeric: true, cell: ({ conversations }) => conversations.toLocaleString() }]} />
    </Stack>
  );
}; // prettier-ignore

/** How conversations went: the score, what moved it, and the conversations behind every number. */
export const ConversationsPage = ({ mayRead, maySwitch }: { mayRead: boolean; maySwitch: boolean }) => {
  const given: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const days = Number(given["days"]) > 0 ? Math.min(3_650, Number(given["days"])) : 90;
  const band = bands.find((one) => one === given["band"]) ?? "all";
  const driver = drivers.find((one) => one === given["driver"]);
  const rule = typeof given["rule"] === "string" && given["rule"] !== "" ? given["rule"] : undefined;
  const by = contract.parted.find((one) => one === given["by"]) ?? "topic";
  const part: Part = { by, trait: typeof given["trait"] === "string" ? given["trait"] : "" };
  const name = typeof given["name"] === "string" ? given["name"] : undefined;
  const [search, setSearch] = useState(typeof given["search"] === "string" ? given["search"] : "");
  const [asked] = useDebouncedValue(search, 300);
  const change = (next: Record<string, unknown>): void => void navigate({ to: ".", search: { ...given, ...next } as never, replace: true }); // prettier-ignore
  const [now] = useState(() => Date.now());
  const range = { from: dateOf(now - days * day), to: dateOf(now) };
  const overview = useQuery({ queryKey: ["cx", "overview", range], queryFn: ({ signal }) => call(contract.overview, range, signal), refetchInterval: (query) => ((query.state.data?.waiting ?? 0) > 0 ? 3_000 : false) });
  const list = useQuery({ queryKey: ["cx", "conversations", range, band, driver, rule, asked, name === undefined ? null : { ...part, name }, overview.data?.total.conversations ?? 0], queryFn: ({ signal }) => call(contract.list, { ...range, band, search: asked, ...(rule === undefined ? {} : { rule }), ...(name === undefined ? {} : { part: { ...part, name } }), ...(driver === undefined ? {} : { driver, polarity: -1 as const }) }, signal), enabled: mayRead });
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1}>Conversations</Title>
        <Select aria-label="Range" w={160} data={[{ value: "28", label: "28 days" }, { value: "90", label: "90 days" }, { value: "365", label: "A year" }, { value: "1095", label: "Three years" }]} value={String(days)} allowDeselect={false} onChange={(next) => change({ days: Number(next) })} />
      </Group>
      <Loaded query={overview} height={300}>
        {(found) =>
          found.total.conversations === 0 && found.waiting === 0 ? (
            <Empty title="No conversations in this time">
              Send them with the write key of a source; each is scored within seconds, without asking anybody. <Code block tabIndex={0} role="region" aria-label="An example">{`curl ${location.origin}/v1/conversations -H "authorization: Bearer WRITE_KEY" -H "content-type: application/json" \\\n  -d '{"conversations":[{"id":"1","userId":"ana","channel":"chat","state":"closed","parts":[\n    {"id":"a","role":"customer","at":"2026-03-01T10:00:00Z","text":"It still does not work!"},\n    {"id":"b","role":"teammate","at":"2026-03-01T10:05:00Z","text":"I have reset it; it should work now."}]}]}'`}</Code>
            </Empty>
          ) : (
            found.total.conversations === 0 ? <Alert variant="outline" role="status" title="They are being scored">{found.waiting.toLocaleString()} conversations have come and wait for their score. This page follows by itself; those of another time are found by another range.</Alert> : <Numbers found={found} choose={(next) => change({ driver: next })} />
          )
        }
      </Loaded>
      {mayRead && <Reviews />}
      {(overview.data?.total.conversations ?? 0) > 0 && <Breakdown mayEdit={mayRead} range={range} part={part} change={(next) => change({ by: next.by, trait: next.trait === "" ? undefined : next.trait, name: undefined })} choose={(next) => change({ by, name: next })} />}
      {mayRead && (overview.data?.total.conversations ?? 0) > 0 && (
        <Stack>
          <Title order={2} size="h4">The conversations</Title>
          <Group align="end">
            <Select label="Score" w={160} data={bands.map((value) => ({ value, label: bandWords[value] }))} value={band} allowDeselect={false} onChange={(next) => change({ band: next ?? "all" })} />
            <Select label="Pulled down by" clearable w={230} data={drivers.map((value) => ({ value, label: driverWords[value] }))} value={driver ?? null} onChange={(next) => change({ driver: next ?? undefined })} />
            <TextInput label="Words" value={search} onChange={(event) => { setSearch(event.currentTarget.value); change({ search: event.currentTarget.value === "" ? undefined : event.currentTarget.value }); }} />
            {name !== undefined && <Button variant="default" onClick={() => change({ name: undefined })}>{partWords[by]}{by === "topic" ? " chosen" : `: ${name === "" ? "(none)" : name}`}. Show all</Button>}
            {rule !== undefined && <Button variant="default" onClick={() => change({ rule: undefined })}>Flagged by a rule: show all</Button>}
          </Group>
          <Loaded query={list} height={200}>
            {({ conversations }) =>
              conversations.length === 0 ? (
                <Text>None is like that.</Text>
              ) : (
                <DataTable
                  caption="The lowest first"
                  rows={conversations}
                  columns={[
                    { title: "Score", numeric: true, cell: ({ score }) => (score === null ? "–" : score.toFixed(1)) },
                    { title: "What happened", cell: ({ id, summary, reason }) => <Anchor component={Link} to={`/conversations/${encodeURIComponent(id)}`} style={{ display: "inline-block", minWidth: 220 }}>{summary === "" ? reasonWords[reason as keyof typeof reasonWords] : summary}</Anchor> },
                    { title: "Drivers", cell: (one) => <Group gap={4}>{one.drivers.filter(({ contribution }) => Math.abs(contribution) >= 0.1).map((each) => <Badge key={each.driver} variant="outline" color={each.contribution < 0 ? "red" : "blue"}>{driverWords[each.driver as keyof typeof driverWords]} {points(each.contribution)}</Badge>)}</Group> },
                    { title: "Channel", cell: ({ channel }) => channel },
                    { title: "When", cell: ({ at }) => moment(at) },
                  ]}
                />
              )
            }
          </Loaded>
        </Stack>
      )}
      {(overview.data?.total.scored ?? 0) > 0 && <Trust mayLabel={mayRead} />}
      {(overview.data?.total.scored ?? 0) > 0 && <Versions mayEdit={mayRead} maySwitch={maySwitch} />}
      {(overview.data?.total.scored ?? 0) > 0 && <Rules range={range} mayEdit={mayRead} />}
      {(overview.data?.total.scored ?? 0) > 0 && <Judge maySet={maySwitch} />}
      <Links mayEdit={mayRead} />
      {!mayRead && <Alert variant="outline">What was written is shown to analysts and others who may see personal data.</Alert>}
    </Stack>
  );
}; // prettier-ignore
