import { Anchor, Button, Card, Group, Select, Stack, Switch, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import { oneDigit } from "./words.ts";

/** What rules flagged and nobody has looked at. Nothing is shown where nothing waits. */
export const Reviews = () => {
  const client = useQueryClient();
  const [mine, setMine] = useState(false);
  const query = useQuery({ queryKey: ["cx", "reviews", mine], queryFn: ({ signal }) => call(contract.reviews, { mine }, signal) });
  const say = useMutation({ mutationFn: (given: { id: string; assignee?: string; done?: boolean }) => call(contract.review, given), onSuccess: () => client.invalidateQueries({ queryKey: ["cx", "reviews"] }) });
  return (
    <Loaded query={query} height={0}>
      {({ reviews, members }) =>
        (reviews.length > 0 || mine) && (
          <Card withBorder component="section" aria-label="To look at">
            <Stack gap="sm">
              <Group justify="space-between">
                <Title order={2} size="h4">To look at</Title>
                <Switch label="Mine alone" checked={mine} onChange={(event) => setMine(event.currentTarget.checked)} />
              </Group>
              {reviews.length === 0 ? (
                <Text size="sm">Nothing waits for you.</Text>
              ) : (
                <DataTable
                  caption="Flagged by rules, the latest first"
                  rows={reviews}
                  columns={[
                    { title: "Score", numeric: true, cell: ({ score }) => oneDigit(score) },
                    { title: "What happened", cell: ({ conversation, summary }) => <Anchor component={Link} to={`/conversations/${encodeURIComponent(conversation)}`} style={{ display: "inline-block", minWidth: 220 }}>{summary === "" ? conversation : summary}</Anchor> },
                    { title: "Rule", cell: ({ rules }) => rules.join(", ") },
                    { title: "When", cell: ({ at }) => moment(at) },
                    { title: "Who", cell: ({ conversation, assignee }) => <Select aria-label={`Who looks at ${conversation}`} w={160} clearable searchable placeholder="Nobody yet" data={members.map(({ id, name }) => ({ value: id, label: name }))} value={members.find(({ name }) => name === assignee)?.id ?? null} onChange={(next) => say.mutate({ id: conversation, assignee: next ?? "" })} /> },
                    { title: "", cell: ({ conversation }) => <Button size="xs" variant="default" aria-label={`${conversation} is done`} loading={say.isPending && say.variables.id === conversation} onClick={() => say.mutate({ id: conversation, done: true })}>Done</Button> },
                  ]}
                />
              )}
              {say.error !== null && <Problem error={say.error} />}
            </Stack>
          </Card>
        )
      }
    </Loaded>
  );
}; // prettier-ignore
