import {
  ActionIcon,
  Box,
  Button,
  Group,
  Menu,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  Switch,
  Text,
} from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { EventMatch } from "#insights/common/frame.ts";
import { bareEvent, EventList, type AskedEvent } from "#insights/common/ui/event-list.tsx";
import { Filters, noFilter } from "#insights/common/ui/filters.tsx";
import * as catalog from "#records/catalog/contract.ts";
import { call } from "#web/call.ts";
import * as contract from "../contract.ts";
import type { Duration, Leaf, Rule } from "../contract.ts";

type Group = Rule & { type: "all" | "any" };
type Kind = Leaf["type"];

const anyMatch: EventMatch = { event: null, filters: [] };
const week: Duration = { value: 1, unit: "week" };

/** A new condition of each kind, and what it is called. */
const fresh: Readonly<Record<Kind, { title: string; make: () => Leaf }>> = {
  did: { title: "Did something", make: () => ({ type: "did", match: anyMatch, within: { value: 30, unit: "day" } }) },
  first_time: {
    title: "Did it for the first time",
    make: () => ({ type: "first_time", match: anyMatch, within: week }),
  },
  regularly: {
    title: "Did it regularly",
    make: () => ({ type: "regularly", match: anyMatch, times: { op: "gte", value: 1 }, period: week, totalPeriods: 4, minPeriods: 3 }), // prettier-ignore
  },
  stopped: {
    title: "Stopped doing it",
    make: () => ({ type: "stopped", match: anyMatch, within: { value: 30, unit: "day" }, notWithin: week }),
  },
  restarted: {
    title: "Did it again after a pause",
    make: () => ({ type: "restarted", match: anyMatch, quietWithin: { value: 30, unit: "day" }, againWithin: week }),
  },
  sequence: {
    title: "Did one thing, then another",
    make: () => ({ type: "sequence", steps: [], windowSeconds: 7 * 86_400, within: { value: 30, unit: "day" } }),
  },
  trait: { title: "Has a trait", make: () => ({ type: "trait", filter: { ...noFilter, on: "person" } }) },
  cohort: { title: "Is in another cohort", make: () => ({ type: "cohort", cohort: "" }) },
};

/** Whether a rule says enough to be evaluated. */
export const isComplete = (rule: Rule): boolean => {
  if (rule.type === "all" || rule.type === "any") return rule.rules.length > 0 && rule.rules.every(isComplete);
  if (rule.type === "not") return isComplete(rule.rule);
  if (rule.type === "sequence") return rule.steps.length > 1;
  if (rule.type === "trait")
    return rule.filter.property !== "" && (rule.filter.op.startsWith("is_") || rule.filter.values.length > 0);
  return rule.type !== "cohort" || rule.cohort !== "";
};

const DurationInput = ({
  label,
  value,
  change,
}: {
  label: string;
  value: Duration;
  change: (value: Duration) => void;
}) => (
  <Group gap={4} wrap="nowrap" align="flex-end">
    <NumberInput
      label={label}
      size="xs"
      w={110}
      min={1}
      max={3_650}
      value={value.value}
      onChange={(count) => typeof count === "number" && count >= 1 && change({ ...value, value: Math.floor(count) })}
    />
    <Select
      aria-label={`${label}, unit`}
      size="xs"
      w={100}
      allowDeselect={false}
      data={(["hour", "day", "week", "month"] as const).map((unit) => ({ value: unit, label: `${unit}s` }))}
      value={value.unit}
      onChange={(unit) => change({ ...value, unit: (unit as Duration["unit"] | null) ?? "day" })}
    />
  </Group>
);

const Count = ({ label, value, change }: { label: string; value: number; change: (value: number) => void }) => (
  <NumberInput
    label={label}
    size="xs"
    w={110}
    min={1}
    value={value}
    onChange={(count) => typeof count === "number" && count >= 1 && change(Math.floor(count))}
  />
);

interface LeafProps<L extends Leaf> {
  readonly leaf: L;
  readonly change: (leaf: L) => void;
  readonly names: readonly string[];
}

const asked = ({ event, filters }: EventMatch): AskedEvent => ({ name: event ?? "", filters });
const matched = ({ name, filters }: AskedEvent): EventMatch => ({ event: name === "" ? null : name, filters });

const MatchInput = ({
  match,
  names,
  change,
}: {
  match: EventMatch;
  names: readonly string[];
  change: (match: EventMatch) => void;
}) => (
  <Stack gap="xs">
    <Group gap="xs" align="flex-end">
      <Select
        label="Event"
        size="xs"
        searchable
        placeholder="Any event"
        clearable
        data={[...names]}
        value={match.event}
        onChange={(event) => change({ ...match, event })}
      />
      <Button size="xs" variant="default" onClick={() => change({ ...match, filters: [...match.filters, noFilter] })}>
        Add a condition
      </Button>
    </Group>
    <Filters filters={match.filters} event={match.event} change={(filters) => change({ ...match, filters })} />
  </Stack>
);

const DidInput = ({ leaf, change, names }: LeafProps<Leaf & { type: "did" }>) => (
  <Stack gap="xs">
    <MatchInput match={leaf.match} names={names} change={(match) => change({ ...leaf, match })} />
    <Group gap="xs" align="flex-end">
      <Count
        label="At least, times"
        value={leaf.times?.value ?? 1}
        change={(value) => change({ ...leaf, times: value === 1 ? undefined : { op: "gte", value } })}
      />
      {leaf.within !== undefined && (
        <DurationInput label="In the last" value={leaf.within} change={(within) => change({ ...leaf, within })} />
      )}
      <Switch
        label="Ever"
        checked={leaf.within === undefined}
        onChange={(event) => change({ ...leaf, within: event.currentTarget.checked ? undefined : week })}
      />
    </Group>
  </Stack>
);

const CohortInput = ({ leaf, change }: LeafProps<Leaf & { type: "cohort" }>) => {
  const { data } = useQuery({ queryKey: ["cohorts"], queryFn: ({ signal }) => call(contract.list, {}, signal) });
  return (
    <Select
      label="Cohort"
      size="xs"
      searchable
      data={(data?.cohorts ?? []).map(({ id, name }) => ({ value: id, label: name }))}
      value={leaf.cohort === "" ? null : leaf.cohort}
      onChange={(cohort) => change({ ...leaf, cohort: cohort ?? "" })}
    />
  );
};

const inputs: { readonly [K in Kind]: (props: LeafProps<Leaf & { type: K }>) => ReactNode } = {
  did: DidInput,
  first_time: ({ leaf, change, names }) => (
    <Stack gap="xs">
      <MatchInput match={leaf.match} names={names} change={(match) => change({ ...leaf, match })} />
      <DurationInput label="In the last" value={leaf.within} change={(within) => change({ ...leaf, within })} />
    </Stack>
  ),
  regularly: ({ leaf, change, names }) => (
    <Stack gap="xs">
      <MatchInput match={leaf.match} names={names} change={(match) => change({ ...leaf, match })} />
      <Group gap="xs" align="flex-end">
        <Count
          label="Times, at least"
          value={leaf.times.value}
          change={(value) => change({ ...leaf, times: { op: "gte", value } })}
        />
        <DurationInput label="In a period of" value={leaf.period} change={(period) => change({ ...leaf, period })} />
        <Count
          label="In so many"
          value={leaf.minPeriods}
          change={(minPeriods) =>
            change({ ...leaf, minPeriods, totalPeriods: Math.max(minPeriods, leaf.totalPeriods) })
          }
        />
        <Count
          label="of the last"
          value={leaf.totalPeriods}
          change={(totalPeriods) =>
            change({ ...leaf, totalPeriods, minPeriods: Math.min(totalPeriods, leaf.minPeriods) })
          }
        />
      </Group>
    </Stack>
  ),
  stopped: ({ leaf, change, names }) => (
    <Stack gap="xs">
      <MatchInput match={leaf.match} names={names} change={(match) => change({ ...leaf, match })} />
      <Group gap="xs" align="flex-end">
        <DurationInput label="Did in the last" value={leaf.within} change={(within) => change({ ...leaf, within })} />
        <DurationInput
          label="Not in the last"
          value={leaf.notWithin}
          change={(notWithin) => change({ ...leaf, notWithin })}
        />
      </Group>
    </Stack>
  ),
  restarted: ({ leaf, change, names }) => (
    <Stack gap="xs">
      <MatchInput match={leaf.match} names={names} change={(match) => change({ ...leaf, match })} />
      <Group gap="xs" align="flex-end">
        <DurationInput
          label="Quiet since"
          value={leaf.quietWithin}
          change={(quietWithin) => change({ ...leaf, quietWithin })}
        />
        <DurationInput
          label="Until the last"
          value={leaf.againWithin}
          change={(againWithin) => change({ ...leaf, againWithin })}
        />
      </Group>
    </Stack>
  ),
  sequence: ({ leaf, change, names }) => (
    <Stack gap="xs">
      <EventList
        label="Steps, in order"
        events={leaf.steps.map(asked)}
        names={names}
        most={20}
        sign={(place) => String(place + 1)}
        make={bareEvent}
        change={(steps) => change({ ...leaf, steps: steps.map(matched) })}
      />
      <Group gap="xs" align="flex-end">
        <Count
          label="Within days"
          value={Math.max(1, Math.round(leaf.windowSeconds / 86_400))}
          change={(days) => change({ ...leaf, windowSeconds: Math.min(366, days) * 86_400 })}
        />
        <DurationInput label="In the last" value={leaf.within} change={(within) => change({ ...leaf, within })} />
      </Group>
    </Stack>
  ),
  trait: ({ leaf, change }) => (
    <Filters
      filters={[leaf.filter]}
      change={([filter]) => change({ ...leaf, filter: { ...(filter ?? noFilter), on: "person" } })}
    />
  ),
  cohort: CohortInput,
};

const LeafInput = ({ leaf, change, names }: LeafProps<Leaf>) => {
  const Input = inputs[leaf.type] as (props: LeafProps<Leaf>) => ReactNode; // the kind's own input
  return <Input leaf={leaf} change={change} names={names} />;
};

const Framed = ({ title, remove, children }: { title: ReactNode; remove: () => void; children: ReactNode }) => (
  <Box p="sm" style={{ border: "1px solid var(--mantine-color-default-border)", borderRadius: 4 }}>
    <Stack gap="xs">
      <Group justify="space-between" wrap="nowrap">
        {title}
        <ActionIcon variant="subtle" color="gray" aria-label="Remove this condition" onClick={remove}>
          <IconX size={14} aria-hidden />
        </ActionIcon>
      </Group>
      {children}
    </Stack>
  </Box>
);

interface RuleProps {
  readonly rule: Rule;
  readonly change: (rule: Rule) => void;
  readonly remove: () => void;
  readonly names: readonly string[];
  readonly depth: number;
}

/** One condition, or a group of them; either may be turned around. */
const RuleInput = ({ rule, change, remove, names, depth }: RuleProps) => {
  const isTurned = rule.type === "not";
  const inner = isTurned ? rule.rule : rule;
  const put = (changed: Rule): void => change(isTurned ? { type: "not", rule: changed } : changed);
  const isGroup = inner.type === "all" || inner.type === "any";
  const title = (
    <Group gap="sm">
      <Text size="sm" fw={500}>
        {isGroup ? "Group" : fresh[(inner as Leaf).type].title}
      </Text>
      <Switch
        size="xs"
        label="Not"
        checked={isTurned}
        onChange={(event) => change(event.currentTarget.checked ? { type: "not", rule: inner } : inner)}
      />
    </Group>
  );
  return (
    <Framed title={title} remove={remove}>
      {isGroup ? (
        <GroupInput group={inner} change={put} names={names} depth={depth + 1} />
      ) : (
        <LeafInput leaf={inner as Leaf} change={put} names={names} />
      )}
    </Framed>
  );
};

const deepest = 3;

const GroupInput = ({
  group,
  change,
  names,
  depth,
}: {
  group: Group;
  change: (group: Group) => void;
  names: readonly string[];
  depth: number;
}) => (
  <Stack gap="sm">
    <SegmentedControl
      size="xs"
      w="fit-content"
      aria-label="How conditions count"
      data={[
        { value: "all", label: "All of these" },
        { value: "any", label: "Any of these" },
      ]}
      value={group.type}
      onChange={(type) => change({ type: type as Group["type"], rules: group.rules })}
    />
    {group.rules.map((rule, place) => (
      <RuleInput
        key={place}
        rule={rule}
        names={names}
        depth={depth}
        change={(changed) => change({ ...group, rules: group.rules.map((one, at) => (at === place ? changed : one)) })}
        remove={() => change({ ...group, rules: group.rules.filter((_, at) => at !== place) })}
      />
    ))}
    <Menu position="bottom-start">
      <Menu.Target>
        <Button size="xs" variant="default" w="fit-content" leftSection={<IconPlus size={14} aria-hidden />}>
          Add a condition
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {Object.entries(fresh).map(([kind, { title, make }]) => (
          <Menu.Item key={kind} onClick={() => change({ ...group, rules: [...group.rules, make()] })}>
            {title}
          </Menu.Item>
        ))}
        {depth < deepest && (
          <Menu.Item onClick={() => change({ ...group, rules: [...group.rules, { type: "any", rules: [] }] })}>
            A group of conditions
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  </Stack>
);

/** The rule of a cohort, edited. */
export const RuleEditor = ({ rule, change }: { rule: Group; change: (rule: Group) => void }) => {
  const { data } = useQuery({
    queryKey: ["events"],
    queryFn: ({ signal }) => call(catalog.events, { limit: 500 }, signal),
  });
  return <GroupInput group={rule} change={change} names={(data?.events ?? []).map(({ name }) => name)} depth={1} />;
};

/** A rule as a group, which is how the editor holds it. */
export const asGroup = (rule: Rule): Group =>
  rule.type === "all" || rule.type === "any" ? rule : { type: "all", rules: [rule] };
