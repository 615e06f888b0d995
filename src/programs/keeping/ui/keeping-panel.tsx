import { Alert, Button, Group, List, NumberInput, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { Settings } from "../contract.ts";

const forEver = [
  { key: "events", label: "Events", description: "Days; empty for ever. A contract can say otherwise of its events." },
  { key: "personal", label: "Values classed personal", description: "Days; empty for as long as their events." },
  { key: "restricted", label: "Values classed restricted", description: "Days; empty for as long as their events." },
  {
    key: "conversations",
    label: "Texts of conversations",
    description: "Days after the last part; empty for ever. Scores stay.",
  },
] as const;
const atMost = [
  { key: "held", label: "Held events", description: "Days, at most 30.", most: 30 },
  { key: "heldSensitive", label: "Held events with such values", description: "Days, at most 30.", most: 30 },
  { key: "deadLetters", label: "Refused events", description: "Days, at most 90.", most: 90 },
] as const;

const Form = ({ held }: { held: Settings }) => {
  const client = useQueryClient();
  const [settings, setSettings] = useState(held);
  const preview = useMutation({ mutationFn: () => call(contract.preview, { settings }) });
  const set = useMutation({
    mutationFn: () => call(contract.set, { settings }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["keeping"] }),
  });
  const change = (next: Partial<Settings>): void => {
    setSettings({ ...settings, ...next });
    preview.reset();
    set.reset();
  };
  const going = preview.data?.steps.filter(({ rows }) => rows > 0) ?? [];
  return (
    <form
      onSubmit={(submitted) => {
        submitted.preventDefault();
        preview.mutate();
      }}
    >
      <Stack gap="sm">
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
          {forEver.map(({ key, label, description }) => (
            <NumberInput key={key} label={label} description={description} min={1} max={36_500} allowDecimal={false} value={settings[key] ?? ""} onChange={(value) => change({ [key]: typeof value === "number" ? value : null })} />
          ))}
          {atMost.map(({ key, label, description, most }) => (
            <NumberInput key={key} label={label} description={description} min={1} max={most} allowDecimal={false} required value={settings[key]} onChange={(value) => change({ [key]: typeof value === "number" ? value : most })} />
          ))}
        </SimpleGrid>
        <Group gap="sm">
          <Button type="submit" variant="default" loading={preview.isPending}>
            What would go?
          </Button>
          <Button color={going.length > 0 ? "red" : undefined} disabled={preview.data === undefined} loading={set.isPending} onClick={() => set.mutate()}>
            Keep it so
          </Button>
        </Group>
        {[preview.error, set.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
        {preview.data !== undefined && set.data === undefined && (
          <Alert variant="outline" role="status" color={going.length > 0 ? "red" : "blue"} title={going.length > 0 ? "Within a day, and for good, this would go" : "Nothing would go now"}>
            {going.length > 0 && (
              <List size="sm">
                {going.map(({ what, rows }) => (
                  <List.Item key={what}>
                    {what}: {rows.toLocaleString()} rows
                  </List.Item>
                ))}
              </List>
            )}
          </Alert>
        )}
        {set.data !== undefined && <Text role="status">It is kept so from now on.</Text>}
      </Stack>
    </form>
  ); // prettier-ignore
};

/** How long things are kept. */
export const KeepingPanel = () => {
  const query = useQuery({ queryKey: ["keeping"], queryFn: ({ signal }) => call(contract.get, {}, signal) });
  return (
    <Stack gap="sm">
      <Title order={2}>How long things are kept</Title>
      <Loaded query={query} height={200}>
        {({ settings, contracts, lastAt, went }) => (
          <Stack gap="sm">
            <Form key={JSON.stringify(settings)} held={settings} />
            {contracts.length > 0 && (
              <DataTable
                caption="Events whose contracts say how long"
                rows={contracts}
                columns={[
                  { title: "Event", cell: ({ event }) => event },
                  { title: "Days", numeric: true, cell: ({ days }) => days.toLocaleString() },
                ]}
              />
            )}
            <Text size="sm">
              {lastAt === null
                ? "It has not been looked yet; that is done once a day."
                : `Last looked ${moment(lastAt)}: ${went.length === 0 ? "nothing had to go" : went.map(({ what, rows }) => `${what} (${rows.toLocaleString()})`).join("; ")}.`}
            </Text>
          </Stack>
        )}
      </Loaded>
    </Stack>
  );
};
