import { Accordion, Button, Card, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import type { BuiltKind } from "../contract.ts";
import { zones } from "#web/kit/zones.ts";
import { takes, type Asked, type AskedEvent } from "./asked.ts";
import { EventList } from "#insights/common/ui/event-list.tsx";
import { Filters, noFilter } from "#insights/common/ui/filters.tsx";
import { EventExtra, Options } from "./options.tsx";

const lengths = [7, 14, 30, 90, 180, 365];
const ownDates = "own";

const eventLabels: Readonly<Record<BuiltKind, string>> = {
  trends: "Events",
  funnel: "Steps, in order",
  conversion: "Steps, in order",
  retention: "Started with, then came back with",
  journey: "Only these steps",
  lifecycle: "Active means",
  stickiness: "Active means",
  sessions: "Only these events",
  metric: "",
};

const letter = (place: number): string => String.fromCharCode(65 + place);
const ordinal = (place: number): string => String(place + 1);

interface BuilderProps {
  readonly asked: Asked;
  readonly change: (part: Partial<Asked>) => void;
  readonly names: readonly string[];
}

const RangeChoice = ({ asked, change }: BuilderProps) => {
  const isOwn = asked.from !== "" || asked.to !== "";
  const known = lengths.includes(asked.days) ? lengths : [...lengths, asked.days];
  return (
    <>
      <Select
        label="Range"
        data={[
          ...known.map((days) => ({ value: String(days), label: `Last ${days} days` })),
          { value: ownDates, label: "From one day to another" },
        ]}
        value={isOwn ? ownDates : String(asked.days)}
        allowDeselect={false}
        onChange={(value) => {
          if (value === ownDates) {
            const day = (back: number) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
            change({ from: day(asked.days - 1), to: day(0) });
          } else change({ days: Number(value ?? 30), from: "", to: "" });
        }}
      />
      {isOwn && (
        <Stack gap="xs">
          <TextInput
            type="date"
            label="First day"
            value={asked.from}
            onChange={(event) => change({ from: event.currentTarget.value })}
          />
          <TextInput
            type="date"
            label="Last day"
            value={asked.to}
            onChange={(event) => change({ to: event.currentTarget.value })}
          />
        </Stack>
      )}
    </>
  );
};

/** What is asked of a kind: its events, the range, conditions on everything, and the options of the kind. */
export const Builder = (props: BuilderProps) => {
  const { asked, change, names } = props;
  const KindOptions = Options[asked.kind];
  return (
    <Card withBorder>
      <Stack gap="sm">
        {takes[asked.kind][1] > 0 && (
          <EventList
            label={eventLabels[asked.kind]}
            events={asked.events.slice(0, takes[asked.kind][1])}
            names={names}
            most={takes[asked.kind][1]}
            sign={asked.kind === "trends" ? letter : ordinal}
            make={(name): AskedEvent => ({ name, filters: [] })}
            extra={(event, changed, place) => <EventExtra asked={asked} event={event} change={changed} place={place} />}
            change={(events) => change({ events })}
          />
        )}
        <RangeChoice {...props} />
        <KindOptions {...props} />
        <Stack gap="xs">
          <Group justify="space-between">
            <Text size="sm" fw={500}>
              Only where
            </Text>
            <Button
              size="compact-xs"
              variant="default"
              onClick={() => change({ filters: [...asked.filters, noFilter] })}
            >
              Add a condition
            </Button>
          </Group>
          <Filters filters={asked.filters} change={(filters) => change({ filters })} />
        </Stack>
        <Accordion variant="default" chevronPosition="left">
          <Accordion.Item value="calendar" style={{ border: 0 }}>
            <Accordion.Control px={0}>
              <Text size="sm">Time zone and week</Text>
            </Accordion.Control>
            <Accordion.Panel>
              <Stack gap="sm">
                <Select
                  label="Days of"
                  searchable
                  clearable
                  placeholder="The workspace's zone"
                  data={[...zones]}
                  value={asked.zone === "" ? null : asked.zone}
                  onChange={(zone) => change({ zone: zone ?? "" })}
                />
                <Select
                  label="Weeks begin on"
                  clearable
                  placeholder="As in the workspace"
                  data={[
                    { value: "monday", label: "Monday" },
                    { value: "sunday", label: "Sunday" },
                  ]}
                  value={asked.weekStart === "" ? null : asked.weekStart}
                  onChange={(value) => change({ weekStart: (value as Asked["weekStart"] | null) ?? "" })}
                />
              </Stack>
            </Accordion.Panel>
          </Accordion.Item>
        </Accordion>
      </Stack>
    </Card>
  );
};
