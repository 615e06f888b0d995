import { ActionIcon, Alert, Anchor, Autocomplete, Badge, Button, Card, Group, List, NumberInput, Select, SimpleGrid, Stack, Switch, Text, Textarea, TextInput, Title } from "@mantine/core"; // prettier-ignore
import { IconX } from "@tabler/icons-react";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useProperties } from "#insights/common/ui/properties.ts";
import * as metrics from "#insights/metrics/contract.ts";
import * as catalog from "#records/catalog/contract.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { download } from "#web/kit/download.ts";
import { moment } from "#web/kit/moment.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import * as flags from "../../flags/contract.ts";
import { designs, type Design } from "../contract.ts";
import { type Experiment, metricRoles } from "../document.ts";
import * as operations from "../operations.ts";
import type { ExperimentView, Results } from "../operations.ts";
import { Beside } from "./beside.tsx";
import { decisionWords, stateWords } from "./experiments-page.tsx";
import { effectWords, percent } from "../words.ts";

const Chart = lazy(() => import("#web/kit/chart.tsx"));

const number = (value: number): string => value.toLocaleString("en", { maximumSignificantDigits: 4 });
const designWords: Readonly<Record<Design, string>> = { group_sequential: "At planned looks", fixed: "Once, at the end", always_valid: "Whenever one likes" }; // prettier-ignore
const roleWords = { primary: "Decides", secondary: "Looked at", guardrail: "May not become worse" } as const;
const verdictWords: Readonly<Record<Results["verdict"], { title: string; color: string }>> = {
  invalid: { title: "Do not read this", color: "red" },
  keep_running: { title: "Keep it running", color: "gray" },
  ship: { title: "Ship it", color: "blue" },
  stop: { title: "Stop it", color: "red" },
  inconclusive: { title: "Inconclusive at this effect", color: "gray" },
};

const replaced = <T,>(all: readonly T[], at: number, next: T): T[] => all.map((one, place) => (place === at ? next : one)); // prettier-ignore
const without = <T,>(all: readonly T[], at: number): T[] => all.filter((_, place) => place !== at);

/** An interval on a line with its zero; the numbers stand beside it. */
const Interval = ({ lower, upper, estimate, most, margin }: { lower: number; upper: number; estimate: number; most: number; margin: number | null }) => {
  const x = (value: number): number => 80 + (Math.max(-most, Math.min(most, value)) / most) * 76;
  return (
    <svg width={160} height={20} role="img" aria-label={`${effectWords(estimate)}, from ${effectWords(lower)} to ${effectWords(upper)}`}>
      <line x1={80} x2={80} y1={0} y2={20} stroke="var(--mantine-color-dimmed)" />
      {margin !== null && [margin, -margin].map((at) => <line key={at} x1={x(at)} x2={x(at)} y1={3} y2={17} stroke="var(--mantine-color-dimmed)" strokeDasharray="2 2" />)}
      <line x1={x(lower)} x2={x(upper)} y1={10} y2={10} stroke="var(--mantine-color-text)" strokeWidth={2} />
      <circle cx={x(estimate)} cy={10} r={4} fill="var(--mantine-color-text)" />
    </svg>
  );
}; // prettier-ignore

const saysOf = ({ role, direction }: Results["metrics"][number], { effect, guardrail }: Results["metrics"][number]["comparisons"][number]): string => {
  if (guardrail !== null) return { holds: "Holds", broken: "Broken", open: "Open" }[guardrail];
  if (effect === null) return "No effect can be said";
  if (effect.lower <= 0 && effect.upper >= 0) return role === "primary" ? "May be nothing" : "";
  if (direction === "none") return "Moved";
  return effect.lower > 0 === (direction === "up") ? "Better" : "Worse";
}; // prettier-ignore

const ResultView = ({ results, view }: { results: Results; view: ExperimentView }) => {
  const rows = results.metrics.flatMap((metric) => metric.comparisons.map((comparison) => ({ metric, comparison })));
  const most = Math.max(0.01, ...rows.flatMap(({ metric, comparison: { effect } }) => (effect === null ? [] : [Math.abs(effect.lower), Math.abs(effect.upper), metric.margin ?? 0])));
  const primary = results.metrics.find(({ role }) => role === "primary");
  const course = primary?.comparisons[0]?.course ?? [];
  const { title, color } = verdictWords[results.verdict];
  const { agreed } = view;
  return (
    <Stack>
      <Alert role="status" variant="outline" color={color} title={title}>{results.sentence}</Alert>
      <Text size="sm">
        {results.look === null ? "No look was reached yet." : `As of the look of ${results.look.day}: ${results.look.units.toLocaleString()} whose ${view.experiment.windowDays} days are over, ${percent(results.look.information, 0)} of what was planned. Intervals hold for this look, however often it was looked at before; those of metrics that are looked at hold for all of them together.`}
      </Text>
      {results.triggered !== null && (
        <Text size="sm">
          Of {results.triggered.exposed.toLocaleString()} that were exposed, {results.triggered.triggered.toLocaleString()} ({percent(results.triggered.triggered / Math.max(1, results.triggered.exposed), 1)}) came to where it can make a difference. Effects are theirs; over everybody who was exposed, what it adds to each is that share of it.
        </Text>
      )}
      <DataTable
        caption="Effects against the control, relative"
        rows={rows}
        columns={[
          { title: "Metric", cell: ({ metric }) => metric.name },
          { title: "Role", cell: ({ metric }) => roleWords[metric.role] },
          { title: "Arm", cell: ({ comparison }) => comparison.arm },
          { title: "Control", numeric: true, cell: ({ comparison }) => number(comparison.control) },
          { title: "Arm's", numeric: true, cell: ({ comparison }) => number(comparison.treatment) },
          { title: "Effect", numeric: true, cell: ({ comparison: { effect } }) => (effect === null ? "–" : effectWords(effect.estimate)) },
          { title: "From", numeric: true, cell: ({ comparison: { effect } }) => (effect === null ? "–" : effectWords(effect.lower)) },
          { title: "To", numeric: true, cell: ({ comparison: { effect } }) => (effect === null ? "–" : effectWords(effect.upper)) },
          { title: "Interval", cell: ({ metric, comparison: { effect } }) => effect !== null && <Interval {...effect} most={most} margin={metric.margin} /> },
          { title: "", cell: ({ metric, comparison }) => saysOf(metric, comparison) },
        ]}
      />
      {course.length > 1 && primary !== undefined && (
        <Stack gap={4}>
          <Title order={2} size="h4">{primary.name}, look by look</Title>
          <Suspense fallback={<div style={{ height: 240 }} />}>
            <Chart
              height={240}
              label={`The effect on ${primary.name} with its interval by look: ${effectWords(course.at(-1)?.estimate ?? 0)} at the last.`}
              options={{
                grid: { left: 56, right: 16, top: 24, bottom: 30 },
                tooltip: { trigger: "axis", valueFormatter: (value: unknown) => effectWords(Number(value)) },
                legend: { top: 0 },
                xAxis: { type: "category", data: course.map(({ day }) => day) },
                yAxis: { type: "value", axisLabel: { formatter: (value: number) => effectWords(value, 0) } },
                series: [
                  { name: "Effect", type: "line", data: course.map(({ estimate }) => estimate), markLine: { symbol: "none", label: { show: false }, data: [{ yAxis: 0 }] } },
                  { name: "From", type: "line", lineStyle: { type: "dashed" }, data: course.map(({ lower }) => lower) },
                  { name: "To", type: "line", lineStyle: { type: "dotted" }, data: course.map(({ upper }) => upper) },
                ],
              }}
            />
          </Suspense>
        </Stack>
      )}
      <DataTable
        caption={results.mismatch.isMismatch ? "Arms do not have as many as they should" : "Arms have as many as they should"}
        rows={[...results.arms, ...results.strange.map((one) => ({ ...one, expected: 0, crossed: 0, ripe: 0 }))]}
        columns={[
          { title: "Arm", cell: ({ arm }) => arm },
          { title: "Exposed", numeric: true, cell: ({ units }) => units.toLocaleString() },
          { title: "Expected", numeric: true, cell: ({ expected }) => Math.round(expected).toLocaleString() },
          { title: "In several arms", numeric: true, cell: ({ crossed }) => crossed.toLocaleString() },
          { title: "Window over", numeric: true, cell: ({ ripe }) => ripe.toLocaleString() },
        ]}
      />
      <DataTable
        caption="Whether it can be trusted"
        rows={results.health}
        columns={[
          { title: "", cell: ({ passed }) => <Badge variant="outline" color={passed ? "blue" : "red"}>{passed ? "fine" : "look"}</Badge> },
          { title: "Check", cell: ({ name }) => name },
          { title: "What it says", cell: ({ says }) => says },
        ]}
      />
      <Text size="sm">Sample ratio: p = {results.mismatch.pValue.toPrecision(2)} (χ²; alarm below 0.001), and {results.mismatch.sequentialPValue.toPrecision(2)} at any look.</Text>
      {agreed !== null && (
        <Card withBorder>
          <Title order={2} size="h4">What would change this</Title>
          <List size="sm">
            <List.Item>Agreed at the start: {agreed.sentence}</List.Item>
            <List.Item>An effect of {percent(Math.abs(view.experiment.effect ?? 0), 1)} or more is found in {Math.round(agreed.powerEach * 100)} of 100 cases; a smaller one more often goes unseen.</List.Item>
            {results.turns.map((one) => <List.Item key={one}>{one}</List.Item>)}
          </List>
        </Card>
      )}
    </Stack>
  );
}; // prettier-ignore

const Slices = ({ view }: { view: ExperimentView }) => {
  const [property, setProperty] = useState("");
  const { ofEvents } = useProperties(view.experiment.exposure.event ?? undefined);
  const ask = useMutation({ mutationFn: (name: string) => call(operations.slices, { key: view.experiment.key, property: name }) });
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Title order={2} size="h4">In parts of them</Title>
        <form
          onSubmit={(submitted) => {
            submitted.preventDefault();
            ask.mutate(property);
          }}
        >
          <Group align="end">
            <Autocomplete label="By a property of the exposure" data={ofEvents} value={property} onChange={setProperty} />
            <Button type="submit" variant="default" disabled={property === ""} loading={ask.isPending}>Slice</Button>
          </Group>
        </form>
        {ask.error !== null && <Problem error={ask.error} />}
        {ask.data !== undefined && (
          <>
            <DataTable
              caption={`The metric that decides, by ${ask.variables ?? ""}`}
              rows={ask.data.slices}
              columns={[
                { title: "Slice", cell: ({ slice }) => (slice === "" ? "missing" : slice) },
                { title: "Arm", cell: ({ arm }) => arm },
                { title: "Units", numeric: true, cell: ({ units }) => units.toLocaleString() },
                { title: "Effect", numeric: true, cell: ({ effect }) => (effect === null ? "–" : effectWords(effect.estimate)) },
                { title: "From", numeric: true, cell: ({ effect }) => (effect === null ? "–" : effectWords(effect.lower)) },
                { title: "To", numeric: true, cell: ({ effect }) => (effect === null ? "–" : effectWords(effect.upper)) },
              ]}
            />
            <Text size="sm">{ask.data.says}</Text>
          </>
        )}
      </Stack>
    </Card>
  );
}; // prettier-ignore

const EndForm = ({ view, results, done }: { view: ExperimentView; results: Results; done: () => Promise<void> }) => {
  const suggested = results.verdict === "ship" || results.verdict === "stop" ? results.verdict : "inconclusive";
  const [decision, setDecision] = useState<string>(suggested);
  const [arm, setArm] = useState<string | null>(results.best);
  const [reason, setReason] = useState("");
  const end = useMutation({
    mutationFn: () => call(operations.end, { key: view.experiment.key, decision: operations.decisions.find((one) => one === decision) ?? "inconclusive", arm: decision === "ship" ? arm : null, reason }),
    onSuccess: done,
  });
  return (
    <Card withBorder>
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          end.mutate();
        }}
      >
        <Stack gap="sm">
          <Title order={2} size="h4">End it</Title>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <Select label="Decision" data={operations.decisions.map((value) => ({ value, label: decisionWords[value] }))} value={decision} allowDeselect={false} onChange={(next) => setDecision(next ?? suggested)} />
            {decision === "ship" && <Select label="Arm" data={view.experiment.arms.map(({ name }) => name)} value={arm} onChange={setArm} />}
          </SimpleGrid>
          <Textarea label="Why" description="The next one starts from it." autosize minRows={2} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          {decision !== suggested && <Text size="sm">By its plan it would be: {verdictWords[results.verdict].title.toLowerCase()}.</Text>}
          <Group><Button type="submit" variant="default" disabled={reason.trim() === ""} loading={end.isPending}>End the experiment</Button></Group>
          {end.error !== null && <Problem error={end.error} />}
        </Stack>
      </form>
    </Card>
  );
}; // prettier-ignore

const Running = ({ view, mayEdit, done }: { view: ExperimentView; mayEdit: boolean; done: () => Promise<void> }) => {
  const query = useQuery({ queryKey: ["experiments", "results", view.experiment.key, view.version], queryFn: ({ signal }) => call(operations.results, { key: view.experiment.key }, signal) });
  const report = useMutation({ mutationFn: () => call(operations.report, { key: view.experiment.key }), onSuccess: ({ name, markdown }) => download(name, new Blob([markdown], { type: "text/markdown" })) });
  return (
    <Loaded query={query} height={400}>
      {(results) => (
        <Stack>
          {view.decision !== null && <Alert variant="outline" color="gray" title={`${decisionWords[view.decision.decision]}${view.decision.arm === null ? "" : `: ${view.decision.arm}`}, by ${view.decision.by}, ${moment(view.decision.at)}`}>{view.decision.reason}</Alert>}
          <ResultView results={results} view={view} />
          {view.experiment.written === null && <Slices view={view} />}
          <Beside experimentKey={view.experiment.key} />
          <Group><Button variant="default" loading={report.isPending} onClick={() => report.mutate()}>Report as Markdown</Button></Group>
          {report.error !== null && <Problem error={report.error} />}
          {mayEdit && view.state === "running" && <EndForm view={view} results={results} done={done} />}
        </Stack>
      )}
    </Loaded>
  );
}; // prettier-ignore

const Gate = ({ view, draft, isChanged, mayEdit, done }: { view: ExperimentView; draft: Experiment; isChanged: boolean; mayEdit: boolean; done: () => Promise<void> }) => {
  const { key } = view.experiment;
  // as it is typed, so that the curve moves with it; what was said stays until the next is there
  const [asked] = useDebouncedValue(draft, 400);
  const query = useQuery({ queryKey: ["experiments", "gate", key, view.version, asked], queryFn: ({ signal }) => call(operations.gate, { key, draft: asked }, signal), placeholderData: keepPreviousData });
  const start = useMutation({ mutationFn: () => call(operations.start, { key }), onSuccess: done });
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Title order={2} size="h4">May it start?</Title>
        <Loaded query={query} height={200}>
          {({ checks, passed, plan }) => (
            <Stack gap="sm">
              <List spacing={4}>
                {checks.map((check) => (
                  <List.Item key={check.name}><Badge variant="outline" color={check.passed ? "blue" : "red"}>{check.passed ? "yes" : "no"}</Badge> <b>{check.name}</b>: {check.says}</List.Item>
                ))}
              </List>
              {plan !== null && (
                <Suspense fallback={<div style={{ height: 200 }} />}>
                  <Chart height={200} label={`Power by effect at ${plan.perArm.toLocaleString()} units of each arm.`} options={{ grid: { left: 56, right: 16, top: 16, bottom: 40 }, tooltip: { trigger: "axis", valueFormatter: (value: unknown) => effectWords(Number(value)) }, xAxis: { type: "value", name: "Effect", nameLocation: "middle", nameGap: 26, min: "dataMin", max: "dataMax", axisLabel: { formatter: (value: number) => effectWords(value) } }, yAxis: { type: "value", name: "Power", axisLabel: { formatter: (value: number) => percent(value, 0) } }, series: [{ name: "Power", type: "line", showSymbol: false, data: plan.powerByEffect.map(({ x, y }) => [x, y]) }] }} />
                </Suspense>
              )}
              {mayEdit && <Group><Button disabled={isChanged} loading={start.isPending} onClick={() => start.mutate()}>Start it</Button>{isChanged && <Text size="sm">Save it first.</Text>}{!passed && !isChanged && <Text size="sm">What is said above is missing.</Text>}</Group>}
              {start.error !== null && <Problem error={start.error} />}
            </Stack>
          )}
        </Loaded>
      </Stack>
    </Card>
  );
}; // prettier-ignore

const PlanForm = ({ view, mayEdit, done }: { view: ExperimentView; mayEdit: boolean; done: () => Promise<void> }) => {
  const [draft, setDraft] = useState(view.experiment);
  const change = (next: Partial<Experiment>): void => setDraft({ ...draft, ...next });
  const known = useQuery({
    queryKey: ["experiments", "choices"],
    queryFn: async ({ signal }) => {
      const [{ events }, all, { flags: flagList }] = await Promise.all([call(catalog.events, {}, signal), call(metrics.list, {}, signal), call(flags.list, {}, signal)]);
      return { events: events.map(({ name }) => name), metrics: all.metrics.map(({ key, name }) => ({ value: key, label: name })), flags: flagList.map(({ key }) => key) };
    },
  });
  const save = useMutation({ mutationFn: () => call(operations.save, { experiment: draft, version: view.version }), onSuccess: done });
  const isChanged = JSON.stringify(draft) !== JSON.stringify(view.experiment);
  const events = [...new Set([...(known.data?.events ?? []), draft.exposure.event ?? "", draft.eligible?.event ?? "", draft.trigger?.event ?? ""])].filter((one) => one !== "");
  const field = (key: "windowDays" | "covariateDays" | "looks" | "longestDays", label: string, min: number, max: number) => (
    <NumberInput label={label} min={min} max={max} value={draft[key]} onChange={(value) => typeof value === "number" && change({ [key]: value })} />
  );
  const share = (key: "power" | "share" | "alpha", label: string) => (
    <NumberInput label={label} suffix=" %" min={0.1} max={100} value={Number((draft[key] * 100).toPrecision(6))} onChange={(value) => typeof value === "number" && change({ [key]: value / 100 })} />
  );
  return (
    <Stack>
      <fieldset disabled={!mayEdit} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
        <Stack>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <TextInput label="Name" value={draft.name} onChange={(event) => change({ name: event.currentTarget.value })} />
            <TextInput label="Owner" value={draft.owner} onChange={(event) => change({ owner: event.currentTarget.value })} />
          </SimpleGrid>
          <Textarea label="Hypothesis" description="What will happen, to whom, and why" autosize minRows={2} value={draft.hypothesis} onChange={(event) => change({ hypothesis: event.currentTarget.value })} />
          <Title order={2} size="h4">Arms</Title>
          {draft.arms.map(({ name, weight }, at) => (
            <Group key={at} align="end" wrap="nowrap">
              <TextInput label={at === 0 ? "Control" : `Arm ${at + 1}`} flex={1} value={name} onChange={(event) => change({ arms: replaced(draft.arms, at, { name: event.currentTarget.value, weight }) })} />
              <NumberInput label="Weight" w={110} min={0.001} value={weight} onChange={(value) => typeof value === "number" && change({ arms: replaced(draft.arms, at, { name, weight: value }) })} />
              <ActionIcon variant="subtle" size="lg" aria-label={`Remove arm ${at + 1}`} disabled={draft.arms.length < 3} onClick={() => change({ arms: without(draft.arms, at) })}><IconX size={16} /></ActionIcon>
            </Group>
          ))}
          <Group><Button size="compact-sm" variant="default" disabled={draft.arms.length > 9} onClick={() => change({ arms: [...draft.arms, { name: `treatment-${draft.arms.length}`, weight: 1 }] })}>Add an arm</Button></Group>
          <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }}>
            <Select label="Flag that gives them out" clearable data={known.data?.flags ?? []} value={draft.flag} onChange={(flag) => change({ flag })} />
            <Select label="Who would take part does" searchable data={events} value={draft.eligible?.event ?? null} onChange={(event) => change({ eligible: event === null ? null : { event, filters: [] } })} />
            <Select label="Exposures are" data={[{ value: "event", label: "An event" }, { value: "query", label: "A query of your own" }]} value={draft.written === null ? "event" : "query"} allowDeselect={false} onChange={(next) => change({ written: next === "query" ? (draft.written ?? "SELECT person, at, properties.variant::String AS arm\nFROM events WHERE event = 'Exposed'") : null })} />
            {draft.written === null && <Select label="Exposed by" searchable data={events} value={draft.exposure.event} onChange={(event) => change({ exposure: { event, filters: draft.exposure.filters } })} />}
            {draft.written === null && <TextInput label="Its property with the arm" value={draft.armProperty} onChange={(event) => change({ armProperty: event.currentTarget.value })} />}
            <Select label="Counted from" description="Where it can make a difference" placeholder="the exposure on" clearable searchable data={events} value={draft.trigger?.event ?? null} onChange={(event) => change({ trigger: event === null ? null : { event, filters: [] } })} />
            <Select label="Counted are" data={[{ value: "people", label: "People" }, { value: "accounts", label: "Accounts" }, { value: "sessions", label: "Sessions" }]} value={draft.unit} allowDeselect={false} onChange={(unit) => change({ unit: unit === "accounts" || unit === "sessions" ? unit : "people" })} />
            {field("windowDays", "Days that count after", 1, 90)}
            {field("covariateDays", "Days before that explain", 0, 90)}
          </SimpleGrid>
          {draft.written !== null && <Textarea label="Exposures by a query" description="Columns person (or account), at and arm; of events, people, accounts and cohorts, as on the SQL page" autosize minRows={3} styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }} value={draft.written} onChange={(event) => change({ written: event.currentTarget.value })} />}
          <Title order={2} size="h4">Metrics</Title>
          {draft.metrics.map((one, at) => (
            <Group key={at} align="end">
              <Select label={`Metric ${at + 1}`} flex={1} miw={180} searchable data={known.data?.metrics ?? []} value={one.metric} allowDeselect={false} onChange={(metric) => change({ metrics: replaced(draft.metrics, at, { ...one, metric: metric ?? one.metric }) })} />
              <Select label="Role" w={190} data={metricRoles.map((value) => ({ value, label: roleWords[value] }))} value={one.role} allowDeselect={false} onChange={(role) => change({ metrics: replaced(draft.metrics, at, { ...one, role: metricRoles.find((value) => value === role) ?? "secondary", margin: null }) })} />
              {one.role === "guardrail" && <NumberInput label="Worse by at most" w={150} suffix=" %" min={0.1} max={100} value={one.margin === null ? "" : one.margin * 100} onChange={(value) => change({ metrics: replaced(draft.metrics, at, { ...one, margin: typeof value === "number" && value > 0 ? value / 100 : null }) })} />}
              <NumberInput label="Capped at" description="Quantile; empty: not" w={150} suffix=" %" min={50} max={99.99} value={one.cap === null ? "" : Number((one.cap * 100).toPrecision(6))} onChange={(value) => change({ metrics: replaced(draft.metrics, at, { ...one, cap: typeof value === "number" && value >= 50 && value < 100 ? value / 100 : null }) })} />
              <ActionIcon variant="subtle" size="lg" aria-label={`Remove metric ${at + 1}`} onClick={() => change({ metrics: without(draft.metrics, at) })}><IconX size={16} /></ActionIcon>
            </Group>
          ))}
          <Group><Button size="compact-sm" variant="default" disabled={(known.data?.metrics.length ?? 0) === 0} onClick={() => change({ metrics: [...draft.metrics, { metric: known.data?.metrics.find(({ value }) => !draft.metrics.some(({ metric }) => metric === value))?.value ?? "", role: draft.metrics.some(({ role }) => role === "primary") ? "secondary" : "primary", margin: null, cap: null }] })}>Add a metric</Button></Group>
          <Title order={2} size="h4">How sure</Title>
          <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }}>
            <NumberInput label="Least effect worth finding" description="Relative to the control" suffix=" %" value={draft.effect === null ? "" : Number((draft.effect * 100).toPrecision(6))} onChange={(value) => change({ effect: typeof value === "number" && value !== 0 ? value / 100 : null })} />
            <Select label="Looked at" data={designs.map((value) => ({ value, label: designWords[value] }))} value={draft.design} allowDeselect={false} onChange={(design) => change({ design: designs.find((one) => one === design) ?? "group_sequential" })} />
            {draft.design === "group_sequential" && field("looks", "Looks", 2, 40)}
            {share("power", "Power")}
            {share("alpha", "Error")}
            {share("share", "Of whom take part")}
            {field("longestDays", "Days it is worth at most", 1, 365)}
          </SimpleGrid>
          <Switch label="Switch the flag off once a guardrail is broken" disabled={draft.flag === null} checked={draft.stopsFlag} onChange={(event) => change({ stopsFlag: event.currentTarget.checked })} />
          {mayEdit && <Group><Button disabled={!isChanged} loading={save.isPending} onClick={() => save.mutate()}>Save</Button><Button variant="default" disabled={!isChanged} onClick={() => setDraft(view.experiment)}>Undo</Button></Group>}
          {[known.error, save.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
        </Stack>
      </fieldset>
      <Gate view={view} draft={draft} isChanged={isChanged} mayEdit={mayEdit} done={done} />
    </Stack>
  );
}; // prettier-ignore

/** One experiment: its plan until it starts, then what may be said of it. */
export const ExperimentPage = ({ experimentKey, mayEdit }: { experimentKey: string; mayEdit: boolean }) => {
  const client = useQueryClient();
  const query = useQuery({ queryKey: ["experiments", "get", experimentKey], queryFn: ({ signal }) => call(operations.get, { key: experimentKey }, signal) });
  const done = () => client.invalidateQueries({ queryKey: ["experiments"] });
  return (
    <Stack>
      <Anchor component={Link} to="/experiments" size="sm">Experiments</Anchor>
      <Loaded query={query} height={400}>
        {(view) => (
          <Stack>
            <Group>
              <Title order={1}>{view.experiment.name}</Title>
              <Badge variant="outline">{stateWords[view.state]}</Badge>
            </Group>
            {view.state !== "draft" && <Text>{view.experiment.hypothesis}</Text>}
            {view.state === "draft" ? <PlanForm key={view.version} view={view} mayEdit={mayEdit} done={done} /> : <Running view={view} mayEdit={mayEdit} done={done} />}
          </Stack>
        )}
      </Loaded>
    </Stack>
  );
}; // prettier-ignore
