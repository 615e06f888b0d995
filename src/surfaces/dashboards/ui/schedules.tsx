import {
  ActionIcon,
  Button,
  Divider,
  Group,
  Modal,
  MultiSelect,
  NumberInput,
  Select,
  Stack,
  Text,
} from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { members } from "#programs/workspaces/contract.ts";
import { call } from "#web/call.ts";
import { moment } from "#web/kit/moment.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import { zones } from "#web/kit/zones.ts";
import * as contract from "../contract.ts";
import type { Rhythm } from "../contract.ts";

const weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const rhythmSays = (rhythm: Rhythm): string => {
  const at = `at ${rhythm.hour}:00, ${rhythm.zone}`;
  if (rhythm.every === "day") return `Every day ${at}`;
  if (rhythm.every === "week") return `Every ${weekdays[rhythm.weekday - 1] ?? ""} ${at}`;
  return `On day ${rhythm.day} of the month ${at}`;
};

const when = [
  { value: "day", label: "Every day" },
  ...weekdays.map((name, place) => ({ value: `week ${place + 1}`, label: `Every ${name}` })),
  { value: "month", label: "On the first of the month" },
];

const rhythmOf = (chosen: string, hour: number, zone: string): Rhythm => {
  if (chosen === "day") return { every: "day", hour, zone };
  if (chosen === "month") return { every: "month", day: 1, hour, zone };
  return { every: "week", weekday: Number(chosen.slice(5)), hour, zone };
};

const NewSchedule = ({ dashboard, made }: { dashboard: string; made: () => void }) => {
  const [to, setTo] = useState<string[]>([]);
  const [chosen, setChosen] = useState("week 1");
  const [hour, setHour] = useState(8);
  const [zone, setZone] = useState(Intl.DateTimeFormat().resolvedOptions().timeZone);
  const known = useQuery({ queryKey: ["members"], queryFn: ({ signal }) => call(members, {}, signal) });
  const add = useMutation({
    mutationFn: () => call(contract.addSchedule, { id: dashboard, members: to, rhythm: rhythmOf(chosen, hour, zone) }),
    onSuccess: () => {
      setTo([]);
      made();
    },
  });
  return (
    <Stack gap="sm">
      <MultiSelect
        label="Send it to"
        description="Members of the workspace"
        searchable
        data={(known.data?.members ?? []).map(({ id, name, email }) => ({ value: id, label: `${name} (${email})` }))}
        value={to}
        onChange={setTo}
      />
      <Group grow align="flex-end">
        <Select
          label="When"
          data={when}
          value={chosen}
          allowDeselect={false}
          onChange={(value) => setChosen(value ?? "week 1")}
        />
        <NumberInput label="Hour" min={0} max={23} value={hour} onChange={(value) => setHour(Number(value) || 0)} />
        <Select
          label="Zone"
          searchable
          data={[...zones]}
          value={zone}
          allowDeselect={false}
          onChange={(value) => setZone(value ?? "UTC")}
        />
      </Group>
      {add.error !== null && <Problem error={add.error} />}
      <Group justify="flex-end">
        <Button onClick={() => add.mutate()} disabled={to.length === 0} loading={add.isPending}>
          Send it regularly
        </Button>
      </Group>
    </Stack>
  );
};

/** To whom the dashboard is sent, and when; and one to oneself to see how it looks. */
export const Schedules = ({ dashboard, close }: { dashboard: string; close: () => void }) => {
  const client = useQueryClient();
  const key = ["schedules", dashboard];
  const again = (): void => void client.invalidateQueries({ queryKey: key });
  const query = useQuery({ queryKey: key, queryFn: ({ signal }) => call(contract.schedules, { id: dashboard }, signal) });
  const remove = useMutation({
    mutationFn: (schedule: string) => call(contract.removeSchedule, { id: dashboard, schedule }),
    onSuccess: again,
  });
  const now = useMutation({ mutationFn: () => call(contract.sendNow, { id: dashboard }) });
  return (
    <Modal opened onClose={close} title="Send by email" size="lg">
      <Loaded query={query} height={120}>
        {({ canSend, schedules }) =>
          canSend ? (
            <Stack>
              {schedules.map(({ id, members: to, rhythm, sentAt, nextAt, problem }) => (
                <Group key={id} justify="space-between" wrap="nowrap" align="flex-start">
                  <div>
                    <Text size="sm">{to.map(({ name }) => name).join(", ")}</Text>
                    <Text size="xs">
                      {rhythmSays(rhythm)}. Next {moment(nextAt)}
                      {sentAt === null ? "" : `, last ${moment(sentAt)}`}.
                    </Text>
                    {problem !== "" && <Text size="xs" fw={600}>It did not go out: {problem}</Text>}
                  </div>
                  <ActionIcon variant="subtle" color="gray" aria-label="Stop sending it" onClick={() => remove.mutate(id)}>
                    <IconX size={14} aria-hidden />
                  </ActionIcon>
                </Group>
              ))}
              {schedules.length > 0 && <Divider />}
              <NewSchedule dashboard={dashboard} made={again} />
              <Divider />
              <Group justify="space-between">
                <Text size="sm" role="status">
                  {now.data === undefined ? "See how it looks:" : `Sent to ${now.data.to}.`}
                </Text>
                <Button variant="default" onClick={() => now.mutate()} loading={now.isPending}>
                  Send it to me now
                </Button>
              </Group>
              {now.error !== null && <Problem error={now.error} />}
              {remove.error !== null && <Problem error={remove.error} />}
            </Stack>
          ) : (
            <Text>
              No mail server is set. Whoever runs Throughline sets <code>THROUGHLINE_SMTP_URL</code>, such as{" "}
              <code>smtp://user:password@mail.example.com:587</code>, and restarts it.
            </Text>
          )
        }
      </Loaded>
    </Modal>
  );
}; // prettier-ignore
