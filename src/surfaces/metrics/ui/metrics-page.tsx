import { Anchor, Button, Card, Group, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import * as metrics from "#insights/metrics/contract.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { useSearchBox } from "#web/kit/search-box.tsx";
import { Empty, Loaded } from "#web/kit/states.tsx";
import { Latest } from "./latest.tsx";
import { Firing } from "./watches.tsx";

type Listed = metrics.MetricView & { readonly says: string };

export const MetricLink = ({ metric, name }: { metric: string; name: string }) => (
  <Anchor component={Link} to="/catalog/metrics/$metric" params={{ metric } as never} underline="always">
    {name}
  </Anchor>
);

/** Metrics with how they stand. */
export const MetricTable = ({
  caption,
  rows,
  stage = false,
}: {
  caption: string;
  rows: readonly Listed[];
  /** Of value moments: which it is. */
  stage?: boolean;
}) =>
  <DataTable
    caption={caption}
    rows={rows}
    columns={[
      ...(stage ? [{ title: "Moment", cell: ({ moment }: Listed) => moment ?? "" }] : []),
      { title: "Metric", cell: ({ key, name }) => <MetricLink metric={key} name={name} /> },
      { title: "Last whole week, against the one before", cell: ({ key, version }) => <Latest metric={key} version={version} /> },
      { title: "What it is", cell: ({ says }) => <Text size="sm" maw={420}>{says}</Text> },
      { title: "Owner", cell: ({ owner }) => owner },
      { title: "Product", cell: ({ product }) => product },
    ]}
  />; // prettier-ignore

const NorthStar = ({ star, all }: { star: Listed; all: readonly Listed[] }) => {
  const inputs = all.filter(({ key }) => star.inputs.includes(key));
  return (
    <Card withBorder component="section" aria-label="North Star">
      <Stack gap="sm">
        <Text size="sm">North Star</Text>
        <Title order={2}>
          <MetricLink metric={star.key} name={star.name} />
        </Title>
        <Latest metric={star.key} version={star.version} />
        <Text size="sm">{star.says}</Text>
        {inputs.length > 0 && <MetricTable caption="What moves it" rows={inputs} />}
      </Stack>
    </Card>
  );
};

const ValueMoments = ({ all }: { all: readonly Listed[] }) => {
  const rows = metrics.moments.flatMap((moment) => all.filter((metric) => metric.moment === moment));
  return (
    <Stack component="section" aria-label="Value moments" gap="sm">
      <Title order={2}>Value moments</Title>
      <MetricTable
        caption="Where people first get value, make it a habit, use more of it, and outgrow what they have"
        rows={rows}
        stage
      />
    </Stack>
  );
};

/** The catalog of metrics: the North Star and what moves it, value moments, and all of them. */
export const MetricsPage = () => {
  const { asked, box } = useSearchBox("Names, owners, products and what is counted");
  const query = useQuery({ queryKey: ["metrics"], queryFn: ({ signal }) => call(metrics.list, {}, signal) });
  const ask = (
    <Button component={Link} to="/explore">
      Ask a question
    </Button>
  );
  const isFound = ({ key, name, owner, product, says }: Listed): boolean =>
    [key, name, owner, product, says].some((text) => text.toLowerCase().includes(asked.toLowerCase()));
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1}>Metrics</Title>
        {ask}
      </Group>
      <Loaded query={query}>
        {({ metrics: all }) => {
          if (all.length === 0)
            return (
              <Empty title="No metric yet" action={ask}>
                A metric is one number with one definition that everybody uses. Ask a question in Explore and save it as
                a metric, or write definitions in files and apply them with <code>throughline apply</code>.
              </Empty>
            );
          const star = all.find(({ northStar }) => northStar);
          return (
            <Stack>
              {asked === "" && <Firing nameOf={(metric) => all.find(({ key }) => key === metric)?.name ?? metric} />}
              {star !== undefined && asked === "" && <NorthStar star={star} all={all} />}
              {asked === "" && all.some(({ moment }) => moment !== undefined) && <ValueMoments all={all} />}
              {box}
              <MetricTable
                caption={asked === "" ? "All metrics" : `Metrics with “${asked}”`}
                rows={all.filter(isFound)}
              />
            </Stack>
          );
        }}
      </Loaded>
    </Stack>
  );
};
