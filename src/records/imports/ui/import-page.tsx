import { Alert, Anchor, Button, Card, FileInput, Group, Progress, SegmentedControl, Select, Stack, Text, TextInput, Title } from "@mantine/core"; // prettier-ignore
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRef, useState } from "react";
import * as sources from "#records/sources/contract.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { download } from "#web/kit/download.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import { guessMapping, mappable, type Mapping } from "../mapping.ts";
import { readable, rowsOf, type Row } from "../rows.ts";
import { sendFile, type RefusedRow } from "../send.ts";

const previewRows = 20;
const keptRefused = 10_000;

const meanings: Readonly<Record<keyof Mapping, { label: string; description: string }>> = {
  event: { label: "Event name", description: "What happened" },
  time: { label: "Time", description: "ISO 8601, or seconds or milliseconds since 1970" },
  userId: { label: "User id", description: "Your id of a person" },
  anonymousId: { label: "Anonymous id", description: "Of a visitor or device" },
  account: { label: "Account", description: "Your id of their company" },
};

const shown = (value: unknown): string => {
  if (value === undefined || value === null) return "";
  return (typeof value === "string" ? value : JSON.stringify(value)).slice(0, 80);
};

const preview = async (file: File): Promise<Row[]> => {
  const rows: Row[] = [];
  for await (const row of rowsOf(file.name, file)) if (rows.push(row) === previewRows) break;
  return rows;
};

/** The source that files of this workspace come through; made with the first file. */
const fileSource = async (): Promise<string> => {
  const { sources: known } = await call(sources.list, {});
  const own = known.find((source) => source.kind === "file");
  return own?.writeKey ?? (await call(sources.create, { name: "Files", kind: "file" })).writeKey;
};

interface Run {
  readonly state: "running" | "done" | "stopped" | "failed";
  readonly rows: number;
  readonly refused: number;
  /** The refused rows themselves, as many as are kept for saving. */
  readonly kept: readonly RefusedRow[];
  readonly error?: unknown;
}

const Outcome = ({ run, again }: { run: Run; again: () => void }) => {
  const { kept } = run;
  const taken = (run.rows - run.refused).toLocaleString();
  const titles = { running: "", done: "Imported", stopped: "Stopped", failed: "" } as const;
  const save = (): void =>
    download("refused rows.ndjson", new Blob([kept.map((row) => JSON.stringify(row)).join("\n")]));
  return (
    <Stack>
      {run.state === "failed" && <Problem error={run.error} retry={again} />}
      {titles[run.state] !== "" && (
        <Alert title={titles[run.state]} role="status">
          {taken} rows were taken{run.refused > 0 && `, ${run.refused.toLocaleString()} were refused`}.
          {run.state === "stopped" && " Import the same file again to go on: rows that went in count once."}
        </Alert>
      )}
      {kept.length > 0 && (
        <>
          <DataTable
            caption={`The first ${Math.min(kept.length, previewRows)} refused rows`}
            rows={kept.slice(0, previewRows)}
            columns={[
              { title: "Row", numeric: true, cell: ({ row }) => row.toLocaleString() },
              { title: "Why", cell: ({ message }) => message },
            ]}
          />
          <Group>
            <Button variant="default" onClick={save}>
              Save the refused rows
            </Button>
          </Group>
        </>
      )}
    </Stack>
  );
};

const Plan = ({ file, rows }: { file: File; rows: readonly Row[] }) => {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const [traits, setTraits] = useState(false);
  const [mapping, setMapping] = useState<Mapping>(() => guessMapping(columns, false));
  const [event, setEvent] = useState(file.name.replace(/\.[^.]+$/, ""));
  const [run, setRun] = useState<Run>();
  const stop = useRef<AbortController>(undefined);
  const client = useQueryClient();
  const fields = traits ? mappable.filter((field) => field !== "event") : mappable;
  const missing = mapping.userId === undefined && mapping.anonymousId === undefined;

  const start = async (): Promise<void> => {
    const controller = new AbortController();
    stop.current = controller;
    const kept: RefusedRow[] = [];
    setRun({ state: "running", rows: 0, refused: 0, kept });
    try {
      const outcome = await sendFile({
        name: file.name,
        file,
        url: "",
        writeKey: await fileSource(),
        mapping: () => mapping,
        kind: { traits, event },
        signal: controller.signal,
        progress: (count, faulty) => setRun({ state: "running", rows: count, refused: faulty, kept }),
        refused: (row) => kept.length < keptRefused && kept.push(row),
      });
      setRun({ state: "done", ...outcome, kept });
    } catch (error) {
      setRun((last) => ({
        ...(last ?? { rows: 0, refused: 0, kept }),
        state: controller.signal.aborted ? "stopped" : "failed",
        error,
      }));
    }
    await client.invalidateQueries();
  };

  return (
    <Stack>
      <Card withBorder>
        <Stack>
          <SegmentedControl
            aria-label="What the rows are"
            data={[
              { value: "events", label: "Rows are events" },
              { value: "traits", label: "Rows are people" },
            ]}
            value={traits ? "traits" : "events"}
            onChange={(kind) => {
              setTraits(kind === "traits");
              setMapping(guessMapping(columns, kind === "traits"));
            }}
          />
          <Group align="flex-start">
            {fields.map((field) => (
              <Select
                key={field}
                label={meanings[field].label}
                description={meanings[field].description}
                placeholder="No column"
                clearable
                searchable
                w={220}
                data={columns}
                value={mapping[field] ?? null}
                onChange={(column) => setMapping({ ...mapping, [field]: column ?? undefined })}
              />
            ))}
            {!traits && mapping.event === undefined && (
              <TextInput
                label="Name of the event"
                description="For every row"
                w={220}
                value={event}
                onChange={(change) => setEvent(change.currentTarget.value)}
              />
            )}
          </Group>
          <Text size="sm">
            Every other column becomes a {traits ? "trait of the person" : "property of the event"}.
            {missing && " Choose a column with user ids or anonymous ids, so that rows belong to somebody."}
            {!missing && !traits && mapping.time === undefined && " Without a time, every row happens now."}
          </Text>
          <Group>
            {run?.state === "running" ? (
              <Button variant="default" onClick={() => stop.current?.abort()}>
                Stop
              </Button>
            ) : (
              <Button disabled={missing} onClick={() => void start()}>
                Import {file.name}
              </Button>
            )}
          </Group>
          {run?.state === "running" && (
            <>
              <Progress value={100} animated aria-label="Importing" />
              <Text role="status">
                {run.rows.toLocaleString()} rows so far, {run.refused.toLocaleString()} refused
              </Text>
            </>
          )}
        </Stack>
      </Card>
      {run !== undefined && run.state !== "running" && <Outcome run={run} again={() => void start()} />}
      <DataTable
        caption={rows.length === previewRows ? `The first ${previewRows} rows` : `All ${rows.length} rows`}
        rows={rows}
        columns={columns.map((column) => ({ title: column, cell: (row: Row) => shown(row[column]) }))}
      />
    </Stack>
  );
};

/** A file from this computer: what is in it, which column is what, and the rows on their way. */
export const ImportPage = () => {
  const [file, setFile] = useState<File | null>(null);
  const name = file === null ? "" : `${file.name} ${file.size} ${file.lastModified}`;
  const query = useQuery({
    queryKey: ["preview", name],
    queryFn: () => (file === null ? [] : preview(file)),
    enabled: file !== null,
    staleTime: Infinity,
  });
  return (
    <Stack>
      <Anchor component={Link} to="/sources" underline="always">
        All sources
      </Anchor>
      <Title order={1}>Import a file</Title>
      <Text maw={640}>
        CSV, TSV, JSON, newline-delimited JSON or Parquet. The file is read in this browser and sent row by row; the
        same file can be imported again within seven days and counts once.
      </Text>
      <FileInput
        label="File"
        placeholder="Choose a file"
        accept={readable.join(",")}
        maw={400}
        value={file}
        onChange={setFile}
      />
      {file !== null && (
        <Loaded query={query}>
          {(rows) =>
            rows.length === 0 ? <Text>The file has no rows.</Text> : <Plan key={name} file={file} rows={rows} />
          }
        </Loaded>
      )}
    </Stack>
  );
};
