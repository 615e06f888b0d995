import { Alert, Badge, Button, Group, List, Select, SimpleGrid, Stack, TagsInput, Text, Textarea, TextInput, Title } from "@mantine/core"; // prettier-ignore
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { dataClasses, type DataClass } from "#kernel/class-names.ts";
import { noAttributes, type Sight } from "#kernel/policy.ts";
import { roles, type Role } from "#kernel/roles.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";

const sightWords: Readonly<Record<Sight, string>> = {
  clear: "As it is",
  aggregate: "Only numbers over many people",
  token: "A token in its place",
  nothing: "Not at all",
};
const classTitles: Readonly<Record<DataClass, string>> = {
  public: "Public",
  internal: "Internal",
  personal: "Personal",
  restricted: "Restricted",
};

const example = `kind: AccessPolicy
version: 1.0.0
k: 10 # people whom a number must be over
rules: # the first that fits decides; where none does, the role
  - name: Support sees contact data
    classes: [personal]
    who: { roles: [viewer], teams: [support] }
    see: clear
  - name: Analysts may add salaries up, and see nobody's
    names: ["person:salary", "event:salary"]
    who: { roles: [analyst] }
    see: aggregate
tests: # a policy that differs from these is refused
  - { who: { role: viewer, teams: [support] }, class: personal, see: clear }
  - { who: { role: viewer }, class: personal, see: token }
  - { who: { role: analyst }, class: restricted, name: "event:salary", see: aggregate }
`;

/** What somebody of a role, with attributes, would see. */
const TryOut = () => {
  const [asker, setAsker] = useState({ role: "viewer" as Role, ...noAttributes });
  const query = useQuery({
    queryKey: ["policy", "sees", asker],
    queryFn: ({ signal }) => call(contract.sees, asker, signal),
  });
  return (
    <Stack gap="sm">
      <Title order={2} size="h4">
        Who would see what
      </Title>
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 5 }}>
        <Select label="Role" data={[...roles]} value={asker.role} allowDeselect={false} onChange={(role) => setAsker({ ...asker, role: roles.find((one) => one === role) ?? "viewer" })} />
        {(["teams", "products", "purposes"] as const).map((key) => (
          <TagsInput key={key} label={key[0]?.toUpperCase() + key.slice(1)} value={asker[key]} maxTags={50} onChange={(value) => setAsker({ ...asker, [key]: value })} />
        ))}
        <TextInput label="Region" value={asker.region} onChange={(event) => setAsker({ ...asker, region: event.currentTarget.value })} />
      </SimpleGrid>
      <Loaded query={query} height={120}>
        {({ names, classes }) => (
          <DataTable
            caption="What they see"
            rows={[...classes.map((one) => ({ ...one, name: `Everything ${one.class}` })), ...names]}
            columns={[
              { title: "What", cell: ({ name }) => name },
              { title: "Class", cell: (one) => classTitles[one.class] },
              { title: "They see it", cell: ({ see }) => <Badge variant="outline" color={see === "clear" ? "blue" : "gray"}>{sightWords[see]}</Badge> },
            ]}
          />
        )}
      </Loaded>
    </Stack>
  ); // prettier-ignore
};

const Editor = ({ held, version }: { held: string | null; version: string }) => {
  const client = useQueryClient();
  const [text, setText] = useState(held ?? example);
  const check = useMutation({ mutationFn: () => call(contract.check, { text }) });
  const set = useMutation({
    mutationFn: () => call(contract.set, { text }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["policy"] }),
  });
  const write = (next: string): void => {
    setText(next);
    check.reset();
    set.reset();
  };
  return (
    <Stack gap="sm">
      <Textarea
        label="Policy"
        description={held === null ? "Nobody has written one: roles alone decide. This is an example." : `Version ${version} holds.`}
        value={text}
        onChange={(event) => write(event.currentTarget.value)}
        autosize
        minRows={10}
        maxRows={30}
        spellCheck={false}
        styles={{ input: { fontFamily: "monospace" } }}
      />
      <Group gap="sm">
        <Button variant="default" loading={check.isPending} onClick={() => check.mutate()}>
          What would it change?
        </Button>
        <Button loading={set.isPending} onClick={() => set.mutate()}>
          Put it in force
        </Button>
      </Group>
      {[check.error, set.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
      {check.data !== undefined && (
        <Alert variant="outline" role="status" color={check.data.failed.length > 0 ? "red" : "blue"} title={check.data.failed.length > 0 ? `${check.data.failed.length} of ${check.data.tests} tests fail` : `All ${check.data.tests} tests pass`}>
          <List size="sm">
            {check.data.failed.map((one) => <List.Item key={one}>{one}</List.Item>)}
            {check.data.changes.map((one) => (
              <List.Item key={one.role + one.class}>
                {one.role}, {one.class}: {sightWords[one.see].toLowerCase()}; now {sightWords[one.before].toLowerCase()}
              </List.Item>
            ))}
            {check.data.changes.length === 0 && <List.Item>Nothing changes for members without teams, products, purposes and region.</List.Item>}
          </List>
        </Alert>
      )}
      {set.data !== undefined && <Text role="status">Version {set.data.version} holds from now on.</Text>}
    </Stack>
  ); // prettier-ignore
};

/** Who sees values of which class, and how; and where that is written down. */
export const PolicyPage = ({ mayGovern }: { mayGovern: boolean }) => {
  const query = useQuery({ queryKey: ["policy", "get"], queryFn: ({ signal }) => call(contract.get, {}, signal) });
  return (
    <Stack>
      <Title order={1}>Who sees what</Title>
      <Loaded query={query}>
        {({ text, version, table, setAt, setBy, k }) => (
          <Stack gap="xl">
            <Stack gap="sm">
              <Text>
                {setAt === null ? "Roles alone decide how values are shown." : `Version ${version}, put in force by ${setBy}, ${moment(setAt)}. Numbers of what is not shown are over at least ${k} people.`}
              </Text>
              <DataTable
                caption="Members without teams, products, purposes and region"
                rows={roles.map((role) => ({ role }))}
                columns={[
                  { title: "Role", cell: ({ role }) => role },
                  ...dataClasses.map((one) => ({ title: classTitles[one], cell: ({ role }: { role: Role }) => sightWords[table.find((cell) => cell.role === role && cell.class === one)?.see ?? "nothing"] })),
                ]}
              />
            </Stack>
            <TryOut />
            {mayGovern && <Editor key={version} held={text} version={version} />}
          </Stack>
        )}
      </Loaded>
    </Stack>
  ); // prettier-ignore
};
