import { ActionIcon, Group, MultiSelect, Select, Stack, TagsInput } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import * as cohorts from "#insights/cohorts/contract.ts";
import type { Filter } from "#insights/common/frame.ts";
import * as catalog from "#records/catalog/contract.ts";
import { call } from "#web/call.ts";
import { conditionChoices, useProperties } from "./properties.ts";

export const operatorChoices: readonly { value: Filter["op"]; label: string }[] = [
  { value: "eq", label: "is" },
  { value: "neq", label: "is not" },
  { value: "contains", label: "contains" },
  { value: "not_contains", label: "does not contain" },
  { value: "gt", label: "more than" },
  { value: "gte", label: "at least" },
  { value: "lt", label: "less than" },
  { value: "lte", label: "at most" },
  { value: "matches", label: "matches the expression" },
  { value: "not_matches", label: "does not match" },
  { value: "before", label: "is before the day" },
  { value: "after", label: "is on the day or after" },
  { value: "version_gte", label: "is at least version" },
  { value: "version_gt", label: "is above version" },
  { value: "version_lte", label: "is at most version" },
  { value: "version_lt", label: "is below version" },
  { value: "is_set", label: "is known" },
  { value: "is_not_set", label: "is missing" },
];

export const isUnary = (op: Filter["op"]): boolean => op === "is_set" || op === "is_not_set";
export const noFilter: Filter = { property: "", on: "event", op: "eq", values: [] };

interface FilterRowProps {
  readonly filter: Filter;
  readonly event: string | null;
  readonly change: (filter: Filter) => void;
  readonly remove: () => void;
}

const inCohort = "cohort:";
const cohortOperators: readonly { value: Filter["op"]; label: string }[] = [
  { value: "eq", label: "is in any of" },
  { value: "neq", label: "is in none of" },
];

/** The choice of a property as a text, and back. */
const choiceOf = ({ property, on }: Filter): string | null => {
  if (on === "cohort") return inCohort;
  if (on === "product") return "product:";
  if (property === "") return null;
  return on === "event" ? property : `${on}:${property}`;
};
const targets = ["person", "person_then", "account", "session", "product"] as const;
const chosen = (choice: string | null): Pick<Filter, "property" | "on" | "op" | "values"> => {
  if (choice === inCohort) return { property: "", on: "cohort", op: "eq", values: [] };
  const on = targets.find((target) => choice?.startsWith(`${target}:`));
  const property = on === undefined ? (choice ?? "") : (choice ?? "").slice(on.length + 1);
  return { property, on: on ?? "event", op: on === "session" && property !== "id" ? "gte" : "eq", values: [] };
};

const CohortValues = ({ filter, change }: Pick<FilterRowProps, "filter" | "change">) => {
  const { data } = useQuery({ queryKey: ["cohorts"], queryFn: ({ signal }) => call(cohorts.list, {}, signal) });
  return (
    <MultiSelect
      aria-label="Cohorts"
      placeholder={filter.values.length === 0 ? "Cohorts" : ""}
      size="xs"
      searchable
      data={(data?.cohorts ?? []).map(({ id, name }) => ({ value: id, label: name }))}
      value={filter.values}
      onChange={(values) => change({ ...filter, values })}
      nothingFoundMessage="No such cohort"
    />
  );
};

const FilterRow = ({ filter, event, change, remove }: FilterRowProps) => {
  const [search, setSearch] = useState("");
  const names = useProperties();
  const on = filter.on === "account" ? "account" : filter.on.startsWith("person") ? "person" : "event";
  const { data } = useQuery({
    queryKey: ["values", filter.property, on, event, search],
    queryFn: ({ signal }) => call(catalog.values, { property: filter.property, on, event, search }, signal),
    enabled: filter.property !== "" && filter.on !== "session",
    staleTime: 30_000,
  });
  const choices = [{ group: "Membership", items: [{ value: inCohort, label: "Cohort" }] }, ...conditionChoices(names)];
  return (
    <Group gap="xs" align="flex-start" wrap="nowrap">
      <Stack gap="xs" flex={1}>
        <Group gap="xs" grow>
          <Select
            aria-label="Property"
            placeholder="Property"
            size="xs"
            searchable
            data={choices}
            value={choiceOf(filter)}
            onChange={(value) => change(chosen(value))}
          />
          <Select
            aria-label="Condition"
            size="xs"
            data={filter.on === "cohort" ? cohortOperators : operatorChoices}
            value={filter.op}
            allowDeselect={false}
            onChange={(op) => change({ ...filter, op: (op as Filter["op"] | null) ?? "eq" })}
          />
        </Group>
        {filter.on === "cohort" && <CohortValues filter={filter} change={change} />}
        {filter.on !== "cohort" && !isUnary(filter.op) && (
          <TagsInput
            aria-label="Values"
            placeholder={filter.values.length === 0 ? "Values; any of them" : ""}
            size="xs"
            data={data?.values ?? []}
            value={filter.values}
            searchValue={search}
            onSearchChange={setSearch}
            onChange={(values) => change({ ...filter, values })}
            acceptValueOnBlur
          />
        )}
      </Stack>
      <ActionIcon variant="subtle" color="gray" aria-label="Remove the condition" onClick={remove}>
        <IconX size={14} aria-hidden />
      </ActionIcon>
    </Group>
  );
};

/** Conditions, all of which must hold. */
export const Filters = ({
  filters,
  event = null,
  change,
}: {
  filters: readonly Filter[];
  event?: string | null;
  change: (filters: Filter[]) => void;
}) => (
  <Stack gap="xs">
    {filters.map((filter, place) => (
      <FilterRow
        key={place}
        filter={filter}
        event={event}
        change={(changed) => change(filters.map((one, index) => (index === place ? changed : one)))}
        remove={() => change(filters.filter((_, index) => index !== place))}
      />
    ))}
  </Stack>
);
