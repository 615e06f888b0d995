import { ActionIcon, Group, Select, Stack, TagsInput } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Filter } from "#insights/common/frame.ts";
import * as catalog from "#records/catalog/contract.ts";
import { call } from "#web/call.ts";
import { propertyChoices, useProperties } from "./properties.ts";

const operators: readonly { value: Filter["op"]; label: string }[] = [
  { value: "eq", label: "is" },
  { value: "neq", label: "is not" },
  { value: "contains", label: "contains" },
  { value: "not_contains", label: "does not contain" },
  { value: "gt", label: "more than" },
  { value: "gte", label: "at least" },
  { value: "lt", label: "less than" },
  { value: "lte", label: "at most" },
  { value: "is_set", label: "is known" },
  { value: "is_not_set", label: "is missing" },
];

const isUnary = (op: Filter["op"]): boolean => op === "is_set" || op === "is_not_set";
export const noFilter: Filter = { property: "", on: "event", op: "eq", values: [] };

interface FilterRowProps {
  readonly filter: Filter;
  readonly event: string | null;
  readonly change: (filter: Filter) => void;
  readonly remove: () => void;
}

const FilterRow = ({ filter, event, change, remove }: FilterRowProps) => {
  const [search, setSearch] = useState("");
  const names = useProperties();
  const on = filter.on === "person" ? "person" : "event";
  const { data } = useQuery({
    queryKey: ["values", filter.property, on, event, search],
    queryFn: ({ signal }) => call(catalog.values, { property: filter.property, on, event, search }, signal),
    enabled: filter.property !== "",
    staleTime: 30_000,
  });
  const chosen = filter.property === "" ? null : `${on === "person" ? "person:" : ""}${filter.property}`;
  return (
    <Group gap="xs" align="flex-start" wrap="nowrap">
      <Stack gap="xs" flex={1}>
        <Group gap="xs" grow>
          <Select
            aria-label="Property"
            placeholder="Property"
            size="xs"
            searchable
            data={propertyChoices(names)}
            value={chosen}
            onChange={(value) =>
              change({
                ...filter,
                property: (value ?? "").replace(/^person:/, ""),
                on: (value ?? "").startsWith("person:") ? "person" : "event",
                values: [],
              })
            }
          />
          <Select
            aria-label="Condition"
            size="xs"
            data={operators}
            value={filter.op}
            allowDeselect={false}
            onChange={(op) => change({ ...filter, op: (op as Filter["op"] | null) ?? "eq" })}
          />
        </Group>
        {!isUnary(filter.op) && (
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
