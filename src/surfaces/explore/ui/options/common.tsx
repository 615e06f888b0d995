import { NumberInput, Select, Switch } from "@mantine/core";
import { propertyChoices, useProperties } from "#insights/common/ui/properties.ts";
import type { Asked } from "../asked.ts";

/** Parts that the options of several kinds are made of. */

export interface OptionsProps {
  readonly asked: Asked;
  readonly change: (part: Partial<Asked>) => void;
}

type Named = { readonly [Name in keyof Asked]: Asked[Name] extends string ? Name : never }[keyof Asked];

/** One of several, with a label. */
export function Choice<Name extends Named>({
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

export const Whole = ({
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

export const Toggle = ({
  asked,
  change,
  name,
  label,
}: OptionsProps & { name: "compare" | "cumulative" | "onOrAfter"; label: string }) => (
  <Switch label={label} checked={asked[name]} onChange={(event) => change({ [name]: event.currentTarget.checked })} />
);

export const Bucket = (props: OptionsProps & { hours?: boolean }) => (
  <Choice
    {...props}
    name="interval"
    label="By"
    data={(["hour", "day", "week", "month"] as const)
      .filter((value) => props.hours !== false || value !== "hour")
      .map((value) => ({ value, label: value }))}
  />
);

export const UnitChoice = ({
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

export const BreakDown = ({ asked, change, onlyPeople }: OptionsProps & { onlyPeople?: boolean }) => {
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
