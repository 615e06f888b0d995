import { MultiSelect, NumberInput, Select, Switch, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { needsProperty, type Measure } from "#insights/trends/contract.ts";
import type { Kind } from "../contract.ts";
import type { Asked } from "./asked.ts";
import { propertyChoices, useProperties } from "#insights/common/ui/properties.ts";

interface OptionsProps {
  readonly asked: Asked;
  readonly change: (part: Partial<Asked>) => void;
}

const measureNames: readonly { value: Measure; label: string }[] = [
  { value: "unique", label: "People" },
  { value: "total", label: "Events" },
  { value: "per_user", label: "Events per person" },
  { value: "rolling_unique", label: "People of the last 7 days" },
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
  name: "windowDays" | "steps" | "gapMinutes" | "movingAverage";
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

const UnitChoice = ({ label = "Count", ...props }: OptionsProps & { label?: string }) => (
  <Choice
    {...props}
    name="unit"
    label={label}
    data={[
      { value: "people", label: "People" },
      { value: "accounts", label: "Accounts" },
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

const TrendOptions = (props: OptionsProps) => {
  const { ofEvents } = useProperties();
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
      <Bucket {...props} />
      <BreakDown {...props} />
      <TextInput
        label="Formula"
        placeholder="such as A / B"
        value={asked.formula}
        onChange={(event) => change({ formula: event.currentTarget.value })}
      />
      <Whole {...props} name="movingAverage" label="Mean of the last so many" least={0} most={100} />
      <Toggle {...props} name="cumulative" label="Running total" />
      <Toggle {...props} name="compare" label="Compare with the period before" />
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

const FunnelOptions = (props: OptionsProps) => (
  <>
    <Whole {...props} name="windowDays" label="Within days of the first step" most={366} />
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
    <UnitChoice {...props} label="Of" />
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
          { value: "step", label: "At the first step" },
          { value: "all_events", label: "Each value by itself" },
        ]}
      />
    )}
  </>
);

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

/** What can be chosen of each kind, besides events, range and conditions. */
export const Options: Readonly<Record<Kind, (props: OptionsProps & { names: readonly string[] }) => ReactNode>> = {
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
  sessions: (props) => (
    <>
      <Bucket {...props} />
      <Whole {...props} name="gapMinutes" label="Another session after minutes of pause" most={1_440} />
    </>
  ),
};
