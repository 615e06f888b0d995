import { Button, Menu } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";

export interface MenuWorkspace {
  readonly id: string;
  readonly name: string;
  readonly isDemo: boolean;
}

/** The workspace that the pages are about, and the way to another. */
export const WorkspaceMenu = ({
  current,
  all,
  choose,
  addDemo,
  create,
}: {
  current: MenuWorkspace;
  all: readonly MenuWorkspace[];
  choose: (id: string) => void;
  /** Absent where there is a demo already. */
  addDemo: (() => void) | undefined;
  create: () => void;
}) => (
  <Menu position="bottom-start">
    <Menu.Target>
      <Button
        variant="default"
        size="sm"
        maw={260}
        rightSection={<IconChevronDown size={16} aria-hidden />}
        aria-label={`Workspace ${current.name}`}
      >
        {current.name}
      </Button>
    </Menu.Target>
    <Menu.Dropdown>
      <Menu.Label>Workspaces</Menu.Label>
      {all.map((one) => (
        <Menu.Item key={one.id} fw={one.id === current.id ? 700 : 400} onClick={() => choose(one.id)}>
          {one.name}
        </Menu.Item>
      ))}
      <Menu.Divider />
      <Menu.Item onClick={create}>New workspace</Menu.Item>
      {addDemo !== undefined && <Menu.Item onClick={addDemo}>Add the demo company</Menu.Item>}
    </Menu.Dropdown>
  </Menu>
);
