import { Accordion, ActionIcon, Anchor, Button, Card, Grid, Group, Modal, MultiSelect, Select, Skeleton, Stack, Text, TextInput, Title, UnstyledButton } from "@mantine/core"; // prettier-ignore
import { useDisclosure } from "@mantine/hooks";
import { IconX } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useMemo, useState, type ReactNode } from "react";
import * as contract from "#insights/sql/contract.ts";
import type { SqlInput, SqlResult } from "#insights/sql/contract.ts";
import { AnswerView } from "#surfaces/explore/ui/answer-view.tsx";
import type { Question } from "#surfaces/explore/contract.ts";
import { call } from "#web/call.ts";
import { Empty, Loaded, Problem, Waiting } from "#web/kit/states.tsx";

const Editor = lazy(() => import("#web/kit/sql-editor.tsx"));

type Tables = Awaited<ReturnType<typeof call<typeof contract.schema.input, typeof contract.schema.output>>>["tables"];

const examples = [
  ["How often each event happened lately", "SELECT event, count() AS times, uniq(person) AS people\nFROM events\nWHERE at >= now() - INTERVAL 30 DAY\nGROUP BY event\nORDER BY times DESC"],
  ["People a day", "SELECT toDate(at) AS day, uniqExact(person) AS people\nFROM events\nWHERE at >= now() - INTERVAL 30 DAY\nGROUP BY day\nORDER BY day"],
  ["People by plan", "SELECT traits['plan'] AS plan, count() AS people\nFROM people\nGROUP BY plan\nORDER BY people DESC"],
] as const; // prettier-ignore

/** The tables, and what each column holds. */
const Schema = ({ tables }: { tables: Tables }) => (
  <Accordion variant="contained" multiple>
    {tables.map(({ name, grain, columns }) => (
      <Accordion.Item key={name} value={name}>
        <Accordion.Control>
          <Text size="sm" ff="monospace">
            {name}
          </Text>
          <Text size="xs">{grain}</Text>
        </Accordion.Control>
        <Accordion.Panel>
          <Stack gap="xs">
            {columns.map((column) => (
              <div key={column.name}>
                <Text size="sm">
                  <Text span ff="monospace" fw={600}>
                    {column.name}
                  </Text>{" "}
                  {column.type}
                </Text>
                <Text size="xs">{column.meaning}</Text>
              </div>
            ))}
          </Stack>
        </Accordion.Panel>
      </Accordion.Item>
    ))}
  </Accordion>
);

const Saved = ({ open }: { open: (input: SqlInput, id: string) => void }) => {
  const client = useQueryClient();
  const query = useQuery({ queryKey: ["saved-queries"], queryFn: ({ signal }) => call(contract.saved, {}, signal) });
  const remove = useMutation({
    mutationFn: (id: string) => call(contract.remove, { id }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["saved-queries"] }),
  });
  return (
    <Stack gap="xs" component="section" aria-label="Saved queries">
      <Text fw={600}>Saved queries</Text>
      <Loaded query={query} height={40}>
        {({ queries }) =>
          queries.length === 0 ? (
            <Text size="sm">None yet. Run a query and save it.</Text>
          ) : (
            <>
              {queries.map(({ id, name, input, by }) => (
                <Group key={id} justify="space-between" wrap="nowrap" gap="xs">
                  <UnstyledButton
                    onClick={() => open(input, id)}
                    style={{ textDecoration: "underline" }}
                    title={`Saved by ${by}`}
                  >
                    <Text size="sm">{name}</Text>
                  </UnstyledButton>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={`Remove the query ${name}`}
                    onClick={() => remove.mutate(id)}
                  >
                    <IconX size={14} aria-hidden />
                  </ActionIcon>
                </Group>
              ))}
            </>
          )
        }
      </Loaded>
      {remove.error !== null && <Problem error={remove.error} />}
    </Stack>
  );
};

const SaveQuery = ({ input }: { input: SqlInput }) => {
  const [opened, { open, close }] = useDisclosure();
  const [name, setName] = useState("");
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: () => call(contract.save, { name, input }),
    onSuccess: async () => {
      close();
      await client.invalidateQueries({ queryKey: ["saved-queries"] });
    },
  });
  return (
    <>
      <Button variant="default" onClick={open}>
        Save query
      </Button>
      <Modal opened={opened} onClose={close} title="Save query">
        <Stack>
          <TextInput
            label="Name"
            required
            data-autofocus
            value={name}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
          />
          {save.error !== null && <Problem error={save.error} />}
          <Group justify="flex-end">
            <Button onClick={() => save.mutate()} loading={save.isPending} disabled={name.trim() === ""}>
              Save
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
};

/** How the rows are drawn. */
const Drawn = ({ result, change }: { result: SqlResult; change: (display: SqlInput["display"]) => void }) => {
  const { display, columns } = result;
  const names = columns.map(({ name }) => name);
  return (
    <Group align="flex-end">
      <Select
        label="Show as"
        allowDeselect={false}
        data={[{ value: "table", label: "Table" }, { value: "line", label: "Lines" }, { value: "bar", label: "Bars" }]}
        value={display.type}
        onChange={(type) => change({ ...display, type: (type as SqlInput["display"]["type"] | null) ?? "table" })}
      />
      {display.type !== "table" && (
        <>
          <Select label="Along the bottom" data={names} value={display.x ?? names[0] ?? null} onChange={(x) => change({ ...display, x: x ?? undefined })} />
          <MultiSelect label="Drawn" data={names} value={display.y} placeholder={display.y.length === 0 ? "Every number" : ""} onChange={(y) => change({ ...display, y })} />
        </>
      )}
    </Group>
  ); // prettier-ignore
};

const types = ["table", "line", "bar"] as const;

/** What stands in the address. */
const read = (given: Record<string, unknown>): SqlInput => ({
  query: typeof given["query"] === "string" ? given["query"] : "",
  display: {
    type: types.find((type) => type === given["as"]) ?? "table",
    ...(typeof given["x"] === "string" ? { x: given["x"] } : {}),
    y: Array.isArray(given["y"]) ? given["y"].map(String).slice(0, 10) : [],
  },
});

export interface SavableSql {
  readonly question: () => Question;
  readonly suggested: string;
  readonly defining: string;
}

/** Questions in SQL: the tables at the left, the query and its rows at the right. The query stands in the address. */
export const SqlPage = ({ save }: { save: (save: SavableSql) => ReactNode }) => {
  const given: Record<string, unknown> = useSearch({ strict: false });
  const asked = read(given);
  const defining = typeof given["defining"] === "string" ? given["defining"] : "";
  // what is being written counts as long as the address says the same as when it was begun
  const [draft, setDraft] = useState({ over: asked.query, text: asked.query });
  const text = draft.over === asked.query ? draft.text : asked.query;
  const navigate = useNavigate();
  const client = useQueryClient();
  const go = ({ query, display }: SqlInput): void =>
    void navigate({
      to: "/sql",
      search: { query, as: display.type === "table" ? undefined : display.type, x: display.x, y: display.y.length === 0 ? undefined : display.y, defining: defining === "" ? undefined : defining } as never, // prettier-ignore
    });
  const schema = useQuery({ queryKey: ["sql-schema"], queryFn: ({ signal }) => call(contract.schema, {}, signal) });
  const key = ["sql", asked.query];
  const answer = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => call(contract.askSql, { query: asked.query }, signal),
    enabled: asked.query !== "",
    staleTime: Infinity,
  });
  const run = (): void => {
    if (text.trim() === "") return;
    if (text === asked.query) void answer.refetch();
    else go({ ...asked, query: text });
  };
  const names = useMemo(() => Object.fromEntries((schema.data?.tables ?? []).map(({ name, columns }) => [name, columns.map((column) => column.name)])), [schema.data]); // prettier-ignore
  const result = answer.data === undefined ? undefined : { ...answer.data, display: asked.display };
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1}>SQL</Title>
        {result !== undefined && (
          <Group gap="sm">
            <SaveQuery input={asked} />
            {save({ question: () => ({ kind: "sql", input: asked }), suggested: "Query", defining })}
          </Group>
        )}
      </Group>
      <Grid>
        <Grid.Col span={{ base: 12, md: 4, xl: 3 }} order={{ base: 2, md: 1 }}>
          <Stack>
            <Saved open={(input) => go(input)} />
            <Text fw={600}>Tables</Text>
            <Loaded query={schema}>{({ tables }) => <Schema tables={tables} />}</Loaded>
            <Text size="xs">
              One SELECT in the dialect of <Anchor href="https://clickhouse.com/docs/sql-reference/statements/select" underline="always">ClickHouse</Anchor>,
              read-only: 30 seconds, 2 GB of memory and 10,000 rows at most.
            </Text>
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 8, xl: 9 }} order={{ base: 1, md: 2 }}>
          <Stack>
            <Suspense fallback={<Skeleton height={160} />}>
              <Editor label="Query" text={text} names={names} change={(written) => setDraft({ over: asked.query, text: written })} run={run} />
            </Suspense>
            <Group>
              <Button onClick={run} disabled={text.trim() === ""} loading={answer.isFetching}>
                Run
              </Button>
              <Text size="sm">Ctrl or ⌘ with Enter</Text>
            </Group>
            {asked.query === "" && (
              <Empty title="Ask anything of what is kept">
                Write a query above, or begin with one of these. For questions about steps, return and habits,{" "}
                <Anchor component={Link} to="/explore" underline="always">Explore</Anchor> is faster and says more.
              </Empty>
            )}
            {asked.query === "" &&
              examples.map(([title, query]) => (
                <Card key={title} withBorder padding="sm">
                  <Group justify="space-between">
                    <Text size="sm">{title}</Text>
                    <Button size="xs" variant="default" aria-label={`Run: ${title}`} onClick={() => go({ ...asked, query })}>
                      Run it
                    </Button>
                  </Group>
                </Card>
              ))}
            {asked.query !== "" && answer.error !== null && <Problem error={answer.error} retry={() => void answer.refetch()} />}
            {answer.isLoading && <Waiting cancel={() => void client.cancelQueries({ queryKey: key })} />}
            {result !== undefined && answer.error === null && (
              <>
                <Drawn result={result} change={(display) => go({ ...asked, display })} />
                <AnswerView result={result} />
              </>
            )}
          </Stack>
        </Grid.Col>
      </Grid>
    </Stack>
  );
}; // prettier-ignore
