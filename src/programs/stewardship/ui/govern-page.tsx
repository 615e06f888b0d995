import { Anchor, Badge, Button, Card, Group, List, Progress, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { z } from "zod";
import * as quality from "#programs/quality/contract.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { Finding, Task } from "../contract.ts";
import { addressOf } from "./lineage.tsx";
import { classWords, kindWords } from "./words.ts";

/** What each fault is called, and the one thing to do about it. */
const faultWords: Readonly<Record<quality.Told["kind"], { readonly label: string; readonly todo: string; readonly to: (event: string) => string }>> = {
  silent: { label: "Silent", todo: "See what the source still sends", to: () => "/sources" },
  volume: { label: "Too few or too many", todo: "See the event over time", to: (event) => addressOf({ kind: "event", id: event }) },
  conformity: { label: "Breaks its contract", todo: "See what does not fit", to: () => "/contracts" },
  rule: { label: "Breaks a rule", todo: "See its contract", to: () => "/contracts?tab=contracts" },
  missing: { label: "Goes missing", todo: "Agree on it in a contract", to: () => "/contracts?tab=contracts" },
  types: { label: "Changed its type", todo: "Agree on it in a contract", to: () => "/contracts?tab=contracts" },
  drift: { label: "Spread otherwise", todo: "Ask its owner what changed", to: (event) => addressOf({ kind: "event", id: event }) },
  late: { label: "Arrives late", todo: "See what the source sends", to: () => "/sources" },
}; // prettier-ignore

type Report = z.output<typeof quality.report.output>;

const Broke = ({ report, mayLook }: { report: Report; mayLook: boolean }) => {
  const client = useQueryClient();
  const look = useMutation({
    mutationFn: () => call(quality.look, {}),
    onSuccess: () => client.invalidateQueries({ queryKey: ["quality"] }),
  });
  const again = mayLook && (
    <Button variant="default" loading={look.isPending} onClick={() => look.mutate()}>
      Look now
    </Button>
  );
  if (report.at === null)
    return (
      <Empty title="Nobody has looked yet" action={again}>
        What arrives is looked at once an hour: whether it comes, as often as it should, whole, on time and as agreed.
      </Empty>
    );
  return (
    <Stack gap="sm">
      <Group gap="sm" justify="space-between">
        <Text size="sm">
          Looked at {report.looked.events.toLocaleString()} events and {report.looked.properties.toLocaleString()}{" "}
          properties, {moment(report.at)}.
        </Text>
        {again}
      </Group>
      {look.error !== null && <Problem error={look.error} />}
      {report.faults.length === 0 ? (
        <Text>Everything comes as it should.</Text>
      ) : (
        <DataTable
          caption={`What is wrong: ${report.faults.length.toLocaleString()}`}
          rows={report.faults}
          columns={[
            { title: "What", cell: ({ kind }) => faultWords[kind].label },
            {
              title: "Where",
              cell: ({ subject }) =>
                subject.event === "" ? (
                  (subject.property ?? "")
                ) : (
                  <Anchor component={Link} to={addressOf({ kind: "event", id: subject.event })} underline="always" style={{ display: "inline-block", minWidth: 110 }}>
                    {subject.property === null ? subject.event : `${subject.property} of ${subject.event}`}
                  </Anchor>
                ),
            },
            { title: "How", cell: ({ says }) => <Text size="sm" miw={200}>{says}</Text> },
            { title: "Owner", cell: ({ owner }) => (owner === "" ? "nobody yet" : owner) },
            {
              title: "Hits",
              cell: ({ hits }) =>
                hits.length === 0 ? "Nothing that was saved" : hits.map(({ kind, id, title, address }) => <div key={`${kind} ${id}`}><Anchor href={address} underline="always" size="sm">{title}</Anchor></div>),
            },
            {
              title: "Next",
              cell: ({ kind, subject }) => <Anchor href={faultWords[kind].to(subject.event)} underline="always" size="sm">{faultWords[kind].todo}</Anchor>,
            },
          ]}
        />
      )}
      {report.notLooked.length > 0 && (
        <Text size="sm">Could not be looked at: {report.notLooked.slice(0, 10).join(" ")}</Text>
      )}
      {report.scores.length > 0 && (
        <DataTable
          caption="How far each source may be relied on: the mean of the four shares, over the last 7 days"
          rows={report.scores}
          columns={[
            { title: "Source", cell: ({ name }) => name },
            { title: "Score", numeric: true, cell: ({ score }) => (score === null ? "nothing came" : `${score} of 100`) },
            ...(["fresh", "volume", "conform", "onTime"] as const).map((part) => ({
              title: { fresh: "Comes", volume: "As often", conform: "As agreed", onTime: "On time" }[part],
              numeric: true,
              cell: (score: Report["scores"][number]) => `${Math.round(score[part] * 100)} %`,
            })),
            { title: "Events", numeric: true, cell: ({ events }) => events.toLocaleString() },
          ]}
        />
      )}
    </Stack>
  ); // prettier-ignore
};

/** What looks personal and is not classed: to class it, or to say that it is none. */
const Findings = () => {
  const client = useQueryClient();
  const changed = () => client.invalidateQueries({ queryKey: ["stewardship"] });
  const query = useQuery({
    queryKey: ["stewardship", "findings"],
    queryFn: ({ signal }) => call(contract.findings, {}, signal),
  });
  const scan = useMutation({ mutationFn: () => call(contract.scan, {}), onSuccess: changed });
  const judge = useMutation({
    mutationFn: ({
      finding: { kind, name, type, advised },
      isNone,
    }: {
      finding: Finding;
      isNone: boolean;
    }): Promise<unknown> =>
      isNone || kind === "event"
        ? call(contract.dismiss, { kind, name, type })
        : call(contract.classify, { kind, id: name, class: advised, note: `Looks like ${type}.` }),
    onSuccess: changed,
  });
  return (
    <Loaded query={query} height={120}>
      {({ findings, scannedAt }) => (
        <Stack gap="sm">
          <Group gap="sm" justify="space-between">
            <Text size="sm">{scannedAt === null ? "What is stored was not searched yet; it is once a day." : `What is stored was searched ${moment(scannedAt)}.`}</Text>
            <Button variant="default" loading={scan.isPending} onClick={() => scan.mutate()}>
              Search now
            </Button>
          </Group>
          {[scan.error, judge.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
          {findings.length === 0 ? (
            <Text>{scannedAt === null ? "" : "Nothing that looks personal is left to judge."}</Text>
          ) : (
            <DataTable
              caption={`Looks personal, not classed: ${findings.length.toLocaleString()}`}
              rows={findings}
              columns={[
                {
                  title: "Name",
                  cell: ({ kind, name }) => (
                    <Anchor component={Link} to={addressOf({ kind, id: name })} underline="always">
                      {name}
                    </Anchor>
                  ),
                },
                { title: "Is", cell: ({ kind }) => kindWords[kind] },
                {
                  title: "Why",
                  cell: ({ type, hits, looked, detector }) =>
                    type === "FIELD_NAME" ? "Its name" : `${hits.toLocaleString()} of ${looked.toLocaleString()} values look like ${type} (${detector})`,
                },
                {
                  title: "Judge",
                  cell: (finding) => (
                    <Group gap="xs">
                      <Button size="xs" variant="default" aria-label={`Class ${finding.name} as ${classWords[finding.advised].label.toLowerCase()}`} onClick={() => judge.mutate({ finding, isNone: false })}>
                        {classWords[finding.advised].label}
                      </Button>
                      <Button size="xs" variant="default" aria-label={`${finding.name} is none`} onClick={() => judge.mutate({ finding, isNone: true })}>
                        It is none
                      </Button>
                    </Group>
                  ),
                },
              ]}
            />
          )}
        </Stack>
      )}
    </Loaded>
  ); // prettier-ignore
};

const Phase = ({ phase, tasks }: { phase: Task["phase"]; tasks: readonly Task[] }) => {
  const done = tasks.filter(({ isDone }) => isDone).length;
  return (
    <Card withBorder padding="md">
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={3}>By day {phase}</Title>
          <Text size="sm">
            {done} of {tasks.length}
          </Text>
        </Group>
        <Progress value={(100 * done) / tasks.length} aria-label={`Done by day ${phase}`} />
        <List size="sm" spacing={6} listStyleType="none">
          {tasks.map(({ title, says, isDone, address }) => (
            <List.Item key={title}>
              <Badge variant={isDone ? "filled" : "outline"} color={isDone ? "blue" : "gray"} size="sm" mr={6}>
                {isDone ? "Done" : "Open"}
              </Badge>
              <Anchor href={address} underline="always" size="sm">
                {title}
              </Anchor>
              <Text size="sm">{says}</Text>
            </List.Item>
          ))}
        </List>
      </Stack>
    </Card>
  );
};

/** A steward's home: what broke, what waits, what looks personal, and how far governing has come. */
export const GovernPage = ({
  mayEdit,
  mayGovern,
  promises,
}: {
  mayEdit: boolean;
  mayGovern: boolean;
  /** What was promised, and how it stands. */
  promises: ReactNode;
}) => {
  const report = useQuery({ queryKey: ["quality"], queryFn: ({ signal }) => call(quality.report, {}, signal) });
  const home = useQuery({
    queryKey: ["stewardship", "home"],
    queryFn: ({ signal }) => call(contract.home, {}, signal),
  });
  return (
    <Stack gap="xl">
      <Title order={1}>Govern</Title>
      <Stack gap="sm">
        <Title order={2}>What broke</Title>
        <Loaded query={report} height={200}>
          {(found) => <Broke report={found} mayLook={mayEdit} />}
        </Loaded>
      </Stack>
      {promises}
      {mayGovern && (
        <Stack gap="sm">
          <Title order={2}>What looks personal</Title>
          <Findings />
        </Stack>
      )}
      <Loaded query={home} height={300}>
        {({ waits, tasks }) => (
          <>
            {waits.length > 0 && (
              <Stack gap={4}>
                <Title order={2}>What waits</Title>
                <List size="sm">
                  {waits.map(({ says, address }) => (
                    <List.Item key={says}>
                      <Anchor href={address} underline="always" size="sm">
                        {says}
                      </Anchor>
                    </List.Item>
                  ))}
                </List>
              </Stack>
            )}
            <Stack gap="sm">
              <Title order={2}>The first ninety days</Title>
              <Text size="sm">Each is ticked off by how the workspace stands, and by nothing else.</Text>
              <SimpleGrid cols={{ base: 1, md: 3 }}>
                {(["30", "60", "90"] as const).map((phase) => (
                  <Phase key={phase} phase={phase} tasks={tasks.filter((task) => task.phase === phase)} />
                ))}
              </SimpleGrid>
            </Stack>
          </>
        )}
      </Loaded>
    </Stack>
  ); // prettier-ignore
};
