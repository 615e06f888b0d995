import { Alert, Anchor, Badge, Card, Grid, Group, List, Mark, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Loaded } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { Conversation } from "../contract.ts";
import * as judge from "../judge/contract.ts";
import { LabelForm } from "./trust.tsx";
import { driverWords, oneDigit, points, reasonWords, roleWords } from "./words.ts";

interface Shown {
  readonly start: number;
  readonly end: number;
  readonly names: readonly string[];
}

/** A text with what was quoted of it marked; where quotes overlap, the first counts. */
const marked = (text: string, quotes: readonly Shown[]): ReactNode[] => {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const { start, end, names } of quotes.toSorted((a, b) => a.start - b.start)) {
    if (start < at) continue;
    parts.push(text.slice(at, start), <Mark key={start} title={names.join(", ")}>{text.slice(start, end)}</Mark>);
    at = end;
  }
  return [...parts, text.slice(at)];
}; // prettier-ignore

/** Quotes of a part, those of the same words together. */
const quotesIn = (score: Conversation["scores"][number] | undefined, part: string): Shown[] => {
  const found = new Map<string, Shown>();
  for (const { driver, quotes } of score?.drivers ?? [])
    for (const quote of quotes) {
      if (quote.part !== part) continue;
      const key = `${quote.start} ${quote.end}`;
      found.set(key, { start: quote.start, end: quote.end, names: [...(found.get(key)?.names ?? []), driverWords[driver]] }); // prettier-ignore
    }
  return [...found.values()];
};

const Why = ({ score }: { score: Conversation["scores"][number] }) => (
  <Card withBorder component="aside" aria-label="Why this score">
    <Stack gap="sm">
      <Title order={2} size="h4">Why this score</Title>
      {score.score === null ? (
        <Text>{reasonWords[score.reason as keyof typeof reasonWords]}: it has no score.</Text>
      ) : (
        <>
          <Group align="baseline"><Text fz={40} fw={700}>{score.score.toFixed(1)}</Text><Text size="sm">of 5, confidence {Math.round(score.confidence * 100)} %</Text></Group>
          {score.limited && <Alert variant="outline">Words of this language mean nothing to the scorer: it is scored by what is the same in all of them.</Alert>}
          <List spacing="sm">
            {score.drivers.map((one) => (
              <List.Item key={one.driver}><b>{driverWords[one.driver]}</b> <Badge variant="outline" color={one.contribution < 0 ? "red" : "blue"}>{points(one.contribution)}</Badge></List.Item>
            ))}
            <List.Item>Other <Badge variant="outline" color="gray">{points(score.other)}</Badge></List.Item>
          </List>
          <Text size="sm">Points from 3, the middle. Answers: AI agent {oneDigit(score.ai)}, teammates {oneDigit(score.teammate)}.</Text>
          <Text>{score.summary}</Text>
        </>
      )}
    </Stack>
  </Card>
); // prettier-ignore

/** What a language model said of it, with its quotes; nothing where none was asked. */
const Judged = ({ id, parts }: { id: string; parts: Conversation["parts"] }) => {
  const query = useQuery({ queryKey: ["cx", "judgements", id], queryFn: ({ signal }) => call(judge.verdicts, { id }, signal) });
  const texts = new Map(parts.map((part) => [part.id, part.text]));
  return (
    <Loaded query={query} height={0}>
      {({ judgements }) =>
        judgements.length > 0 && (
          <Card withBorder>
            <Stack gap="sm">
              <Title order={2} size="h4">What a language model said</Title>
              {judgements.map((one) => (
                <Stack key={`${one.judge} ${one.at}`} gap={4}>
                  <Text size="sm"><b>{one.score === null ? "No answer that can be used" : one.score.toFixed(1)}</b> by {one.judge}, {moment(one.at)}</Text>
                  <Text size="sm">{one.score === null ? one.problem : one.reason}</Text>
                  <List size="sm">{one.drivers.map(({ driver, polarity, isSupported, quotes }) => <List.Item key={driver}>{driverWords[driver]}: {polarity < 0 ? "worse" : polarity > 0 ? "better" : "mixed"}{isSupported ? `, “${quotes.map(({ part, start, end }) => (texts.get(part) ?? "").slice(start, end)).join("” “")}”` : " (no quote of it is in the text)"}</List.Item>)}</List>
                </Stack>
              ))}
            </Stack>
          </Card>
        )
      }
    </Loaded>
  );
}; // prettier-ignore

/** One conversation: what was written, with what moved its score marked, and why. */
export const ConversationPage = ({ id }: { id: string }) => {
  const query = useQuery({ queryKey: ["cx", "conversation", id], queryFn: ({ signal }) => call(contract.get, { id }, signal) });
  return (
    <Stack>
      <Anchor component={Link} to="/conversations" size="sm">Conversations</Anchor>
      <Loaded query={query} height={400}>
        {(found) => {
          const [score] = found.scores;
          return (
            <Stack>
              <Group>
                <Title order={1} style={{ overflowWrap: "anywhere" }}>{found.subject === "" ? `Conversation ${found.id}` : found.subject}</Title>
                {[found.state, found.channel, found.team].filter((one) => one !== "").map((one) => <Badge key={one} variant="outline">{one}</Badge>)}
              </Group>
              <Group>
                {found.person !== "0" && <Anchor component={Link} to={`/people/${found.person}`}>The customer</Anchor>}
                {found.account !== "" && <Anchor component={Link} to={`/accounts/${encodeURIComponent(found.account)}`}>Account {found.account}</Anchor>}
                {found.rating !== null && <Text size="sm">They rated it {found.rating} of 5 when asked.</Text>}
              </Group>
              <Grid>
                <Grid.Col span={{ base: 12, md: 8 }}>
                  <Stack component="section" aria-label="What was written">
                    {found.parts.length === 0 && <Text>What was written is not kept any more.</Text>}
                    {found.parts.map((part) => (
                      <Card key={part.id} withBorder ml={part.role === "customer" ? 0 : { base: 0, sm: "xl" }} bg={part.isPrivate ? "var(--mantine-color-default-hover)" : undefined}>
                        <Text size="sm" fw={500}>{roleWords[part.role] ?? part.role}{part.author === "" ? "" : `, ${part.author}`}{part.isPrivate ? " (a note, never scored)" : ""} · {moment(part.at)}</Text>
                        <Text style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{part.text === "" ? "It was taken back." : marked(part.text, quotesIn(score, part.id))}</Text>
                      </Card>
                    ))}
                  </Stack>
                </Grid.Col>
                <Grid.Col span={{ base: 12, md: 4 }}><Stack>{score === undefined ? <Text>It is not scored yet.</Text> : <Why score={score} />}<LabelForm key={found.id} id={found.id} label={found.label} isDisputed={found.isDisputed} /><Judged id={found.id} parts={found.parts} /></Stack></Grid.Col>
              </Grid>
              {found.scores.length > 1 && (
                <DataTable caption="How it was scored" rows={found.scores} columns={[{ title: "When", cell: ({ scoredAt }) => moment(scoredAt) }, { title: "Score", numeric: true, cell: (one) => oneDigit(one.score) }, { title: "Version", cell: ({ model, isUsed }) => `${model}${isUsed ? "" : " (in shadow)"}` }]} />
              )}
            </Stack>
          );
        }}
      </Loaded>
    </Stack>
  );
}; // prettier-ignore
