import { ActionIcon, Badge, Box, Group, Select, Stack, Text } from "@mantine/core";
import { IconArrowUp, IconFilter, IconX } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";
import type { Filter } from "../frame.ts";
import { Filters, noFilter } from "./filters.tsx";

/** An event by its name, empty for every event, and conditions on it. */
export interface AskedEvent {
  readonly name: string;
  readonly filters: Filter[];
}

/** Stands in the choices for every event, whose name is empty. */
const everyEvent = "\u0000every";

interface EventRowProps<E extends AskedEvent> {
  readonly event: E;
  readonly sign: string;
  readonly extra: ReactNode;
  readonly change: (event: E) => void;
  readonly remove: () => void;
  readonly earlier: (() => void) | undefined;
}

function EventRow<E extends AskedEvent>({ event, sign, extra, change, remove, earlier }: EventRowProps<E>) {
  const name = event.name === "" ? "Every event" : event.name;
  return (
    <Box p="xs" style={{ border: "1px solid var(--mantine-color-default-border)", borderRadius: 4 }}>
      <Stack gap="xs">
        <Group gap="xs" wrap="nowrap" justify="space-between">
          <Group gap="xs" wrap="nowrap" miw={0}>
            <Badge variant="default" size="sm" radius="sm">
              {sign}
            </Badge>
            <Text size="sm" truncate title={name}>
              {name}
            </Text>
          </Group>
          <Group gap={4} wrap="nowrap">
            {earlier !== undefined && (
              <ActionIcon variant="subtle" color="gray" aria-label={`Move ${name} earlier`} onClick={earlier}>
                <IconArrowUp size={14} aria-hidden />
              </ActionIcon>
            )}
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`Add a condition to ${name}`}
              onClick={() => change({ ...event, filters: [...event.filters, noFilter] })}
            >
              <IconFilter size={14} aria-hidden />
            </ActionIcon>
            <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${name}`} onClick={remove}>
              <IconX size={14} aria-hidden />
            </ActionIcon>
          </Group>
        </Group>
        <Filters
          filters={event.filters}
          event={event.name === "" ? null : event.name}
          change={(filters) => change({ ...event, filters })}
        />
        {extra}
      </Stack>
    </Box>
  );
}

/** The events of a question, in order, each with its conditions; and a box to add another by typing. */
export function EventList<E extends AskedEvent>({
  label,
  events,
  names,
  most,
  sign,
  extra,
  make,
  change,
}: {
  label: string;
  events: readonly E[];
  names: readonly string[];
  most: number;
  sign: (place: number) => string;
  /** What else can be said of an event. */
  extra?: (event: E, change: (event: E) => void, place: number) => ReactNode;
  make: (name: string) => E;
  change: (events: E[]) => void;
}) {
  const [search, setSearch] = useState("");
  return (
    <Stack gap="xs">
      {events.map((event, place) => (
        <EventRow
          key={place}
          event={event}
          sign={sign(place)}
          extra={extra?.(
            event,
            (changed) => change(events.map((one, index) => (index === place ? changed : one))),
            place,
          )}
          change={(changed) => change(events.map((one, index) => (index === place ? changed : one)))}
          remove={() => change(events.filter((_, index) => index !== place))}
          earlier={
            place === 0
            ? undefined
            : () => change([...events.slice(0, place - 1), event, ...events.slice(place - 1, place), ...events.slice(place + 1)]) // prettier-ignore
          }
        />
      ))}
      {events.length < most && (
        <Select
          label={label}
          placeholder={events.length === 0 ? "Type a name" : "Add another"}
          searchable
          data={[...names.map((name) => ({ value: name, label: name })), { value: everyEvent, label: "Every event" }]}
          value={null}
          searchValue={search}
          onSearchChange={setSearch}
          onChange={(name) => {
            setSearch("");
            if (name !== null) change([...events, make(name === everyEvent ? "" : name)]);
          }}
          nothingFoundMessage="No such event"
        />
      )}
    </Stack>
  );
}

/** An event with nothing else said of it. */
export const bareEvent = (name: string): AskedEvent => ({ name, filters: [] });
