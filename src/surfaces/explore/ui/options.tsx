import { Group, MultiSelect, NumberInput, Select, Switch, TagsInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { EventList } from "#insights/common/ui/event-list.tsx";
import * as metrics from "#insights/metrics/contract.ts";
import { needsProperty, type Measure } from "#insights/trends/contract.ts";
import type { BuiltKind } from "../contract.ts";
import { call } from "#web/call.ts";
import type { Asked, AskedEvent } from "./asked.ts";
import { propertyChoices, useProperties } from "#insights/common/ui/properties.ts";

interface OptionsProps {
  readonly asked: Asked;
  readonly change: (part: Partial<Asked>) => void;
}

const measureNames: readonly { value: Measure; label: string }[] = [
  { value: "unique", label: "People" },
  { value: "total", label: "Events" },
  { value: "per_user", label: "Events per person" },
  { value: "rolling_unique", label: "People of the last days" },
  { value: "unique_accounts", label: "Accounts" },
  { value: "unique_sessions", label: "Sessions, by the sender's ids" },
  { value: "sum", label: "Sum of a property" },
  { value: "avg", label: "Average of a property" },
  { value: "median", label: "Median of a property" },
  { value: "p90", label: "90th percentile of a property" },
  { value: "p95", label: "95th percentile of a property" },
  { value: "p99", label: "99th percentile of a property" },
];

type Named = { readonly [Name in keyof Asked]: Asked[Name] extends string ? Name : never }[keyof Asked];

/** One of several, with a label. */
function Choice<Name extends Named>({
  asked,
  change,
  name,
  label,
  data,
}: OptionsProps & { name: Name; label: string; data: readonly { value: Asked[Name]; label: string }[] }) {
  return (
    <Select
      label={label}
      data={data}
      value={asked[name]}
      allowDeselect={false}
      onChange={(value) => change({ [name]: value })}
    />
  );
}

const Whole = ({
  asked,
  change,
  name,
  label,
  least = 1,
  most,
}: OptionsProps & {
  name: "windowDays" | "steps" | "gapMinutes" | "movingAverage" | "rollingDays" | "minimumOccurrences";
  label: string;
  least?: number;
  most: number;
}) => (
  <NumberInput
    label={label}
    min={least}
    max={most}
    value={asked[name]}
    onChange={(value) => typeof value === "number" && change({ [name]: Math.round(value) })}
  />
);

const Toggle = ({
  asked,
  change,
  name,
  label,
}: OptionsProps & { name: "compare" | "cumulative" | "onOrAfter"; label: string }) => (
  <Switch label={label} checked={asked[name]} onChange={(event) => change({ [name]: event.currentTarget.checked })} />
);

const Bucket = (props: OptionsProps & { hours?: boolean }) => (
  <Choice
    {...props}
    name="interval"
    label="By"
    data={(["hour", "day", "week", "month"] as const)
      .filter((value) => props.hours !== false || value !== "hour")
      .map((value) => ({ value, label: value }))}
  />
);

const UnitChoice = ({
  label = "Count",
  sessions = false,
  ...props
}: OptionsProps & { label?: string; sessions?: boolean }) => (
  <Choice
    {...props}
    name="unit"
    label={label}
    data={[
      { value: "people", label: "People" },
      { value: "accounts", label: "Accounts" },
      ...(sessions ? [{ value: "sessions" as const, label: "Sessions, by the sender's ids" }] : []),
    ]}
  />
);

const BreakDown = ({ asked, change, onlyPeople }: OptionsProps & { onlyPeople?: boolean }) => {
  const choices = propertyChoices(useProperties(), onlyPeople);
  return (
    <Select
      label="Break down by"
      searchable
      clearable
      data={choices}
      value={asked.breakdown === "" ? null : asked.breakdown}
      onChange={(value) => change({ breakdown: value ?? "" })}
    />
  );
};

const usesRolling = ({ measure, events }: Asked): boolean =>
  events.some((event) => (event.measure ?? measure) === "rolling_unique");

/** How one event is counted, where it is not as all the others are. */
const OwnMeasure = ({ event, change }: { event: AskedEvent; change: (event: AskedEvent) => void }) => {
  const { ofEvents } = useProperties();
  const name = event.name === "" ? "every event" : event.name;
  const { measure } = event;
  return (
    <>
      <Select
        size="xs"
        aria-label={`How ${name} is counted`}
        data={[{ value: "", label: "Counted as below" }, ...measureNames]}
        value={measure ?? ""}
        allowDeselect={false}
        onChange={(value) =>
          change({ ...event, measure: value === "" || value === null ? undefined : (value as Measure) })
        }
      />
      {measure !== undefined && needsProperty.has(measure) && (
        <Select
          size="xs"
          aria-label={`Property of ${name}`}
          placeholder="Property"
          searchable
          data={[...ofEvents]}
          value={event.property ?? null}
          onChange={(value) => change({ ...event, property: value ?? undefined })}
        />
      )}
    </>
  );
};

/** What can be said of one event of the question alone. */
export const EventExtra = ({
  asked,
  event,
  change,
  place,
}: {
  asked: Asked;
  event: AskedEvent;
  change: (event: AskedEvent) => void;
  place: number;
}) => {
  if (asked.kind === "trends" && asked.events.length > 1) return <OwnMeasure event={event} change={change} />;
  if ((asked.kind !== "funnel" && asked.kind !== "conversion") || place === 0) return null;
  return (
    <Switch
      size="xs"
      label="May be left out"
      checked={event.optional === true}
      onChange={({ currentTarget }) => change({ ...event, optional: currentTarget.checked ? true : undefined })}
    />
  );
};

const comparisons = [
  { value: "no", label: "Nothing" },
  { value: "0", label: "The period just before" },
  { value: "7", label: "A week earlier" },
  { value: "28", label: "Four weeks earlier" },
  { value: "91", label: "A quarter earlier (13 weeks)" },
  { value: "364", label: "A year earlier (52 weeks)" },
];

/** Whole weeks back, so that weekdays meet weekdays; any other number of days can stand in the address. */
const Compare = ({ asked, change }: OptionsProps) => {
  const value = asked.compare ? String(asked.compareDays) : "no";
  const known = comparisons.some((one) => one.value === value);
  return (
    <Select
      label="Compare with"
      data={known ? comparisons : [...comparisons, { value, label: `${value} days earlier` }]}
      value={value}
      allowDeselect={false}
      onChange={(chosen) =>
        change(
          chosen === null || chosen === "no"
            ? { compare: false, compareDays: 0 }
            : { compare: true, compareDays: Number(chosen) },
        )
      }
    />
  );
};

const TrendOptions = (props: OptionsProps) => {
  const properties = useProperties();
  const { ofEvents } = properties;
  const { asked, change } = props;
  return (
    <>
      <Choice {...props} name="measure" label="Count" data={measureNames} />
      {needsProperty.has(asked.measure) && (
        <Select
          label="Property"
          searchable
          data={ofEvents}
          value={asked.property === "" ? null : asked.property}
          onChange={(value) => change({ property: value ?? "" })}
        />
      )}
      {usesRolling(asked) && <Whole {...props} name="rollingDays" label="Days that a day looks back" most={366} />}
      <Bucket {...props} />
      <BreakDown {...props} />
      {asked.breakdown !== "" && (
        <Select
          label="And by"
          searchable
          clearable
          data={propertyChoices(properties)}
          value={asked.breakdown2 === "" ? null : asked.breakdown2}
          onChange={(value) => change({ breakdown2: value ?? "" })}
        />
      )}
      <TextInput
        label="Formula"
        placeholder="such as A / B"
        value={asked.formula}
        onChange={(event) => change({ formula: event.currentTarget.value })}
      />
      <Whole {...props} name="movingAverage" label="Mean of the last so many" least={0} most={100} />
      <Toggle {...props} name="cumulative" label="Running total" />
      <Compare {...props} />
      <Select
        label="Ask"
        allowDeselect={false}
        data={[
          { value: "0", label: "Everybody" },
          { value: "50", label: "Half of the people" },
          { value: "10", label: "A tenth of the people" },
          { value: "1", label: "One in a hundred" },
        ]}
        value={String(asked.sample)}
        onChange={(value) => change({ sample: Number(value ?? 0) })}
      />
    </>
  );
};

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

const FunnelOptions = (props: OptionsProps & { names: readonly string[] }) => (
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

/** Ranges of periods that are one column each, written as their lengths. */
const Brackets = ({ asked, change }: OptionsProps) => (
  <TagsInput
    label="Columns of so many periods"
    description="Lengths one after another, such as 1, 2, 4; each period by itself where empty"
    value={asked.brackets.map(String)}
    allowDuplicates
    onChange={(sizes) =>
      change({ brackets: sizes.map(Number).filter((size) => Number.isInteger(size) && size > 0 && size <= 64) })
    }
  />
);

/** What those who come back are worth, by a property of the events that they come back with. */
const ReturnValue = (props: OptionsProps) => {
  const { asked, change } = props;
  return (
    <>
      <Select
        label="Value of their return"
        searchable
        clearable
        placeholder="None"
        data={[...useProperties().ofEvents]}
        value={asked.returnValue === "" ? null : asked.returnValue}
        onChange={(value) => change({ returnValue: value ?? "" })}
      />
      {asked.returnValue !== "" && (
        <Choice
          {...props}
          name="returnStatistic"
          label="As"
          data={[
            { value: "sum", label: "Sum" },
            { value: "average", label: "Average" },
          ]}
        />
      )}
    </>
  );
};

const RetentionOptions = (props: OptionsProps) => (
  <>
    <Bucket {...props} hours={false} />
    <Choice
      {...props}
      name="cohorting"
      label="Who starts"
      data={[
        { value: "first_time", label: "At their first matching event" },
        { value: "first_ever", label: "At their first event of that name" },
        { value: "recurring", label: "In every period with the event" },
        { value: "first_in_range", label: "At their first in the range" },
      ]}
    />
    <Choice
      {...props}
      name="mode"
      label="Periods"
      data={[
        { value: "calendar", label: "Of the calendar" },
        { value: "rolling", label: "From each person's start" },
      ]}
    />
    <UnitChoice {...props} />
    <Toggle {...props} name="onOrAfter" label="Or later" />
    <Whole {...props} name="minimumOccurrences" label="Times that make a return" most={1_000} />
    <Brackets {...props} />
    <ReturnValue {...props} />
    <BreakDown {...props} onlyPeople />
  </>
);

const JourneyOptions = (props: OptionsProps & { names: readonly string[] }) => {
  const { ofEvents } = useProperties();
  const { asked, change, names } = props;
  const place = (name: "start" | "end", label: string) =>
    asked.nodeProperty === "" ? (
      <Select
        label={label}
        searchable
        clearable
        data={[...names]}
        value={asked[name] === "" ? null : asked[name]}
        onChange={(value) => change({ [name]: value ?? "" })}
      />
    ) : (
      <TextInput
        label={label}
        value={asked[name]}
        onChange={(event) => change({ [name]: event.currentTarget.value })}
      />
    );
  return (
    <>
      {place("start", "Begins at")}
      {place("end", "Ends at")}
      <Select
        label="Steps named by the property"
        searchable
        clearable
        data={[...ofEvents]}
        value={asked.nodeProperty === "" ? null : asked.nodeProperty}
        onChange={(value) => change({ nodeProperty: value ?? "" })}
      />
      <Whole {...props} name="steps" label="Steps shown" least={2} most={20} />
      <Whole {...props} name="gapMinutes" label="Another journey after minutes of pause" most={1_440} />
    </>
  );
};

const MetricOptions = (props: OptionsProps) => {
  const { asked, change } = props;
  const { data } = useQuery({ queryKey: ["metrics"], queryFn: ({ signal }) => call(metrics.list, {}, signal) });
  return (
    <>
      <Select
        label="Metric"
        searchable
        data={(data?.metrics ?? []).map(({ key, name }) => ({ value: key, label: name }))}
        value={asked.metric === "" ? null : asked.metric}
        onChange={(value) => change({ metric: value ?? "" })}
        nothingFoundMessage="No such metric"
      />
      <Bucket {...props} hours={false} />
      <BreakDown {...props} />
      <Toggle {...props} name="compare" label="Compare with the period before" />
    </>
  );
};

/** What can be chosen of each kind, besides events, range and conditions. */
export const Options: Readonly<Record<BuiltKind, (props: OptionsProps & { names: readonly string[] }) => ReactNode>> = {
  trends: TrendOptions,
  funnel: FunnelOptions,
  conversion: (props) => (
    <>
      <Bucket {...props} />
      <FunnelOptions {...props} />
    </>
  ),
  retention: RetentionOptions,
  journey: JourneyOptions,
  lifecycle: (props) => (
    <>
      <Bucket {...props} />
      <UnitChoice {...props} />
    </>
  ),
  stickiness: (props) => (
    <>
      <Bucket {...props} />
      <UnitChoice {...props} />
      <Toggle {...props} name="cumulative" label="In at least so many, rather than exactly" />
    </>
  ),
  metric: MetricOptions,
  sessions: (props) => (
    <>
      <Bucket {...props} />
      <Whole {...props} name="gapMinutes" label="Another session after minutes of pause" most={1_440} />
    </>
  ),
};
