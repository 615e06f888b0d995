import { Alert, Anchor, Badge, Button, Group, List, Modal, MultiSelect, NumberInput, Select, SimpleGrid, Stack, Switch, Text, Title } from "@mantine/core"; // prettier-ignore
import { useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { MetricResult } from "#insights/metrics/contract.ts";
import * as alerts from "#programs/alerts/contract.ts";
import * as contract from "#programs/watches/contract.ts";
import { titleOf, type Condition, type Watch, type WatchView } from "#programs/watches/contract.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { Loaded, Problem } from "#web/kit/states.tsx";

interface Metric {
  readonly key: string;
  readonly format: MetricResult["format"];
  /** By what alone it can be looked at; undefined for any. */
  readonly by: contract.Step | undefined;
  /** Whether a value is of so many, who may be few. */
  readonly isOfSome: boolean;
  /** A value of it as its page says it. */
  readonly said: (value: number) => string;
}

const kinds: readonly { value: Condition["kind"]; label: string }[] = [
  { value: "unusual", label: "Unusual" },
  { value: "falls", label: "Falls by" },
  { value: "rises", label: "Rises by" },
  { value: "below", label: "Below" },
  { value: "above", label: "Above" },
];
const ways = [{ value: "any", label: "Low or high" }, { value: "down", label: "Low alone" }, { value: "up", label: "High alone" }]; // prettier-ignore
const bys = [{ value: "day", label: "Day" }, { value: "week", label: "Week" }, { value: "month", label: "Month" }]; // prettier-ignore

const begun = (kind: Condition["kind"]): Condition => {
  if (kind === "unusual") return { kind, way: "any" };
  return kind === "falls" || kind === "rises" ? { kind, share: 0.2 } : { kind, value: 0 };
};

interface Kept {
  readonly id?: string;
  readonly watch: Watch;
  readonly isOn: boolean;
}

const isChange = (when: Condition): when is Extract<Condition, { share: number }> => when.kind === "falls" || when.kind === "rises"; // prettier-ignore

/** The number that a condition goes by: a share is written in percent, as it is shown. */
const Bound = ({ when, format, change }: { when: Condition; format: MetricResult["format"]; change: (when: Condition) => void }) => {
  if (when.kind === "unusual")
    return <Select label="Which way" data={ways} value={when.way} allowDeselect={false} onChange={(way) => change({ ...when, way: way === "down" || way === "up" ? way : "any" })} />;
  const isShare = isChange(when) || format === "share";
  const value = isChange(when) ? when.share : when.value;
  const set = (next: number): void => change(isChange(when) ? { ...when, share: next } : { ...when, value: next });
  return <NumberInput label={format === "seconds" && !isShare ? "Seconds" : "Value"} suffix={isShare ? " %" : ""} decimalScale={6} value={isShare ? Number((value * 100).toPrecision(12)) : value} {...(isChange(when) ? { min: 0.1, max: 10_000 } : {})} onChange={(next) => typeof next === "number" && set(isShare ? next / 100 : next)} />;
}; // prettier-ignore

/** Watches of it, and what uses it. */
const changed = async (client: QueryClient, { key }: Metric): Promise<void> => {
  await Promise.all([client.invalidateQueries({ queryKey: ["watches"] }), client.invalidateQueries({ queryKey: ["metric", key] })]); // prettier-ignore
};

const WatchForm = ({ given, metric, close }: { given: Kept; metric: Metric; close: () => void }) => {
  const client = useQueryClient();
  const [watch, setWatch] = useState(given.watch);
  const { format, said } = metric;
  const channels = useQuery({ queryKey: ["alerts", "list"], queryFn: ({ signal }) => call(alerts.list, {}, signal) });
  const dry = useMutation({ mutationFn: () => call(contract.attempt, { watch }) });
  const change = (next: Partial<Watch>): void => {
    setWatch({ ...watch, ...next });
    dry.reset();
  };
  const save = useMutation({
    mutationFn: () => call(contract.save, { ...(given.id === undefined ? {} : { id: given.id }), watch, isOn: given.isOn }),
    onSuccess: async () => {
      await changed(client, metric);
      close();
    },
  });
  const told = channels.data?.channels ?? [];
  const hits = (dry.data?.judged ?? []).filter(({ fires }) => fires);
  return (
    <Modal opened onClose={close} title={given.id === undefined ? "Watch it" : "Watch"} size="lg">
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          save.mutate();
        }}
      >
        <Stack gap="sm">
          <SimpleGrid cols={{ base: 1, xs: 3 }}>
            <Select label="Each" data={bys.filter(({ value }) => metric.by === undefined || value === metric.by)} value={watch.by} allowDeselect={false} data-autofocus onChange={(by) => change({ by: contract.steps.find((one) => one === by) ?? "day" })} />
            <Select label="Is" data={kinds} value={watch.when.kind} allowDeselect={false} onChange={(kind) => change({ when: begun(kinds.find(({ value }) => value === kind)?.value ?? "unusual") })} />
            <Bound when={watch.when} format={format} change={(when) => change({ when })} />
          </SimpleGrid>
          {metric.isOfSome && <NumberInput label="Only where it is of at least" description="What is of few says little" min={0} max={1e9} value={watch.least} onChange={(least) => typeof least === "number" && change({ least })} />}
          <MultiSelect label="Tell" description={told.length === 0 ? "There is no channel yet; an owner makes one under Settings, Alerts. Until then it is shown here." : "None: it is shown here alone"} data={told.map(({ id, name }) => ({ value: id, label: name }))} value={watch.tell} onChange={(tell) => change({ tell })} />
          <Text size="sm">{titleOf(watch, said)}. It is told once when it begins and once when it is over: from an hour after the {watch.by} ends, and once its value changes no more.</Text>
          <Group><Button variant="default" loading={dry.isPending} onClick={() => dry.mutate()}>Try it on the past</Button></Group>
          {dry.data !== undefined && (
            <Stack gap={4} role="status">
              <Text size="sm">It would have begun {dry.data.told.toLocaleString()} {dry.data.told === 1 ? "time" : "times"} in {dry.data.judged.length} {watch.by}s{dry.data.judged.some(({ says }) => says === "") ? `; of ${dry.data.judged.filter(({ says }) => says === "").length} nothing can be said` : ""}. Nobody was told.</Text>
              {hits.length > 0 && <List size="sm">{hits.slice(-5).toReversed().map(({ bucket, says }) => <List.Item key={bucket}>{says}</List.Item>)}</List>}
            </Stack>
          )}
          {[dry.error, save.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
          <Group><Button type="submit" loading={save.isPending}>Save</Button></Group>
        </Stack>
      </form>
    </Modal>
  );
}; // prettier-ignore

const stateWords: Readonly<Record<WatchView["state"], string>> = { waits: "Nothing has ended yet", calm: "As it should be", fires: "Not as it should be", frozen: "Stands still" }; // prettier-ignore

const State = ({ state, problem, isOn }: WatchView) => (
  <>
    <Badge radius="sm" variant={isOn && state === "fires" ? "filled" : "default"} color={state === "fires" ? "red" : "gray"}>
      {isOn ? stateWords[state] : "Off"}
    </Badge>
    {problem !== "" && <Text size="xs" c="red">{problem}</Text>}
  </>
); // prettier-ignore

/** What somebody wants to hear of a metric, and what was told of it. */
export const WatchesPanel = ({ metric, mayEdit }: { metric: Metric; mayEdit: boolean }) => {
  const client = useQueryClient();
  const [open, setOpen] = useState<Kept>();
  const query = useQuery({ queryKey: ["watches", metric.key], queryFn: ({ signal }) => call(contract.list, { metric: metric.key }, signal) }); // prettier-ignore
  const done = () => changed(client, metric);
  const save = useMutation({ mutationFn: (given: { id: string; watch: Watch; isOn: boolean }) => call(contract.save, given), onSuccess: done }); // prettier-ignore
  const remove = useMutation({ mutationFn: (id: string) => call(contract.remove, { id }), onSuccess: done });
  const said = (watch: Watch): string => titleOf(watch, metric.said);
  const fresh: Kept = { watch: { metric: metric.key, by: metric.by ?? "day", when: begun("unusual"), least: 0, tell: [] }, isOn: true };
  return (
    <Stack component="section" aria-label="Watches" gap="sm">
      <Group justify="space-between">
        <Title order={2}>Watches</Title>
        {mayEdit && <Button variant="default" onClick={() => setOpen(fresh)}>Watch it</Button>}
      </Group>
      <Loaded query={query} height={60}>
        {({ watches }) =>
          watches.length === 0 ? (
            <Text size="sm">Nobody hears of it by itself. A watch tells when a day, a week or a month is not as it should be.</Text>
          ) : (
            <Stack gap="sm">
              {watches.filter(({ state, isOn }) => state === "frozen" && isOn).map(({ id, watch, isOn }) => (
                <Alert key={id} variant="outline" color="yellow" title={`${said(watch)}: it stands still`}>
                  <Group>
                    <Text size="sm">Another version of the score counts: its numbers cannot be held against those before.</Text>
                    {mayEdit && <Button size="xs" variant="default" loading={save.isPending} onClick={() => save.mutate({ id, watch, isOn })}>Go on with the new version</Button>}
                  </Group>
                </Alert>
              ))}
              <DataTable
                caption="What is watched, and how it stands"
                rows={watches}
                columns={[
                  { title: "Watch", cell: ({ watch }) => <div style={{ minWidth: 160 }}>{said(watch)}</div> },
                  { title: "Stands", cell: (one) => <State {...one} /> },
                  { title: "Last time", cell: ({ firings: [last] }) => last !== undefined && <div style={{ minWidth: 160 }}>{last.says}</div> },
                  {
                    title: "",
                    cell: ({ id, watch, isOn }) => mayEdit && (
                      <Group gap="xs" wrap="nowrap">
                        <Switch aria-label={`${said(watch)} is on`} checked={isOn} disabled={save.isPending} onChange={(event) => save.mutate({ id, watch, isOn: event.currentTarget.checked })} />
                        <Button size="xs" variant="default" aria-label={`Change ${said(watch)}`} onClick={() => setOpen({ id, watch, isOn })}>Change</Button>
                        <Button size="xs" variant="default" aria-label={`Take ${said(watch)} away`} loading={remove.isPending} onClick={() => remove.mutate(id)}>Take away</Button>
                      </Group>
                    ),
                  },
                ]}
              />
              <Text size="sm">What was sent, and what failed: <Anchor component={Link} to="/settings" underline="always">Settings, Alerts</Anchor>.</Text>
            </Stack>
          )
        }
      </Loaded>
      {[save.error, remove.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
      {open !== undefined && <WatchForm given={open} metric={metric} close={() => setOpen(undefined)} />}
    </Stack>
  );
}; // prettier-ignore

/** What is not as it should be now, of all that is watched; nothing where all is well. */
export const Firing = ({ nameOf }: { nameOf: (metric: string) => string }) => {
  const query = useQuery({ queryKey: ["watches"], queryFn: ({ signal }) => call(contract.list, {}, signal) });
  const firing = (query.data?.watches ?? []).filter(({ state, isOn }) => isOn && state === "fires");
  if (firing.length === 0) return null;
  return (
    <Alert variant="outline" color="red" title={firing.length === 1 ? "One metric is not as it should be" : `${firing.length} watches are not as they should be`}>
      <List size="sm">
        {firing.map(({ id, watch, firings: [last] }) => (
          <List.Item key={id}>
            <Anchor component={Link} to={`/catalog/metrics/${encodeURIComponent(watch.metric)}`} underline="always">{nameOf(watch.metric)}</Anchor>: {last?.says}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}; // prettier-ignore
