import {
  Alert,
  Button,
  Card,
  Code,
  CopyButton,
  Group,
  Modal,
  Select,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "#web/call.ts";
import { Confirm } from "#web/kit/confirm.tsx";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "#records/conversations/contract.ts";

const ways = {
  "intercom hook": {
    label: "Intercom sends (webhook)",
    secret: "Client secret of your Intercom app",
    says: "In Intercom's developer hub, subscribe to all topics that begin with conversation.",
  },
  "intercom pull": {
    label: "Intercom is asked (API)",
    secret: "Access token that may read conversations",
    says: "Each minute what has changed is asked for; the first time everything.",
  },
  "zendesk hook": {
    label: "Zendesk sends (webhook)",
    secret: "Signing secret of the webhook",
    says: "In Zendesk's admin center, make a webhook for ticket events.",
  },
  "chatwoot hook": {
    label: "Chatwoot sends (webhook)",
    secret: "Secret of the webhook",
    says: "In Chatwoot, under Integrations, make a webhook for messages and conversations.",
  },
  "own hook": {
    label: "Another program sends (signed)",
    secret: "",
    says: "Signed as Standard Webhooks are, with the body of POST /v1/conversations.",
  },
} as const;
type Way = keyof typeof ways;
const isWay = (text: string | null): text is Way => text !== null && Object.hasOwn(ways, text);

const Copied = ({ label, text }: { label: string; text: string }) => (
  <Stack gap={4}>
    <Text size="sm">{label}</Text>
    <Code block tabIndex={0} role="region" aria-label={label}>
      {text}
    </Code>
    <Group>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Button size="xs" variant="default" onClick={copy}>
            {copied ? "Copied" : "Copy"}
          </Button>
        )}
      </CopyButton>
    </Group>
  </Stack>
);

const NewLink = ({ close }: { close: () => void }) => {
  const client = useQueryClient();
  const [way, setWay] = useState<Way>("intercom hook");
  const [secret, setSecret] = useState("");
  const [region, setRegion] = useState<string>(contract.intercomRegions.us);
  const chosen = ways[way];
  const [vendor, kind] = way.split(" ") as [(typeof contract.vendors)[number], (typeof contract.linkKinds)[number]]; // as the keys are written
  const add = useMutation({ mutationFn: () => call(contract.addLink, { vendor, kind, secret, ...(kind === "pull" ? { address: region } : {}) }), onSuccess: () => client.invalidateQueries({ queryKey: ["conversations", "links"] }) });
  return (
    <Modal opened onClose={close} title="Connect a system" size="lg">
      {add.data !== undefined ? (
        <Stack>
          {kind === "hook" ? <Copied label="Let it send to this address" text={add.data.address} /> : <Text>It is asked within a minute. What came, and what went wrong, is shown on the page.</Text>}
          {add.data.secret !== null && <Copied label="Signed with this secret, which is shown once" text={add.data.secret} />}
          <Group><Button onClick={close}>Done</Button></Group>
        </Stack>
      ) : (
        <form onSubmit={(event) => { event.preventDefault(); add.mutate(); }}>
          <Stack gap="sm">
            <Select label="System" data-autofocus allowDeselect={false} data={Object.entries(ways).map(([value, { label }]) => ({ value, label }))} value={way} onChange={(next) => { if (isWay(next)) setWay(next); setSecret(""); }} />
            <Text size="sm">{chosen.says}</Text>
            {chosen.secret !== "" && <TextInput required type="password" autoComplete="off" label={chosen.secret} value={secret} onChange={(event) => setSecret(event.currentTarget.value)} />}
            {kind === "pull" && <Select label="Where your Intercom is" allowDeselect={false} data={Object.entries(contract.intercomRegions).map(([name, value]) => ({ value, label: name.toUpperCase() }))} value={region} onChange={(next) => setRegion(next ?? contract.intercomRegions.us)} />}
            {add.error !== null && <Problem error={add.error} />}
            <Group><Button type="submit" loading={add.isPending}>Connect</Button></Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}; // prettier-ignore

/** Systems that conversations come from by themselves. */
export const Links = ({ mayEdit }: { mayEdit: boolean }) => {
  const client = useQueryClient();
  const [isOpen, { open, close }] = useDisclosure();
  const query = useQuery({ queryKey: ["conversations", "links"], queryFn: ({ signal }) => call(contract.links, {}, signal), refetchInterval: 15_000 });
  const remove = useMutation({ mutationFn: (id: string) => call(contract.removeLink, { id }), onSuccess: () => client.invalidateQueries({ queryKey: ["conversations", "links"] }) });
  return (
    <Card withBorder component="section" aria-label="Where they come from">
      <Stack gap="sm">
        <Title order={2} size="h4">Where they come from</Title>
        <Loaded query={query} height={40}>
          {({ links }) =>
            links.length === 0 ? (
              <Text size="sm">Connect Intercom, Zendesk or Chatwoot, bring a file of theirs (throughline conversations FILE --key WRITE_KEY), or send them with POST /v1/conversations.</Text>
            ) : (
              <Stack gap="sm">
                {links.filter(({ problem }) => problem !== "").map(({ id, vendor, problem }) => <Alert key={id} variant="outline" color="red" title={`${ways[`${vendor} hook`].label.split(" ")[0] ?? vendor}: something went wrong`}>{problem}</Alert>)}
                <DataTable
                  caption="Connected systems"
                  rows={links}
                  columns={[
                    { title: "System", cell: ({ vendor, kind }) => (isWay(`${vendor} ${kind}`) ? ways[`${vendor} ${kind}` as Way].label : vendor) },
                    { title: "Address", cell: ({ address }) => <span style={{ overflowWrap: "anywhere" }}>{address}</span> },
                    { title: "Conversations taken", numeric: true, cell: ({ taken }) => taken.toLocaleString() },
                    { title: "Last", cell: ({ lastAt }) => (lastAt === null ? "Nothing yet" : moment(lastAt)) },
                    { title: "", cell: ({ id }) => mayEdit && <Confirm label="Disconnect" title="Disconnect it?" busy={remove.isPending && remove.variables === id} run={() => remove.mutate(id)}>Nothing more is taken from there. What came stays.</Confirm> },
                  ]}
                />
              </Stack>
            )
          }
        </Loaded>
        {remove.error !== null && <Problem error={remove.error} />}
        {mayEdit && <Group><Button variant="default" onClick={open}>Connect a system</Button></Group>}
        {isOpen && <NewLink close={close} />}
      </Stack>
    </Card>
  );
}; // prettier-ignore
