import {
  Badge,
  Button,
  Card,
  Code,
  CopyButton,
  Group,
  Modal,
  Select,
  Stack,
  Tabs,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { z } from "zod";
import { call } from "#web/call.ts";
import { follow } from "#web/events.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { SourceView } from "../contract.ts";
import { snippetsFor } from "./snippets.ts";

const kinds = [
  { value: "segment", label: "Segment SDK" },
  { value: "posthog", label: "PostHog SDK" },
  { value: "amplitude", label: "Amplitude SDK" },
  { value: "mixpanel", label: "Mixpanel SDK" },
  { value: "api", label: "HTTP API" },
] as const;
type Kind = (typeof kinds)[number]["value"];

const shownArrivals = 200;

const time = (iso: string): string =>
  new Date(iso.includes("T") ? iso : `${iso.replace(" ", "T")}Z`).toLocaleTimeString();

const NewSource = ({ opened, close }: { opened: boolean; close: () => void }) => {
  const [name, setName] = useState("");
  const [kind, setKind] = useState<Kind>("segment");
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: () => call(contract.create, { name, kind }),
    onSuccess: async () => {
      close();
      setName("");
      await client.invalidateQueries({ queryKey: ["sources"] });
    },
  });
  return (
    <Modal opened={opened} onClose={close} title="New source">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <Stack>
          <TextInput
            label="Name"
            description="Where the data comes from, such as Web app"
            required
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
            data-autofocus
          />
          <Select
            label="Sent by"
            data={kinds}
            value={kind}
            onChange={(value) => setKind((value as Kind | null) ?? "segment")}
            allowDeselect={false}
          />
          {create.error !== null && <Problem error={create.error} />}
          <Button type="submit" loading={create.isPending}>
            Create source
          </Button>
        </Stack>
      </form>
    </Modal>
  );
};

const Snippets = ({ source }: { source: SourceView }) => {
  const snippets = snippetsFor(source, window.location.origin);
  const [first] = snippets;
  if (first === undefined) return null;
  return (
    <Tabs defaultValue={first.title}>
      <Tabs.List>
        {snippets.map((snippet) => (
          <Tabs.Tab key={snippet.title} value={snippet.title}>
            {snippet.title}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {snippets.map((snippet) => (
        <Tabs.Panel key={snippet.title} value={snippet.title} pt="sm">
          <Code block tabIndex={0}>
            {snippet.code}
          </Code>
          <CopyButton value={snippet.code}>
            {({ copied, copy }) => (
              <Button mt="sm" size="xs" variant="default" onClick={copy}>
                {copied ? "Copied" : "Copy"}
              </Button>
            )}
          </CopyButton>
        </Tabs.Panel>
      ))}
    </Tabs>
  );
};

const SourceCard = ({ source }: { source: SourceView }) => (
  <Card withBorder>
    <Stack gap="sm">
      <Group justify="space-between">
        <Title order={2}>{source.name}</Title>
        <Badge variant="outline">{kinds.find((kind) => kind.value === source.kind)?.label ?? source.kind}</Badge>
      </Group>
      <Text size="sm">
        {source.lastAt === null
          ? "Nothing has arrived yet."
          : `${source.events.toLocaleString()} events in 30 days, the last at ${new Date(source.lastAt).toLocaleString()}.`}
        {source.refused > 0 && ` ${source.refused.toLocaleString()} were refused and kept.`}
      </Text>
      <Snippets source={source} />
    </Stack>
  </Card>
);

const Live = ({ sources }: { sources: readonly SourceView[] }) => {
  const client = useQueryClient();
  const { data } = useQuery({
    queryKey: ["live"],
    queryFn: ({ signal }) => call(contract.live, {}, signal),
  });
  useEffect(() => {
    const controller = new AbortController();
    const add = (arrival: z.output<typeof contract.ArrivalView>): void =>
      void client.setQueryData(["live"], (old: typeof data) => ({
        arrivals: [arrival, ...(old?.arrivals ?? [])].slice(0, shownArrivals),
      }));
    const askAgain = (): void => void client.invalidateQueries({ queryKey: ["live"] });
    void follow(contract.watch, contract.ArrivalView, controller.signal, add, askAgain);
    return () => controller.abort();
  }, [client]);
  const arrivals = data?.arrivals ?? [];
  if (arrivals.length === 0)
    return (
      <Text>
        Nothing has arrived since the server started. Send an event with one of the snippets above; it appears here at
        once.
      </Text>
    );
  const nameOf = (id: string): string => sources.find((source) => source.id === id)?.name ?? id;
  return (
    <DataTable
      caption="Latest arrivals, newest first"
      rows={arrivals}
      columns={[
        { title: "Time", cell: (row) => time(row.received) },
        { title: "Source", cell: (row) => nameOf(row.source) },
        { title: "Event", cell: (row) => row.name },
        { title: "Who", cell: (row) => row.who },
        { title: "State", cell: (row) => (row.fault === null ? "Taken" : `Refused: ${row.fault}`) },
        { title: "Properties", cell: (row) => <Code>{row.preview}</Code> },
      ]}
    />
  );
};

/** Where data comes from: write keys, snippets, and what arrives as it arrives. */
export const SourcesPage = () => {
  const [opened, { open, close }] = useDisclosure();
  const query = useQuery({
    queryKey: ["sources"],
    queryFn: ({ signal }) => call(contract.list, {}, signal),
    refetchInterval: 5_000,
  });
  const add = <Button onClick={open}>New source</Button>;
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1}>Sources</Title>
        <Group gap="sm">
          <Button component={Link} to="/sources/import" variant="default">
            Import a file
          </Button>
          {add}
        </Group>
      </Group>
      <NewSource opened={opened} close={close} />
      <Loaded query={query}>
        {({ sources }) =>
          sources.length === 0 ? (
            <Empty title="No source yet" action={add}>
              A source is an application that sends events. Create one, change one host name in the SDK that you use
              already, and watch the events arrive here.
            </Empty>
          ) : (
            <Stack>
              {sources.map((source) => (
                <SourceCard key={source.id} source={source} />
              ))}
              <Title order={2}>Arriving now</Title>
              <Live sources={sources} />
            </Stack>
          )
        }
      </Loaded>
    </Stack>
  );
};
