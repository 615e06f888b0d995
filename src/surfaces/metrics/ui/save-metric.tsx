import { Button, Group, Modal, MultiSelect, NumberInput, Select, Stack, Switch, Text, Textarea, TextInput } from "@mantine/core"; // prettier-ignore
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { states } from "#insights/lifecycle/contract.ts";
import * as metrics from "#insights/metrics/contract.ts";
import type { Definition, MetricResult, MetricView } from "#insights/metrics/contract.ts";
import { metricInsight } from "#insights/metrics/insight.ts";
import { measureOf, type Choice } from "#insights/metrics/question.ts";
import { valueSays } from "#insights/metrics/sentence.ts";
import { metricSays } from "#insights/metrics/says.ts";
import type { Question } from "#surfaces/explore/contract.ts";
import { call } from "#web/call.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import { Changes, Uses } from "./metric-page.tsx";

const Chart = lazy(() => import("#web/kit/chart.tsx"));

/** What is said of a metric besides its measure. */
type Told = Omit<Definition, "measure" | "filters">;

const keyOf = (name: string): string =>
  name.toLowerCase().normalize("NFKD").replaceAll(/[^a-z0-9]+/g, "_").replaceAll(/^[_0-9]+|_+$/g, "").slice(0, 64); // prettier-ignore

const start = (name: string): Told => ({
  key: keyOf(name),
  name,
  description: "",
  owner: "",
  product: "",
  unit: "",
  direction: "up",
  northStar: false,
  inputs: [],
});

/** Which number of an answer that has several. */
const WhichNumber = ({
  kind,
  choice,
  change,
}: {
  kind: Question["kind"];
  choice: Choice;
  change: (choice: Choice) => void;
}) => {
  if (kind === "funnel" || kind === "conversion")
    return (
      <Select
        label="The number is"
        allowDeselect={false}
        data={[
          { value: "share", label: "The share that gets to the end" },
          { value: "median", label: "The time it takes, half of them" },
          { value: "p75", label: "The time it takes, three quarters" },
          { value: "p90", label: "The time it takes, nine in ten" },
          { value: "average", label: "The time it takes, on average" },
        ]}
        value={choice.statistic ?? "share"}
        onChange={(value) => change({ statistic: value === "share" ? undefined : (value as Choice["statistic"]) })}
      />
    );
  if (kind === "retention")
    return <NumberInput label="The share that comes back in period" min={1} max={30} value={choice.after ?? 1} onChange={(after) => change({ after: Number(after) || 1 })} />; // prettier-ignore
  if (kind === "lifecycle")
    return <Select label="The number of those who are" allowDeselect={false} data={[...states]} value={choice.state ?? "new"} onChange={(state) => change({ state: state as Choice["state"] })} />; // prettier-ignore
  if (kind === "stickiness")
    return <NumberInput label="The share that is active in at least so many" min={1} max={100} value={choice.atLeast ?? 3} onChange={(atLeast) => change({ atLeast: Number(atLeast) || 1 })} />; // prettier-ignore
  if (kind === "sql")
    return <Select label="Rows of one day, week or month" allowDeselect={false} data={[{ value: "sum", label: "Are added up" }, { value: "average", label: "Are averaged" }, { value: "last", label: "Count by their last" }]} value={choice.combine ?? "sum"} onChange={(combine) => change({ combine: combine as Choice["combine"] })} />; // prettier-ignore
  if (kind !== "sessions") return null;
  return (
    <Select
      label="The number is"
      allowDeselect={false}
      data={[
        { value: "sessions", label: "Sessions" },
        { value: "averageSeconds", label: "Their average length" },
        { value: "medianSeconds", label: "Their median length" },
        { value: "eventsPerSession", label: "Events in each" },
        { value: "single", label: "The share with one event only" },
      ]}
      value={choice.figure ?? "sessions"}
      onChange={(figure) => change({ figure: figure as Choice["figure"] })}
    />
  );
};

const Fields = ({
  told,
  change,
  others,
}: {
  told: Told;
  change: (told: Told) => void;
  others: readonly MetricView[];
}) =>
  <>
    <Group grow align="flex-start">
      <TextInput label="Unit" placeholder="such as teams or EUR" value={told.unit} onChange={({ currentTarget }) => change({ ...told, unit: currentTarget.value })} />
      <Select
        label="Better is"
        allowDeselect={false}
        data={[{ value: "up", label: "More" }, { value: "down", label: "Less" }, { value: "none", label: "Neither" }]}
        value={told.direction}
        onChange={(value) => change({ ...told, direction: (value as Told["direction"] | null) ?? "up" })}
      />
    </Group>
    <Group grow align="flex-start">
      <TextInput label="Owner" placeholder="an email or a team" value={told.owner} onChange={({ currentTarget }) => change({ ...told, owner: currentTarget.value })} />
      <TextInput label="Only of the product" placeholder="every product" value={told.product} onChange={({ currentTarget }) => change({ ...told, product: currentTarget.value })} />
    </Group>
    <Select
      label="Value moment"
      clearable
      placeholder="None"
      data={metrics.moments.map((moment) => ({ value: moment, label: moment }))}
      value={told.moment ?? null}
      onChange={(value) => change({ ...told, moment: (value as Told["moment"] | null) ?? undefined })}
    />
    <MultiSelect
      label="What moves it"
      searchable
      data={others.map(({ key, name }) => ({ value: key, label: name }))}
      value={told.inputs}
      onChange={(inputs) => change({ ...told, inputs })}
    />
    <Switch label="It is the North Star" checked={told.northStar} onChange={({ currentTarget }) => change({ ...told, northStar: currentTarget.checked })} />
    <Textarea label="Description" autosize value={told.description} onChange={({ currentTarget }) => change({ ...told, description: currentTarget.value })} />
  </>; // prettier-ignore

/** Both definitions on one chart. */
const sideBySide = (before: MetricResult, after: MetricResult): MetricResult => ({
  ...after,
  groups: [
    { ...(after.groups[0] as MetricResult["groups"][number]), group: "As it will be" },
    { ...(before.groups[0] as MetricResult["groups"][number]), group: "As it is" },
  ],
});

/** What a definition gives, and where the metric is there already, what it changes. */
const Preview = ({ definition, saved }: { definition: Definition; saved: (over: number) => void }) => {
  const [asked] = useDebouncedValue(definition, 400);
  const client = useQueryClient();
  const query = useQuery({
    queryKey: ["metric-preview", asked],
    queryFn: ({ signal }) => call(metrics.preview, { definition: asked, range: { last: 13, unit: "week" }, interval: "week" }, signal), // prettier-ignore
  });
  const save = useMutation({
    mutationFn: (over: number) => call(metrics.define, { definition, over }),
    onSuccess: async (_, over) => {
      await client.invalidateQueries({ predicate: ({ queryKey: [name] }) => String(name).startsWith("metric") });
      saved(over);
    },
  });
  const total = ({ groups, format, metric }: MetricResult): string => {
    const value = groups[0]?.total.value;
    return value === null || value === undefined ? "no value" : valueSays(value, format, metric.unit);
  };
  return (
    <Loaded query={query} height={240}>
      {({ before, after, changes, uses, version }) => {
        const shown = before === null || before.groups.length === 0 || after.groups.length === 0 ? after : sideBySide(before, after); // prettier-ignore
        return (
          <Stack gap="sm">
            <Text>
              {before === null
                ? after.sentence
                : `Over the last 13 weeks: ${total(before)} as it is, ${total(after)} as it will be.`}
            </Text>
            <Suspense>
              <Chart options={metricInsight.chart(shown) ?? {}} label={after.sentence} height={220} />
            </Suspense>
            {version > 0 && changes.length === 0 && <Text size="sm">Nothing is different from version {version}.</Text>}
            <Changes changes={changes} />
            {uses.length > 0 && (
              <>
                <Text size="sm" fw={600}>
                  These show other numbers from then on:
                </Text>
                <Uses uses={uses} />
              </>
            )}
            {save.error !== null && <Problem error={save.error} />}
            <Group justify="flex-end">
              <Button
                onClick={() => save.mutate(version)}
                loading={save.isPending}
                disabled={(version > 0 && changes.length === 0) || asked !== definition}
              >
                {version === 0 ? "Save metric" : `Save as version ${version + 1}`}
              </Button>
            </Group>
          </Stack>
        );
      }}
    </Loaded>
  );
};

interface FormProps {
  readonly question: Question;
  readonly first: Told;
  readonly known: readonly MetricView[];
  readonly isNew: boolean;
  readonly choice: Choice;
  readonly saved: (key: string) => void;
}

const Form = ({ question, first, known, isNew, choice: firstChoice, saved }: FormProps) => {
  const [told, setTold] = useState(first);
  const [choice, setChoice] = useState(firstChoice);
  const drafted = measureOf(question, choice);
  if ("problem" in drafted) return <Text>{drafted.problem}</Text>;
  // the condition on the product is said as the product
  const filters = ("filters" in question.input ? question.input.filters : []).filter(({ on, values }) => !(on === "product" && told.product !== "" && values[0] === told.product)); // prettier-ignore
  const definition: Definition = { ...told, measure: drafted.measure, filters };
  const isNamed = metrics.Key.safeParse(told.key).success && told.name.trim() !== "";
  const taken = isNew && known.some(({ key }) => key === told.key);
  return (
    <Stack>
      <Text size="sm">{metricSays(definition)}</Text>
      <Group grow align="flex-start">
        <TextInput
          label="Name"
          required
          data-autofocus
          value={told.name}
          onChange={({ currentTarget: { value } }) =>
            setTold({ ...told, name: value, key: isNew ? keyOf(value) : told.key })
          }
        />
        <TextInput
          label="Key"
          description="In files and the API"
          inputWrapperOrder={["label", "input", "description", "error"]}
          disabled={!isNew}
          value={told.key}
          error={taken ? "There is a metric with this key." : undefined}
          onChange={({ currentTarget: { value } }) => setTold({ ...told, key: value })}
        />
      </Group>
      <WhichNumber kind={question.kind} choice={choice} change={setChoice} />
      <Fields told={told} change={setTold} others={known.filter(({ key }) => key !== told.key)} />
      {isNamed && !taken ? (
        <Preview definition={definition} saved={() => saved(told.key)} />
      ) : (
        <Text size="sm">Give it a name to see what it gives.</Text>
      )}
    </Stack>
  );
};

const choiceOf = ({ measure }: MetricView): Choice => {
  if (measure.kind === "time_to_value") return { statistic: measure.statistic };
  if (measure.kind === "retention") return { after: measure.after };
  if (measure.kind === "lifecycle") return { state: measure.state };
  if (measure.kind === "stickiness") return { atLeast: measure.atLeast };
  if (measure.kind === "sql") return { combine: measure.combine };
  return measure.kind === "sessions" ? { figure: measure.figure } : {};
};

/** Makes the question of the page a metric, or another version of one; shows what that changes before it is kept. */
export const SaveMetric = ({
  question,
  suggested,
  defining,
}: {
  question: () => Question;
  suggested: string;
  defining: string;
}) => {
  const [opened, { open, close }] = useDisclosure();
  const navigate = useNavigate();
  const query = useQuery({
    queryKey: ["metrics"],
    queryFn: ({ signal }) => call(metrics.list, {}, signal),
    enabled: opened,
  });
  const saved = (key: string): void => {
    close();
    void navigate({ to: "/catalog/metrics/$metric", params: { metric: key } as never });
  };
  return (
    <>
      <Button variant="default" onClick={open}>
        {defining === "" ? "Save as metric" : "Save definition"}
      </Button>
      <Modal
        opened={opened}
        onClose={close}
        title={defining === "" ? "Save as metric" : `Change ${defining}`}
        size="lg"
      >
        <Loaded query={query}>
          {({ metrics: known }) => {
            const current = known.find(({ key }) => key === defining);
            const first = current === undefined ? start(suggested) : metrics.definitionOf(current);
            return (
              <Form
                question={question()}
                first={first}
                known={known}
                isNew={current === undefined}
                choice={current === undefined ? {} : choiceOf(current)}
                saved={saved}
              />
            );
          }}
        </Loaded>
      </Modal>
    </>
  );
};
