import { Badge, Button, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "#web/call.ts";
import { moment } from "#web/kit/moment.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../../themes/contract.ts";
import type { ThemeList } from "../../themes/contract.ts";

type Theme = ThemeList["themes"][number];

const One = ({ theme, others, mayEdit }: { theme: Theme; others: readonly Theme[]; mayEdit: boolean }) => {
  const client = useQueryClient();
  const done = { onSuccess: () => client.invalidateQueries({ queryKey: ["cx"] }) };
  const [title, setTitle] = useState(theme.title);
  const name = useMutation({ mutationFn: () => call(contract.name, { id: theme.id, name: title }), ...done });
  const merge = useMutation({ mutationFn: (into: string | null) => call(contract.merge, { id: theme.id, into }), ...done });
  const target = others.find(({ id }) => id === theme.countsAs);
  return (
    <Stack gap={4} component="li">
      <Group align="end" gap="xs">
        {theme.countsAs === null && mayEdit ? <TextInput label="Name" value={title} maxLength={100} onChange={(event) => setTitle(event.currentTarget.value)} w={240} /> : <Text fw={500}>{theme.title}</Text>}
        {theme.countsAs === null && mayEdit && title !== theme.title && <Button variant="default" loading={name.isPending} onClick={() => name.mutate()}>Name it so</Button>}
        {mayEdit && theme.countsAs === null && <Select label="Counts as" placeholder="Itself" w={220} searchable data={others.filter((one) => one.countsAs === null).map((one) => ({ value: one.id, label: one.title }))} value={null} onChange={(into) => into !== null && merge.mutate(into)} />}
        {theme.countsAs !== null && <Text size="sm">counts as {target?.title ?? "another"}</Text>}
        {mayEdit && theme.countsAs !== null && <Button variant="default" loading={merge.isPending} onClick={() => merge.mutate(null)}>Let it stand for itself</Button>}
        {theme.isPinned && <Badge variant="outline">Kept</Badge>}
      </Group>
      <Text size="sm">{theme.words.join(", ")}</Text>
      {[name.error, merge.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
    </Stack>
  );
}; // prettier-ignore

/** What was found that conversations speak of, to be named and put together. */
export const ManageThemes = ({ mayEdit }: { mayEdit: boolean }) => {
  const client = useQueryClient();
  const [isOpen, { open, close }] = useDisclosure();
  const query = useQuery({ queryKey: ["cx", "themes"], queryFn: ({ signal }) => call(contract.list, {}, signal) });
  const find = useMutation({ mutationFn: () => call(contract.find, {}), onSuccess: () => client.invalidateQueries({ queryKey: ["cx"] }) });
  return (
    <>
      <Button variant="default" onClick={open}>Themes</Button>
      <Modal opened={isOpen} onClose={close} size="xl" title="What conversations speak of">
        <Loaded query={query} height={200}>
          {({ themes, foundAt }) => (
            <Stack>
              <Text size="sm">Found in what customers write, by the words that tell conversations apart, and named by them; anew each week. What you name or put together stays.{foundAt === null ? " There were too few conversations yet; 60 are needed." : ` Found ${moment(foundAt)}.`}</Text>
              {mayEdit && <Group><Button variant="default" loading={find.isPending} onClick={() => find.mutate()}>Find them anew</Button>{find.error !== null && <Problem error={find.error} />}</Group>}
              <Stack component="ul" p={0} m={0} style={{ listStyle: "none" }}>
                {themes.map((theme) => <One key={`${theme.id} ${theme.title}`} theme={theme} others={themes.filter(({ id }) => id !== theme.id)} mayEdit={mayEdit} />)}
              </Stack>
            </Stack>
          )}
        </Loaded>
      </Modal>
    </>
  );
}; // prettier-ignore
