import { Alert, Button, Card, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { CallError } from "../call.ts";

/** What would be here, and the one thing to do about it. */
export const Empty = ({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) => (
  <Card withBorder padding="lg">
    <Stack gap="sm" align="flex-start">
      <Title order={2}>{title}</Title>
      <Text maw={640}>{children}</Text>
      {action}
    </Stack>
  </Card>
);

/** What went wrong, where, and what to do. */
export const Problem = ({ error, retry }: { error: unknown; retry?: () => void }) => {
  const known = error instanceof CallError;
  return (
    <Alert color="red" variant="outline" title={known ? error.message : "This page failed."} role="alert">
      <Group gap="sm">
        <Text size="sm">{known ? `Code ${error.code}` : String(error)}</Text>
        {retry !== undefined && (
          <Button size="xs" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </Group>
    </Alert>
  );
};

/** What a page asked for: waiting for it, what went wrong with it, or it. */
export function Loaded<T>({
  query: { data, error, refetch },
  height,
  cancel,
  children,
}: {
  query: UseQueryResult<T>;
  height?: number;
  cancel?: () => void;
  children: (data: T) => ReactNode;
}) {
  if (error !== null) return <Problem error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Waiting height={height} cancel={cancel} />;
  return <>{children(data)}</>;
}

/** Keeps the layout while waiting; says so after a second, and offers to stop after three. */
export const Waiting = ({
  height = 320,
  cancel,
}: {
  height?: number | undefined;
  cancel?: (() => void) | undefined;
}) => {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((n) => n + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <Stack aria-busy="true">
      <Skeleton height={height} animate />
      <Group gap="sm" mih={32}>
        {seconds >= 1 && <Text size="sm">Working, {seconds} s</Text>}
        {seconds >= 3 && cancel !== undefined && (
          <Button size="xs" variant="default" onClick={cancel}>
            Stop
          </Button>
        )}
      </Group>
    </Stack>
  );
};
