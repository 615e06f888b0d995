import { Button, Modal, Stack, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "#web/call.ts";
import { Problem } from "#web/kit/states.tsx";
import { create } from "../contract.ts";

/** Another workspace, with people, sources and numbers of its own. */
export const NewWorkspace = ({
  opened,
  close,
  made,
}: {
  opened: boolean;
  close: () => void;
  made: (id: string) => void;
}) => {
  const [name, setName] = useState("");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const send = useMutation({
    mutationFn: () => call(create, { name, zone }),
    onSuccess: ({ workspace }) => {
      close();
      setName("");
      made(workspace);
    },
  });
  return (
    <Modal opened={opened} onClose={close} title="New workspace">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send.mutate();
        }}
      >
        <Stack>
          <TextInput
            label="Name"
            description={`Days are cut in ${zone}; the settings of the workspace can change that.`}
            required
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          {send.error !== null && <Problem error={send.error} />}
          <Button type="submit" loading={send.isPending}>
            Create
          </Button>
        </Stack>
      </form>
    </Modal>
  );
};
