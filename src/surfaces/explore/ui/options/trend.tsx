import { Select, TextInput } from "@mantine/core";
import { propertyChoices, useProperties } from "#insights/common/ui/properties.ts";
import { needsProperty, type Measure } from "#insights/trends/contract.ts";
import type { Asked, AskedEvent } from "../asked.ts";
import { BreakDown, Bucket, Choice, Toggle, Whole, type OptionsProps } from "./common.tsx";

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

const usesRolling = ({ measure, events }: Asked): boolean =>
  events.some((event) => (event.measure ?? measure) === "rolling_unique");

/** How one event is counted, where it is not as all the others are. */
export const OwnMeasure = ({ event, change }: { event: AskedEvent; change: (event: AskedEvent) => void }) => {
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

export const TrendOptions = (props: OptionsProps) => {
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
