import { Button, Group, Modal, Select, SimpleGrid, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "#web/call.ts";
import { Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import { kindWords } from "./words.ts";

const kinds = ["interview", "sales_call", "feedback", "survey", "review", "note"] as const;
type Kind = (typeof kinds)[number];

/** Writes down what was said elsewhere. */
export const AddVoice = () => {
  const client = useQueryClient();
  const [isOpen, { open, close }] = useDisclosure();
  const [kind, setKind] = useState<Kind>("interview");
  const [given, setGiven] = useState(() => ({ title: "", at: new Date().toISOString().slice(0, 10), userId: "", account: "", ours: "", text: "" }));
  const change = (next: Partial<typeof given>): void => setGiven({ ...given, ...next });
  const add = useMutation({
    mutationFn: () => call(contract.add, { kind, ...given, ours: given.ours.split(",").map((name) => name.trim()).filter((name) => name !== "") }),
    onSuccess: async () => {
      change({ title: "", text: "" });
      close();
      await client.invalidateQueries({ queryKey: ["voices"] });
    },
  });
  return (
    <>
      <Button variant="default" onClick={open}>Add an interview or note</Button>
      <Modal opened={isOpen} onClose={close} size="xl" title="Add an interview, a call or a note">
        <form onSubmit={(event) => { event.preventDefault(); add.mutate(); }}>
          <Stack gap="sm">
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              <TextInput label="Title" required data-autofocus value={given.title} onChange={(event) => change({ title: event.currentTarget.value })} />
              <Select label="What it is" allowDeselect={false} data={kinds.map((value) => ({ value, label: kindWords[value] }))} value={kind} onChange={(next) => setKind(kinds.find((one) => one === next) ?? "interview")} />
              <TextInput label="Day" type="date" required value={given.at} onChange={(event) => change({ at: event.currentTarget.value })} />
              <TextInput label="Who speaks" description="Your id of the customer; empty where nobody is known" value={given.userId} onChange={(event) => change({ userId: event.currentTarget.value })} />
              <TextInput label="Account" value={given.account} onChange={(event) => change({ account: event.currentTarget.value })} />
              <TextInput label="Names of yours" description="Who asks, with commas between; they are not what is listened to" value={given.ours} onChange={(event) => change({ ours: event.currentTarget.value })} />
            </SimpleGrid>
            <Textarea label="What was said" description="Lines like “Ana: what she said”; without names all of it is the customer’s" required autosize minRows={8} maxRows={20} value={given.text} onChange={(event) => change({ text: event.currentTarget.value })} />
            <Text size="sm">What is personal in it is masked as for events, and it goes with the person when they are erased.</Text>
            {add.error !== null && <Problem error={add.error} />}
            <Group><Button type="submit" loading={add.isPending}>Add it</Button></Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}; // prettier-ignore
