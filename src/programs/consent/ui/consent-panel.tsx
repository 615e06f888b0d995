import { Badge, Button, Group, Modal, Select, Stack, Text, Textarea, TextInput, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import { bases, type Basis } from "../contract.ts";

const basisWords: Readonly<Record<Basis, string>> = {
  consent: "Consent",
  contract: "Contract",
  legal_obligation: "Legal obligation",
  vital_interests: "Vital interests",
  public_task: "Public task",
  legitimate_interests: "Legitimate interests",
};
const nothing = { purpose: "", basis: "consent" as Basis, version: "", text: "" };

/** Writes a purpose down: the basis, and the text that people are shown. */
const PurposeForm = ({ given, close }: { given: typeof nothing; close: () => void }) => {
  const client = useQueryClient();
  const [form, setForm] = useState(given);
  const set = useMutation({
    mutationFn: () => call(contract.setPurpose, form),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["consent"] });
      close();
    },
  });
  return (
    <Modal opened onClose={close} title="What data is used for">
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          set.mutate();
        }}
      >
        <Stack>
          <TextInput label="Purpose" description="As senders name it, such as marketing" required data-autofocus value={form.purpose} onChange={(event) => setForm({ ...form, purpose: event.currentTarget.value })} />
          <Select label="Lawful basis" data={bases.map((value) => ({ value, label: basisWords[value] }))} value={form.basis} allowDeselect={false} onChange={(value) => setForm({ ...form, basis: bases.find((one) => one === value) ?? "consent" })} />
          <TextInput label="Version of the text" placeholder="Such as 2026-11" value={form.version} onChange={(event) => setForm({ ...form, version: event.currentTarget.value })} />
          <Textarea label="Text that people are shown" autosize minRows={3} maxRows={12} value={form.text} onChange={(event) => setForm({ ...form, text: event.currentTarget.value })} />
          {set.error !== null && <Problem error={set.error} />}
          <Button type="submit" loading={set.isPending}>
            Write it down
          </Button>
        </Stack>
      </form>
    </Modal>
  ); // prettier-ignore
};

/** Who agreed to what: looked for, and written down by hand. */
const Ledger = () => {
  const client = useQueryClient();
  const [id, setId] = useState("");
  const [purpose, setPurpose] = useState("");
  const asked = { ...(id === "" ? {} : { id }), ...(purpose === "" ? {} : { purpose }) };
  const look = useMutation({ mutationFn: () => call(contract.ledger, asked) });
  const record = useMutation({
    mutationFn: (given: boolean) => call(contract.record, { id, purpose, given }),
    onSuccess: async () => {
      look.mutate();
      await client.invalidateQueries({ queryKey: ["consent"] });
    },
  });
  return (
    <Stack gap="sm">
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          look.mutate();
        }}
      >
        <Group align="flex-end" gap="sm">
          <TextInput label="Whose id" description="Empty for everybody" value={id} onChange={(event) => setId(event.currentTarget.value)} />
          <TextInput label="Of which purpose" description="Empty for all" value={purpose} onChange={(event) => setPurpose(event.currentTarget.value)} />
          <Button type="submit" variant="default" loading={look.isPending}>
            Show the ledger
          </Button>
          <Button variant="default" disabled={id === "" || purpose === ""} loading={record.isPending} onClick={() => record.mutate(true)}>
            They agree
          </Button>
          <Button variant="default" disabled={id === "" || purpose === ""} loading={record.isPending} onClick={() => record.mutate(false)}>
            They do not
          </Button>
        </Group>
      </form>
      {[look.error, record.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
      {look.data !== undefined &&
        (look.data.entries.length === 0 ? (
          <Text>Nobody said anything of it.</Text>
        ) : (
          <DataTable
            caption="What people said, the latest first"
            rows={look.data.entries}
            columns={[
              { title: "When", cell: ({ at }) => moment(at) },
              { title: "Who", cell: (entry) => entry.id },
              { title: "Purpose", cell: (entry) => entry.purpose },
              { title: "Said", cell: ({ given }) => <Badge variant="outline" color={given ? "blue" : "red"}>{given ? "Yes" : "No"}</Badge> },
              { title: "Basis and text then", cell: ({ basis, version }) => (basis === null ? "–" : `${basisWords[basis]}${version === "" ? "" : `, ${version}`}`) },
              { title: "Through", cell: ({ source }) => source },
            ]}
          />
        ))}
    </Stack>
  ); // prettier-ignore
};

/** What data of people is used for, and who agreed. */
export const ConsentPanel = () => {
  const [edited, setEdited] = useState<typeof nothing>();
  const query = useQuery({ queryKey: ["consent"], queryFn: ({ signal }) => call(contract.purposes, {}, signal) });
  return (
    <Stack gap="sm">
      <Title order={2}>Consent</Title>
      <Group>
        <Button variant="default" onClick={() => setEdited(nothing)}>
          Write a purpose down
        </Button>
      </Group>
      {edited !== undefined && <PurposeForm given={edited} close={() => setEdited(undefined)} />}
      <Loaded query={query} height={160}>
        {({ purposes, dropped }) => (
          <Stack gap="sm">
            {purposes.length === 0 ? (
              <Empty title="No purpose yet">
                Write down what you use data of people for, and on which basis. What people agree to comes with their
                events; which purposes are needed for an event to be kept is chosen under Contracts, What is done.
              </Empty>
            ) : (
              <DataTable
                caption="What data of people is used for"
                rows={purposes}
                columns={[
                  { title: "Purpose", cell: ({ purpose }) => purpose },
                  { title: "Basis", cell: ({ basis }) => (basis === null ? "Not written down" : basisWords[basis]) },
                  { title: "Text", cell: ({ version, setAt }) => (version === "" ? "–" : `${version}${setAt === null ? "" : `, ${moment(setAt)}`}`) },
                  { title: "Agree", numeric: true, cell: ({ agreed }) => agreed.toLocaleString() },
                  { title: "Do not", numeric: true, cell: ({ refused }) => refused.toLocaleString() },
                  { title: "", cell: ({ purpose, basis, version, text }) => <Button size="xs" variant="default" aria-label={`Change ${purpose}`} onClick={() => setEdited({ purpose, basis: basis ?? "consent", version, text })}>Change</Button> },
                ]}
              />
            )}
            <Text size="sm">
              {dropped.length === 0
                ? "In 30 days no event was left out for want of consent."
                : `In 30 days ${dropped.reduce((sum, { events }) => sum + events, 0).toLocaleString()} events were not kept for want of consent.`}
            </Text>
          </Stack>
        )}
      </Loaded>
      <Ledger />
    </Stack>
  ); // prettier-ignore
};
