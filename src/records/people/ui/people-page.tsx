import { Anchor, Code, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { Empty, Problem, Waiting } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";

const moment = (iso: string): string => new Date(iso).toLocaleString();

/** Everybody, the latest seen first. The search stands in the address. */
export const PeoplePage = () => {
  const given: Record<string, unknown> = useSearch({ strict: false });
  const search = typeof given["search"] === "string" ? given["search"] : "";
  const navigate = useNavigate();
  const [asked] = useDebouncedValue(search, 200);
  const { data, error, refetch } = useQuery({
    queryKey: ["people", asked],
    queryFn: ({ signal }) => call(contract.list, { search: asked }, signal),
    placeholderData: keepPreviousData,
  });
  return (
    <Stack>
      <Title order={1}>People</Title>
      <TextInput
        label="Search"
        description="By name, email, or any of your ids"
        maw={400}
        value={search}
        onChange={(event) =>
          void navigate({ to: "/people", search: { search: event.currentTarget.value } as never, replace: true })
        }
      />
      {error !== null && <Problem error={error} retry={() => void refetch()} />}
      {data === undefined && error === null && <Waiting />}
      {data?.people.length === 0 && (
        <Empty title={asked === "" ? "Nobody yet" : "Nobody found"}>
          {asked === ""
            ? "People appear here with their first event. Connect a source to begin."
            : "No person has a name, email or id that contains this. Try a shorter part of it."}
        </Empty>
      )}
      {data !== undefined && data.people.length > 0 && (
        <DataTable
          caption={`${data.people.length.toLocaleString()} of ${data.total.toLocaleString()} people, the latest seen first`}
          rows={data.people}
          columns={[
            {
              title: "Person",
              cell: (person) => (
                <Anchor
                  component={Link}
                  to="/people/$person"
                  params={{ person: person.id } as never}
                  underline="always"
                >
                  {person.name}
                </Anchor>
              ),
            },
            { title: "Events", numeric: true, cell: (person) => person.events.toLocaleString() },
            { title: "First seen", cell: (person) => moment(person.first) },
            { title: "Last seen", cell: (person) => moment(person.last) },
          ]}
        />
      )}
    </Stack>
  );
};

/** One person: ids, traits, and what they did, newest first. */
export const PersonPage = ({ person }: { person: string }) => {
  const { data, error, refetch } = useQuery({
    queryKey: ["person", person],
    queryFn: ({ signal }) => call(contract.profile, { id: person }, signal),
  });
  if (error !== null) return <Problem error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Waiting />;
  const name =
    data.traits.find(({ trait }) => trait === "name" || trait === "email")?.value ?? data.ids[0]?.id ?? person;
  return (
    <Stack>
      <Anchor component={Link} to="/people" underline="always">
        All people
      </Anchor>
      <Title order={1}>{name}</Title>
      <Text>
        Known as {data.ids.map(({ id }) => id).join(", ")}.{" "}
        {data.ids.length > 1 && "These ids count as one person, for the past too."}
      </Text>
      {data.traits.length > 0 && (
        <DataTable
          caption="Traits as they are now"
          rows={data.traits}
          columns={[
            { title: "Trait", cell: ({ trait }) => trait },
            { title: "Value", cell: ({ value }) => value },
            { title: "Changed", cell: ({ at }) => moment(at) },
          ]}
        />
      )}
      <Title order={2}>Timeline</Title>
      <DataTable
        caption={
          data.events.length === 100
            ? "The latest 100 events"
            : `${data.events.length.toLocaleString()} events, newest first`
        }
        rows={data.events}
        columns={[
          { title: "When", cell: ({ at }) => moment(at) },
          { title: "Event", cell: ({ event }) => event },
          { title: "Account", cell: ({ account }) => account },
          {
            title: "Properties",
            cell: ({ properties }) => (
              <Code style={{ whiteSpace: "pre-wrap", wordBreak: "break-word" }}>{properties}</Code>
            ),
          },
        ]}
      />
    </Stack>
  );
};
