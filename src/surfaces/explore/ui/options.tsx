import { Select, Switch, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useProperties } from "#insights/common/ui/properties.ts";
import * as metrics from "#insights/metrics/contract.ts";
import { call } from "#web/call.ts";
import type { BuiltKind } from "../contract.ts";
import type { Asked, AskedEvent } from "./asked.ts";
import { BreakDown, Bucket, Toggle, UnitChoice, Whole, type OptionsProps } from "./options/common.tsx";
import { FunnelOptions } from "./options/funnel.tsx";
import { RetentionOptions } from "./options/retention.tsx";
import { OwnMeasure, TrendOptions } from "./options/trend.tsx";

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
