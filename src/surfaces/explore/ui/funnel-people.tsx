import { Anchor, Button, Group, Modal, SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import * as cohorts from "#insights/cohorts/contract.ts";
import { funnelPeople, type FunnelInput, type FunnelResult } from "#insights/funnels/contract.ts";
import { groupName } from "#insights/common/chart.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { Loaded, Problem } from "#web/kit/states.tsx";

const shown = 100;
/** As many as one question gives out. */
const most = 10_000;

interface Which {
  readonly step: number;
  readonly who: "reached" | "dropped";
  readonly group: string | undefined;
}

const People = ({ funnel, which }: { funnel: FunnelInput; which: Which }) => {
  const query = useQuery({
    queryKey: ["funnel-people", funnel, which],
    queryFn: ({ signal }) => call(funnelPeople, { funnel, ...which, limit: shown }, signal),
  });
  return (
    <Loaded query={query} height={160}>
      {({ people }) => (
        <DataTable
          caption={people.length === shown ? `The first ${shown}` : `${people.length} people`}
          rows={people}
          columns={[
            {
              title: "Person",
              cell: ({ person, ids }) => (
                <Anchor component={Link} to="/people/$person" params={{ person } as never} underline="always">
                  {ids[0] ?? person}
                </Anchor>
              ),
            },
          ]}
        />
      )}
    </Loaded>
  );
};

const MakeCohort = ({ funnel, which, suggested }: { funnel: FunnelInput; which: Which; suggested: string }) => {
  const [name, setName] = useState("");
  const client = useQueryClient();
  const navigate = useNavigate();
  const make = useMutation({
    mutationFn: async () => {
      const { people } = await call(funnelPeople, { funnel, ...which, limit: most });
      const { id } = await call(cohorts.create, {
        name: name === "" ? suggested.slice(0, 100) : name,
        definition: { kind: "list" },
      });
      await call(cohorts.setMembers, { id, persons: people.map(({ person }) => person) });
      return id;
    },
    onSuccess: async (id) => {
      await client.invalidateQueries({ queryKey: ["cohorts"] });
      await navigate({ to: "/cohorts/$cohort", params: { cohort: id } as never });
    },
  });
  return (
    <Stack gap="xs">
      <Group align="flex-end">
        <TextInput
          label="Make a cohort of them"
          placeholder={suggested}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          flex={1}
        />
        <Button onClick={() => make.mutate()} loading={make.isPending}>
          Make cohort
        </Button>
      </Group>
      <Text size="xs">They are put on a list as they are now, {most.toLocaleString()} at most.</Text>
      {make.error !== null && <Problem error={make.error} />}
    </Stack>
  );
};

/** Who reached a step of a funnel or was lost before it, and a cohort of them. */
export const FunnelPeople = ({ funnel, result }: { funnel: FunnelInput; result: FunnelResult }) => {
  const [opened, { open, close }] = useDisclosure();
  const [which, setWhich] = useState<Which>({ step: 1, who: "dropped", group: undefined });
  const steps = result.groups[0]?.steps ?? [];
  const groups = result.groups.flatMap(({ group }) => (group === null || group === "$other" ? [] : [group]));
  const step = Math.min(which.step, steps.length - 1);
  const label = steps[step]?.label ?? "";
  const suggested = `${which.who === "dropped" ? "Did not get to" : "Got to"} ${label}${which.group === undefined ? "" : `, ${groupName(which.group)}`}`;
  return (
    <>
      <Button variant="default" w="fit-content" onClick={open}>
        See people
      </Button>
      <Modal opened={opened} onClose={close} title="People of this funnel" size="lg">
        <Stack>
          <Group align="flex-end">
            <SegmentedControl
              aria-label="Who"
              data={[
                { value: "dropped", label: "Lost before" },
                { value: "reached", label: "Reached" },
              ]}
              value={which.who}
              onChange={(who) => setWhich({ ...which, who: who as Which["who"] })}
            />
            <Select
              label="Step"
              allowDeselect={false}
              data={steps.flatMap((one, index) =>
                index === 0 && which.who === "dropped"
                  ? []
                  : [{ value: String(index), label: `${index + 1}. ${one.label}` }],
              )}
              value={String(step)}
              onChange={(value) => setWhich({ ...which, step: Number(value ?? 1) })}
            />
            {groups.length > 0 && (
              <Select
                label="Group"
                clearable
                placeholder="Everybody"
                data={groups.map((group) => ({ value: `=${group}`, label: groupName(group) }))}
                value={which.group === undefined ? null : `=${which.group}`}
                onChange={(value) => setWhich({ ...which, group: value === null ? undefined : value.slice(1) })}
              />
            )}
          </Group>
          <MakeCohort funnel={funnel} which={{ ...which, step }} suggested={suggested} />
          <People funnel={funnel} which={{ ...which, step }} />
        </Stack>
      </Modal>
    </>
  );
};
