import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";

/** A step that cannot be undone: says what it will do, and asks once. */
export const Confirm = ({
  label,
  title,
  children,
  run,
  busy = false,
}: {
  label: string;
  title: string;
  children: ReactNode;
  run: () => void;
  busy?: boolean;
}) => {
  const [opened, { open, close }] = useDisclosure();
  return (
    <>
      <Button variant="default" onClick={open} loading={busy}>
        {label}
      </Button>
      <Modal opened={opened} onClose={close} title={title}>
        <Stack>
          <Text>{children}</Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Keep it
            </Button>
            <Button
              color="red"
              onClick={() => {
                close();
                run();
              }}
            >
              {label}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
};
