import { Alert, Badge, Button, Group, List, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "#web/call.ts";
import { Hits } from "./hits.tsx";
import { CodeText } from "#web/kit/code-text.tsx";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { ContractView, Verdict } from "../contract.ts";
import { Plans } from "./plans.tsx";

const Witness = ({ says, event }: { says: string; event: string | null }) =>
  event === null ? null : (
    <Text size="sm">
      {says}: <CodeText>{event}</CodeText>
    </Text>
  );

const Judgement = ({ verdict }: { verdict: Verdict }) => (
  <Alert
    variant="outline"
    color={verdict.breaking ? "red" : "blue"}
    role="status"
    title={`${verdict.event}: ${verdict.changes.length === 0 ? "nothing changes" : `${verdict.breaking ? "breaking" : "not breaking"}, a ${verdict.bump} version`}`}
  >
    <Stack gap="xs">
      {verdict.changes.length > 0 && (
        <>
          <Text size="sm">
            {verdict.backward ? "Released senders keep working." : "Released senders break."}{" "}
            {verdict.forward ? "Readers keep working." : "Readers may meet what they did not before."}
          </Text>
          <List size="sm">
            {verdict.changes.map(({ code, path }) => (
              <List.Item key={code + path}>
                {code.replaceAll("_", " ")} at {path === "" ? "the whole event" : path}
              </List.Item>
            ))}
          </List>
        </>
      )}
      <Witness says="Was right and is refused now" event={verdict.refusedNow} />
      <Witness says="Is right now and was not" event={verdict.acceptedNow} />
    </Stack>
  </Alert>
); // prettier-ignore

/** Writes a contract: from scratch, from what arrived, or from a version; and says what it would change. */
const Editor = ({ text, setText }: { text: string; setText: (text: string) => void }) => {
  const [event, setEvent] = useState("");
  const client = useQueryClient();
  const learn = useMutation({
    mutationFn: () => call(contract.learn, { event }),
    onSuccess: ({ document }) => setText(document),
  });
  const check = useMutation({ mutationFn: () => call(contract.check, { document: text }) });
  const save = useMutation({
    mutationFn: () => call(contract.save, { document: text }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["contracts"] }),
  });
  const write = (next: string): void => {
    setText(next);
    check.reset();
    save.reset();
  };
  return (
    <Stack gap="sm">
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          learn.mutate();
        }}
      >
        <Group gap="sm" align="flex-end">
          <TextInput
            label="Propose from what arrived"
            placeholder="Name of an event"
            value={event}
            onChange={(changed) => setEvent(changed.currentTarget.value)}
            style={{ flex: "1 1 220px" }}
          />
          <Button type="submit" variant="default" loading={learn.isPending} disabled={event === ""}>
            Propose
          </Button>
        </Group>
      </form>
      {learn.error !== null && <Problem error={learn.error} />}
      <Textarea
        label="Contract (Open Data Contract Standard 3.1, YAML)"
        value={text}
        onChange={(changed) => write(changed.currentTarget.value)}
        autosize
        minRows={10}
        maxRows={28}
        spellCheck={false}
        styles={{ input: { fontFamily: "monospace" } }}
      />
      <Group gap="sm">
        <Button variant="default" disabled={text === ""} loading={check.isPending} onClick={() => check.mutate()}>
          What would it change?
        </Button>
        <Button disabled={text === ""} loading={save.isPending} onClick={() => save.mutate()}>
          Save
        </Button>
      </Group>
      {[check.error, save.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
      {check.data !== undefined && (
        <Text role="status">
          {check.data.against === null
            ? "This is the first version: no sender or reader relies on another."
            : `Compared with ${check.data.against}, which is active.`}
        </Text>
      )}
      {check.data !== undefined && check.data.removed.length > 0 && (
        <Text>
          It no longer has {check.data.removed.join(", ")}: nothing would be asked of{" "}
          {check.data.removed.length === 1 ? "that event" : "those events"} any more.
        </Text>
      )}
      {check.data?.hits.map(({ used, uses }) => (
        <Stack key={JSON.stringify(used)} gap={4}>
          <Text>On {used.kind === "property" ? `${used.id} of ${used.event ?? "any event"}` : used.id} hang:</Text>
          <Hits uses={uses} />
        </Stack>
      ))}
      {check.data?.verdicts.map((verdict) => (
        <Judgement key={verdict.event} verdict={verdict} />
      ))}
      {check.data?.recent.map(({ event: name, looked, fits, messages }) => (
        <Stack key={name} gap={4}>
          <Text>
            {looked === 0
              ? `No ${name} came in the last 30 days.`
              : `Of the latest ${looked.toLocaleString()} ${name}, ${fits.toLocaleString()} fit.`}
          </Text>
          <List size="sm">
            {messages.map((message) => (
              <List.Item key={message}>{message}</List.Item>
            ))}
          </List>
        </Stack>
      ))}
      {save.data !== undefined && (
        <Text role="status">
          {save.data.id} {save.data.version} is kept as {save.data.status}.
        </Text>
      )}
    </Stack>
  );
};

const Versions = ({ all, open }: { all: readonly ContractView[]; open: (text: string) => void }) => {
  const client = useQueryClient();
  const set = useMutation({
    mutationFn: ({ id, version, status }: Pick<ContractView, "id" | "version" | "status">) =>
      call(contract.setStatus, { id, version, status }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["contracts"] }),
  });
  const read = useMutation({
    mutationFn: ({ id, version }: ContractView) => call(contract.get, { id, version }),
    onSuccess: ({ document }) => open(document),
  });
  return (
    <>
      {[set.error, read.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
      <DataTable
        caption={`${all.length} versions of contracts`}
        rows={all}
        columns={[
          { title: "Contract", cell: ({ id, name }) => (name === "" ? id : name) },
          { title: "Version", cell: ({ version }) => version },
          { title: "Events", cell: ({ events }) => events.join(", ") },
          {
            title: "State",
            cell: ({ status }) => (
              <Badge variant="outline" color={status === "active" ? "blue" : "gray"}>
                {status}
              </Badge>
            ),
          },
          { title: "Changed", cell: ({ updatedAt }) => moment(updatedAt) },
          {
            title: "Do",
            cell: (one) => (
              <Group gap="xs" wrap="nowrap">
                <Button size="xs" variant="default" aria-label={`Open ${one.id} ${one.version}`} onClick={() => read.mutate(one)}>
                  Open
                </Button>
                <Button
                  size="xs"
                  variant="default"
                  aria-label={`${one.status === "active" ? "Retire" : "Activate"} ${one.id} ${one.version}`}
                  onClick={() => set.mutate({ ...one, status: one.status === "active" ? "retired" : "active" })}
                >
                  {one.status === "active" ? "Retire" : "Activate"}
                </Button>
              </Group>
            ),
          },
        ]}
      />
    </>
  ); // prettier-ignore
};

/** The contracts of the workspace, and where they are written. */
export const Contracts = () => {
  const [text, setText] = useState("");
  const query = useQuery({
    queryKey: ["contracts", "list"],
    queryFn: ({ signal }) => call(contract.list, {}, signal),
  });
  return (
    <Stack>
      <Loaded query={query} height={120}>
        {({ contracts }) =>
          contracts.length === 0 ? (
            <Empty title="No contract yet">
              A contract says what an event is: its properties, their types and values, and which are personal. Type the
              name of an event below to have one proposed from what arrived.
            </Empty>
          ) : (
            <Versions all={contracts} open={setText} />
          )
        }
      </Loaded>
      <Editor text={text} setText={setText} />
      <Plans />
    </Stack>
  );
};
