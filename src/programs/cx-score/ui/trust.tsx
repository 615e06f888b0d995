import { Alert, Anchor, Button, Card, Group, SegmentedControl, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import * as versions from "../versions/contract.ts";

const scorerWords = { model: "CX Score", one_human: "One person against the others", constant: "Always the same", judge: "The language model" } as const; // prettier-ignore
const verdictWords = { per_conversation: "A single score may be used", trends: "For trends alone", do_not_use: "Do not use it", not_enough: "Not enough labels" } as const; // prettier-ignore
const two = (value: number | null): string => (value === null ? "–" : value.toFixed(2));

/** Asks for a conversation to label, and opens it. */
export const LabelNext = ({ title }: { title: string }) => {
  const navigate = useNavigate();
  const next = useMutation({
    mutationFn: () => call(contract.next, {}),
    onSuccess: ({ id }) => id !== null && void navigate({ to: `/conversations/${encodeURIComponent(id)}` }),
  });
  return (
    <Group>
      <Button variant="default" loading={next.isPending} onClick={() => next.mutate()}>{title}</Button>
      {next.data?.id === null && <Text size="sm">None is left: you have labelled all that were scored.</Text>}
      {next.error !== null && <Problem error={next.error} />}
    </Group>
  );
}; // prettier-ignore

/** How far the score may be trusted, by what people and customers of the workspace said. */
export const Trust = ({ mayLabel }: { mayLabel: boolean }) => {
  const query = useQuery({ queryKey: ["cx", "trust"], queryFn: ({ signal }) => call(contract.trust, {}, signal) });
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Title order={2} size="h4">How far it may be trusted</Title>
        <Loaded query={query} height={120}>
          {({ people, customers, bias, disputed }) => (
            <Stack gap="sm">
              <Alert variant="outline" color={people.verdict === "do_not_use" ? "red" : people.verdict === "not_enough" ? "gray" : "blue"} title={verdictWords[people.verdict]}>{people.says}</Alert>
              {people.labelled > 0 && (
                <DataTable
                  caption={`Against your people: ${people.labelled} labelled, ${people.double} of them by two; weighed so that they stand for all that was scored`}
                  rows={people.rows}
                  columns={[
                    { title: "", cell: ({ scorer }) => scorerWords[scorer] },
                    { title: "Pairs", numeric: true, cell: ({ pairs }) => pairs.toLocaleString() },
                    { title: "Kappa", numeric: true, cell: ({ kappa, kappaLower, kappaUpper }) => `${two(kappa)}${kappaLower === null ? "" : ` (${two(kappaLower)} to ${two(kappaUpper)})`}` },
                    { title: "Rank", numeric: true, cell: ({ rho }) => two(rho) },
                    { title: "Unhappy found", numeric: true, cell: ({ auc }) => two(auc) },
                    { title: "Recall", numeric: true, cell: ({ recall }) => two(recall) },
                  ]}
                />
              )}
              {customers.labelled > 0 && <Text size="sm">Against {customers.labelled.toLocaleString()} answers of customers: rank {two(customers.rows[0]?.rho ?? null)}, unhappy found {two(customers.rows[0]?.auc ?? null)}. {customers.says}</Text>}
              {bias.length > 0 && (
                <DataTable
                  caption="Where it is kinder or harsher than people are, against everywhere else"
                  rows={bias}
                  columns={[
                    { title: "", cell: ({ kind }) => ({ language: "Language", channel: "Channel", length: "Length", plan: "Plan" })[kind] },
                    { title: "Name", cell: ({ name }) => name },
                    { title: "Pairs", numeric: true, cell: ({ pairs }) => pairs.toLocaleString() },
                    { title: "Score", numeric: true, cell: ({ score }) => two(score) },
                    { title: "Label", numeric: true, cell: ({ label }) => two(label) },
                    { title: "Apart", numeric: true, cell: ({ gap, lower, upper }) => `${two(gap)} (${two(lower)} to ${two(upper)})` },
                    { title: "", cell: ({ lower, upper }) => (lower > 0 ? "Kinder" : upper < 0 ? "Harsher" : "") },
                  ]}
                />
              )}
              <Text size="sm">Kappa has squared weights and a 95 % interval; 0 is chance. “Unhappy found”: how often of two the unhappy one has the lower score; 0.5 is chance.</Text>
              {mayLabel && <LabelNext title="Label a conversation" />}
              {mayLabel && disputed > 0 && <Disputed />}
            </Stack>
          )}
        </Loaded>
      </Stack>
    </Card>
  );
}; // prettier-ignore

/** Conversations that people see too differently, to be settled. */
const Disputed = () => {
  const query = useQuery({ queryKey: ["cx", "disputed"], queryFn: ({ signal }) => call(versions.disagreements, {}, signal) });
  return (
    <Loaded query={query} height={60}>
      {({ conversations }) => (
        <DataTable
          caption="Seen two points or more apart: talk about them, and settle on one"
          rows={conversations}
          columns={[
            { title: "Conversation", cell: ({ id }) => <Anchor component={Link} to={`/conversations/${encodeURIComponent(id)}`}>{id}</Anchor> },
            { title: "What each said", cell: ({ labels }) => labels.map(({ by, label }) => `${by}: ${label}`).join(", ") },
          ]}
        />
      )}
    </Loaded>
  );
}; // prettier-ignore

/** What people settled on of a conversation that they see differently. */
const Settle = ({ id }: { id: string }) => {
  const client = useQueryClient();
  const settle = useMutation({ mutationFn: (value: number) => call(contract.label, { id, label: value, settles: true }), onSuccess: () => client.invalidateQueries({ queryKey: ["cx"] }) });
  return (
    <Alert variant="outline" title="Your people see it two points or more apart">
      <Stack gap="xs">
        <Text size="sm">What do you settle on? It stands in place of what each said.</Text>
        <SegmentedControl aria-label="Settled on" data={["1", "2", "3", "4", "5"]} value={settle.variables === undefined ? "" : String(settle.variables)} onChange={(value) => settle.mutate(Number(value))} />
        {settle.error !== null && <Problem error={settle.error} />}
      </Stack>
    </Alert>
  );
}; // prettier-ignore

/** What a person thinks of one conversation. */
export const LabelForm = ({ id, label, isDisputed }: { id: string; label: number | null; isDisputed: boolean }) => {
  const client = useQueryClient();
  const say = useMutation({ mutationFn: (value: number) => call(contract.label, { id, label: value }), onSuccess: () => client.invalidateQueries({ queryKey: ["cx"] }) }); // prettier-ignore
  const shown = say.variables ?? label;
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Title order={2} size="h4">What do you think?</Title>
        <Text size="sm">How did it go for the customer, from 1 to 5? By this it is known how far the score may be trusted.</Text>
        <SegmentedControl aria-label="What do you think?" data={["1", "2", "3", "4", "5"]} value={shown === null ? "" : String(shown)} onChange={(value) => say.mutate(Number(value))} />
        {isDisputed && <Settle id={id} />}
        {say.error !== null && <Problem error={say.error} />}
        <LabelNext title="Label another" />
      </Stack>
    </Card>
  );
}; // prettier-ignore
