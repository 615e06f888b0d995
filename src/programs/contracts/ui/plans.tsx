import { Alert, Badge, Button, FileButton, Group, List, Select, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { download } from "#web/kit/download.ts";
import { Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { PlanFormat } from "../contract.ts";

const formats: readonly { readonly value: PlanFormat; readonly label: string }[] = [
  { value: "segment", label: "Segment Protocols (JSON)" },
  { value: "rudderstack", label: "RudderStack (JSON)" },
  { value: "iglu", label: "Iglu (JSON)" },
  { value: "json-schema", label: "JSON Schema" },
  { value: "csv", label: "Table (CSV)" },
];
const labelOf = (format: PlanFormat): string => formats.find(({ value }) => value === format)?.label ?? format;
const became = { new: "New", changed: "Changes a draft", same: "Is there already" } as const;

/** Tracking plans of other products: taken over as drafts, and given out. */
export const Plans = () => {
  const client = useQueryClient();
  const [text, setText] = useState<string>();
  const [format, setFormat] = useState<PlanFormat>("segment");
  const look = useMutation({
    mutationFn: async (file: File) => {
      const read = await file.text();
      setText(read);
      return call(contract.importPlan, { text: read });
    },
  });
  const keep = useMutation({
    mutationFn: () => call(contract.importPlan, { text: text ?? "", dryRun: false }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["contracts"] }),
  });
  const give = useMutation({
    mutationFn: () => call(contract.exportPlan, { format }),
    onSuccess: ({ name, type, text: written }) => download(name, new Blob([written], { type })),
  });
  const found = keep.data ?? look.data;
  const news = found?.contracts.filter(({ becomes }) => becomes !== "same").length ?? 0;
  return (
    <Stack gap="sm">
      <Title order={2} size="h4">
        Tracking plans of other products
      </Title>
      <Group gap="sm" align="flex-end">
        <FileButton
          accept=".json,.csv,application/json,text/csv"
          onChange={(file) => {
            keep.reset();
            if (file !== null) look.mutate(file);
          }}
        >
          {(props) => (
            <Button {...props} variant="default" loading={look.isPending}>
              Take a plan over
            </Button>
          )}
        </FileButton>
        <Select
          label="Give contracts out as"
          data={[...formats]}
          value={format}
          allowDeselect={false}
          onChange={(value) => setFormat(formats.find((one) => one.value === value)?.value ?? "segment")}
        />
        <Button variant="default" loading={give.isPending} onClick={() => give.mutate()}>
          Download
        </Button>
      </Group>
      <Text size="sm">
        Each event becomes a contract of its own, as a draft: nothing is held against it before you activate it.
      </Text>
      {[look.error, keep.error, give.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
      {found !== undefined && (
        <>
          <Text role="status">
            {keep.data === undefined
              ? `${labelOf(found.format)}: ${found.contracts.length} contracts, of which ${news} would be kept.`
              : `${news} contracts are kept as drafts.`}
          </Text>
          {found.faults.length > 0 && (
            <Alert variant="outline" color="red" title={`${found.faults.length} rules cannot be taken over`}>
              <List size="sm">
                {found.faults.slice(0, 20).map(({ rule, message }) => (
                  <List.Item key={rule + message}>
                    {rule}: {message}
                  </List.Item>
                ))}
              </List>
            </Alert>
          )}
          {found.notes.length > 0 && (
            <List size="sm">
              {found.notes.slice(0, 20).map((note) => (
                <List.Item key={note}>{note}</List.Item>
              ))}
            </List>
          )}
          {found.contracts.length > 0 && (
            <DataTable
              caption="Contracts of the plan"
              rows={found.contracts}
              columns={[
                { title: "Event", cell: ({ name }) => name },
                { title: "Contract", cell: ({ id, version }) => `${id} ${version}` },
                { title: "Properties", numeric: true, cell: ({ properties }) => properties },
                { title: "What it becomes", cell: ({ becomes }) => <Badge variant="outline">{became[becomes]}</Badge> },
              ]}
            />
          )}
          {keep.data === undefined && news > 0 && (
            <Group>
              <Button loading={keep.isPending} onClick={() => keep.mutate()}>
                Keep {news} as drafts
              </Button>
            </Group>
          )}
        </>
      )}
    </Stack>
  );
};
