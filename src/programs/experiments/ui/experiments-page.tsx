import { Anchor, Badge, Button, Group, Modal, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import { Experiment } from "../document.ts";
import * as operations from "../operations.ts";
import { effectWords, percent } from "../words.ts";

export const stateWords = { draft: "Planned", running: "Running", ended: "Ended" } as const;
export const decisionWords = { ship: "Shipped", stop: "Stopped", inconclusive: "Inconclusive" } as const;

/** A key that code and people can read, from a name. */
const keyOf = (name: string): string => name.trim().toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "").slice(0, 80); // prettier-ignore

const NewExperiment = ({ close }: { close: () => void }) => {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const key = keyOf(name);
  const make = useMutation({
    mutationFn: () => call(operations.save, { experiment: Experiment.parse({ key, name, arms: [{ name: "control", weight: 1 }, { name: "treatment", weight: 1 }], exposure: { event: "$feature_flag_called", filters: [] }, armProperty: "$feature_flag_response" }), version: 0 }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["experiments"] });
      void navigate({ to: `/experiments/plan/${encodeURIComponent(key)}` });
    },
  });
  return (
    <Modal opened onClose={close} title="New experiment">
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          make.mutate();
        }}
      >
        <Stack gap="sm">
          <TextInput label="Name" description={key === "" ? "Its key follows from it" : `Key: ${key}`} required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
          {make.error !== null && <Problem error={make.error} />}
          <Button type="submit" disabled={key === ""} loading={make.isPending}>Plan it</Button>
        </Stack>
      </form>
    </Modal>
  );
}; // prettier-ignore

/** What ended experiments say together. */
const Learnt = () => {
  const query = useQuery({ queryKey: ["experiments", "learned"], queryFn: ({ signal }) => call(operations.learned, {}, signal) });
  return (
    <Loaded query={query} height={80}>
      {({ winRate, metrics, holdouts, northStar }) =>
        (winRate !== null || holdouts.length > 0) && (
          <Stack gap="sm">
            <Title order={2} size="h4">What was learnt</Title>
            {winRate !== null && (
              <Text>
                Of {winRate.ended} that ended, {percent(winRate.share, 1)} were shipped (95 %: {percent(winRate.lower, 1)} to {percent(winRate.upper, 1)}).
              </Text>
            )}
            {holdouts.length > 0 && (
              <DataTable
                caption="What everything together did, against those who are kept out of it"
                rows={holdouts.flatMap(({ name, units, effects }) => effects.map((effect) => ({ holdout: name, units, ...effect })))}
                columns={[
                  { title: "Holdout", cell: ({ holdout }) => holdout },
                  { title: "Units", numeric: true, cell: ({ units }) => units.toLocaleString() },
                  { title: "Metric", cell: ({ name }) => name },
                  { title: "Effect", numeric: true, cell: ({ estimate }) => effectWords(estimate) },
                  { title: "From", numeric: true, cell: ({ lower }) => effectWords(lower) },
                  { title: "To", numeric: true, cell: ({ upper }) => effectWords(upper) },
                ]}
              />
            )}
            {metrics.length > 0 && (
              <DataTable
                caption="What moves each metric: better is more"
                rows={metrics}
                columns={[
                  { title: "Metric", cell: ({ metric }) => (metric === northStar ? `${metric}, the North Star` : metric) },
                  { title: "Experiments", numeric: true, cell: ({ experiments }) => experiments },
                  { title: "On average", numeric: true, cell: ({ mean, lower, upper }) => `${effectWords(mean)} (${effectWords(lower)} to ${effectWords(upper)})` },
                  { title: "Half move it by less than", numeric: true, cell: ({ typical }) => percent(typical, 1) },
                  { title: "Shipped, as each said", numeric: true, cell: ({ summed }) => effectWords(summed) },
                  { title: "Shipped, believed", numeric: true, cell: ({ believed }) => effectWords(believed) },
                ]}
              />
            )}
            {metrics.some(({ findings }) => findings.length > 1) && (
              <DataTable
                caption="Each effect, and what is left of it in the light of the others"
                rows={metrics.flatMap(({ findings }) => findings)}
                columns={[
                  { title: "Experiment", cell: ({ name }) => name },
                  { title: "Metric", cell: ({ metric }) => metric },
                  { title: "Arm", cell: ({ arm, isShipped }) => `${arm}${isShipped ? ", shipped" : ""}` },
                  { title: "Effect", numeric: true, cell: ({ estimate }) => effectWords(estimate) },
                  { title: "Believed", numeric: true, cell: ({ shrunk, shrunkLower, shrunkUpper }) => `${effectWords(shrunk)} (${effectWords(shrunkLower)} to ${effectWords(shrunkUpper)})` },
                ]}
              />
            )}
          </Stack>
        )
      }
    </Loaded>
  );
}; // prettier-ignore

/** Every experiment, with what was decided: the record that the next one starts from. */
export const ExperimentsPage = ({ mayEdit }: { mayEdit: boolean }) => {
  const [isMaking, setMaking] = useState(false);
  const [search, setSearch] = useState("");
  const [asked] = useDebouncedValue(search, 250);
  const query = useQuery({ queryKey: ["experiments", "list", asked], queryFn: ({ signal }) => call(operations.list, { search: asked }, signal) });
  const make = mayEdit && <Button onClick={() => setMaking(true)}>New experiment</Button>;
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1}>Experiments</Title>
        {make}
      </Group>
      <TextInput aria-label="Search" placeholder="Search names, hypotheses, metrics and reasons" value={search} onChange={(event) => setSearch(event.currentTarget.value)} maw={480} />
      <Loaded query={query}>
        {({ experiments }) =>
          experiments.length === 0 ? (
            <Empty title={asked === "" ? "No experiments yet" : "Nothing was found"} action={asked === "" ? make : undefined}>
              {asked === "" ? "An experiment says beforehand what it expects, what decides and how long it takes; so nobody is fooled by its numbers." : "Try fewer words."}
            </Empty>
          ) : (
            <DataTable
              caption="Experiments"
              rows={experiments}
              columns={[
                { title: "Experiment", cell: ({ experiment }) => <Anchor component={Link} to={`/experiments/plan/${encodeURIComponent(experiment.key)}`}>{experiment.name}</Anchor> },
                { title: "State", cell: ({ state, decision }) => <Badge variant="outline" color={state === "running" ? "blue" : "gray"}>{decision === null ? stateWords[state] : decisionWords[decision.decision]}</Badge> },
                { title: "Decides", cell: ({ experiment }) => experiment.metrics.find(({ role }) => role === "primary")?.metric ?? "" },
                { title: "Hypothesis", cell: ({ experiment }) => experiment.hypothesis },
                { title: "Why so decided", cell: ({ decision }) => decision?.reason ?? "" },
                { title: "Started", cell: ({ startedAt }) => (startedAt === null ? "" : moment(startedAt)) },
              ]}
            />
          )
        }
      </Loaded>
      <Learnt />
      {isMaking && <NewExperiment close={() => setMaking(false)} />}
    </Stack>
  );
}; // prettier-ignore
