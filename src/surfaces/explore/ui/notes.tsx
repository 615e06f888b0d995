import { ActionIcon, Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconX } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import * as contract from "#insights/annotations/contract.ts";
import type { Annotation } from "#insights/annotations/contract.ts";
import { call } from "#web/call.ts";
import { Problem } from "#web/kit/states.tsx";

const key = ["annotations"];

/** Every note of the workspace. */
export const useNotes = (): readonly Annotation[] => {
  const { data } = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => call(contract.list, {}, signal),
    staleTime: 60_000,
  });
  return data?.annotations ?? [];
};

/** What the numbered lines of a chart say. */
export const NoteList = ({ notes }: { notes: readonly Annotation[] }) => {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: (id: string) => call(contract.remove, { id }),
    onSuccess: () => client.invalidateQueries({ queryKey: key }),
  });
  return (
    <Stack gap={2} component="section" aria-label="Notes">
      {notes.map(({ id, day, text, by }, place) => (
        <Group key={id} gap="xs" wrap="nowrap">
          <Text size="sm" title={`Noted by ${by}`}>
            {place + 1}. {day}: {text}
          </Text>
          <ActionIcon
            className="no-print"
            size="sm"
            variant="subtle"
            color="gray"
            aria-label={`Remove the note ${text}`}
            onClick={() => remove.mutate(id)}
          >
            <IconX size={12} aria-hidden />
          </ActionIcon>
        </Group>
      ))}
      {remove.error !== null && <Problem error={remove.error} />}
    </Stack>
  );
};

/** Notes what happened on a day. */
export const AddNote = () => {
  const [opened, { open, close }] = useDisclosure();
  const [day, setDay] = useState("");
  const [text, setText] = useState("");
  const client = useQueryClient();
  const add = useMutation({
    mutationFn: () => call(contract.add, { day, text }),
    onSuccess: async () => {
      setText("");
      close();
      await client.invalidateQueries({ queryKey: key });
    },
  });
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>
        Note a day
      </Button>
      <Modal opened={opened} onClose={close} title="Note a day">
        <Stack>
          <TextInput
            type="date"
            label="Day"
            required
            value={day}
            onChange={({ currentTarget }) => setDay(currentTarget.value)}
          />
          <TextInput
            label="What happened"
            description="It stands on every chart over time, for everybody"
            required
            value={text}
            onChange={({ currentTarget }) => setText(currentTarget.value)}
          />
          {add.error !== null && <Problem error={add.error} />}
          <Group justify="flex-end">
            <Button onClick={() => add.mutate()} loading={add.isPending} disabled={day === "" || text.trim() === ""}>
              Save
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
};
