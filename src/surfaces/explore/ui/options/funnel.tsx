import { Group, MultiSelect, NumberInput, Select } from "@mantine/core";
import { EventList } from "#insights/common/ui/event-list.tsx";
import { useProperties } from "#insights/common/ui/properties.ts";
import { BreakDown, Choice, UnitChoice, Whole, type OptionsProps } from "./common.tsx";

const Hold = ({ asked, change }: OptionsProps) => (
  <MultiSelect
    label="Same value at every step of"
    searchable
    maxValues={3}
    data={[...useProperties().ofEvents]}
    value={asked.hold}
    onChange={(hold) => change({ hold })}
  />
);

/** Events that end a way where they come between two steps. */
const Exclusions = ({ asked, change, names }: OptionsProps & { names: readonly string[] }) => {
  const steps = asked.events.map(({ name }, place) => ({ value: String(place), label: `${place + 1}. ${name === "" ? "Every event" : name}` })); // prettier-ignore
  const last = Math.max(1, asked.events.length - 1);
  return (
    <>
      <EventList
        label="Not if, in between"
        events={asked.exclusions}
        names={names}
        most={5}
        sign={() => "not"}
        make={(name) => ({ name, filters: [], from: 0, to: last })}
        extra={(exclusion, changed) => (
          <Group gap="xs" grow>
            {(["from", "to"] as const).map((end) => (
              <Select
                key={end}
                size="xs"
                aria-label={end === "from" ? "After step" : "Before step"}
                data={end === "from" ? steps.slice(0, -1) : steps.slice(1)}
                value={String(Math.min(exclusion[end], last))}
                allowDeselect={false}
                onChange={(value) => changed({ ...exclusion, [end]: Number(value ?? 0) })}
              />
            ))}
          </Group>
        )}
        change={(exclusions) => change({ exclusions })}
      />
      {asked.exclusions.length > 0 && (
        <Choice
          asked={asked}
          change={change}
          name="exclusionMode"
          label="Whoever does it"
          data={[
            { value: "drop_person", label: "Is not counted at all" },
            { value: "stop_chain", label: "Keeps the steps before" },
          ]}
        />
      )}
    </>
  );
};

const FunnelWindow = (props: OptionsProps) =>
  props.asked.windowSeconds > 0 ? (
    <NumberInput
      label="Within seconds of the first step"
      description="0 for whole days"
      min={0}
      max={31_622_400}
      value={props.asked.windowSeconds}
      onChange={(value) => typeof value === "number" && props.change({ windowSeconds: value })}
    />
  ) : (
    <Whole {...props} name="windowDays" label="Within days of the first step" most={366} />
  );

export const FunnelOptions = (props: OptionsProps & { names: readonly string[] }) => (
  <>
    <FunnelWindow {...props} />
    <Choice
      {...props}
      name="order"
      label="Order"
      data={[
        { value: "ordered", label: "In order, others may lie between" },
        { value: "strict", label: "In order, nothing between" },
        { value: "unordered", label: "In any order" },
      ]}
    />
    <Choice
      {...props}
      name="counting"
      label="Count"
      data={[
        { value: "people", label: "Each once" },
        { value: "attempts", label: "Every attempt" },
      ]}
    />
    <UnitChoice {...props} label="Of" sessions />
    <Hold {...props} />
    <Choice
      {...props}
      name="attempt"
      label="Of a person's attempts"
      data={[
        { value: "any", label: "The furthest counts" },
        { value: "first", label: "The first counts" },
      ]}
    />
    <BreakDown {...props} />
    {props.asked.breakdown !== "" && !props.asked.breakdown.startsWith("person:") && (
      <Choice
        {...props}
        name="attribution"
        label="Value of the property"
        data={[
          { value: "first_touch", label: "At the first step that has one" },
          { value: "last_touch", label: "At the last step that has one" },
          { value: "step", label: "At one step" },
          { value: "all_events", label: "Each value by itself" },
        ]}
      />
    )}
    {props.asked.breakdown !== "" && props.asked.attribution === "step" && (
      <Select
        label="At step"
        allowDeselect={false}
        data={props.asked.events.map(({ name }, place) => ({ value: String(place), label: `${place + 1}. ${name}` }))}
        value={String(props.asked.attributionStep)}
        onChange={(value) => props.change({ attributionStep: Number(value ?? 0) })}
      />
    )}
    <Choice
      {...props}
      name="dates"
      label="In the range lies"
      data={[
        { value: "entry", label: "The first step" },
        { value: "whole", label: "Every step" },
      ]}
    />
    <Exclusions {...props} />
  </>
);
