import { ActionIcon, Anchor, Button, Card, Grid, Group, Menu, Select, Stack, Text, Title } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Question } from "#surfaces/explore/contract.ts";
import { AnswerView } from "#surfaces/explore/ui/answer-view.tsx";
import { askQuestion } from "#surfaces/explore/ui/kinds.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { Tile } from "../contract.ts";

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

interface Moves {
  readonly earlier: (() => void) | undefined;
  readonly later: (() => void) | undefined;
  readonly resize: () => void;
  readonly remove: () => void;
}

/** The question of a tile, over the range that the whole dashboard is looked at. */
const over = (question: Question, days: number | undefined): Question =>
  days === undefined || question.kind === "sql"
    ? question
    : Question.parse({ ...question, input: { ...question.input, range: { last: days, unit: "day" } } });

const TileCard = ({ tile, days, moves }: { tile: Tile; days: number | undefined; moves: Moves }) => {
  const query = useQuery({
    queryKey: ["tile", tile.id, days],
    queryFn: ({ signal }) => askQuestion(over(tile.question, days), signal),
  });
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
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="default" aria-label={`Arrange ${tile.title}`}>
                  <IconDots size={16} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item disabled={moves.earlier === undefined} onClick={moves.earlier}>
                  Move earlier
                </Menu.Item>
                <Menu.Item disabled={moves.later === undefined} onClick={moves.later}>
                  Move later
                </Menu.Item>
                <Menu.Item onClick={moves.resize}>{tile.wide ? "Half width" : "Full width"}</Menu.Item>
                <Menu.Divider />
                <Menu.Item onClick={moves.remove}>Take off</Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </Group>
        </Group>
        <Loaded query={query}>
          {(answer) => (
            <>
              <AnswerView result={answer} compact />
              <Text size="xs">As of {new Date(answer.provenance.askedAt).toLocaleTimeString()}</Text>
            </>
          )}
        </Loaded>
      </Stack>
    </Card>
  );
};

const ranges = [
  { value: "", label: "Ranges as saved" },
  ...[7, 30, 90, 180, 365].map((days) => ({ value: String(days), label: `Last ${days} days` })),
];

/** One dashboard: its questions, asked anew. The shared range stands in the address. */
export const DashboardPage = ({ dashboard }: { dashboard: string }) => {
  const client = useQueryClient();
  const navigate = useNavigate();
  const given: Record<string, unknown> = useSearch({ strict: false });
  const days = typeof given["days"] === "number" && given["days"] > 0 ? Math.floor(given["days"]) : undefined;
  const key = ["dashboard", dashboard];
  const query = useQuery({ queryKey: key, queryFn: ({ signal }) => call(contract.get, { id: dashboard }, signal) });
  const again = { onSuccess: () => client.invalidateQueries({ queryKey: key }) };
  const takeOff = useMutation({
    mutationFn: (tile: string) => call(contract.removeTile, { id: dashboard, tile }),
    ...again,
  });
  const arrange = useMutation({
    mutationFn: (tiles: readonly Tile[]) =>
      call(contract.arrange, { id: dashboard, tiles: tiles.map(({ id, wide }) => ({ id, wide })) }),
    ...again,
  });
  const remove = useMutation({
    mutationFn: () => call(contract.remove, { id: dashboard }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["dashboards"] });
      await navigate({ to: "/dashboards" });
    },
  });
  const failed = takeOff.error ?? arrange.error ?? remove.error;
  const movesOf = (tiles: readonly Tile[], place: number): Moves => {
    const tile = tiles[place];
    const swap = (other: number) => (): void => {
      const order = [...tiles];
      [order[place], order[other]] = [order[other] as Tile, order[place] as Tile]; // both places exist
      arrange.mutate(order);
    };
    return {
      earlier: place === 0 ? undefined : swap(place - 1),
      later: place === tiles.length - 1 ? undefined : swap(place + 1),
      resize: () => arrange.mutate(tiles.map((one) => (one === tile ? { ...one, wide: !one.wide } : one))),
      remove: () => takeOff.mutate(tile?.id ?? ""),
    };
  };
  return (
    <Stack>
      <Anchor component={Link} to="/dashboards" underline="always">
        All dashboards
      </Anchor>
      <Loaded query={query}>
        {({ name, tiles }) => (
          <>
            <Group justify="space-between">
              <Title order={1}>{name}</Title>
              <Group gap="sm">
                <Select
                  aria-label="Range of every question"
                  data={ranges}
                  value={days === undefined ? "" : String(days)}
                  allowDeselect={false}
                  onChange={(value) =>
                    void navigate({
                      to: ".",
                      search: { days: value === "" || value === null ? undefined : Number(value) } as never,
                    })
                  }
                />
                <Button variant="default" onClick={() => void client.invalidateQueries({ queryKey: ["tile"] })}>
                  Refresh
                </Button>
                <Button variant="default" onClick={() => remove.mutate()} disabled={tiles.length > 0}>
                  Remove
                </Button>
              </Group>
            </Group>
            {failed !== null && <Problem error={failed} />}
            {tiles.length === 0 && (
              <Empty
                title="Nothing on it yet"
                action={
                  <Button component={Link} to="/explore">
                    Ask a question
                  </Button>
                }
              >
                Ask a question in Explore and save it here. A dashboard with nothing on it can be removed.
              </Empty>
            )}
            <Grid>
              {tiles.map((tile, place) => (
                <Grid.Col key={tile.id} span={{ base: 12, lg: tile.wide ? 12 : 6 }}>
                  <TileCard tile={tile} days={days} moves={movesOf(tiles, place)} />
                </Grid.Col>
              ))}
            </Grid>
          </>
        )}
      </Loaded>
    </Stack>
  );
};
