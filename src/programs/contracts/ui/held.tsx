import { ActionIcon, Alert, Box, Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "#web/call.ts";
import { CodeText } from "#web/kit/code-text.tsx";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { Patch } from "../contract.ts";

interface Draft {
  readonly op: Patch["op"];
  readonly property: string;
  readonly to: string;
}

const kinds = [
  { value: "rename", label: "Rename" },
  { value: "cast", label: "Read as" },
  { value: "default", label: "Where missing, set" },
  { value: "remove", label: "Leave out" },
] satisfies { value: Patch["op"]; label: string }[];
const types = ["string", "number", "integer", "boolean"];

const isWhole = ({ op, property, to }: Draft): boolean => property !== "" && (op === "remove" || to !== "");
const patchOf = ({ op, property, to }: Draft): Patch => {
  if (op === "remove") return { op, property };
  if (op === "default") return { op, property, value: to };
  return op === "cast" ? { op, property, to: contract.castTypes.parse(to) } : { op, property, to };
};

const PatchRow = ({ draft, change, remove }: { draft: Draft; change: (to: Draft) => void; remove: () => void }) => (
  <Group gap="xs" align="flex-end" wrap="wrap">
    <Select
      label="Do"
      data={kinds}
      value={draft.op}
      allowDeselect={false}
      onChange={(chosen) => change({ ...draft, op: kinds.find(({ value }) => value === chosen)?.value ?? draft.op, to: "" })}
      w={180}
    />
    <TextInput label="Property" value={draft.property} onChange={(event) => change({ ...draft, property: event.currentTarget.value })} w={180} />
    {draft.op === "cast" && <Select label="Type" data={types} value={draft.to} onChange={(to) => change({ ...draft, to: to ?? "" })} w={140} />}
    {(draft.op === "rename" || draft.op === "default") && (
      <TextInput label={draft.op === "rename" ? "New name" : "Value"} value={draft.to} onChange={(event) => change({ ...draft, to: event.currentTarget.value })} w={180} />
    )}
    <ActionIcon variant="default" size="lg" aria-label="Remove this step" onClick={remove}>
      <IconX size={16} />
    </ActionIcon>
  </Group>
); // prettier-ignore

/** Mends the held events of one name: first it is counted what would fit, then they are sent on. */
const Mend = ({ event }: { event: string }) => {
  const [drafts, setDrafts] = useState<readonly Draft[]>([]);
  const client = useQueryClient();
  const patches = drafts.filter(isWhole).map(patchOf);
  const send = useMutation({
    mutationFn: (dryRun: boolean) => call(contract.replay, { event, patches, dryRun }),
    onSuccess: (_, dryRun) => (dryRun ? undefined : client.invalidateQueries({ queryKey: ["contracts"] })),
  });
  const change = (next: readonly Draft[]): void => {
    setDrafts(next);
    send.reset();
  };
  const result = send.data;
  const isSent = send.variables === false && result !== undefined;
  return (
    <Stack gap="sm">
      <Text>
        Say how the held events of <b>{event}</b> are to be read. What fits then is sent on as of when it happened, and
        counts once; what does not stays here.
      </Text>
      {drafts.map((draft, at) => (
        <PatchRow
          key={at}
          draft={draft}
          change={(to) => change(drafts.with(at, to))}
          remove={() => change(drafts.toSpliced(at, 1))}
        />
      ))}
      <Group gap="sm">
        <Button variant="default" onClick={() => change([...drafts, { op: "rename", property: "", to: "" }])}>
          Add a step
        </Button>
        <Button variant="default" loading={send.isPending} onClick={() => send.mutate(true)}>
          Count what would fit
        </Button>
        <Button
          disabled={result === undefined || result.fits === 0 || isSent}
          loading={send.isPending}
          onClick={() => send.mutate(false)}
        >
          Send on
        </Button>
      </Group>
      {send.error !== null && <Problem error={send.error} />}
      {result !== undefined && (
        <Alert variant="outline" color="blue" role="status" title={isSent ? `${result.fits.toLocaleString()} were sent on.` : `${result.fits.toLocaleString()} of ${result.held.toLocaleString()} would fit.`}>
          {result.stays.map(({ message, count }) => (
            <Text key={message} size="sm">
              {count.toLocaleString()} stay: {message}
            </Text>
          ))}
        </Alert>
      )}
    </Stack>
  ); // prettier-ignore
};

/** Events that wait for somebody to decide, for thirty days. */
export const HeldEvents = ({ event }: { event: string | undefined }) => {
  const query = useQuery({
    queryKey: ["contracts", "held", event],
    queryFn: ({ signal }) => call(contract.quarantine, event === undefined ? {} : { event }, signal),
  });
  return (
    <Loaded query={query}>
      {({ held, count }) => {
        const names = [...new Set(held.map((one) => one.event))];
        const chosen = event ?? (names.length === 1 ? names[0] : undefined);
        if (count === 0)
          return (
            <Empty title="Nothing is held">
              Events wait here when they break a contract and the settings say “hold”. They stay for 30 days, whole,
              with what is personal or secret masked.
            </Empty>
          );
        return (
          <Stack>
            {chosen === undefined ? (
              <Text>Choose an event under “What does not fit” to mend what is held of it.</Text>
            ) : (
              <Mend event={chosen} />
            )}
            <DataTable
              caption={`The latest ${held.length.toLocaleString()} of ${count.toLocaleString()} held events`}
              rows={held}
              columns={[
                { title: "Arrived", cell: ({ received }) => moment(received) },
                { title: "Event", cell: (one) => one.event },
                { title: "Why", cell: ({ messages }) => messages.join(" ") },
                {
                  title: "As it came",
                  cell: ({ body }) => (
                    <Box miw={280}>
                      <CodeText>{body}</CodeText>
                    </Box>
                  ),
                },
              ]}
            />
          </Stack>
        );
      }}
    </Loaded>
  );
};
