import {
  Alert,
  Anchor,
  Badge,
  Blockquote,
  Button,
  Card,
  Group,
  Select,
  SimpleGrid,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { conversationKinds } from "#records/conversations/contract.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { Overview, Statement } from "../contract.ts";
import { statementTypes } from "../types.ts";
import { AddVoice } from "./add.tsx";
import { kindWords, typeWords } from "./words.ts";

const day = 86_400_000;
const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10);
const moodWords = (mood: number): string => (mood <= -0.15 ? "unhappy" : mood >= 0.15 ? "happy" : "mixed");

const Themes = ({ found, choose }: { found: Overview; choose: (theme: string) => void }) => (
  <Stack gap="sm">
    {found.themes.filter(({ contradiction }) => contradiction !== null).map(({ id, title, contradiction }) => (
      <Alert key={id} variant="outline" title={`They do not agree about ${title === "" ? "other things" : title}`}>
        {contradiction?.praising} people praise it, {contradiction?.suffering} have a problem with it. <Anchor component="button" type="button" onClick={() => choose(id)}>Read both sides</Anchor>
      </Alert>
    ))}
    <DataTable
      caption="What they speak of, by how many people do"
      rows={found.themes}
      columns={[
        { title: "Theme", cell: ({ id, title }) => <Anchor component="button" type="button" ta="left" onClick={() => choose(id)}>{title === "" ? "Other things" : title}</Anchor> },
        { title: "People", numeric: true, cell: ({ people }) => people.toLocaleString() },
        { title: "Statements", numeric: true, cell: ({ statements }) => statements.toLocaleString() },
        { title: "Problems", numeric: true, cell: ({ problems }) => problems.toLocaleString() },
        { title: "Requests", numeric: true, cell: ({ requests }) => requests.toLocaleString() },
        { title: "Praise", numeric: true, cell: ({ praise }) => praise.toLocaleString() },
        { title: "Jobs", numeric: true, cell: ({ jobs }) => jobs.toLocaleString() },
        { title: "Mood", cell: ({ mood }) => <span style={{ whiteSpace: "nowrap" }}>{moodWords(mood)} ({mood.toFixed(2)})</span> },
      ]}
    />
  </Stack>
); // prettier-ignore

const One = ({ one }: { one: Statement }) => (
  <Card withBorder component="li">
    <Stack gap={6}>
      <Group gap="xs">
        <Badge variant="outline" color={one.type === "problem" ? "red" : one.type === "praise" ? "teal" : "blue"}>{typeWords[one.type]}</Badge>
        <Text size="sm">{[...(one.theme === "" ? [] : [one.theme]), ...(one.times > 1 ? [`said ${one.times.toLocaleString()} times by ${one.people.toLocaleString()} ${one.people === 1 ? "person" : "people"}`] : [])].join(" · ")}</Text>
      </Group>
      <Blockquote p="xs" style={{ overflowWrap: "anywhere" }}>{one.quote}</Blockquote>
      {one.job !== null && <Text size="sm">{[one.job.when, one.job.want, one.job.so].filter((part) => part !== null).join(" → ")}</Text>}
      <Group gap="xs">
        <Text size="sm">{one.speaker === "" ? "" : `${one.speaker}, `}{kindWords[one.kind].toLowerCase()}, {moment(one.at)}</Text>
        {one.person !== "0" && <Anchor size="sm" component={Link} to={`/people/${one.person}`}>Who it is</Anchor>}
        <Anchor size="sm" component={Link} to={`/conversations/${encodeURIComponent(one.conversation)}`}>Where it was said</Anchor>
      </Group>
    </Stack>
  </Card>
); // prettier-ignore

/** What people say of what they need and how they see things, wherever they say it. */
export const VoicesPage = ({ mayRead }: { mayRead: boolean }) => {
  const given: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (next: Record<string, unknown>): void => void navigate({ to: ".", search: { ...given, ...next } as never, replace: true }); // prettier-ignore
  const days = Number(given["days"]) > 0 ? Math.min(3_650, Number(given["days"])) : 90;
  const kind = conversationKinds.find((one) => one === given["kind"]);
  const type = statementTypes.find((one) => one === given["type"]);
  const theme = typeof given["theme"] === "string" ? given["theme"] : undefined;
  const [now] = useState(() => Date.now());
  const asked = { from: dateOf(now - days * day), to: dateOf(now), ...(kind === undefined ? {} : { kind }) };
  const overview = useQuery({ queryKey: ["voices", "overview", asked], queryFn: ({ signal }) => call(contract.overview, asked, signal), refetchInterval: (query) => ((query.state.data?.waiting ?? 0) > 0 ? 3_000 : false) });
  const more = { ...(type === undefined ? {} : { type }), ...(theme === undefined ? {} : { theme }) };
  const list = useQuery({ queryKey: ["voices", "statements", asked, more, overview.data?.waiting ?? 0], queryFn: ({ signal }) => call(contract.statements, { ...asked, ...more }, signal), enabled: mayRead });
  const title = theme === undefined ? undefined : (overview.data?.themes.find(({ id }) => id === theme)?.title ?? "");
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1}>Voices</Title>
        <Group align="end">
          {mayRead && <AddVoice />}
          <Select aria-label="Where" w={150} clearable placeholder="Everywhere" data={conversationKinds.map((value) => ({ value, label: kindWords[value] }))} value={kind ?? null} onChange={(next) => change({ kind: next ?? undefined })} />
          <Select aria-label="Range" w={150} data={[{ value: "28", label: "28 days" }, { value: "90", label: "90 days" }, { value: "365", label: "A year" }, { value: "1095", label: "Three years" }]} value={String(days)} allowDeselect={false} onChange={(next) => change({ days: Number(next) })} />
        </Group>
      </Group>
      <Loaded query={overview} height={300}>
        {(found) =>
          found.kinds.length === 0 ? (
            <Empty title={found.waiting > 0 ? "They are being read" : "Nobody has said anything in this time"}>
              {found.waiting > 0 ? `${found.waiting.toLocaleString()} conversations wait to be read. This page follows by itself.` : "Conversations, interviews, calls, reviews and notes are read here for problems, requests, praise and jobs to be done. Add one, or send them with POST /v1/conversations and a kind such as interview."}
            </Empty>
          ) : (
            <Stack>
              <Text size="sm">{found.kinds.map((one) => `${kindWords[one.kind]}: ${one.statements.toLocaleString()} statements in ${one.conversations.toLocaleString()}`).join(" · ")}{found.waiting > 0 ? ` · ${found.waiting.toLocaleString()} wait to be read` : ""}</Text>
              <Themes found={found} choose={(next) => change({ theme: next })} />
            </Stack>
          )
        }
      </Loaded>
      {mayRead && (overview.data?.kinds.length ?? 0) > 0 && (
        <Stack component="section" aria-label="Word for word">
          <Title order={2} size="h4">Word for word</Title>
          <Group align="end">
            <Select label="What" w={180} clearable placeholder="All" data={statementTypes.map((value) => ({ value, label: typeWords[value] }))} value={type ?? null} onChange={(next) => change({ type: next ?? undefined })} />
            {title !== undefined && <Button variant="default" onClick={() => change({ theme: undefined })}>{title === "" ? "Other things" : title}: show all themes</Button>}
          </Group>
          <Loaded query={list} height={200}>
            {({ statements }) => (statements.length === 0 ? <Text>Nothing is like that.</Text> : <SimpleGrid component="ul" cols={{ base: 1, md: 2 }} p={0} m={0} style={{ listStyle: "none" }}>{statements.map((one) => <One key={`${one.conversation} ${one.part} ${one.start}`} one={one} />)}</SimpleGrid>)}
          </Loaded>
        </Stack>
      )}
      {!mayRead && <Alert variant="outline">What was said is shown to analysts and others who may see personal data.</Alert>}
    </Stack>
  );
}; // prettier-ignore
