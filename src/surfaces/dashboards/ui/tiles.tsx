import { ActionIcon, Anchor, Button, Card, Group, Menu, Modal, Stack, Text, Textarea, Title, Typography } from "@mantine/core"; // prettier-ignore
import { useDisclosure } from "@mantine/hooks";
import { IconDots } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState } from "react";
import { AnswerView } from "#surfaces/explore/ui/answer-view.tsx";
import { askQuestion } from "#surfaces/explore/ui/ask.ts";
import { call } from "#web/call.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import { widths, type QuestionTile, type TextTile, type View, type Width } from "../contract.ts";
import { questionOver } from "../over.ts";

const Markdown = lazy(() => import("react-markdown"));

/** What may be done with a tile's place. */
export interface Moves {
  readonly earlier: (() => void) | undefined;
  readonly later: (() => void) | undefined;
  readonly resize: (width: Width) => void;
  readonly remove: () => void;
}

const widthNames: Readonly<Record<Width, string>> = { third: "A third wide", half: "Half wide", full: "Full width" };

const Arrange = ({ title, width, moves, edit }: { title: string; width: Width; moves: Moves; edit?: () => void }) => (
  <Menu position="bottom-end">
    <Menu.Target>
      <ActionIcon variant="default" aria-label={`Arrange ${title}`} className="no-print">
        <IconDots size={16} aria-hidden />
      </ActionIcon>
    </Menu.Target>
    <Menu.Dropdown>
      {edit !== undefined && <Menu.Item onClick={edit}>Change the text</Menu.Item>}
      <Menu.Item disabled={moves.earlier === undefined} onClick={moves.earlier}>
        Move earlier
      </Menu.Item>
      <Menu.Item disabled={moves.later === undefined} onClick={moves.later}>
        Move later
      </Menu.Item>
      {widths
        .filter((other) => other !== width)
        .map((other) => (
          <Menu.Item key={other} onClick={() => moves.resize(other)}>
            {widthNames[other]}
          </Menu.Item>
        ))}
      <Menu.Divider />
      <Menu.Item onClick={moves.remove}>Take off</Menu.Item>
    </Menu.Dropdown>
  </Menu>
);

/** "just now", "12 minutes ago": counts on by itself. */
const Ago = ({ at }: { at: string }) => {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  const minutes = Math.floor((now - Date.parse(at)) / 60_000);
  const said =
    minutes < 1 ? "just now" : minutes < 60 ? `${minutes} minutes ago` : `${Math.floor(minutes / 60)} hours ago`;
  return (
    <Text size="xs" fw={minutes >= 60 ? 600 : 400} title={new Date(at).toLocaleString()}>
      Asked {said}
    </Text>
  );
};

interface QuestionCardProps {
  readonly tile: QuestionTile;
  readonly view: View;
  readonly moves: Moves;
  /** Asked again so often; never where absent. */
  readonly everyMs: number | undefined;
}

/** A question of the dashboard, with its answer as of when it was asked. */
export const QuestionCard = ({ tile, view, moves, everyMs }: QuestionCardProps) => {
  const query = useQuery({
    queryKey: ["tile", tile.id, tile.question, view],
    queryFn: ({ signal }) => askQuestion(questionOver(tile.question, view), signal),
    refetchInterval: everyMs ?? false,
  });
  return (
    <Card withBorder component="section" aria-label={tile.title} h="100%">
      <Stack gap="sm">
        <Group justify="space-between" wrap="nowrap">
          <Title order={2} size="h3">
            {tile.title}
          </Title>
          <Group gap="sm" wrap="nowrap" className="no-print">
            <Anchor href={tile.address} underline="always">
              Open
            </Anchor>
            <Arrange title={tile.title} width={tile.width} moves={moves} />
          </Group>
        </Group>
        <Loaded query={query}>
          {(answer) => (
            <>
              <AnswerView result={answer} question={questionOver(tile.question, view)} compact />
              <Ago at={answer.provenance.askedAt} />
            </>
          )}
        </Loaded>
      </Stack>
    </Card>
  );
};

/** Writes a text for a dashboard, or changes one. */
export const WriteText = ({
  dashboard,
  tile,
  opened,
  close,
  saved,
}: {
  dashboard: string;
  tile?: TextTile;
  opened: boolean;
  close: () => void;
  saved: () => void;
}) => {
  const [text, setText] = useState(tile?.text ?? "");
  const save = useMutation({
    mutationFn: () => call(contract.writeText, { id: dashboard, tile: tile?.id, text }),
    onSuccess: () => {
      close();
      saved();
    },
  });
  return (
    <Modal opened={opened} onClose={close} title={tile === undefined ? "Add a text" : "Change the text"} size="lg">
      <Stack>
        <Textarea
          label="Text"
          description="Markdown: # heading, **bold**, - list, [link](https://example.com)"
          autosize
          minRows={6}
          maxRows={20}
          data-autofocus
          value={text}
          onChange={({ currentTarget }) => setText(currentTarget.value)}
        />
        {save.error !== null && <Problem error={save.error} />}
        <Group justify="flex-end">
          <Button onClick={() => save.mutate()} loading={save.isPending} disabled={text.trim() === ""}>
            Save
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
};

/** A text between the questions. Its headings stand below the page's. */
export const TextCard = ({
  dashboard,
  tile,
  moves,
  saved,
}: {
  dashboard: string;
  tile: TextTile;
  moves: Moves;
  saved: () => void;
}) => {
  const [opened, { open, close }] = useDisclosure();
  const title = tile.text.split("\n")[0]?.replaceAll(/[#*_]/g, "").trim().slice(0, 60) ?? "Text";
  return (
    <Card withBorder component="section" aria-label={title} h="100%">
      {opened && <WriteText dashboard={dashboard} tile={tile} opened close={close} saved={saved} />}
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <Typography flex={1}>
          <Suspense fallback={tile.text}>
            <Markdown components={{ h1: "h2", h2: "h3", h3: "h4", img: () => null }}>{tile.text}</Markdown>
          </Suspense>
        </Typography>
        <Arrange title={title} width={tile.width} moves={moves} edit={open} />
      </Group>
    </Card>
  );
};
