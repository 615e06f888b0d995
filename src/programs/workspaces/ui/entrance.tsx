import {
  Alert,
  Button,
  Card,
  Center,
  Checkbox,
  PasswordInput,
  Select,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";
import { refusals } from "#programs/sign-on/contract.ts";
import { call, CallError } from "#web/call.ts";
import { Problem } from "#web/kit/states.tsx";
import { zones } from "#web/kit/zones.ts";
import { setUp, signIn } from "../contract.ts";

const Frame = ({ title, lead, children }: { title: string; lead: string; children: ReactNode }) => (
  <Center component="main" mih="100vh" p="md">
    <Card withBorder padding="lg" w={440} maw="100%">
      <Stack>
        <Title order={1}>{title}</Title>
        <Text>{lead}</Text>
        {children}
      </Stack>
    </Card>
  </Center>
);

const submitting = (send: () => void) => (event: FormEvent) => {
  event.preventDefault();
  send();
};

/** The first page of a new server: its owner and first workspace. */
export const SetUp = ({ done }: { done: (withDemo: boolean) => void }) => {
  const [form, setForm] = useState({
    name: "",
    email: "",
    password: "",
    workspace: "",
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
  const [withDemo, setWithDemo] = useState(true);
  const change = (field: keyof typeof form) => (value: string) => setForm((old) => ({ ...old, [field]: value }));
  const send = useMutation({ mutationFn: () => call(setUp, form), onSuccess: () => done(withDemo) });
  return (
    <Frame
      title="Set up Throughline"
      lead="You become the owner of this server and of its first workspace. Everything stays on this machine."
    >
      <form onSubmit={submitting(() => send.mutate())}>
        <Stack>
          <TextInput
            label="Your name"
            required
            value={form.name}
            onChange={(e) => change("name")(e.currentTarget.value)}
            autoComplete="name"
            data-autofocus
          />
          <TextInput
            label="Email"
            type="email"
            required
            value={form.email}
            onChange={(e) => change("email")(e.currentTarget.value)}
            autoComplete="email"
          />
          <PasswordInput
            label="Password"
            description="At least 10 characters"
            required
            minLength={10}
            value={form.password}
            onChange={(e) => change("password")(e.currentTarget.value)}
            autoComplete="new-password"
          />
          <TextInput
            label="Workspace"
            description="Usually the name of your company"
            required
            value={form.workspace}
            onChange={(e) => change("workspace")(e.currentTarget.value)}
          />
          <Select
            label="Time zone"
            description="In which days and weeks are cut"
            searchable
            data={zones}
            value={form.zone}
            onChange={(zone) => change("zone")(zone ?? "UTC")}
          />
          <Checkbox
            label="Add a demo workspace too"
            description="18 months of a made-up company, to look around in. One click removes it."
            checked={withDemo}
            onChange={(event) => setWithDemo(event.currentTarget.checked)}
          />
          {send.error !== null && <Problem error={send.error} />}
          <Button type="submit" loading={send.isPending}>
            Create workspace
          </Button>
        </Stack>
      </form>
    </Frame>
  );
};

/** Email and password, then a code where one is asked for; or by way of a provider. */
export const SignIn = ({ done, singleSignOn }: { done: () => void; singleSignOn: string | null }) => {
  const [form, setForm] = useState({ email: "", password: "", code: "" });
  const { email, password, code } = form;
  const send = useMutation({
    mutationFn: () => call(signIn, { email, password, ...(code === "" ? {} : { code }) }),
    onSuccess: done,
  });
  const asksCode = send.error instanceof CallError && send.error.code === "access.code_needed";
  const needsCode =
    asksCode || code !== "" || (send.error instanceof CallError && send.error.code === "access.wrong_code");
  const refused = new URLSearchParams(window.location.search).get("refused");
  return (
    <Frame title="Sign in" lead="Use the email and password that you were given.">
      <form onSubmit={submitting(() => send.mutate())}>
        <Stack>
          {refused !== null && (
            <Alert color="red" variant="outline" role="alert" title="The single sign-on did not work">
              {Object.entries(refusals).find(([name]) => name === refused)?.[1] ?? refusals.invalid}
            </Alert>
          )}
          <TextInput
            label="Email"
            type="email"
            required
            value={email}
            onChange={(e) => setForm({ ...form, email: e.currentTarget.value })}
            autoComplete="email"
          />
          <PasswordInput
            label="Password"
            required
            value={password}
            onChange={(e) => setForm({ ...form, password: e.currentTarget.value })}
            autoComplete="current-password"
          />
          {needsCode && (
            <TextInput
              label="Code"
              description="From your authenticator app, or a recovery code"
              required
              autoFocus
              inputMode="numeric"
              value={code}
              onChange={(e) => setForm({ ...form, code: e.currentTarget.value })}
              autoComplete="one-time-code"
            />
          )}
          {send.error !== null && !asksCode && <Problem error={send.error} />}
          <Button type="submit" loading={send.isPending}>
            Sign in
          </Button>
          {singleSignOn !== null && (
            <Button component="a" href="/auth/oidc/start" variant="default">
              {singleSignOn}
            </Button>
          )}
        </Stack>
      </form>
    </Frame>
  );
};
