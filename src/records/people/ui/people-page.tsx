import { Anchor, Button, Group, Stack, Text, Title } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { call } from "#web/call.ts";
import { CodeText } from "#web/kit/code-text.tsx";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { useSearchBox } from "#web/kit/search-box.tsx";
import { Empty, Loaded, Problem, Waiting } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";

const pageEvents = 100;

/** Everybody, the latest seen first. The search stands in the address. */
export const PeoplePage = () => {
  const { asked, box } = useSearchBox("By name, email, or any of your ids");
  const query = useQuery({
    queryKey: ["people", asked],
    queryFn: ({ signal }) => call(contract.list, { search: asked }, signal),
    placeholderData: keepPreviousData,
  });
  return (
    <Stack>
      <Title order={1}>People</Title>
      {box}
      <Loaded query={query}>
        {({ people, total }) =>
          people.length === 0 ? (
            <Empty title={asked === "" ? "Nobody yet" : "Nobody found"}>
              {asked === ""
                ? "People appear here with their first event. Connect a source to begin."
                : "No person has a name, email or id that contains this. Try a shorter part of it."}
            </Empty>
          ) : (
            <DataTable
              caption={`${people.length.toLocaleString()} of ${total.toLocaleString()} people, the latest seen first`}
              rows={people}
              columns={[
                {
                  title: "Person",
                  cell: ({ id, name }) => (
                    <Anchor component={Link} to="/people/$person" params={{ person: id } as never} underline="always">
                      {name}
                    </Anchor>
                  ),
                },
                { title: "Events", numeric: true, cell: ({ events }) => events.toLocaleString() },
                { title: "First seen", cell: ({ first }) => moment(first) },
                { title: "Last seen", cell: ({ last }) => moment(last) },
              ]}
            />
          )
        }
      </Loaded>
    </Stack>
  );
};

/** One person: ids, traits, and what they did, newest first, as far back as is asked for. */
export const PersonPage = ({ person }: { person: string }) => {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ["person", person],
    queryFn: ({ signal, pageParam }) =>
      call(
        contract.profile,
        { id: person, limit: pageEvents, ...(pageParam === "" ? {} : { before: pageParam }) },
        signal,
      ),
    initialPageParam: "",
    getNextPageParam: ({ events }) => (events.length < pageEvents ? undefined : events.at(-1)?.at),
  });
  if (error !== null) return <Problem error={error} retry={() => void refetch()} />;
  const [latest] = data?.pages ?? [];
  if (latest === undefined) return <Waiting />;
  const { ids, traits } = latest;
  const events = data?.pages.flatMap((page) => page.events) ?? [];
  return (
    <Stack>
      <Anchor component={Link} to="/people" underline="always">
        All people
      </Anchor>
      <Title order={1}>
        {traits.find(({ trait }) => trait === "name" || trait === "email")?.value ?? ids[0]?.id ?? person}
      </Title>
      <Text>
        Known as {ids.map(({ id }) => id).join(", ")}.{" "}
        {ids.length > 1 && "These ids count as one person, for the past too."}
      </Text>
      {traits.length > 0 && (
        <DataTable
          caption="Traits as they are now"
          rows={traits}
          columns={[
            { title: "Trait", cell: ({ trait }) => trait },
            { title: "Value", cell: ({ value }) => value },
            { title: "Changed", cell: ({ at }) => moment(at) },
          ]}
        />
      )}
      <Title order={2}>Timeline</Title>
      <DataTable
        caption={`${hasNextPage ? "The latest " : ""}${events.length.toLocaleString()} events, newest first`}
        rows={events}
        columns={[
          { title: "When", cell: ({ at }) => moment(at) },
          { title: "Event", cell: ({ event }) => event },
          { title: "Account", cell: ({ account }) => account },
          { title: "Properties", cell: ({ properties }) => <CodeText>{properties}</CodeText> },
        ]}
      />
      {hasNextPage && (
        <Group>
          <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            Show older events
          </Button>
        </Group>
      )}
    </Stack>
  );
};
