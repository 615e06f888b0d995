import { Anchor, Stack, Text, Title } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { call } from "#web/call.ts";
import { CodeText } from "#web/kit/code-text.tsx";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { useSearchBox } from "#web/kit/search-box.tsx";
import { Empty, Loaded } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";

/** Companies or households, the busiest first. The search stands in the address. */
export const AccountsPage = () => {
  const { asked, box } = useSearchBox("By name or id");
  const query = useQuery({
    queryKey: ["accounts", asked],
    queryFn: ({ signal }) => call(contract.list, { search: asked }, signal),
    placeholderData: keepPreviousData,
  });
  return (
    <Stack>
      <Title order={1}>Accounts</Title>
      {box}
      <Loaded query={query}>
        {({ accounts, total }) =>
          accounts.length === 0 ? (
            <Empty title={asked === "" ? "No account yet" : "No account found"}>
              {asked === ""
                ? "An account is the company or household that a person acts for. Send its id with events (`account`), or with a group call of your SDK."
                : "No account has a name or id that contains this."}
            </Empty>
          ) : (
            <DataTable
              caption={`${accounts.length.toLocaleString()} of ${total.toLocaleString()} accounts; numbers of the last ${contract.accountDays} days`}
              rows={accounts}
              columns={[
                {
                  title: "Account",
                  cell: ({ id, name }) => (
                    <Anchor
                      component={Link}
                      to="/accounts/$account"
                      params={{ account: id } as never}
                      underline="always"
                    >
                      {name}
                    </Anchor>
                  ),
                },
                { title: "People", numeric: true, cell: ({ people }) => people.toLocaleString() },
                { title: "Events", numeric: true, cell: ({ events }) => events.toLocaleString() },
                { title: "Last seen", cell: ({ last }) => (last === null ? "–" : moment(last)) },
              ]}
            />
          )
        }
      </Loaded>
    </Stack>
  );
};

/** One account: what is known of it, who acts for it, and what they did. */
export const AccountPage = ({ account }: { account: string }) => {
  const query = useQuery({
    queryKey: ["account", account],
    queryFn: ({ signal }) => call(contract.profile, { id: account }, signal),
  });
  return (
    <Stack>
      <Anchor component={Link} to="/accounts" underline="always">
        All accounts
      </Anchor>
      <Loaded query={query}>
        {({ traits, people, events }) => {
          const nameOf = (id: string): string => people.find((person) => person.id === id)?.name ?? id;
          return (
            <Stack>
              <Title order={1}>{traits.find(({ trait }) => trait === "name")?.value ?? account}</Title>
              <Text>Known as {account}.</Text>
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
              <Title order={2}>People</Title>
              <DataTable
                caption={`Who did something here in the last ${contract.accountDays} days, the latest first`}
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
                  { title: "Events", numeric: true, cell: (person) => person.events.toLocaleString() },
                  { title: "Last seen", cell: ({ last }) => moment(last) },
                ]}
              />
              <Title order={2}>Timeline</Title>
              <DataTable
                caption="The latest 100 events"
                rows={events}
                columns={[
                  { title: "When", cell: ({ at }) => moment(at) },
                  { title: "Event", cell: ({ event }) => event },
                  { title: "Who", cell: ({ person }) => nameOf(person) },
                  {
                    title: "Properties",
                    cell: ({ properties }) => <CodeText>{properties}</CodeText>,
                  },
                ]}
              />
            </Stack>
          );
        }}
      </Loaded>
    </Stack>
  );
};
