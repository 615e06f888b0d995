import { Anchor, Button, Collapse, Grid, Group, Menu, Select, Stack, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Filters, noFilter } from "#insights/common/ui/filters.tsx";
import { call } from "#web/call.ts";
import { Confirm } from "#web/kit/confirm.tsx";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import { View, type Tile, type Width } from "../contract.ts";
import { Schedules } from "./schedules.tsx";
import { QuestionCard, TextCard, WriteText, type Moves } from "./tiles.tsx";

const ranges = [
  { value: "", label: "Ranges as saved" },
  ...[7, 30, 90, 180, 365].map((days) => ({ value: String(days), label: `Last ${days} days` })),
];
const spans: Readonly<Record<Width, number>> = { third: 4, half: 6, full: 12 };
/** How often a screen on the wall asks anew. */
const screenMs = 5 * 60_000;

/** What stands in the address: the whole view once anything of it was changed. */
const viewOf = (given: Record<string, unknown>): View | undefined => {
  const parsed = View.safeParse(given["view"]);
  return parsed.success ? parsed.data : undefined;
};

const whole = ({ filters, ...rest }: View): View => ({
  ...rest,
  filters: filters.filter(({ property, on, op, values }) => (property !== "" || on === "cohort" || on === "product") && (op.startsWith("is_") || values.length > 0)), // prettier-ignore
});

interface BarProps {
  readonly id: string;
  readonly name: string;
  readonly isEmpty: boolean;
  readonly kept: View;
  readonly view: View;
  readonly look: (view: View | undefined) => void;
  readonly screen: () => void;
  readonly again: () => void;
}

/** What may be done with the whole dashboard. */
const Bar = ({ id, name, isEmpty, kept, view, look, screen, again }: BarProps) => {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [writing, write] = useDisclosure();
  const [sending, send] = useDisclosure();
  const remove = useMutation({
    mutationFn: () => call(contract.remove, { id }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["dashboards"] });
      await navigate({ to: "/dashboards" });
    },
  });
  const keep = useMutation({
    mutationFn: () => call(contract.keepView, { id, view: whole(view) }),
    onSuccess: () => {
      look(undefined);
      again();
    },
  });
  const isChanged = JSON.stringify(whole(view)) !== JSON.stringify(kept);
  const failed = remove.error ?? keep.error;
  return (
    <Stack gap="sm" className="no-print">
      {writing && <WriteText dashboard={id} opened close={write.close} saved={again} />}
      {sending && <Schedules dashboard={id} close={send.close} />}
      <Group gap="sm">
        <Select
          aria-label="Range of every question"
          data={ranges}
          value={view.days === undefined ? "" : String(view.days)}
          allowDeselect={false}
          onChange={(value) => look({ ...view, days: value === "" || value === null ? undefined : Number(value) })}
        />
        <Button variant="default" onClick={() => look({ ...view, filters: [...view.filters, noFilter] })}>
          Add a condition
        </Button>
        <Button variant="default" onClick={() => void client.invalidateQueries({ queryKey: ["tile"] })}>
          Refresh
        </Button>
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default">Share</Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => void navigator.clipboard.writeText(window.location.href)}>Copy link</Menu.Item>
            <Menu.Item onClick={send.open}>Send by email</Menu.Item>
            <Menu.Item onClick={() => window.print()}>Print or save as PDF</Menu.Item>
            <Menu.Item onClick={screen}>Show on a screen</Menu.Item>
          </Menu.Dropdown>
        </Menu>
        <Button variant="default" onClick={write.open}>
          Add a text
        </Button>
        {isEmpty ? (
          <Button variant="default" onClick={() => remove.mutate()}>
            Remove
          </Button>
        ) : (
          <Confirm label="Remove" title={`Remove ${name}?`} run={() => remove.mutate()}>
            The dashboard goes with everything on it. The questions can be asked again in Explore.
          </Confirm>
        )}
      </Group>
      <Collapse expanded={view.filters.length > 0}>
        <Stack maw={560} gap="xs">
          <Filters filters={view.filters} change={(filters) => look({ ...view, filters })} />
        </Stack>
      </Collapse>
      {isChanged && (
        <Group gap="sm">
          <Button size="xs" variant="default" onClick={() => keep.mutate()}>
            Open it like this for everybody
          </Button>
          <Button size="xs" variant="default" onClick={() => look(undefined)}>
            As it was
          </Button>
        </Group>
      )}
      {failed !== null && <Problem error={failed} />}
    </Stack>
  );
};

/** One dashboard: its questions, asked anew, and texts between. What it is looked at over stands in the address. */
export const DashboardPage = ({ dashboard }: { dashboard: string }) => {
  const client = useQueryClient();
  const navigate = useNavigate();
  const given: Record<string, unknown> = useSearch({ strict: false });
  const isScreen = given["tv"] === 1;
  const key = ["dashboard", dashboard];
  const query = useQuery({ queryKey: key, queryFn: ({ signal }) => call(contract.get, { id: dashboard }, signal) });
  const again = (): void => void client.invalidateQueries({ queryKey: key });
  const go = (part: Record<string, unknown>): void =>
    void navigate({ to: ".", search: ((held: object) => ({ ...held, ...part })) as never });
  const takeOff = useMutation({
    mutationFn: (tile: string) => call(contract.removeTile, { id: dashboard, tile }),
    onSuccess: again,
  });
  const arrange = useMutation({
    mutationFn: (tiles: readonly Tile[]) => call(contract.arrange, { id: dashboard, tiles: tiles.map(({ id, width }) => ({ id, width })) }), // prettier-ignore
    onSuccess: again,
  });
  const failed = takeOff.error ?? arrange.error;
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
      resize: (width) => arrange.mutate(tiles.map((one) => (one === tile ? { ...one, width } : one))),
      remove: () => takeOff.mutate(tile?.id ?? ""),
    };
  };
  return (
    <Stack>
      {!isScreen && (
        <Anchor component={Link} to="/dashboards" underline="always" className="no-print">
          All dashboards
        </Anchor>
      )}
      <Loaded query={query}>
        {({ name, tiles, view: kept }) => {
          const view = viewOf(given) ?? kept;
          return (
            <>
              <Group justify="space-between" align="flex-start">
                <Title order={1}>{name}</Title>
                {isScreen ? (
                  <Button variant="default" onClick={() => go({ tv: undefined })}>
                    Leave the screen
                  </Button>
                ) : (
                  <Bar
                    id={dashboard}
                    name={name}
                    isEmpty={tiles.length === 0}
                    kept={kept}
                    view={view}
                    look={(next) => go({ view: next })}
                    screen={() => go({ tv: 1 })}
                    again={again}
                  />
                )}
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
                  Ask a question in Explore and save it here, or add a text that says what the dashboard is for.
                </Empty>
              )}
              <Grid>
                {tiles.map((tile, place) => (
                  <Grid.Col key={tile.id} span={{ base: 12, lg: spans[tile.width] }}>
                    {"text" in tile ? (
                      <TextCard dashboard={dashboard} tile={tile} moves={movesOf(tiles, place)} saved={again} />
                    ) : (
                      <QuestionCard
                        tile={tile}
                        view={whole(view)}
                        moves={movesOf(tiles, place)}
                        everyMs={isScreen ? screenMs : undefined}
                      />
                    )}
                  </Grid.Col>
                ))}
              </Grid>
            </>
          );
        }}
      </Loaded>
    </Stack>
  );
};
