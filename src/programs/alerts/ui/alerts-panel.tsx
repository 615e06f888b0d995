import { Badge, Button, Code, Group, Modal, MultiSelect, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import * as workspaces from "#programs/workspaces/contract.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { Channel, Delivery } from "../contract.ts";

const became: Readonly<Record<Delivery["state"], string>> = { sent: "Sent", waiting: "Waits", failed: "Given up" };
const nothing = { name: "", members: [] as string[], owners: true };

const useChanged = () => {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ["alerts"] });
};

const NewMail = ({ close }: { close: () => void }) => {
  const changed = useChanged();
  const [form, setForm] = useState(nothing);
  const members = useQuery({ queryKey: ["members"], queryFn: ({ signal }) => call(workspaces.members, {}, signal) });
  const add = useMutation({
    mutationFn: () => call(contract.addMail, form),
    onSuccess: async () => {
      await changed();
      close();
    },
  });
  return (
    <Modal opened onClose={close} title="Alerts by mail">
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          add.mutate();
        }}
      >
        <Stack>
          <TextInput label="Name" required data-autofocus value={form.name} onChange={(event) => setForm({ ...form, name: event.currentTarget.value })} />
          <MultiSelect label="Members" data={(members.data?.members ?? []).map(({ id, name }) => ({ value: id, label: name }))} value={form.members} onChange={(value) => setForm({ ...form, members: value })} />
          <Switch label="And whoever owns what is hit" description="Members whose name or address the catalog names as owner" checked={form.owners} onChange={(event) => setForm({ ...form, owners: event.currentTarget.checked })} />
          {add.error !== null && <Problem error={add.error} />}
          <Button type="submit" loading={add.isPending}>
            Add
          </Button>
        </Stack>
      </form>
    </Modal>
  ); // prettier-ignore
};

const NewWebhook = ({ close }: { close: () => void }) => {
  const changed = useChanged();
  const [form, setForm] = useState({ name: "", address: "" });
  const add = useMutation({ mutationFn: () => call(contract.addWebhook, form), onSuccess: changed });
  return (
    <Modal opened onClose={close} title="Alerts to an address">
      {add.data === undefined ? (
        <form
          onSubmit={(submitted) => {
            submitted.preventDefault();
            add.mutate();
          }}
        >
          <Stack>
            <TextInput label="Name" required data-autofocus value={form.name} onChange={(event) => setForm({ ...form, name: event.currentTarget.value })} />
            <TextInput label="Address" description="https alone, and public, unless an administrator allows it" placeholder="https://hooks.example.com/in" required value={form.address} onChange={(event) => setForm({ ...form, address: event.currentTarget.value })} />
            {add.error !== null && <Problem error={add.error} />}
            <Button type="submit" loading={add.isPending}>
              Add
            </Button>
          </Stack>
        </form>
      ) : (
        <Stack>
          <Text>Each alert is signed with this secret, as Standard Webhooks says. It is shown this once.</Text>
          <Code block tabIndex={0}>
            {add.data.secret}
          </Code>
          <Button onClick={close}>Done</Button>
        </Stack>
      )}
    </Modal>
  ); // prettier-ignore
};

const Channels = ({ channels, canMail }: { channels: readonly Channel[]; canMail: boolean }) => {
  const changed = useChanged();
  const test = useMutation({ mutationFn: (id: string) => call(contract.test, { id }) });
  const remove = useMutation({ mutationFn: (id: string) => call(contract.remove, { id }), onSuccess: changed });
  return (
    <>
      {[test.error, remove.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
      {test.isSuccess && <Text role="status">The test was taken.</Text>}
      <DataTable
        caption="Where alerts go"
        rows={channels}
        columns={[
          { title: "Name", cell: ({ name }) => name },
          { title: "To", cell: ({ kind, members, owners, address }) => (kind === "webhook" ? address : [...members, ...(owners ? ["owners of what is hit"] : [])].join(", ")) },
          { title: "By", cell: ({ kind }) => (kind === "webhook" ? "webhook" : canMail ? "mail" : "mail (no mail server is set)") },
          {
            title: "",
            cell: ({ id, name }) => (
              <Group gap="xs" wrap="nowrap">
                <Button size="xs" variant="default" aria-label={`Test ${name}`} loading={test.isPending && test.variables === id} onClick={() => test.mutate(id)}>
                  Test
                </Button>
                <Button size="xs" variant="default" aria-label={`Remove ${name}`} onClick={() => remove.mutate(id)}>
                  Remove
                </Button>
              </Group>
            ),
          },
        ]}
      />
    </>
  ); // prettier-ignore
};

/** Where it is said when something is wrong, and what became of it. */
export const AlertsPanel = () => {
  const [adding, setAdding] = useState<"mail" | "webhook">();
  const query = useQuery({ queryKey: ["alerts"], queryFn: ({ signal }) => call(contract.list, {}, signal) });
  return (
    <Stack>
      <Group gap="sm">
        <Button variant="default" onClick={() => setAdding("mail")}>
          Mail to members
        </Button>
        <Button variant="default" onClick={() => setAdding("webhook")}>
          Webhook
        </Button>
      </Group>
      {adding === "mail" && <NewMail close={() => setAdding(undefined)} />}
      {adding === "webhook" && <NewWebhook close={() => setAdding(undefined)} />}
      <Loaded query={query} height={120}>
        {({ channels, deliveries, canMail }) => (
          <Stack>
            {channels.length === 0 ? (
              <Empty title="Nobody is told yet">
                When data breaks, it is on the page Govern. Add members or an address to have it said as it is found, and
                again when it is over.
              </Empty>
            ) : (
              <Channels channels={channels} canMail={canMail} />
            )}
            {deliveries.length > 0 && (
              <DataTable
                caption="The latest alerts"
                rows={deliveries}
                columns={[
                  { title: "When", cell: ({ at }) => moment(at) },
                  { title: "What", cell: ({ title }) => title },
                  { title: "To", cell: ({ channel }) => channel },
                  { title: "State", cell: ({ state, problem }) => <>{<Badge variant="outline" color={state === "failed" ? "red" : "gray"}>{became[state]}</Badge>}{problem !== "" && <Text size="sm">{problem}</Text>}</> },
                  { title: "Tries", numeric: true, cell: ({ tries }) => tries },
                ]}
              />
            )}
          </Stack>
        )}
      </Loaded>
    </Stack>
  ); // prettier-ignore
};
