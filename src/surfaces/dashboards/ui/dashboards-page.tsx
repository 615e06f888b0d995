import { Anchor, Button, Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";

/** All dashboards. */
export const DashboardsPage = () => {
  const query = useQuery({ queryKey: ["dashboards"], queryFn: ({ signal }) => call(contract.list, {}, signal) });
  const ask = (
    <Button component={Link} to="/explore">
      Ask a question
    </Button>
  );
  return (
    <Stack>
      <Title order={1}>Dashboards</Title>
      <Loaded query={query}>
        {({ dashboards }) =>
          dashboards.length === 0 ? (
            <Empty title="No dashboard yet" action={ask}>
              A dashboard keeps questions side by side and asks them anew each time. Ask one in Explore and save it.
            </Empty>
          ) : (
            <DataTable
              caption="Dashboards of this workspace"
              rows={dashboards}
              columns={[
                {
                  title: "Name",
                  cell: ({ id, name }) => (
                    <Anchor
                      component={Link}
                      to="/dashboards/$dashboard"
                      params={{ dashboard: id } as never}
                      underline="always"
                    >
                      {name}
                    </Anchor>
                  ),
                },
                { title: "Questions", numeric: true, cell: ({ tiles }) => tiles },
                { title: "Changed", cell: ({ updatedAt }) => moment(updatedAt) },
              ]}
            />
          )
        }
      </Loaded>
    </Stack>
  );
};
