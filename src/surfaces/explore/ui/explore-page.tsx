import {
  Button,
  Card,
  Grid,
  Group,
  MultiSelect,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  Switch,
  Title,
} from "@mantine/core";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { needsProperty, type Measure } from "#insights/trends/contract.ts";
import * as catalog from "#records/catalog/contract.ts";
import { call, CallError } from "#web/call.ts";
import { Empty, Problem, Waiting } from "#web/kit/states.tsx";
import type { ReactNode } from "react";
import type { Question } from "../contract.ts";
import { AnswerView } from "./answers.tsx";
import { askQuestion, questionOf } from "./question.ts";
import { mostEvents, readAsked, withKind, type Asked } from "./state.ts";

const measures: readonly { value: Measure; label: string }[] = [
  { value: "unique", label: "People" },
  { value: "total", label: "Events" },
  { value: "per_user", label: "Events per person" },
  { value: "sum", label: "Sum of a property" },
  { value: "avg", label: "Average of a property" },
  { value: "median", label: "Median of a property" },
  { value: "p90", label: "90th percentile of a property" },
];
const kinds = [
  { value: "trends", label: "Trend" },
  { value: "funnel", label: "Funnel" },
  { value: "retention", label: "Retention" },
];
const ranges = [7, 14, 30, 90, 180, 365].map((days) => ({ value: String(days), label: `Last ${days} days` }));

const fewest = (asked: Asked): number => (asked.kind === "funnel" ? 2 : 1);

const useProperties = () => {
  const { data } = useQuery({
    queryKey: ["properties"],
    queryFn: ({ signal }) => call(catalog.properties, { limit: 500 }, signal),
    staleTime: 30_000,
  });
  const all = data?.properties ?? [];
  const names = (on: "event" | "person") => [...new Set(all.filter((item) => item.on === on).map((item) => item.name))];
  return { ofEvents: names("event"), ofPeople: names("person") };
};

const Builder = ({
  asked,
  change,
  events,
}: {
  asked: Asked;
  change: (part: Partial<Asked>) => void;
  events: readonly { name: string; count: number }[];
}) => {
  const { ofEvents, ofPeople } = useProperties();
  const traits = ofPeople.map((name) => ({ value: `person:${name}`, label: name }));
  const groups =
    asked.kind === "retention"
      ? [{ group: "Person", items: traits }]
      : [
          { group: "Person", items: traits },
          { group: "Event", items: ofEvents.map((name) => ({ value: name, label: name })) },
        ];
  const labels = {
    trends: "Events",
    funnel: "Steps, in order",
    retention: "Started with, then came back with",
  } as const;
  return (
    <Card withBorder>
      <Stack gap="sm">
        <SegmentedControl
          fullWidth
          aria-label="Kind of question"
          data={kinds}
          value={asked.kind}
          onChange={(kind) => change(withKind(asked, kind as Asked["kind"]))}
        />
        <MultiSelect
          label={labels[asked.kind]}
          placeholder={asked.events.length === 0 ? "Type a name" : ""}
          searchable
          data={events.map((event) => event.name)}
          value={[...asked.events]}
          onChange={(names) => change({ events: names })}
          maxValues={mostEvents[asked.kind]}
          nothingFoundMessage="No such event"
        />
        {asked.kind === "trends" && (
          <Select
            label="Count"
            data={measures}
            value={asked.measure}
            allowDeselect={false}
            onChange={(value) => change({ measure: (value as Measure | null) ?? "unique" })}
          />
        )}
        {asked.kind === "trends" && needsProperty.has(asked.measure) && (
          <Select
            label="Property"
            searchable
            data={ofEvents}
            value={asked.property || null}
            onChange={(value) => change({ property: value ?? "" })}
          />
        )}
        {asked.kind === "funnel" && (
          <NumberInput
            label="Within days of the first step"
            min={1}
            max={366}
            value={asked.windowDays}
            onChange={(value) => typeof value === "number" && change({ windowDays: value })}
          />
        )}
        <Select
          label="Range"
          data={ranges}
          value={String(asked.days)}
          allowDeselect={false}
          onChange={(value) => change({ days: Number(value ?? 30) })}
        />
        {asked.kind !== "funnel" && (
          <Select
            label="By"
            data={asked.kind === "trends" ? ["hour", "day", "week", "month"] : ["day", "week", "month"]}
            value={asked.interval}
            allowDeselect={false}
            onChange={(value) => change({ interval: (value as Asked["interval"] | null) ?? "day" })}
          />
        )}
        <Select
          label="Break down by"
          searchable
          clearable
          data={groups}
          value={asked.breakdown || null}
          onChange={(value) => change({ breakdown: value ?? "" })}
        />
        {asked.kind === "trends" && (
          <Switch
            label="Compare with the period before"
            checked={asked.compare}
            onChange={(event) => change({ compare: event.currentTarget.checked })}
          />
        )}
      </Stack>
    </Card>
  );
};

/** One place to ask: the builder at the left, the answer at the right, the question in the address. */
export const ExplorePage = ({ save }: { save: (question: () => Question, suggested: string) => ReactNode }) => {
  const asked = readAsked(useSearch({ strict: false }));
  const navigate = useNavigate();
  const client = useQueryClient();
  const change = (part: Partial<Asked>): void =>
    void navigate({ to: "/explore", search: { ...asked, ...part } as never });
  const events = useQuery({
    queryKey: ["events"],
    queryFn: ({ signal }) => call(catalog.events, { limit: 500 }, signal),
  });
  const ready =
    asked.events.length >= fewest(asked) &&
    !(asked.kind === "trends" && needsProperty.has(asked.measure) && asked.property === "");
  const key = ["answer", asked];
  const answer = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => askQuestion(questionOf(asked), signal),
    enabled: ready,
    placeholderData: keepPreviousData,
    retry: (count, error) => count < 2 && error instanceof CallError && error.status === 503,
  });

  if (events.data?.events.length === 0) {
    return (
      <Stack>
        <Title order={1}>Explore</Title>
        <Empty
          title="Nothing to ask about yet"
          action={
            <Button component={Link} to="/sources">
              Connect a source
            </Button>
          }
        >
          Here you ask how often things happen, how people get from one step to the next, and who comes back. Connect a
          source first; the first event is enough.
        </Empty>
      </Stack>
    );
  }
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1}>Explore</Title>
        <Group gap="sm">
          <Button variant="default" onClick={() => void navigator.clipboard.writeText(window.location.href)}>
            Copy link
          </Button>
          {ready && save(() => questionOf(asked), asked.events.join(" to "))}
        </Group>
      </Group>
      <Grid>
        <Grid.Col span={{ base: 12, md: 4, xl: 3 }}>
          <Builder asked={asked} change={change} events={events.data?.events ?? []} />
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 8, xl: 9 }}>
          {!ready && (
            <Empty title={asked.kind === "funnel" ? "Choose two steps or more" : "Choose an event"}>
              {asked.kind === "funnel"
                ? "A funnel shows how many people get from the first step to the last, and how long it takes."
                : asked.kind === "retention"
                  ? "Retention shows who comes back after starting, day by day or week by week."
                  : "A trend shows how often something happens, or how many people do it."}
            </Empty>
          )}
          {ready && answer.error !== null && <Problem error={answer.error} retry={() => void answer.refetch()} />}
          {ready && answer.data === undefined && answer.error === null && (
            <Waiting cancel={() => void client.cancelQueries({ queryKey: key })} />
          )}
          {ready && answer.data !== undefined && answer.error === null && (
            <div style={{ opacity: answer.isPlaceholderData ? 0.5 : 1 }} aria-busy={answer.isPlaceholderData}>
              <AnswerView result={answer.data} />
            </div>
          )}
        </Grid.Col>
      </Grid>
    </Stack>
  );
};
