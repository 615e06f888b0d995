import { Alert, Anchor, Breadcrumbs, Button, Card, Group, List, Select, Stack, Text, Textarea, TextInput, Title } from "@mantine/core"; // prettier-ignore
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { z } from "zod";
import { call } from "#web/call.ts";
import { moment } from "#web/kit/moment.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { DataClass, Kind } from "../contract.ts";
import { Lineage } from "./lineage.tsx";
import { classWords, kindWords } from "./words.ts";

type Shown = z.output<typeof contract.item.output>;
const isData = (kind: Kind): kind is (typeof contract.dataKinds)[number] => contract.dataKinds.some((one) => one === kind); // prettier-ignore
const isClassed = (kind: Kind): kind is keyof typeof contract.holderOf => kind in contract.holderOf;

const useChange = <T,>(send: (input: T) => Promise<unknown>) => {
  const client = useQueryClient();
  return useMutation({ mutationFn: send, onSuccess: () => client.invalidateQueries({ queryKey: ["stewardship"] }) });
};

/** What it is and who answers for it, in words. */
const Description = ({ item, mayChange }: { item: Shown; mayChange: boolean }) => {
  const [owner, setOwner] = useState(item.owner);
  const [description, setDescription] = useState(item.description);
  const { kind } = item;
  const save = useChange((input: z.input<typeof contract.describe.input>) => call(contract.describe, input));
  if (!isData(kind) || !mayChange)
    return (
      <Stack gap={4}>
        <Text maw={720}>{item.description === "" ? "Nobody has described it yet." : item.description}</Text>
        <Text size="sm">Owner: {item.owner === "" ? "nobody yet" : item.owner}</Text>
      </Stack>
    );
  const isSame = owner === item.owner && description === item.description;
  return (
    <Stack gap="sm" maw={560}>
      <Textarea label="What it is" autosize minRows={2} value={description} onChange={(event) => setDescription(event.currentTarget.value)} />
      <TextInput label="Owner" description="Who answers for it: an email or a team" value={owner} onChange={(event) => setOwner(event.currentTarget.value)} />
      <Group>
        <Button disabled={isSame} loading={save.isPending} onClick={() => save.mutate({ kind, id: item.id, owner, description })}>
          Save
        </Button>
      </Group>
      {save.error !== null && <Problem error={save.error} />}
    </Stack>
  ); // prettier-ignore
};

/** How it is classed, who said so, and, for a steward, the choice. */
const Classes = ({ item, mayChange }: { item: Shown; mayChange: boolean }) => {
  const { kind, said } = item;
  const [note, setNote] = useState("");
  const change = useChange((input: z.input<typeof contract.classify.input>) => call(contract.classify, input));
  if (!isClassed(kind) || item.class === null) return null;
  const own = said.find(({ isSteward }) => isSteward);
  return (
    <Card withBorder padding="md">
      <Stack gap="sm">
        <Title order={2}>Who may see it</Title>
        <Alert variant="outline" color="gray" title={classWords[item.class].label}>
          {classWords[item.class].means}
        </Alert>
        {said.length === 0 ? (
          <Text size="sm">Nobody has classed it, so it is internal.</Text>
        ) : (
          <List size="sm">
            {said.map((one) => (
              <List.Item key={one.by}>
                {classWords[one.class].label} by {one.by}, {moment(one.at)}
                {one.note !== "" && `: ${one.note}`}
              </List.Item>
            ))}
          </List>
        )}
        {mayChange && (
          <>
            <TextInput label="Why" description="Stays beside the choice" maw={560} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
            <Group align="flex-end" gap="sm">
              <Select
                label="Class"
                data={contract.DataClass.options.map((value) => ({ value, label: classWords[value].label }))}
                value={item.class}
                allowDeselect={false}
                onChange={(value) => change.mutate({ kind, id: item.id, class: value as DataClass, note })}
              />
              {own !== undefined && (
                <Button variant="default" loading={change.isPending} onClick={() => change.mutate({ kind, id: item.id, class: null })}>
                  Take the choice back
                </Button>
              )}
            </Group>
          </>
        )}
        {change.error !== null && <Problem error={change.error} />}
      </Stack>
    </Card>
  ); // prettier-ignore
};

/** One thing of the catalog. */
export const ItemPage = ({ kind, id, mayChange }: { kind: string; id: string; mayChange: boolean }) => {
  const known = contract.Kind.catch("event").parse(kind);
  const query = useQuery({
    queryKey: ["stewardship", "item", known, id],
    queryFn: ({ signal }) => call(contract.item, { kind: known, id }, signal),
  });
  return (
    <Loaded query={query} height={400}>
      {(item) => (
        <Stack gap="lg">
          <Breadcrumbs>
            <Anchor component={Link} to="/govern/catalog" underline="always">
              Catalog
            </Anchor>
            <Text>{kindWords[item.kind]}</Text>
          </Breadcrumbs>
          <Group gap="sm" align="baseline">
            <Title order={1} style={{ overflowWrap: "anywhere" }}>
              {item.title}
            </Title>
            {item.address !== "" && (
              <Anchor href={item.address} underline="always">
                Open the {kindWords[item.kind].toLowerCase()}
              </Anchor>
            )}
          </Group>
          {item.at !== null && <Text size="sm">{isData(item.kind) ? "Last seen" : "Changed"} {moment(item.at)}</Text>}
          <Description key={`${item.kind} ${item.id} ${item.owner} ${item.description}`} item={item} mayChange={mayChange} />
          <Classes item={item} mayChange={mayChange} />
          <Lineage nodes={item.nodes} edges={item.edges} />
        </Stack>
      )}
    </Loaded>
  ); // prettier-ignore
};
