import { Button, Group, Modal, Select, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "#web/call.ts";
import { Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { Question } from "#surfaces/explore/contract.ts";

const another = "another";

/** Puts the question of the page on a dashboard, a new one if there is none. */
export const SaveTile = ({ question, suggested }: { question: () => Question; suggested: string }) => {
  const [opened, { open, close }] = useDisclosure();
  const [title, setTitle] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const [name, setName] = useState("");
  const client = useQueryClient();
  const navigate = useNavigate();
  const { data } = useQuery({
    queryKey: ["dashboards"],
    queryFn: ({ signal }) => call(contract.list, {}, signal),
    enabled: opened,
  });
  const known = data?.dashboards ?? [];
  const target = chosen ?? known[0]?.id ?? another;
  const save = useMutation({
    mutationFn: async () => {
      const id = target === another ? (await call(contract.create, { name })).id : target;
      const address = window.location.pathname + window.location.search;
      await call(contract.addTile, { id, title: title === "" ? suggested : title, question: question(), address });
      return id;
    },
    onSuccess: async (id) => {
      close();
      await client.invalidateQueries({ queryKey: ["dashboards"] });
      await navigate({ to: "/dashboards/$dashboard", params: { dashboard: id } as never });
    },
  });
  return (
    <>
      <Button onClick={open}>Save to dashboard</Button>
      <Modal opened={opened} onClose={close} title="Save to dashboard">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            save.mutate();
          }}
        >
          <Stack>
            <TextInput
              label="Title"
              placeholder={suggested}
              value={title}
              onChange={(event) => setTitle(event.currentTarget.value)}
              data-autofocus
            />
            <Select
              label="Dashboard"
              allowDeselect={false}
              data={[
                ...known.map((one) => ({ value: one.id, label: one.name })),
                { value: another, label: "A new dashboard" },
              ]}
              value={target}
              onChange={setChosen}
            />
            {target === another && (
              <TextInput
                label="Name of the new dashboard"
                required
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
              />
            )}
            {save.error !== null && <Problem error={save.error} />}
            <Group justify="flex-end">
              <Button type="submit" loading={save.isPending}>
                Save
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
};
