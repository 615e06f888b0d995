import { Select, TagsInput } from "@mantine/core";
import { useProperties } from "#insights/common/ui/properties.ts";
import { BreakDown, Bucket, Choice, Toggle, UnitChoice, Whole, type OptionsProps } from "./common.tsx";

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

export const RetentionOptions = (props: OptionsProps) => (
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
