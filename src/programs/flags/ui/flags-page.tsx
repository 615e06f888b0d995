import { Alert, Anchor, Badge, Button, Card, Code, CopyButton, Group, Modal, Select, Stack, Switch, Text, TextInput, Title } from "@mantine/core"; // prettier-ignore
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "#web/call.ts";
import { Confirm } from "#web/kit/confirm.tsx";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import { Flag, flagTypes, type FlagType } from "../document.ts";

export const typeWords: Readonly<Record<FlagType, string>> = {
  boolean: "Yes or no",
  string: "Text",
  number: "Number",
  json: "JSON",
};

/** What a flag begins with: two values, off everywhere. */
const beginnings: Readonly<Record<FlagType, Flag["variations"]>> = {
  boolean: [
    { name: "on", value: true },
    { name: "off", value: false },
  ],
  string: [
    { name: "control", value: "control" },
    { name: "treatment", value: "treatment" },
  ],
  number: [
    { name: "control", value: 0 },
    { name: "treatment", value: 1 },
  ],
  json: [
    { name: "control", value: {} },
    { name: "treatment", value: {} },
  ],
};

const NewFlag = ({ close }: { close: () => void }) => {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [form, setForm] = useState({ key: "", type: "boolean" as FlagType, description: "" });
  const make = useMutation({
    mutationFn: () => call(contract.save, { flag: Flag.parse({ ...form, variations: beginnings[form.type] }), version: 0 }), // prettier-ignore
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["flags"] });
      void navigate({ to: "/flags/$key", params: { key: form.key } });
    },
  });
  return (
    <Modal opened onClose={close} title="New flag">
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          make.mutate();
        }}
      >
        <Stack gap="sm">
          <TextInput label="Key" description="As code asks for it. It stays as it is." required data-autofocus value={form.key} onChange={(event) => setForm({ ...form, key: event.currentTarget.value })} />
          <Select label="Type" data={flagTypes.map((value) => ({ value, label: typeWords[value] }))} value={form.type} allowDeselect={false} onChange={(type) => setForm({ ...form, type: flagTypes.find((one) => one === type) ?? "boolean" })} />
          <TextInput label="What it is for" value={form.description} onChange={(event) => setForm({ ...form, description: event.currentTarget.value })} />
          {make.error !== null && <Problem error={make.error} />}
          <Button type="submit" loading={make.isPending}>Make it</Button>
        </Stack>
      </form>
    </Modal>
  );
}; // prettier-ignore

const Environments = ({ mayAdmin }: { mayAdmin: boolean }) => {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const query = useQuery({ queryKey: ["flags", "environments"], queryFn: ({ signal }) => call(contract.environments, {}, signal) });
  const done = () => client.invalidateQueries({ queryKey: ["flags"] });
  const add = useMutation({ mutationFn: () => call(contract.addEnvironment, { name }), onSuccess: done });
  const review = useMutation({ mutationFn: (given: { name: string; needsReview: boolean }) => call(contract.setReview, given), onSuccess: done });
  const secret = useMutation({ mutationFn: (of: string) => call(contract.newServerKey, { name: of }), onSuccess: done });
  const renew = useMutation({ mutationFn: (of: string) => call(contract.newKey, { name: of }), onSuccess: done });
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Title order={2} size="h4">Environments</Title>
        <Text size="sm">
          Any OpenFeature provider for remote evaluation (OFREP) asks this server, with the key of an environment as <Code>X-API-Key</Code>. A key gives out what a flag is for somebody, and none of the rules. With a secret key a server reads the rules and decides by itself.
        </Text>
        {secret.data !== undefined && (
          <Alert variant="outline" title={`Secret key of ${secret.variables ?? ""}`}>
            <Stack gap="xs">
              <Text size="sm">It is shown this once. Only a hash of it is kept.</Text>
              <Group>
                <Code style={{ overflowWrap: "anywhere" }}>{secret.data.key}</Code>
                <CopyButton value={secret.data.key}>{({ copied, copy }) => <Button variant="default" onClick={copy}>{copied ? "Copied" : "Copy"}</Button>}</CopyButton>
              </Group>
            </Stack>
          </Alert>
        )}
        <Loaded query={query} height={80}>
          {({ environments }) =>
            environments.length === 0 ? (
              <Text size="sm" c="dimmed">The first flag makes production and development.</Text>
            ) : (
              <DataTable
                caption="Keys by environment"
                rows={environments}
                columns={[
                  { title: "Environment", cell: (one) => one.name },
                  { title: "Key", cell: ({ key }) => <Code>{key}</Code> },
                  { title: "Changes", cell: ({ name: of, needsReview }) => <Switch label="by two" aria-label={`Changes in ${of} by two`} checked={needsReview} disabled={!mayAdmin || review.isPending} onChange={(event) => review.mutate({ name: of, needsReview: event.currentTarget.checked })} /> },
                  {
                    title: "",
                    cell: (one) => (
                      <Group gap="xs" wrap="nowrap">
                        <CopyButton value={one.key}>
                          {({ copied, copy }) => <Button variant="default" aria-label={`Copy the key of ${one.name}`} onClick={copy}>{copied ? "Copied" : "Copy"}</Button>}
                        </CopyButton>
                        {mayAdmin && (
                          <Confirm label={one.hasServerKey ? "New secret key" : "Secret key"} title={`A secret key for ${one.name}?`} run={() => secret.mutate(one.name)} busy={secret.isPending}>
                            It reads all rules of this environment, so it belongs on servers alone.{one.hasServerKey ? " The one that there is no longer works." : ""}
                          </Confirm>
                        )}
                        {mayAdmin && (
                          <Confirm label="New key" title={`A new key for ${one.name}?`} run={() => renew.mutate(one.name)} busy={renew.isPending}>
                            Clients that ask with the old one are refused from then on, and take the defaults in their code.
                          </Confirm>
                        )}
                      </Group>
                    ),
                  },
                ]}
              />
            )
          }
        </Loaded>
        {mayAdmin && (
          <form
            onSubmit={(submitted) => {
              submitted.preventDefault();
              add.mutate();
            }}
          >
            <Group align="end">
              <TextInput label="Another environment" placeholder="staging" value={name} onChange={(event) => setName(event.currentTarget.value)} />
              <Button type="submit" variant="default" disabled={name === ""} loading={add.isPending}>Add</Button>
            </Group>
          </form>
        )}
        {[add.error, renew.error, review.error, secret.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
      </Stack>
    </Card>
  );
}; // prettier-ignore

/** All flags, where each is on, and the keys with which clients ask. */
export const FlagsPage = ({ mayEdit, mayAdmin }: { mayEdit: boolean; mayAdmin: boolean }) => {
  const [isMaking, setMaking] = useState(false);
  const [archived, setArchived] = useState(false);
  const query = useQuery({ queryKey: ["flags", "list", archived], queryFn: ({ signal }) => call(contract.list, { archived }, signal) });
  const make = mayEdit && <Button onClick={() => setMaking(true)}>New flag</Button>;
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1}>Flags</Title>
        <Group>
          <Switch label="Taken away" checked={archived} onChange={(event) => setArchived(event.currentTarget.checked)} />
          {make}
        </Group>
      </Group>
      <Loaded query={query}>
        {({ flags }) =>
          flags.length === 0 ? (
            <Empty title={archived ? "No flag was taken away" : "No flags yet"} action={archived ? undefined : make}>
              {archived ? "A flag that is taken away can be brought back from here." : "A flag is a value that code asks for: what it is, and for whom, is changed here without a release."}
            </Empty>
          ) : (
            <DataTable
              caption={archived ? "Flags that were taken away" : "Flags"}
              rows={flags}
              columns={[
                { title: "Flag", cell: ({ key }) => <Anchor component={Link} to={`/flags/${encodeURIComponent(key)}`}>{key}</Anchor> },
                { title: "Type", cell: ({ type }) => typeWords[type] },
                { title: "On in", cell: ({ on }) => on.length === 0 ? "nowhere" : <Group gap={4}>{on.map((one) => <Badge key={one} variant="outline">{one}</Badge>)}</Group> },
                { title: "For", cell: ({ description }) => description },
                { title: "Owner", cell: ({ owner }) => owner },
                { title: "Clean up", cell: ({ stale }) => stale },
                { title: "Changed", cell: ({ updatedAt }) => moment(updatedAt) },
              ]}
            />
          )
        }
      </Loaded>
      <Environments mayAdmin={mayAdmin} />
      {isMaking && <NewFlag close={() => setMaking(false)} />}
    </Stack>
  );
}; // prettier-ignore
