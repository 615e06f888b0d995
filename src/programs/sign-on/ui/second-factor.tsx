import { Alert, Button, Code, Group, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { renderSVG } from "uqr";
import { call } from "#web/call.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";

const Recovery = ({ codes }: { codes: readonly string[] }) => (
  <Alert variant="outline" color="blue" role="status" title="Keep these recovery codes. They are not shown again.">
    <Text size="sm" mb="xs">
      Each lets you in once if you lose your phone.
    </Text>
    <Code block>{codes.join("\n")}</Code>
  </Alert>
);

/** The password, then the secret for the app, then a code of it. */
const Begin = ({ done }: { done: (codes: readonly string[]) => void }) => {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const prepare = useMutation({ mutationFn: () => call(contract.prepare, { password }) });
  const confirm = useMutation({
    mutationFn: () => call(contract.confirm, { code }),
    onSuccess: ({ recovery }) => done(recovery),
  });
  const prepared = prepare.data;
  return (
    <Stack gap="sm" maw={400}>
      {prepared === undefined ? (
        <>
          <PasswordInput label="Confirm with your password" value={password} onChange={(e) => setPassword(e.currentTarget.value)} autoComplete="current-password" />
          <Group>
            <Button variant="default" disabled={password === ""} loading={prepare.isPending} onClick={() => prepare.mutate()}>
              Set up a second factor
            </Button>
          </Group>
        </>
      ) : (
        <>
          <Text size="sm">Scan this with your authenticator app, or type the key into it.</Text>
          <img src={`data:image/svg+xml;utf8,${encodeURIComponent(renderSVG(prepared.address))}`} alt="QR code of the key below" width={180} height={180} />
          <Code style={{ overflowWrap: "anywhere" }}>{prepared.secret}</Code>
          <TextInput label="The code that it shows" inputMode="numeric" autoComplete="one-time-code" value={code} onChange={(e) => setCode(e.currentTarget.value)} />
          <Group>
            <Button disabled={code === ""} loading={confirm.isPending} onClick={() => confirm.mutate()}>
              Take it into use
            </Button>
          </Group>
        </>
      )}
      {[prepare.error, confirm.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
    </Stack>
  ); // prettier-ignore
};

const Remove = ({ left, done }: { left: number; done: () => void }) => {
  const [form, setForm] = useState({ password: "", code: "" });
  const remove = useMutation({ mutationFn: () => call(contract.remove, form), onSuccess: done });
  return (
    <Stack gap="sm" maw={400}>
      <Text size="sm">A code is asked for whenever you sign in by password. {left} recovery codes are left.</Text>
      <PasswordInput label="Confirm with your password" value={form.password} onChange={(e) => setForm({ ...form, password: e.currentTarget.value })} autoComplete="current-password" />
      <TextInput label="Code" inputMode="numeric" autoComplete="one-time-code" value={form.code} onChange={(e) => setForm({ ...form, code: e.currentTarget.value })} />
      <Group>
        <Button variant="default" color="red" disabled={form.password === "" || form.code === ""} loading={remove.isPending} onClick={() => remove.mutate()}>
          Remove the second factor
        </Button>
      </Group>
      {remove.error !== null && <Problem error={remove.error} />}
    </Stack>
  ); // prettier-ignore
};

/** A member's own second factor. */
export const SecondFactor = () => {
  const client = useQueryClient();
  const query = useQuery({ queryKey: ["signOn"], queryFn: ({ signal }) => call(contract.status, {}, signal) });
  const [codes, setCodes] = useState<readonly string[]>([]);
  const again = (): void => void client.invalidateQueries({ queryKey: ["signOn"] });
  return (
    <Stack gap="sm">
      <Title order={3}>Second factor</Title>
      {codes.length > 0 && <Recovery codes={codes} />}
      <Loaded query={query} height={80}>
        {({ recoveryLeft }) =>
          recoveryLeft === null ? (
            <Begin
              done={(given) => {
                setCodes(given);
                again();
              }}
            />
          ) : (
            <Remove
              left={recoveryLeft}
              done={() => {
                setCodes([]);
                again();
              }}
            />
          )
        }
      </Loaded>
    </Stack>
  );
};
