import { Alert, Badge, Box, Button, Code, Group, List, Stack, Tabs, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { call, open } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { download } from "#web/kit/download.ts";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { ErasureRequest, FoundPerson } from "../contract.ts";

const says: Readonly<Record<ErasureRequest["state"], string>> = {
  received: "Received",
  suppressed: "Nothing more is taken",
  rows_deleted: "Erased; waiting for the disk",
  purged: "Gone from the disk",
  confirmed: "Confirmed",
  partial: "Erased, but named elsewhere",
};

/** One person that was found: what is kept, a file of it, and the way to erase it. */
const Found = ({ found, identifier }: { found: FoundPerson; identifier: string }) => {
  const [typed, setTyped] = useState("");
  const client = useQueryClient();
  const own = found.person; // an id may be somebody else's email
  const take = useMutation({
    mutationFn: async () => download("person.ndjson", await (await open(contract.access, { identifier: own })).blob()),
  });
  const erase = useMutation({
    mutationFn: () => call(contract.erase, { identifiers: [own] }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["erasure"] }),
  });
  return (
    <Stack gap="sm">
      <Text>
        Known as{" "}
        {found.ids.slice(0, 10).map((id, at) => (
          <span key={id}>
            {at > 0 && ", "}
            <Code>{id}</Code>
          </span>
        ))}
        {found.ids.length > 10 && ` and ${found.ids.length - 10} more`}.
      </Text>
      <DataTable
        caption="What is kept of this person"
        rows={found.holds}
        columns={[
          { title: "Where", cell: ({ table }) => table },
          { title: "A row is", cell: ({ what }) => <Box miw={200}>{what}</Box> },
          { title: "Rows", numeric: true, cell: ({ rows }) => rows.toLocaleString() },
        ]}
      />
      {erase.isSuccess ? (
        <Alert variant="outline" color="blue" role="status" title="It has begun.">
          The request below says how far it is. The last bytes leave the disk after some minutes.
        </Alert>
      ) : (
        <form
          onSubmit={(submitted) => {
            submitted.preventDefault();
            erase.mutate();
          }}
        >
          <Group align="flex-end" gap="sm">
            <Button variant="default" loading={take.isPending} onClick={() => take.mutate()}>
              Save all of it
            </Button>
            <TextInput
              label={`To erase it for good, write ${identifier}`}
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
              style={{ flex: "1 1 240px" }}
              maw={360}
            />
            <Button type="submit" color="red" disabled={typed !== identifier} loading={erase.isPending}>
              Erase
            </Button>
          </Group>
        </form>
      )}
      {[take.error, erase.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
    </Stack>
  );
};

const Requests = () => {
  const query = useQuery({
    queryKey: ["erasure"],
    queryFn: ({ signal }) => call(contract.requests, {}, signal),
    refetchInterval: ({ state }) =>
      state.data?.requests.some(({ state: one }) => one !== "confirmed" && one !== "partial") === true ? 3_000 : false,
  });
  return (
    <Loaded query={query}>
      {({ requests, suppressed }) => (
        <Stack gap="sm">
          {requests.length === 0 ? (
            <Empty title="Nobody was erased yet">Look for a person above to see what is kept of them, and to begin.</Empty>
          ) : (
            <DataTable
              caption="Requests to erase, the latest first"
              rows={requests}
              columns={[
                { title: "Made", cell: ({ madeAt, madeBy }) => `${moment(madeAt)}${madeBy === "" ? "" : `, ${madeBy}`}` },
                { title: "People", numeric: true, cell: ({ people }) => people.toLocaleString() },
                {
                  title: "State",
                  cell: ({ state, reached, left, problem }) => (
                    <Stack gap={4} miw={220}>
                      <Badge variant="outline" color={state === "confirmed" ? "blue" : state === "partial" ? "red" : "gray"}>
                        {says[state]}
                      </Badge>
                      <Text size="sm">{moment(reached[state] ?? "")}</Text>
                      {problem !== "" && <Text size="sm">Is tried again: {problem}</Text>}
                      {left.length > 0 && (
                        <List size="sm">
                          {left.map((place) => (
                            <List.Item key={place}>{place} still name them</List.Item>
                          ))}
                        </List>
                      )}
                    </Stack>
                  ),
                },
                { title: "Rows", numeric: true, cell: ({ rows }) => rows.toLocaleString() },
                { title: "Due", cell: ({ dueAt }) => moment(dueAt) },
              ]}
            />
          )}
          <Text size="sm">
            {suppressed.toLocaleString()} ids are on the list of those of whom nothing is taken; it holds only keyed hashes.
          </Text>
        </Stack>
      )}
    </Loaded>
  ); // prettier-ignore
};

const tabs = ["requests", "consent", "keeping"] as const;

/** What is owed to the people whom the data is about: their requests, what they agreed to, and how long things are kept. */
export const PrivacyPage = ({ consent, keeping }: { consent: ReactNode; keeping: ReactNode }) => {
  const { tab }: { tab?: unknown } = useSearch({ strict: false });
  const navigate = useNavigate();
  return (
    <Stack>
      <Title order={1}>Privacy</Title>
      <Tabs
        value={tabs.find((one) => one === tab) ?? "requests"}
        onChange={(next) => void navigate({ to: ".", search: { tab: next } as never })}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="requests">Requests of people</Tabs.Tab>
          <Tabs.Tab value="consent">Consent</Tabs.Tab>
          <Tabs.Tab value="keeping">How long things are kept</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="requests">
          <RequestsOfPeople />
        </Tabs.Panel>
        <Tabs.Panel value="consent">{consent}</Tabs.Panel>
        <Tabs.Panel value="keeping">{keeping}</Tabs.Panel>
      </Tabs>
    </Stack>
  );
};

/** Requests of people about their own data. */
const RequestsOfPeople = () => {
  const [identifier, setIdentifier] = useState("");
  const find = useMutation({ mutationFn: () => call(contract.find, { identifier }) });
  const asked = find.data === undefined ? "" : identifier;
  return (
    <Stack>
      <Text maw={720}>
        When somebody asks what you keep of them, or to be forgotten: look for them, save it all as a file, or erase it.
        Backups that were taken before keep what they hold until you let them go.
      </Text>
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          find.mutate();
        }}
      >
        <Group align="flex-end" gap="sm">
          <TextInput
            label="Who"
            description="Any of their ids, or their email address"
            value={identifier}
            onChange={(event) => {
              setIdentifier(event.currentTarget.value);
              find.reset();
            }}
            style={{ flex: "1 1 260px" }}
            maw={400}
          />
          <Button type="submit" variant="default" disabled={identifier.trim() === ""} loading={find.isPending}>
            Look
          </Button>
        </Group>
      </form>
      {find.error !== null && <Problem error={find.error} />}
      {find.data?.people.length === 0 && (
        <Empty title="Nobody is known by this">
          Try another of their ids: ids count small and large letters apart.
        </Empty>
      )}
      {(find.data?.people.length ?? 0) > 1 && (
        <Text>This stands for {find.data?.people.length} people. Each is erased by itself.</Text>
      )}
      {find.data?.people.map((found) => (
        <Found key={found.person} found={found} identifier={asked} />
      ))}
      <Title order={2}>Requests</Title>
      <Requests />
    </Stack>
  );
};
