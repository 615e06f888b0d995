import { Alert, Button, Group, Progress, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { remove } from "#programs/workspaces/contract.ts";
import { call } from "#web/call.ts";
import { Problem } from "#web/kit/states.tsx";
import { status } from "../contract.ts";

/** Says that nothing here is real, how far the filling is, and takes it away with one click. */
export const DemoBanner = ({ name, canRemove, left }: { name: string; canRemove: boolean; left: () => void }) => {
  const client = useQueryClient();
  const { data } = useQuery({
    queryKey: ["demo"],
    queryFn: ({ signal }) => call(status, {}, signal),
    refetchInterval: ({ state }) => (state.data?.complete === true ? false : 2_000),
  });
  const wasFilling = useRef(false);
  useEffect(() => {
    if (data?.complete === false) wasFilling.current = true;
    if (data?.complete !== true || !wasFilling.current) return;
    wasFilling.current = false; // everything asked while it was filling is asked again, whole
    void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "demo" });
  }, [data, client]);
  const leave = useMutation({ mutationFn: () => call(remove, { name }), onSuccess: left });
  const percent = Math.round((data?.share ?? 0) * 100);
  return (
    <Alert variant="light" mb="md" p="sm">
      <Group justify="space-between" gap="sm">
        <Text size="sm">
          Fernly is a made-up company: everything here is simulated.
          {data?.complete === false && ` Its 18 months are still arriving, ${percent} % so far.`}
        </Text>
        {canRemove && (
          <Button size="xs" variant="default" loading={leave.isPending} onClick={() => leave.mutate()}>
            Remove demo
          </Button>
        )}
      </Group>
      {data?.complete === false && <Progress value={percent} mt="sm" aria-label="Demo events stored" />}
      {leave.error !== null && <Problem error={leave.error} />}
    </Alert>
  );
};
