import {
  Anchor,
  Button,
  Card,
  Grid,
  Group,
  Modal,
  SegmentedControl,
  Stack,
  Text,
  Textarea,
  TextInput,
  Title,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import { leavesOf, type CohortView, type Rule } from "../contract.ts";
import { saysOf } from "../says.ts";
import { asGroup, isComplete, RuleEditor } from "./rule-editor.tsx";

const useCohorts = () => useQuery({ queryKey: ["cohorts"], queryFn: ({ signal }) => call(contract.list, {}, signal) });

const counted = (size: number, unit: CohortView["unit"]): string =>
  `${size.toLocaleString()} ${unit === "people" ? (size === 1 ? "person" : "people") : size === 1 ? "account" : "accounts"}`;

/** All cohorts. */
export const CohortsPage = () => {
  const create = (
    <Button component={Link} to="/cohorts/new">
      New cohort
    </Button>
  );
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1}>Cohorts</Title>
        {create}
      </Group>
      <Loaded query={useCohorts()}>
        {({ cohorts }) =>
          cohorts.length === 0 ? (
            <Empty title="No cohort yet" action={create}>
              A cohort is a set of people or accounts: those who did something, stopped doing it, have a trait, or stand
              on a list. It can narrow every question, and is kept up to date.
            </Empty>
          ) : (
            <DataTable
              caption="Cohorts of this workspace"
              rows={cohorts}
              columns={[
                {
                  title: "Name",
                  cell: ({ id, name }) => (
                    <Anchor component={Link} to="/cohorts/$cohort" params={{ cohort: id } as never} underline="always">
                      {name}
                    </Anchor>
                  ),
                },
                { title: "Size", numeric: true, cell: ({ size, unit }) => counted(size, unit) },
                { title: "Made", cell: ({ definition }) => (definition.kind === "rule" ? "By rule" : "As a list") },
                {
                  title: "As of",
                  cell: ({ evaluatedAt }) => (evaluatedAt === null ? "not found yet" : moment(evaluatedAt)),
                },
              ]}
            />
          )
        }
      </Loaded>
    </Stack>
  );
};

const Size = ({ unit, rule }: { unit: CohortView["unit"]; rule: Rule }) => {
  const { data, error, isFetching } = useQuery({
    queryKey: ["cohort-preview", unit, rule],
    queryFn: ({ signal }) => call(contract.preview, { unit, definition: { kind: "rule", rule } }, signal),
    enabled: isComplete(rule),
    placeholderData: keepPreviousData,
  });
  if (error !== null) return <Problem error={error} />;
  if (!isComplete(rule)) return <Text size="sm">Complete the conditions to see how many meet them.</Text>;
  if (data === undefined) return <Text size="sm">Counting…</Text>;
  const share = data.of === 0 ? 0 : (data.size / data.of) * 100;
  return (
    <Text size="lg" role="status" style={{ opacity: isFetching ? 0.5 : 1 }}>
      {counted(data.size, unit)} of {data.of.toLocaleString()} now (
      {share.toLocaleString(undefined, { maximumFractionDigits: 1 })} %)
    </Text>
  );
};

interface Draft {
  readonly name: string;
  readonly description: string;
  readonly rule: ReturnType<typeof asGroup>;
}

const emptyDraft: Draft = { name: "", description: "", rule: { type: "all", rules: [] } };

const Form = ({ draft, change, unit }: { draft: Draft; change: (draft: Draft) => void; unit: CohortView["unit"] }) => (
  <Stack>
    <TextInput
      label="Name"
      required
      value={draft.name}
      onChange={(event) => change({ ...draft, name: event.currentTarget.value })}
    />
    <Textarea
      label="Description"
      autosize
      value={draft.description}
      onChange={(event) => change({ ...draft, description: event.currentTarget.value })}
    />
    <RuleEditor rule={draft.rule} change={(rule) => change({ ...draft, rule })} />
    <Size unit={unit} rule={draft.rule} />
  </Stack>
);

/** A new cohort, by rule or as a list of ids. */
export const NewCohortPage = () => {
  const [draft, setDraft] = useState(emptyDraft);
  const [unit, setUnit] = useState<CohortView["unit"]>("people");
  const [kind, setKind] = useState<"rule" | "list">("rule");
  const [list, setList] = useState("");
  const navigate = useNavigate();
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: async () => {
      const { name, description, rule } = draft;
      const definition = kind === "rule" ? ({ kind, rule } as const) : ({ kind } as const);
      const { id } = await call(contract.create, { name, description, unit, definition });
      const ids = list.split(/[\n,;]+/).map((one) => one.trim()).filter((one) => one !== ""); // prettier-ignore
      if (kind === "list" && ids.length > 0) await call(contract.setMembers, { id, ids });
      return id;
    },
    onSuccess: async (id) => {
      await client.invalidateQueries({ queryKey: ["cohorts"] });
      await navigate({ to: "/cohorts/$cohort", params: { cohort: id } as never });
    },
  });
  const isReady = draft.name.trim() !== "" && (kind === "list" || isComplete(draft.rule));
  return (
    <Stack maw={880}>
      <Anchor component={Link} to="/cohorts" underline="always">
        All cohorts
      </Anchor>
      <Title order={1}>New cohort</Title>
      <Group>
        <SegmentedControl
          aria-label="Who is in it"
          data={[
            { value: "people", label: "People" },
            { value: "accounts", label: "Accounts" },
          ]}
          value={unit}
          onChange={(value) => setUnit(value as CohortView["unit"])}
        />
        <SegmentedControl
          aria-label="How it is made"
          data={[
            { value: "rule", label: "By rule" },
            { value: "list", label: "As a list" },
          ]}
          value={kind}
          onChange={(value) => setKind(value as "rule" | "list")}
        />
      </Group>
      {kind === "rule" ? (
        <Form draft={draft} change={setDraft} unit={unit} />
      ) : (
        <Stack>
          <TextInput
            label="Name"
            required
            value={draft.name}
            onChange={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
          />
          <Textarea
            label={unit === "people" ? "Ids of people" : "Ids of accounts"}
            description="Your own ids, one a line or with commas between; a column of a file can be pasted."
            autosize
            minRows={6}
            maxRows={20}
            value={list}
            onChange={(event) => setList(event.currentTarget.value)}
          />
        </Stack>
      )}
      {save.error !== null && <Problem error={save.error} />}
      <Group>
        <Button onClick={() => save.mutate()} disabled={!isReady} loading={save.isPending}>
          Create cohort
        </Button>
      </Group>
    </Stack>
  );
};

const Edit = ({ cohort, done }: { cohort: CohortView; done: () => void }) => {
  const { definition, id, name, description, unit } = cohort;
  const first = definition.kind === "rule" ? asGroup(definition.rule) : emptyDraft.rule;
  const [draft, setDraft] = useState<Draft>({ name, description, rule: first });
  const save = useMutation({
    mutationFn: () =>
      call(contract.update, {
        id,
        name: draft.name,
        description: draft.description,
        definition: definition.kind === "rule" ? { kind: "rule", rule: draft.rule } : definition,
      }),
    onSuccess: done,
  });
  return (
    <Stack>
      <Form draft={draft} change={setDraft} unit={unit} />
      {save.error !== null && <Problem error={save.error} />}
      <Group>
        <Button onClick={() => save.mutate()} loading={save.isPending} disabled={!isComplete(draft.rule)}>
          Save
        </Button>
        <Button variant="default" onClick={done}>
          Leave it as it is
        </Button>
      </Group>
    </Stack>
  );
};

const Why = ({ cohort, unit, name, close }: { cohort: string; unit: string; name: string; close: () => void }) => {
  const query = useQuery({
    queryKey: ["why", cohort, unit],
    queryFn: ({ signal }) => call(contract.why, { id: cohort, unit }, signal),
  });
  return (
    <Modal opened onClose={close} title={`Why ${name} is in it`} size="lg">
      <Loaded query={query} height={120}>
        {({ conditions, changes }) => (
          <Stack>
            {conditions.length > 0 && (
              <DataTable
                caption="Conditions, and whether they are met now"
                rows={conditions}
                columns={[
                  { title: "Condition", cell: ({ says }) => says },
                  { title: "Met", cell: ({ holds }) => (holds ? "yes" : "no") },
                ]}
              />
            )}
            <DataTable
              caption="When they entered and left"
              rows={changes}
              columns={[
                { title: "At", cell: ({ at }) => moment(at) },
                { title: "What", cell: ({ change }) => change },
              ]}
            />
          </Stack>
        )}
      </Loaded>
    </Modal>
  );
};

/** One cohort: who is in it, since when, why, and how it changed. */
export const CohortPage = ({ cohort }: { cohort: string }) => {
  const key = ["cohort", cohort];
  const query = useQuery({ queryKey: key, queryFn: ({ signal }) => call(contract.get, { id: cohort }, signal) });
  const { data: all } = useCohorts();
  const [editing, { open, close }] = useDisclosure();
  const [asked, setAsked] = useState<{ unit: string; name: string }>();
  const client = useQueryClient();
  const navigate = useNavigate();
  const again = async (): Promise<void> => {
    await client.invalidateQueries({ queryKey: key });
    await client.invalidateQueries({ queryKey: ["cohorts"] });
  };
  const refresh = useMutation({ mutationFn: () => call(contract.refresh, { id: cohort }), onSuccess: again });
  const remove = useMutation({
    mutationFn: () => call(contract.remove, { id: cohort }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["cohorts"] });
      await navigate({ to: "/cohorts" });
    },
  });
  const names = new Map((all?.cohorts ?? []).map(({ id, name }) => [id, name]));
  const failed = refresh.error ?? remove.error;
  return (
    <Stack>
      <Anchor component={Link} to="/cohorts" underline="always">
        All cohorts
      </Anchor>
      {asked !== undefined && <Why cohort={cohort} {...asked} close={() => setAsked(undefined)} />}
      <Loaded query={query}>
        {(held) => (
          <>
            <Group justify="space-between">
              <Title order={1}>{held.name}</Title>
              <Group gap="sm">
                {held.definition.kind === "rule" && (
                  <Button variant="default" onClick={() => refresh.mutate()} loading={refresh.isPending}>
                    Find members anew
                  </Button>
                )}
                {held.definition.kind === "rule" && (
                  <Button variant="default" onClick={open} disabled={editing}>
                    Change
                  </Button>
                )}
                <Button variant="default" onClick={() => remove.mutate()}>
                  Remove
                </Button>
              </Group>
            </Group>
            {failed !== null && <Problem error={failed} />}
            <Text size="lg" data-testid="size">
              {counted(held.size, held.unit)}
              {held.evaluatedAt === null ? "" : ` as of ${moment(held.evaluatedAt)}`}
            </Text>
            {held.description !== "" && <Text>{held.description}</Text>}
            {editing && (
              <Card withBorder>
                <Edit
                  cohort={held}
                  done={() => {
                    close();
                    void again();
                  }}
                />
              </Card>
            )}
            {!editing && held.definition.kind === "rule" && (
              <Text size="sm">
                Conditions:{" "}
                {leavesOf(held.definition.rule)
                  .map((leaf) => saysOf(leaf, names))
                  .join("; ")}
                . They are looked at again every ten minutes.
              </Text>
            )}
            <Grid>
              <Grid.Col span={{ base: 12, md: 7 }}>
                <DataTable
                  caption={held.size > held.members.length ? `The latest ${held.members.length} to enter` : "Members"}
                  rows={held.members}
                  columns={[
                    {
                      title: held.unit === "people" ? "Person" : "Account",
                      cell: ({ unit, name }) => (
                        <Anchor
                          component={Link}
                          to={held.unit === "people" ? "/people/$person" : "/accounts/$account"}
                          params={{ person: unit, account: unit } as never}
                          underline="always"
                        >
                          {name}
                        </Anchor>
                      ),
                    },
                    { title: "Since", cell: ({ since }) => moment(since) },
                    {
                      title: "Why",
                      cell: ({ unit, name }) => (
                        <Button size="compact-xs" variant="default" onClick={() => setAsked({ unit, name })}>
                          Why<span style={{ position: "absolute", left: -9999 }}> {name}</span>
                        </Button>
                      ),
                    },
                  ]}
                />
              </Grid.Col>
              <Grid.Col span={{ base: 12, md: 5 }}>
                <DataTable
                  caption="How many entered and left, by day"
                  rows={held.history}
                  columns={[
                    { title: "Day", cell: ({ day }) => day },
                    { title: "Entered", numeric: true, cell: ({ entered }) => entered.toLocaleString() },
                    { title: "Left", numeric: true, cell: ({ left }) => left.toLocaleString() },
                  ]}
                />
              </Grid.Col>
            </Grid>
          </>
        )}
      </Loaded>
    </Stack>
  );
};
