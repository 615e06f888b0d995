import {
  Alert,
  Anchor,
  Badge,
  Button,
  Card,
  Group,
  Modal,
  Progress,
  SegmentedControl,
  SimpleGrid,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "#web/call.ts";
import { Confirm } from "#web/kit/confirm.tsx";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../versions/contract.ts";
import type { Comparison, VersionView } from "../versions/contract.ts";
import { oneDigit, percent } from "./words.ts";

const bandWords = { low: "Below 2.5", middle: "To 3.5", high: "Above" } as const;
const bands = ["low", "middle", "high"] as const;
const methodWords = {
  offset: "an offset",
  line: "a line",
  curve: "a curve",
  words: "a curve, and what words of yours say,",
} as const;
const two = (value: number | null): string => (value === null ? "–" : value.toFixed(2));
const share = (value: number | null): string => (value === null ? "–" : percent(value));

const Changes = ({ found }: { found: Comparison }) => (
  <Stack gap="sm">
    {found.waiting > 0 && <Alert variant="outline" role="status" title="It is not done yet">{found.waiting.toLocaleString()} conversations are still to be scored in shadow. What is below is of those that are.<Progress mt="xs" value={(100 * found.conversations) / (found.conversations + found.waiting)} aria-label="Scored in shadow" /></Alert>}
    <SimpleGrid cols={{ base: 1, xs: 3 }}>
      <Text>Mean: <b>{two(found.before.mean)}</b> becomes <b>{two(found.after.mean)}</b></Text>
      <Text>4 to 5: <b>{share(found.before.good)}</b> becomes <b>{share(found.after.good)}</b></Text>
      <Text>{found.conversations.toLocaleString()} conversations of 90 days</Text>
    </SimpleGrid>
    <DataTable
      caption="From band to band: how many move"
      rows={bands.map((was) => ({ was, counts: bands.map((is) => found.transitions.find((one) => one.was === was && one.is === is)?.conversations ?? 0) }))}
      columns={[{ title: "Now", cell: ({ was }) => bandWords[was] }, ...bands.map((is, at) => ({ title: `Then: ${bandWords[is].toLowerCase()}`, numeric: true, cell: ({ counts }: { counts: number[] }) => (counts[at] ?? 0).toLocaleString() }))]}
    />
    {found.segments.length > 0 && (
      <DataTable
        caption="By channel, team and language"
        rows={found.segments}
        columns={[
          { title: "", cell: ({ kind }) => ({ channel: "Channel", team: "Team", language: "Language" })[kind] },
          { title: "Name", cell: ({ name }) => name },
          { title: "Conversations", numeric: true, cell: ({ conversations }) => conversations.toLocaleString() },
          { title: "Mean", numeric: true, cell: ({ before, after }) => `${two(before.mean)} → ${two(after.mean)}` },
          { title: "4 to 5", numeric: true, cell: ({ before, after }) => `${share(before.good)} → ${share(after.good)}` },
        ]}
      />
    )}
    {found.agreement.after.pairs > 0 && (
      <DataTable
        caption="Against labels of your people"
        rows={[{ name: "Now", ...found.agreement.before }, { name: "Then", ...found.agreement.after }]}
        columns={[
          { title: "", cell: ({ name }) => name },
          { title: "Pairs", numeric: true, cell: ({ pairs }) => pairs },
          { title: "Kappa", numeric: true, cell: ({ kappa }) => two(kappa) },
          { title: "Rank", numeric: true, cell: ({ rho }) => two(rho) },
          { title: "Unhappy found", numeric: true, cell: ({ auc }) => two(auc) },
          { title: "Squared error", numeric: true, cell: ({ error }) => two(error) },
        ]}
      />
    )}
    {found.reliability.after.length > 0 && (
      <DataTable
        caption="What people say where the score is so"
        rows={found.reliability.after.map((after, at) => ({ after, before: found.reliability.before[at] }))}
        columns={[
          { title: "Score now", numeric: true, cell: ({ before }) => two(before?.score ?? null) },
          { title: "They say", numeric: true, cell: ({ before }) => two(before?.label ?? null) },
          { title: "Score then", numeric: true, cell: ({ after }) => two(after.score) },
          { title: "They say ", numeric: true, cell: ({ after }) => two(after.label) },
          { title: "Labels", numeric: true, cell: ({ after }) => after.labels },
        ]}
      />
    )}
    {found.examples.length > 0 && (
      <DataTable
        caption="Where it changes the most"
        rows={found.examples}
        columns={[
          { title: "Now", numeric: true, cell: ({ before }) => oneDigit(before) },
          { title: "Then", numeric: true, cell: ({ after }) => oneDigit(after) },
          { title: "What happened", cell: ({ id, summary }) => <Anchor component={Link} to={`/conversations/${encodeURIComponent(id)}`} style={{ display: "inline-block", minWidth: 220 }}>{summary === "" ? id : summary}</Anchor> },
        ]}
      />
    )}
  </Stack>
); // prettier-ignore

const SwitchOn = ({ id, run, busy }: { id: string; run: (rebase: boolean) => void; busy: boolean }) => {
  const [isOpen, setOpen] = useState(false);
  const [which, setWhich] = useState("from now");
  return (
    <>
      <Button loading={busy} onClick={() => setOpen(true)}>Switch it on</Button>
      <Modal opened={isOpen} onClose={() => setOpen(false)} title={`Switch ${id} on`}>
        <Stack>
          <SegmentedControl aria-label="What was scored before" value={which} onChange={setWhich} data={[{ value: "from now", label: "From now on" }, { value: "rebase", label: "For history too" }]} />
          <Text>{which === "rebase" ? "All conversations count by it, those from before as well: lines in charts stay comparable. What was told before is kept beside it." : "What was scored before stays as it was told; charts are marked where it begins."} Rules act on none again, and what was told as events stays as it was.</Text>
          <Group justify="flex-end"><Button variant="default" onClick={() => setOpen(false)}>Not now</Button><Button onClick={() => { setOpen(false); run(which === "rebase"); }}>Switch it on</Button></Group>
        </Stack>
      </Modal>
    </>
  );
}; // prettier-ignore

const stateOf = ({ isActive, state, waiting }: VersionView): string => {
  if (isActive) return waiting > 0 ? `In use; ${waiting.toLocaleString()} are still to be scored by it` : "In use";
  return state === "shadow" ? `In shadow${waiting > 0 ? `; ${waiting.toLocaleString()} to go` : ""}` : "Was in use";
};

const Shadow = ({ version, maySwitch }: { version: VersionView; maySwitch: boolean }) => {
  const client = useQueryClient();
  const done = { onSuccess: () => client.invalidateQueries({ queryKey: ["cx"] }) };
  const comparison = useQuery({ queryKey: ["cx", "compare", version.id], queryFn: ({ signal }) => call(contract.compare, { id: version.id }, signal), refetchInterval: (query) => ((query.state.data?.waiting ?? 0) > 0 ? 3_000 : false) });
  const turnOn = useMutation({ mutationFn: (rebase: boolean) => call(contract.activate, { id: version.id, rebase }), ...done });
  const drop = useMutation({ mutationFn: () => call(contract.drop, { id: version.id }), ...done });
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={3} size="h5">What would change with {version.id}</Title>
          <Group>
            {maySwitch && <SwitchOn id={version.id} busy={turnOn.isPending} run={(rebase) => turnOn.mutate(rebase)} />}
            {version.state === "shadow" && <Confirm label="Put it away" title="Put this version away?" busy={drop.isPending} run={() => drop.mutate()}>It ends here, and was never in use.</Confirm>}
          </Group>
        </Group>
        {[turnOn.error, drop.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
        <Loaded query={comparison} height={200}>{(found) => <Changes found={found} />}</Loaded>
      </Stack>
    </Card>
  );
}; // prettier-ignore

/** The score moved to where your people put it, tried before it counts. */
export const Versions = ({ mayEdit, maySwitch }: { mayEdit: boolean; maySwitch: boolean }) => {
  const client = useQueryClient();
  const [chosen, setChosen] = useState<string>();
  const query = useQuery({ queryKey: ["cx", "versions"], queryFn: ({ signal }) => call(contract.list, {}, signal), refetchInterval: ({ state: { data } }) => (data?.versions.some(({ waiting }) => waiting > 0) === true ? 5_000 : false) });
  const learn = useMutation({ mutationFn: (from: "people" | "customers" | "judge") => call(contract.calibrate, { from }), onSuccess: ({ id }) => { setChosen(id); return client.invalidateQueries({ queryKey: ["cx", "versions"] }); } });
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Title order={2} size="h4">Versions of the score</Title>
        <Loaded query={query} height={100}>
          {({ versions, needsSwitch }) => {
            const open = versions.find(({ id }) => id === chosen) ?? versions.find(({ state }) => state === "shadow");
            return (
              <Stack gap="sm">
                {needsSwitch && <Alert variant="outline" title="A newer scorer came with an upgrade">It scores what is new since then. See below what would change for the rest, and switch it on.</Alert>}
                <DataTable
                  caption="In use, in shadow, and before"
                  rows={versions}
                  columns={[
                    { title: "Version", cell: ({ id, isActive }) => <Group gap={6} wrap="nowrap"><span style={{ whiteSpace: "nowrap" }}>{id}</span>{isActive && <Badge variant="outline">In use</Badge>}</Group> },
                    { title: "State", cell: stateOf },
                    { title: "Learnt", cell: ({ calibration: own, isJudge }) => (own === null ? (isJudge ? "A language model scores by it" : "As it came") : `${methodWords[own.method]} from ${own.labels} labels: squared error ${two(own.before)} → ${two(own.after)} on labels it has not seen`) },
                    { title: "Since", cell: ({ activations }) => activations.map(({ at }) => (at === null ? "The beginning" : moment(at))).join(", ") },
                    { title: "", cell: (one) => mayEdit && !one.isActive && <Button size="compact-sm" variant="default" onClick={() => setChosen(one.id)}>What would change?</Button> },
                  ]}
                />
                {mayEdit && (
                  <Group>
                    <Button variant="default" loading={learn.isPending} onClick={() => learn.mutate("people")}>Learn from your people’s labels</Button>
                    <Button variant="default" loading={learn.isPending} onClick={() => learn.mutate("customers")}>Learn from customers’ answers</Button>
                    <Button variant="default" loading={learn.isPending} onClick={() => learn.mutate("judge")}>Learn from the language model</Button>
                    <Text size="sm">It runs in shadow over 90 days, and counts once you switch it on. Who answers is not everybody: labels of your people are the better teacher.</Text>
                  </Group>
                )}
                {learn.error !== null && <Problem error={learn.error} />}
                {mayEdit && open !== undefined && !open.isActive && <Shadow key={open.id} version={open} maySwitch={maySwitch} />}
              </Stack>
            );
          }}
        </Loaded>
      </Stack>
    </Card>
  );
}; // prettier-ignore
