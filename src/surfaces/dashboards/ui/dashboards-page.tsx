import { Anchor, Button, Card, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { AnswerView } from "#surfaces/explore/ui/answers.tsx";
import { askQuestion } from "#surfaces/explore/ui/question.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { Empty, Problem, Waiting } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { Tile } from "../contract.ts";

/** All dashboards. */
export const DashboardsPage = () => {
  const { data, error, refetch } = useQuery({
    queryKey: ["dashboards"],
    queryFn: ({ signal }) => call(contract.list, {}, signal),
  });
  return (
    <Stack>
      <Title order={1}>Dashboards</Title>
      {error !== null && <Problem error={error} retry={() => void refetch()} />}
      {data === undefined && error === null && <Waiting />}
      {data?.dashboards.length === 0 && (
        <Empty
          title="No dashboard yet"
          action={
            <Button component={Link} to="/explore">
              Ask a question
            </Button>
          }
        >
          A dashboard keeps the questions that you come back to side by side. Ask one in Explore, then save it.
        </Empty>
      )}
      {data !== undefined && data.dashboards.length > 0 && (
        <DataTable
          caption="Dashboards of this workspace"
          rows={data.dashboards}
          columns={[
            {
              title: "Name",
              cell: (one) => (
                <Anchor
                  component={Link}
                  to="/dashboards/$dashboard"
                  params={{ dashboard: one.id } as never}
                  underline="always"
                >
                  {one.name}
                </Anchor>
              ),
            },
            { title: "Questions", numeric: true, cell: (one) => one.tiles },
            { title: "Changed", cell: (one) => new Date(one.updatedAt).toLocaleString() },
          ]}
        />
      )}
    </Stack>
  );
};

const TileCard = ({ tile, remove }: { tile: Tile; remove: () => void }) => {
  const answer = useQuery({ queryKey: ["tile", tile.id], queryFn: ({ signal }) => askQuestion(tile.question, signal) });
  return (
    <Card withBorder component="section" aria-label={tile.title}>
      <Stack gap="sm">
        <Group justify="space-between" wrap="nowrap">
          <Title order={2} size="h3">
            {tile.title}
          </Title>
          <Group gap="sm" wrap="nowrap">
            <Anchor href={tile.address} underline="always">
              Open
            </Anchor>
            <Button size="xs" variant="default" onClick={remove} aria-label={`Take ${tile.title} off`}>
              Take off
            </Button>
          </Group>
        </Group>
        {answer.error !== null && <Problem error={answer.error} retry={() => void answer.refetch()} />}
        {answer.data === undefined && answer.error === null && <Waiting />}
        {answer.data !== undefined && <AnswerView result={answer.data} compact />}
        {answer.data !== undefined && (
          <Text size="xs">As of {new Date(answer.data.provenance.askedAt).toLocaleTimeString()}</Text>
        )}
      </Stack>
    </Card>
  );
};

/** One dashboard: its questions, asked anew. */
export const DashboardPage = ({ dashboard }: { dashboard: string }) => {
  const client = useQueryClient();
  const key = ["dashboard", dashboard];
  const { data, error, refetch } = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => call(contract.get, { id: dashboard }, signal),
  });
  const remove = useMutation({
    mutationFn: (tile: string) => call(contract.removeTile, { id: dashboard, tile }),
    onSuccess: () => client.invalidateQueries({ queryKey: key }),
  });
  if (error !== null) return <Problem error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Waiting />;
  return (
    <Stack>
      <Anchor component={Link} to="/dashboards" underline="always">
        All dashboards
      </Anchor>
      <Group justify="space-between">
        <Title order={1}>{data.name}</Title>
        <Button variant="default" onClick={() => void client.invalidateQueries({ queryKey: ["tile"] })}>
          Refresh
        </Button>
      </Group>
      {data.tiles.length === 0 && (
        <Empty
          title="Nothing on it yet"
          action={
            <Button component={Link} to="/explore">
              Ask a question
            </Button>
          }
        >
          Ask a question in Explore and save it here.
        </Empty>
      )}
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        {data.tiles.map((tile) => (
          <TileCard key={tile.id} tile={tile} remove={() => remove.mutate(tile.id)} />
        ))}
      </SimpleGrid>
    </Stack>
  );
};
