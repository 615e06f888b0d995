import { Alert, Anchor, Badge, Button, Group, Select, Stack, Text, Title } from "@mantine/core";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { FunnelInput, timeToConvert } from "#insights/funnels/contract.ts";
import * as metrics from "#insights/metrics/contract.ts";
import { formatOf, questionOf } from "#insights/metrics/question.ts";
import { valueSays } from "#insights/metrics/sentence.ts";
import { Question } from "#surfaces/explore/contract.ts";
import { askedOf, isShownWhole } from "#surfaces/explore/ui/asked-of.ts";
import { AnswerView } from "#surfaces/explore/ui/answer-view.tsx";
import { written } from "#surfaces/explore/ui/asked.ts";
import { call } from "#web/call.ts";
import { Confirm } from "#web/kit/confirm.tsx";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import { MetricTable } from "./metrics-page.tsx";
import { Trust } from "./trust.tsx";
import { WatchesPanel } from "./watches.tsx";

type Shown = Awaited<ReturnType<typeof call<typeof metrics.get.input, typeof metrics.get.output>>>;

/** The metric as a question over the last quarter. */
const asQuestion = (metric: Shown): Question =>
  Question.parse(questionOf(metric, { range: { last: 90, unit: "day" }, interval: "week", filters: [] }));

const ranges = [30, 90, 180, 365].map((days) => ({ value: String(days), label: `Last ${days} days` }));
const steps = ["day", "week", "month"].map((value) => ({ value, label: `By ${value}` }));

const OverTime = ({ metric }: { metric: Shown }) => {
  const given: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const days = typeof given["days"] === "number" && given["days"] > 0 ? Math.min(1_000, Math.floor(given["days"])) : 90;
  const interval = steps.find(({ value }) => value === given["by"])?.value ?? "week";
  const question = {
    kind: "metric",
    input: metrics.MetricInput.parse({
      metric: metric.key,
      range: { last: days, unit: "day" },
      interval,
      compare: true,
    }),
  } as const;
  const query = useQuery({
    queryKey: ["metric-answer", metric.key, metric.version, days, interval],
    queryFn: ({ signal }) => call(metrics.askMetric, question.input, signal),
    placeholderData: keepPreviousData,
  });
  const go = (part: Record<string, unknown>): void =>
    void navigate({ to: ".", search: ((held: object) => ({ ...held, ...part })) as never, replace: true });
  return (
    <Stack>
      <Group>
        <Select
          aria-label="Range"
          data={ranges}
          value={String(days)}
          allowDeselect={false}
          onChange={(value) => go({ days: Number(value ?? 90) })}
        />
        <Select
          aria-label="Interval"
          data={steps}
          value={interval}
          allowDeselect={false}
          onChange={(value) => go({ by: value ?? "week" })}
        />
        <Button
          component={Link}
          to="/explore"
          search={{ kind: "metric", metric: metric.key, days, interval } as never}
          variant="default"
        >
          Filter or break down
        </Button>
      </Group>
      <Loaded query={query}>{(answer) => <AnswerView result={answer} question={question} />}</Loaded>
    </Stack>
  );
};

/** How long it takes those who get there, where the metric is a way of steps. */
const TimeToValue = ({ metric }: { metric: Shown }) => {
  const question = questionOf(metric, { range: { last: 90, unit: "day" }, interval: "week", filters: [] });
  const parsed = question.kind === "conversion" ? Question.parse(question) : undefined;
  const query = useQuery({
    queryKey: ["metric-time", metric.key, metric.version],
    queryFn: ({ signal }) => {
      const { interval: _, fromStep: __, toStep: ___, ...funnel } = (parsed?.input ?? {}) as Extract<Question, { kind: "conversion" }>["input"]; // prettier-ignore
      return call(timeToConvert, { funnel: FunnelInput.parse(funnel), to: funnel.steps.length - 1 }, signal);
    },
    enabled: parsed !== undefined,
  });
  if (parsed === undefined) return null;
  const said = (seconds: number | null): string => (seconds === null ? "" : valueSays(seconds, "seconds", ""));
  return (
    <Stack component="section" aria-label="Time to value" gap="sm">
      <Title order={2}>Time to value</Title>
      <Loaded query={query} height={80}>
        {({ groups: [all] }) =>
          all === undefined ? (
            <Text>Nobody got there in the last 90 days.</Text>
          ) : (
            <DataTable
              caption="From the first step to the last, of those who entered in the last 90 days"
              rows={[all]}
              columns={[
                { title: "Got there", numeric: true, cell: ({ people }) => people.toLocaleString() },
                { title: "A quarter within", numeric: true, cell: ({ p25 }) => said(p25) },
                { title: "Half within", numeric: true, cell: ({ median }) => said(median) },
                { title: "Three quarters within", numeric: true, cell: ({ p75 }) => said(p75) },
                { title: "Nine in ten within", numeric: true, cell: ({ p90 }) => said(p90) },
                { title: "Average", numeric: true, cell: ({ average }) => said(average) },
              ]}
            />
          )
        }
      </Loaded>
    </Stack>
  );
};

const told = (value: unknown): string => (value === null || value === undefined ? "nothing" : typeof value === "string" ? value : JSON.stringify(value)); // prettier-ignore

/** What is different between two definitions, a line each. */
export const Changes = ({ changes }: { changes: readonly metrics.Change[] }) => (
  <Stack gap={2}>
    {changes.map(({ path, from, to }) => (
      <Text key={path} size="sm">
        {path}: {told(from)} → {told(to)}
      </Text>
    ))}
  </Stack>
);

const History = ({ history }: { history: Shown["history"] }) =>
  <DataTable
    caption="Every definition that it has had"
    rows={history}
    columns={[
      { title: "Version", numeric: true, cell: ({ version }) => version },
      { title: "When", cell: ({ at }) => moment(at) },
      { title: "By", cell: ({ by }) => by },
      { title: "What changed", cell: ({ changes }) => (changes.length === 0 ? "First definition" : <Changes changes={changes} />) },
    ]}
  />; // prettier-ignore

/** What uses a metric, with the way there. */
export const Uses = ({ uses }: { uses: Shown["uses"] }) => (
  <Stack gap={2}>
    {uses.map(({ kind, title, address }) => (
      <Text key={address} size="sm">
        {kind}{" "}
        <Anchor href={address} underline="always">
          {title}
        </Anchor>
      </Text>
    ))}
  </Stack>
);

/** Where the definition is changed: Explore, or the SQL page. */
const placeOf = (question: Question): { to: string; search: Record<string, unknown>; isWhole: boolean } => {
  if (question.kind === "sql") return { to: "/sql", search: { query: question.input.query }, isWhole: true };
  return { to: "/explore", search: written(askedOf(question)), isWhole: isShownWhole(question) };
};

const About = ({ metric, remove }: { metric: Shown; remove: () => void }) => {
  const { name, says, description, unit, direction, owner, product, northStar, moment: stage } = metric;
  const { to, search, isWhole } = placeOf(asQuestion(metric));
  const facts = [unit, { up: "up is better", down: "down is better", none: "" }[direction], owner === "" ? "" : `owned by ${owner}`, product === "" ? "" : `of ${product}`, `version ${metric.version}`]; // prettier-ignore
  return (
    <>
      <Group justify="space-between" align="flex-start">
        <Group gap="sm">
          <Title order={1}>{name}</Title>
          {northStar && <Badge radius="sm">North Star</Badge>}
          {stage !== undefined && (
            <Badge radius="sm" variant="default">
              {stage}
            </Badge>
          )}
        </Group>
        <Group gap="sm">
          <Button component={Link} to={to} search={search as never} variant="default">
            Open as a question
          </Button>
          <Button component={Link} to={to} search={{ ...search, defining: metric.key } as never}>
            Change definition
          </Button>
          <Confirm label="Remove" title={`Remove ${name}?`} run={remove}>
            It leaves the catalog; nothing shows it any more. What it was is kept, and the same key can be defined anew.
          </Confirm>
        </Group>
      </Group>
      <Text size="lg">{says}</Text>
      {description !== "" && <Text maw={720}>{description}</Text>}
      <Text size="sm">{facts.filter((fact) => fact !== "").join(", ")}</Text>
      {metric.origin === "files" && (
        <Alert variant="outline" title="Defined in files">
          A change made here shows as a difference in the next <code>throughline plan</code>, and applying the files
          sets it back.
        </Alert>
      )}
      {!isWhole && (
        <Text size="sm">
          Explore does not show every option of this definition. Change it in its file, or through the API.
        </Text>
      )}
    </>
  );
};

/** One metric: what it is, how it stands, what moves it, what uses it, and what it was before. */
export const MetricPage = ({ metric: key, mayEdit }: { metric: string; mayEdit: boolean }) => {
  const navigate = useNavigate();
  const client = useQueryClient();
  const query = useQuery({
    queryKey: ["metric", key],
    queryFn: ({ signal }) => call(metrics.get, { metric: key }, signal),
  });
  const all = useQuery({ queryKey: ["metrics"], queryFn: ({ signal }) => call(metrics.list, {}, signal) });
  const remove = useMutation({
    mutationFn: () => call(metrics.remove, { metric: key }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["metrics"] });
      await navigate({ to: "/catalog/metrics" });
    },
  });
  return (
    <Stack>
      <Anchor component={Link} to="/catalog/metrics" underline="always">
        All metrics
      </Anchor>
      <Loaded query={query}>
        {(metric) => {
          const inputs = (all.data?.metrics ?? []).filter((one) => metric.inputs.includes(one.key));
          return (
            <Stack>
              <About metric={metric} remove={() => remove.mutate()} />
              {remove.error !== null && <Problem error={remove.error} />}
              <Trust metric={key} />
              <OverTime metric={metric} />
              <WatchesPanel
                metric={{
                  key,
                  format: formatOf(metric),
                  by: metric.measure.kind === "retention" ? metric.measure.period : undefined,
                  isOfSome: formatOf(metric) === "share" || metric.measure.kind === "average",
                  said: (value) => valueSays(value, formatOf(metric), metric.unit),
                }}
                mayEdit={mayEdit}
              />
              <TimeToValue metric={metric} />
              {inputs.length > 0 && (
                <Stack gap="sm">
                  <Title order={2}>What moves it</Title>
                  <MetricTable caption="Its inputs" rows={inputs} />
                </Stack>
              )}
              <Title order={2}>Used by</Title>
              {metric.uses.length === 0 ? <Text size="sm">Nothing yet.</Text> : <Uses uses={metric.uses} />}
              <Title order={2}>History</Title>
              <History history={metric.history} />
            </Stack>
          );
        }}
      </Loaded>
    </Stack>
  );
};
