import { Badge, Button, Group, Modal, MultiSelect, NumberInput, Progress, Stack, Text, TextInput, Title } from "@mantine/core"; // prettier-ignore
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import { faultKinds, type Incident, type Sla } from "../contract.ts";

const kindWords: Readonly<Record<Incident["kind"], string>> = {
  silent: "Silent",
  volume: "Too few or too many",
  conformity: "Breaks its contract",
  rule: "Breaks a rule",
  missing: "Goes missing",
  types: "Changed its type",
  drift: "Spread otherwise",
  late: "Arrives late",
};
const percent = (share: number): string => `${(share * 100).toLocaleString("en", { maximumFractionDigits: 2 })} %`;
const minutes = (count: number): string => (count < 120 ? `${Math.round(count)} min` : count < 2_880 ? `${Math.round(count / 60)} h` : `${Math.round(count / 1_440)} days`); // prettier-ignore
const first = { name: "", event: "", kinds: ["silent", "volume", "conformity", "rule"] as Incident["kind"][], target: 99, days: 28 }; // prettier-ignore

const NewPromise = ({ close }: { close: () => void }) => {
  const client = useQueryClient();
  const [form, setForm] = useState(first);
  const set = useMutation({
    mutationFn: () => call(contract.setSla, { ...form, target: form.target / 100 }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["quality"] });
      close();
    },
  });
  return (
    <Modal opened onClose={close} title="A promise of good data">
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          set.mutate();
        }}
      >
        <Stack>
          <TextInput label="Name" required data-autofocus value={form.name} onChange={(event) => setForm({ ...form, name: event.currentTarget.value })} />
          <TextInput label="Event" description="Empty for all events" value={form.event} onChange={(event) => setForm({ ...form, event: event.currentTarget.value })} />
          <MultiSelect label="Broken by" data={faultKinds.map((value) => ({ value, label: kindWords[value] }))} value={form.kinds} onChange={(value) => setForm({ ...form, kinds: faultKinds.filter((one) => value.includes(one)) })} />
          <NumberInput label="Good for so much of the time, in %" min={50} max={99.99} decimalScale={2} value={form.target} onChange={(value) => setForm({ ...form, target: Number(value) })} />
          <NumberInput label="Over so many days" min={1} max={90} allowDecimal={false} value={form.days} onChange={(value) => setForm({ ...form, days: Number(value) })} />
          {set.error !== null && <Problem error={set.error} />}
          <Button type="submit" loading={set.isPending}>
            Promise it
          </Button>
        </Stack>
      </form>
    </Modal>
  ); // prettier-ignore
};

const Budget = ({ sla }: { sla: Sla }) => (
  <Stack gap={2} miw={140}>
    <Progress value={Math.max(0, Math.min(100, sla.left * 100))} color={sla.left <= 0 ? "red" : "blue"} aria-label={`Error budget left of ${sla.name}`} />
    <Text size="sm">
      {minutes(sla.badMinutes)} of {minutes(sla.budgetMinutes)} spent{sla.left <= 0 ? ": none is left" : ""}
    </Text>
  </Stack>
); // prettier-ignore

/** How good data was promised to be, how good it was, and what was wrong when. */
export const Promises = ({ mayGovern }: { mayGovern: boolean }) => {
  const [isNew, setNew] = useState(false);
  const client = useQueryClient();
  const query = useQuery({ queryKey: ["quality", "slas"], queryFn: ({ signal }) => call(contract.slas, {}, signal) });
  const remove = useMutation({
    mutationFn: (id: string) => call(contract.removeSla, { id }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["quality"] }),
  });
  return (
    <Stack gap="sm">
      <Title order={2}>Promises</Title>
      {mayGovern && (
        <Group>
          <Button variant="default" onClick={() => setNew(true)}>
            Promise something
          </Button>
        </Group>
      )}
      {isNew && <NewPromise close={() => setNew(false)} />}
      {remove.error !== null && <Problem error={remove.error} />}
      <Loaded query={query} height={120}>
        {({ slas, incidents, repairMinutes }) => (
          <Stack gap="sm">
            {slas.length === 0 ? (
              <Empty title="Nothing is promised yet">
                Say for how much of the time an event, or all of them, is to come, as often as it should, as agreed. What
                may be bad is the error budget. A contract promises it too (slaProperties: availability).
              </Empty>
            ) : (
              <DataTable
                caption="How good data was promised to be, and how good it was"
                rows={slas}
                columns={[
                  { title: "Promise", cell: ({ name }) => name },
                  { title: "Of", cell: ({ event }) => (event === "" ? "all events" : event) },
                  { title: "Promised", numeric: true, cell: ({ target, days }) => `${percent(target)} in ${days} days` },
                  { title: "Was good", numeric: true, cell: ({ attained }) => (attained === null ? "not yet" : percent(attained)) },
                  { title: "Error budget", cell: (sla) => <Budget sla={sla} /> },
                  { title: "", cell: ({ id, name, isOfContract }) => mayGovern && !isOfContract && <Button size="xs" variant="default" aria-label={`Take back ${name}`} onClick={() => remove.mutate(id)}>Take back</Button> },
                ]}
              />
            )}
            {incidents.length > 0 && (
              <DataTable
                caption={`What was wrong in 28 days, the latest first${repairMinutes === null ? "" : `; on average for ${minutes(repairMinutes)}`}`}
                rows={incidents.slice(0, 20)}
                columns={[
                  { title: "Found", cell: ({ beganAt }) => moment(beganAt) },
                  { title: "What", cell: ({ kind }) => kindWords[kind] },
                  { title: "How", cell: ({ says }) => <Text size="sm" miw={200}>{says}</Text> },
                  { title: "Over", cell: ({ endedAt }) => (endedAt === null ? <Badge variant="outline" color="red">Still so</Badge> : moment(endedAt)) },
                ]}
              />
            )}
          </Stack>
        )}
      </Loaded>
    </Stack>
  ); // prettier-ignore
};
