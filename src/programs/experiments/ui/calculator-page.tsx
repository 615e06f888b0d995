import { Alert, Button, Card, Group, NumberInput, SegmentedControl, Select, SimpleGrid, Slider, Stack, Text, TextInput, Title } from "@mantine/core"; // prettier-ignore
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import * as catalog from "#records/catalog/contract.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import { percent } from "../words.ts";
import { designs, type Design, type Plan, type PlanInput } from "../contract.ts";

const Chart = lazy(() => import("#web/kit/chart.tsx"));

const designWords: Readonly<Record<Design, string>> = {
  group_sequential: "At planned looks",
  fixed: "Once, at the end",
  always_valid: "Whenever one likes",
};

/** What is asked, as it stands in the address. */
const first = { kind: "proportion", baseline: 10, sd: 20, effect: 5, power: 80, alpha: 5, treatments: 1, design: "group_sequential", looks: 14, correlation: 0, guardrails: 0, perDay: 1_000, arrivals: "", share: 100, sides: 2 }; // prettier-ignore
type Form = typeof first;

const formOf = (given: Record<string, unknown>): Form =>
  Object.fromEntries(Object.entries(first).map(([key, value]) => [key, typeof given[key] === typeof value ? given[key] : value])) as Form; // prettier-ignore

/** New people by day, as the address holds them; empty where it holds none. */
const arrivalsOf = ({ arrivals }: Form): readonly number[] => {
  const found = arrivals.split("-").map(Number);
  return /^\d+(-\d+)*$/.test(arrivals) && found.length <= 400 && found.some((one) => one > 0) ? found : [];
};

const inputOf = (form: Form): PlanInput =>
  contract.PlanInput.parse({
    metric: form.kind === "mean" ? { kind: "mean", baseline: form.baseline, sd: form.sd } : { kind: "proportion", baseline: form.baseline / 100 },
    effect: form.effect / 100,
    power: form.power / 100,
    alpha: form.alpha / 100,
    sides: form.sides === 1 ? 1 : 2,
    treatments: form.treatments,
    design: designs.find((one) => one === form.design) ?? "group_sequential",
    looks: form.looks,
    correlation: form.correlation,
    guardrails: form.guardrails,
    ...(form.perDay > 0 ? { perDay: form.perDay } : {}),
    ...(arrivalsOf(form).length > 0 ? { arrivals: arrivalsOf(form) } : {}),
    share: form.share / 100,
  }); // prettier-ignore

/** Takes baseline, spread, days and covariate from what the workspace has seen. */
const Past = ({ kind, take }: { kind: string; take: (found: Partial<Form>) => void }) => {
  const [exposure, setExposure] = useState<string | null>(null);
  const [outcome, setOutcome] = useState<string | null>(null);
  const [property, setProperty] = useState("");
  const events = useQuery({ queryKey: ["catalog", "events"], queryFn: ({ signal }) => call(catalog.events, {}, signal) }); // prettier-ignore
  const names = (events.data?.events ?? []).map(({ name }) => name);
  const isMean = kind === "mean";
  const look = useMutation({
    mutationFn: () => call(contract.history, { exposure: { event: exposure, filters: [] }, outcome: { event: outcome, filters: [] }, kind: isMean ? "mean" : "proportion", ...(isMean && property !== "" ? { property } : {}) }), // prettier-ignore
    onSuccess: ({ baseline, sd, perDay, arrivals, correlation }) =>
      take({ baseline: Number((isMean ? baseline : baseline * 100).toPrecision(4)), sd: Number(sd.toPrecision(4)), perDay: Math.max(1, Math.round(perDay)), arrivals: arrivals.map(Math.round).join("-"), correlation: Number(correlation.toFixed(2)) }), // prettier-ignore
  });
  return (
    <Card withBorder>
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          look.mutate();
        }}
      >
        <Stack gap="sm">
          <Title order={2} size="h4">
            From what happened here
          </Title>
          <SimpleGrid cols={{ base: 1, sm: isMean ? 3 : 2 }}>
            <Select label="People take part when they do" data={names} searchable value={exposure} onChange={setExposure} />
            <Select label="What is measured" data={names} searchable value={outcome} onChange={setOutcome} />
            {isMean && <TextInput label="Property that is added up" description="Empty: how often" value={property} onChange={(event) => setProperty(event.currentTarget.value)} />}
          </SimpleGrid>
          <Group>
            <Button type="submit" variant="default" disabled={exposure === null || outcome === null} loading={look.isPending}>
              Take it from the last 28 days
            </Button>
            {look.data !== undefined && <Text role="status" size="sm">{look.data.people.toLocaleString()} people; what they did in the 7 days before explains {percent(look.data.correlation ** 2, 0)} of it.</Text>}
          </Group>
          {[events.error, look.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
        </Stack>
      </form>
    </Card>
  ); // prettier-ignore
};

const curve = (points: Plan["mdeByDay"], name: string, across: string, upright: string, mark: { x?: number; y?: number }) => ({
  grid: { left: 56, right: 16, top: 24, bottom: 40 },
  tooltip: { trigger: "axis", valueFormatter: (value: unknown) => percent(Number(value)) },
  xAxis: { type: "value", name: across, nameLocation: "middle", nameGap: 26, min: "dataMin", max: "dataMax", axisLabel: { formatter: (value: number) => (across === "Day" ? String(value) : percent(value, 1)) } },
  yAxis: { type: "value", name: upright, axisLabel: { formatter: (value: number) => percent(value, 0) } },
  series: [{ name, type: "line", showSymbol: false, data: points.map(({ x, y }) => [x, y]), markLine: { symbol: "none", label: { show: false }, lineStyle: { type: "dashed" }, data: [...(mark.x === undefined ? [] : [{ xAxis: mark.x }]), ...(mark.y === undefined ? [] : [{ yAxis: mark.y }])] } }],
}); // prettier-ignore

const Answer = ({ plan, form }: { plan: Plan; form: Form }) => (
  <Stack>
    <Alert variant="outline" color="blue" role="status" title={plan.sentence}>
      {plan.weeks !== null && `In whole weeks: ${plan.weeks.toLocaleString()} days. `}
      {plan.expectedDays !== null && plan.days !== null && plan.expectedDays < plan.days * 0.99 && `Where the effect is there it ends after ${Math.ceil(plan.expectedDays).toLocaleString()} days on average. `}
      {form.treatments > 1 && `Each comparison stands at ${percent(plan.alphaEach, 3)} (Dunnett). `}
      {form.guardrails > 0 && `Each metric has a power of ${percent(plan.powerEach, 1)}, so that the decision has ${form.power} %.`}
    </Alert>
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      {plan.mdeByDay.length > 1 && (
        <Stack gap={4}>
          <Title order={2} size="h4">What is found until when</Title>
          <Suspense fallback={<div style={{ height: 260 }} />}>
            <Chart height={260} label={`The least effect that is found by day: ${percent(plan.mdeByDay[0]?.y ?? 0)} after ${plan.mdeByDay[0]?.x} days, ${percent(plan.mdeByDay.at(-1)?.y ?? 0)} after ${plan.mdeByDay.at(-1)?.x}.`} options={curve(plan.mdeByDay, "Least effect", "Day", "Least effect", { ...(plan.days === null ? {} : { x: plan.days }), y: Math.abs(form.effect) / 100 })} />
          </Suspense>
        </Stack>
      )}
      <Stack gap={4}>
        <Title order={2} size="h4">How sure it is to find an effect</Title>
        <Suspense fallback={<div style={{ height: 260 }} />}>
          <Chart height={260} label={`Power by effect at ${plan.perArm.toLocaleString()} units of each arm; ${form.power} % at ${form.effect} %.`} options={curve(plan.powerByEffect, "Power", "Effect", "Power", { x: form.effect / 100, y: form.power / 100 })} />
        </Suspense>
      </Stack>
    </SimpleGrid>
    <DataTable
      caption="The same question asked otherwise"
      rows={plan.gains}
      columns={[
        { title: "Looked at", cell: ({ name }) => name },
        { title: "Units in all", numeric: true, cell: ({ total }) => total.toLocaleString() },
        { title: "Against this plan", numeric: true, cell: ({ total }) => percent(total / plan.total, 0) },
        { title: "", cell: ({ note }) => note },
      ]}
    />
    {plan.mdeByDay.length > 1 && (
      <DataTable
        caption="The least effect that is found until then"
        rows={plan.mdeByDay.filter(({ x }) => x % (7 * Math.ceil(plan.mdeByDay.length / 84)) === 0)}
        columns={[
          { title: "After", cell: ({ x }) => `${x} days` },
          { title: "Least effect", numeric: true, cell: ({ y }) => percent(y) },
        ]}
      />
    )}
  </Stack>
); // prettier-ignore

/** How large an experiment has to be, without one: effect, units and days, each from the others. */
export const CalculatorPage = () => {
  const given: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const form = formOf(given);
  const [asked] = useDebouncedValue(JSON.stringify(form), 250);
  const change = (next: Partial<Form>): void => {
    const whole = { ...form, ...next };
    const said = Object.fromEntries(Object.entries(whole).filter(([key, value]) => value !== first[key as keyof Form]));
    void navigate({ to: ".", search: said as never, replace: true });
  };
  const query = useQuery({
    queryKey: ["experiments", "plan", asked],
    queryFn: ({ signal }) => call(contract.plan, inputOf(formOf(JSON.parse(asked) as Record<string, unknown>)), signal),
    placeholderData: keepPreviousData,
    retry: false,
  });
  const number = (key: Exclude<keyof Form, "kind" | "design" | "arrivals">, label: string, more: { description?: string; min?: number; max?: number; suffix?: string; step?: number } = {}) => (
    <NumberInput label={label} value={form[key]} onChange={(value) => typeof value === "number" && value !== form[key] && change({ [key]: value, ...(key === "perDay" ? { arrivals: "" } : {}) })} {...more} />
  );
  return (
    <Stack>
      <Title order={1}>Calculator</Title>
      <SegmentedControl aria-label="What is measured" w="fit-content" data={[{ value: "proportion", label: "A share of people" }, { value: "mean", label: "A number for each" }]} value={form.kind} onChange={(kind) => change({ kind, baseline: kind === "mean" ? 50 : 10 })} />
      <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }}>
        {number("baseline", form.kind === "mean" ? "Average now" : "Share now", form.kind === "mean" ? {} : { suffix: " %", min: 0.001, max: 99.9 })}
        {form.kind === "mean" && number("sd", "Standard deviation", { min: 0.000_001 })}
        {number("effect", "Least effect worth finding", { suffix: " %", description: "Relative" })}
        {number("perDay", "People a day", { min: 0, description: arrivalsOf(form).length > 0 ? "On average; days are as they were here" : "0: not known" })}
        {number("share", "Of whom take part", { suffix: " %", min: 1, max: 100 })}
        {number("treatments", "Treatments", { min: 1, max: 9, description: "Beside one control" })}
        {number("guardrails", "Guardrails", { min: 0, max: 20, description: "That may not become worse" })}
        {number("power", "Power", { suffix: " %", min: 50, max: 99.9 })}
        {number("alpha", "Error", { suffix: " %", min: 0.1, max: 50 })}
        <Select label="Looked at" data={designs.map((value) => ({ value, label: designWords[value] }))} value={form.design} allowDeselect={false} onChange={(design) => change({ design: design ?? "group_sequential" })} />
        {form.design === "group_sequential" && number("looks", "Looks", { min: 2, max: 40 })}
        <Select label="Sides" data={[{ value: "2", label: "Better or worse" }, { value: "1", label: "Better alone" }]} value={String(form.sides)} allowDeselect={false} onChange={(sides) => change({ sides: sides === "1" ? 1 : 2 })} />
        <Stack gap={4}>
          <Text size="sm" fw={500} id="explains">
            The time before goes with it by {form.correlation.toLocaleString("en")}
          </Text>
          <Slider aria-labelledby="explains" thumbLabel="Correlation with the time before" min={0} max={0.95} step={0.05} value={form.correlation} onChange={(correlation) => change({ correlation })} />
        </Stack>
      </SimpleGrid>
      <Past kind={form.kind} take={change} />
      <Loaded query={query} height={320}>
        {(plan) => <Answer plan={plan} form={form} />}
      </Loaded>
    </Stack>
  );
}; // prettier-ignore
