import { Alert, Badge, Box, Button, Group, Select, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { call, open } from "#web/call.ts";
import { CodeText } from "#web/kit/code-text.tsx";
import { DataTable } from "#web/kit/data-table.tsx";
import { download } from "#web/kit/download.ts";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";

const decisions = { allow: "Done or read", deny: "Not permitted", failed: "Failed" } as const;
const isDecision = (value: unknown): value is keyof typeof decisions =>
  typeof value === "string" && Object.hasOwn(decisions, value);

const colours = { intact: "blue", unknown: "yellow", broken: "red" } as const;
const titles = {
  intact: "The log is as it was written.",
  unknown: "It cannot be told.",
  broken: "The log was changed.",
};

/** Checks the whole log and takes it away. */
const Proof = () => {
  const verify = useMutation({ mutationFn: () => call(contract.verify, {}) });
  const take = useMutation({
    mutationFn: async () => download("audit.ndjson", await (await open(contract.exportLog, {})).blob()),
  });
  const found = verify.data;
  return (
    <Stack gap="sm">
      <Group gap="sm">
        <Button variant="default" loading={verify.isPending} onClick={() => verify.mutate()}>
          Verify
        </Button>
        <Button variant="default" loading={take.isPending} onClick={() => take.mutate()}>
          Export
        </Button>
      </Group>
      {[verify.error, take.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
      {found !== undefined && (
        <Alert variant="outline" color={colours[found.state]} role="status" title={titles[found.state]}>
          <Text size="sm">{found.message}</Text>
          <Text size="sm">
            {found.lastCheckpoint === null
              ? "No checkpoint was signed yet; the first comes within the hour."
              : `${found.checkpoints.toLocaleString()} signed checkpoints, the last ${moment(found.lastCheckpoint)}.`}{" "}
            Signed with the key {found.key}.
          </Text>
        </Alert>
      )}
    </Stack>
  ); // prettier-ignore
};

/** Who did, read or tried what. The search stands in the address. */
export const AuditPage = () => {
  const given: Record<string, unknown> = useSearch({ strict: false });
  const text = typeof given["text"] === "string" ? given["text"] : "";
  const decision = isDecision(given["decision"]) ? given["decision"] : undefined;
  const [asked] = useDebouncedValue(text, 250);
  const navigate = useNavigate();
  const search = (change: object): void =>
    void navigate({ to: ".", search: { text, decision, ...change } as never, replace: true });
  const query = useInfiniteQuery({
    queryKey: ["audit", asked, decision],
    queryFn: ({ signal, pageParam: before }) => call(contract.list, { text: asked, decision, before }, signal),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ entries, more }) => (more ? entries.at(-1)?.seq : undefined),
    placeholderData: keepPreviousData,
  });
  return (
    <Stack>
      <Title order={1}>Audit</Title>
      <Text maw={720}>
        Every change, export, sign-in and refusal, and who looked at people by themselves. Each entry holds the hash of
        the one before it; the end is signed, and once an hour all of it.
      </Text>
      <Proof />
      <Group align="flex-end">
        <TextInput
          label="Search"
          description="In what was done, or with what"
          value={text}
          onChange={(event) => search({ text: event.currentTarget.value })}
          style={{ flex: "1 1 260px" }}
          maw={400}
        />
        <Select
          label="Outcome"
          data={Object.entries(decisions).map(([value, label]) => ({ value, label }))}
          value={decision ?? null}
          placeholder="Any"
          clearable
          onChange={(value) => search({ decision: value ?? undefined })}
        />
      </Group>
      <Loaded query={query}>
        {({ pages }) => {
          const entries = pages.flatMap((page) => page.entries);
          if (entries.length === 0)
            return (
              <Empty title={text === "" && decision === undefined ? "Nothing is written down yet" : "Nothing found"}>
                {text === "" && decision === undefined
                  ? "What members and keys do in this workspace appears here."
                  : "No entry has this. Try a shorter part of it, such as “cohorts”, or any outcome."}
              </Empty>
            );
          return (
            <>
              <DataTable
                caption={`Newest first; ${entries.length.toLocaleString()} shown`}
                rows={entries}
                columns={[
                  { title: "No.", numeric: true, cell: ({ seq }) => seq.toLocaleString() },
                  { title: "When", cell: ({ at }) => moment(at) },
                  { title: "Who", cell: ({ who }) => who },
                  { title: "What", cell: ({ action }) => action },
                  {
                    title: "Outcome",
                    cell: (entry) => (
                      <Badge variant="outline" color={entry.decision === "allow" ? "gray" : "red"}>
                        {isDecision(entry.decision) ? decisions[entry.decision] : entry.decision}
                      </Badge>
                    ),
                  },
                  {
                    title: "With",
                    cell: ({ detail, reason }) => (
                      <Box miw={240}>
                        {reason !== "" && <Text size="sm">{reason}</Text>}
                        {detail === null ? <Text size="sm">(erased)</Text> : detail !== "" && <CodeText>{detail}</CodeText>}
                      </Box>
                    ),
                  },
                ]}
              />
              {query.hasNextPage && (
                <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()} w="fit-content">
                  Earlier entries
                </Button>
              )}
            </>
          ); // prettier-ignore
        }}
      </Loaded>
    </Stack>
  );
};
