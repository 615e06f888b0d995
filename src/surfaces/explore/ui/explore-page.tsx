import { Button, Chip, Grid, Group, Stack, Title } from "@mantine/core";
import { useDisclosure, useMediaQuery } from "@mantine/hooks";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import * as catalog from "#records/catalog/contract.ts";
import { call, CallError } from "#web/call.ts";
import { Empty, Problem, Waiting } from "#web/kit/states.tsx";
import type { BuiltKind, BuiltQuestion } from "../contract.ts";
import { AnswerView } from "./answer-view.tsx";
import { readAsked, takes, written, type Asked } from "./asked.ts";
import { Builder } from "./builder.tsx";
import { askQuestion } from "./ask.ts";
import { insightOf, kinds } from "../insights.ts";
import { TimeToConvert } from "./time-to-convert.tsx";
import { isReady, questionOf } from "./question.ts";

const wanted = (fewest: number): string =>
  fewest === 1 ? "Choose an event" : `Choose ${fewest === 2 ? "two" : fewest} steps or more`;

const suggestedTitle = (asked: Asked): string =>
  asked.events.length === 0
    ? insightOf(asked.kind).title
    : asked.events.map(({ name }) => (name === "" ? "Every event" : name)).join(" to ");

/** What else there is to see of a kind. */
const MoreOf = ({ question }: { question: BuiltQuestion }) =>
  question.kind === "funnel" && question.input.counting === "people" ? <TimeToConvert funnel={question.input} /> : null;

/** What may be kept of the page. */
export interface Savable {
  readonly kind: BuiltKind;
  readonly question: () => BuiltQuestion;
  readonly suggested: string;
  /** The metric that it is to become another version of; empty for none. */
  readonly defining: string;
}

/** One place to ask: the builder at the left, the answer at the right, the question in the address. */
export const ExplorePage = ({ save }: { save: (save: Savable) => ReactNode }) => {
  const asked = readAsked(useSearch({ strict: false }));
  const navigate = useNavigate();
  const client = useQueryClient();
  const change = (part: Partial<Asked>): void =>
    void navigate({ to: "/explore", search: written({ ...asked, ...part }) as never });
  const events = useQuery({
    queryKey: ["events"],
    queryFn: ({ signal }) => call(catalog.events, { limit: 500 }, signal),
  });
  const ready = isReady(asked);
  const isWide = useMediaQuery("(min-width: 62em)", true);
  // where there is little room, the answer stands first once there is one
  const [building, { toggle }] = useDisclosure(!ready);
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
          {ready &&
            save({
              kind: asked.kind,
              question: () => questionOf(asked),
              suggested: suggestedTitle(asked),
              defining: asked.defining,
            })}
        </Group>
      </Group>
      <Chip.Group value={asked.kind} onChange={(kind) => change({ kind: kind as BuiltKind })}>
        <Group gap="xs" role="radiogroup" aria-label="Kind of question">
          {kinds.map(({ value, label }) => (
            <Chip key={value} value={value} radius="sm" variant="outline">
              {label}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
      <Grid>
        <Grid.Col span={{ base: 12, md: 4, xl: 3 }}>
          {!isWide && (
            <Button variant="default" fullWidth mb="sm" aria-expanded={building} onClick={toggle}>
              {building ? "Hide the question" : "Change the question"}
            </Button>
          )}
          {(isWide || building) && (
            <Builder asked={asked} change={change} names={(events.data?.events ?? []).map(({ name }) => name)} />
          )}
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 8, xl: 9 }}>
          {!ready && <Empty title={wanted(takes[asked.kind][0])}>{insightOf(asked.kind).explains}</Empty>}
          {ready && answer.error !== null && <Problem error={answer.error} retry={() => void answer.refetch()} />}
          {ready && answer.data === undefined && answer.error === null && (
            <Waiting cancel={() => void client.cancelQueries({ queryKey: key })} />
          )}
          {ready && answer.data !== undefined && answer.error === null && (
            <div style={{ opacity: answer.isPlaceholderData ? 0.5 : 1 }} aria-busy={answer.isPlaceholderData}>
              <Stack>
                <AnswerView result={answer.data} question={questionOf(asked)} />
                <MoreOf question={questionOf(asked)} />
              </Stack>
            </div>
          )}
        </Grid.Col>
      </Grid>
    </Stack>
  );
};
