import { Button, Card, Code, CopyButton, Group, Modal, NumberInput, PasswordInput, Select, Stack, Switch, Tabs, TagsInput, Text, TextInput, Title } from "@mantine/core"; // prettier-ignore
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import type { Attributes } from "#kernel/policy.ts";
import { allows } from "#kernel/roles.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import { zones } from "#web/kit/zones.ts";
import * as contract from "../contract.ts";
import type { WorkspaceView } from "../contract.ts";

const roles = [
  { value: "viewer", label: "Viewer: reads" },
  { value: "analyst", label: "Analyst: saves questions, metrics, dashboards and sources too" },
  { value: "marketer", label: "Marketer: what an analyst may, and campaigns as they come" },
  { value: "steward", label: "Steward: contracts, identities and privacy requests too" },
  { value: "auditor", label: "Auditor: reads, and the audit log" },
  { value: "admin", label: "Admin: everything, people and keys too" },
] as const;
type Role = (typeof roles)[number]["value"];

/** A change that is asked for, and everything of the kind read anew afterwards. */
const useChange = <T,>(key: string, work: (given: T) => Promise<unknown>, done?: () => void) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: work,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: [key] });
      done?.();
    },
  });
};

const RoleSelect = ({ value, change }: { value: Role; change: (role: Role) => void }) => (
  <Select
    label="Role"
    data={roles}
    value={value}
    allowDeselect={false}
    onChange={(role) => change((role as Role | null) ?? "viewer")}
  />
);

const FormModal = ({
  title,
  opened,
  close,
  error,
  pending,
  send,
  verb,
  children,
}: {
  title: string;
  opened: boolean;
  close: () => void;
  error: Error | null;
  pending: boolean;
  send: () => void;
  verb: string;
  children: ReactNode;
}) => (
  <Modal opened={opened} onClose={close} title={title}>
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Stack>
        {children}
        {error !== null && <Problem error={error} />}
        <Button type="submit" loading={pending}>
          {verb}
        </Button>
      </Stack>
    </form>
  </Modal>
);

const nobody = { name: "", email: "", password: "", role: "analyst" as Role };

const AddMember = () => {
  const [opened, { open, close }] = useDisclosure();
  const [form, setForm] = useState(nobody);
  const add = useChange("members", () => call(contract.addMember, form), () => {
    setForm(nobody);
    close();
  }); // prettier-ignore
  return (
    <>
      <Button onClick={open}>Add a member</Button>
      <FormModal
        title="Add a member"
        opened={opened}
        close={close}
        error={add.error}
        pending={add.isPending}
        send={() => add.mutate(undefined)}
        verb="Add"
      >
        <TextInput
          label="Name"
          required
          data-autofocus
          value={form.name}
          onChange={(event) => setForm({ ...form, name: event.currentTarget.value })}
        />
        <TextInput
          label="Email"
          type="email"
          required
          value={form.email}
          onChange={(event) => setForm({ ...form, email: event.currentTarget.value })}
        />
        <PasswordInput
          label="First password"
          description="At least 10 characters. Someone who is a member already keeps their own."
          required
          minLength={10}
          autoComplete="new-password"
          value={form.password}
          onChange={(event) => setForm({ ...form, password: event.currentTarget.value })}
        />
        <RoleSelect value={form.role} change={(role) => setForm({ ...form, role })} />
      </FormModal>
    </>
  );
};

const attributeWords = { teams: "Teams", products: "Products", purposes: "Purposes" } as const;

/** What a policy may ask of a member or a key, besides the role. */
const AttributesOf = ({
  one,
  canChange,
  list,
}: {
  one: { readonly id: string; readonly name: string; readonly attributes: Attributes };
  canChange: boolean;
  list: "members" | "keys";
}) => {
  const [opened, { open, close }] = useDisclosure();
  const [form, setForm] = useState(one.attributes);
  const change = useChange(list, () => call(contract.setAttributes, { id: one.id, attributes: form }), close);
  const { teams, products, purposes, region } = one.attributes;
  const said = [...teams, ...products, ...purposes, ...(region === "" ? [] : [region])];
  if (!canChange) return <>{said.length === 0 ? "–" : said.join(", ")}</>;
  return (
    <>
      <Button size="xs" variant="default" onClick={open} aria-label={`Teams, products and purposes of ${one.name}`}>
        {said.length === 0 ? "Say" : said.join(", ")}
      </Button>
      <FormModal title={`What ${one.name} is of`} opened={opened} close={close} error={change.error} pending={change.isPending} send={() => change.mutate(undefined)} verb="Save">
        {(["teams", "products", "purposes"] as const).map((key) => (
          <TagsInput key={key} label={attributeWords[key]} maxTags={50} value={form[key]} onChange={(value) => setForm({ ...form, [key]: value })} />
        ))}
        <TextInput label="Region" value={form.region} onChange={(event) => setForm({ ...form, region: event.currentTarget.value })} />
      </FormModal>
    </>
  ); // prettier-ignore
};

const Members = ({ canChange }: { canChange: boolean }) => {
  const query = useQuery({
    queryKey: ["members"],
    queryFn: ({ signal }) => call(contract.members, {}, signal),
  });
  const remove = useChange("members", (id: string) => call(contract.removeMember, { id }));
  const setRole = useChange("members", (to: { id: string; role: Role }) => call(contract.setRole, to));
  return (
    <Stack>
      {canChange && (
        <Group>
          <AddMember />
        </Group>
      )}
      {remove.error !== null && <Problem error={remove.error} />}
      <Loaded query={query}>
        {({ members }) => (
          <DataTable
            caption={`${members.length} in this workspace`}
            rows={members}
            columns={[
              { title: "Name", cell: ({ name }) => name },
              { title: "Email", cell: ({ email }) => email },
              {
                title: "Role",
                cell: ({ id, name, role }) =>
                  canChange && role !== "owner" ? (
                    <Select
                      aria-label={`Role of ${name}`}
                      data={roles.map(({ value }) => value)}
                      value={role}
                      allowDeselect={false}
                      onChange={(next) => next !== null && setRole.mutate({ id, role: next })}
                      w={140}
                    />
                  ) : (
                    role
                  ),
              },
              {
                title: "Of",
                cell: (member) => <AttributesOf one={member} canChange={canChange} list="members" />,
              },
              {
                title: "",
                cell: ({ id, name, role }) =>
                  canChange &&
                  role !== "owner" && (
                    <Button size="xs" variant="default" aria-label={`Remove ${name}`} onClick={() => remove.mutate(id)}>
                      Remove
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
    </Stack>
  );
};

const NewKey = () => {
  const [opened, { open, close }] = useDisclosure();
  const [form, setForm] = useState<{ name: string; role: Role; days?: number }>({ name: "", role: "viewer" });
  const create = useMutation({ mutationFn: () => call(contract.createKey, form) });
  const client = useQueryClient();
  const finish = (): void => {
    close();
    create.reset();
    setForm({ name: "", role: "viewer" });
    void client.invalidateQueries({ queryKey: ["keys"] });
  };
  const made = create.data?.key;
  return (
    <>
      <Button onClick={open}>New key</Button>
      {made === undefined ? (
        <FormModal
          title="New API key"
          opened={opened}
          close={finish}
          error={create.error}
          pending={create.isPending}
          send={() => create.mutate()}
          verb="Create key"
        >
          <TextInput
            label="Name"
            description="Who or what will use it"
            required
            data-autofocus
            value={form.name}
            onChange={(event) => setForm({ ...form, name: event.currentTarget.value })}
          />
          <RoleSelect value={form.role} change={(role) => setForm({ ...form, role })} />
          <NumberInput
            label="Good for"
            description="Days; empty for ever"
            min={1}
            max={3_650}
            allowDecimal={false}
            value={form.days ?? ""}
            onChange={(value) =>
              setForm({ name: form.name, role: form.role, ...(typeof value === "number" ? { days: value } : {}) })
            }
          />
        </FormModal>
      ) : (
        <Modal opened={opened} onClose={finish} title="Copy the key now">
          <Stack>
            <Text>It is shown this once. Only a hash of it is kept.</Text>
            <Code block tabIndex={0}>
              {made}
            </Code>
            <Group justify="flex-end">
              <CopyButton value={made}>
                {({ copied, copy }) => (
                  <Button variant="default" onClick={copy}>
                    {copied ? "Copied" : "Copy"}
                  </Button>
                )}
              </CopyButton>
              <Button onClick={finish}>Done</Button>
            </Group>
          </Stack>
        </Modal>
      )}
    </>
  );
};

const Keys = () => {
  const query = useQuery({ queryKey: ["keys"], queryFn: ({ signal }) => call(contract.keys, {}, signal) });
  const revoke = useChange("keys", (id: string) => call(contract.revokeKey, { id }));
  return (
    <Stack>
      <Group>
        <NewKey />
      </Group>
      {revoke.error !== null && <Problem error={revoke.error} />}
      <Loaded query={query}>
        {({ keys }) =>
          keys.length === 0 ? (
            <Empty title="No API key yet">
              A key lets a program ask the same questions as these pages: POST /api/trends.ask with the key as a bearer
              token. Write keys of sources, which only send events, are on the Sources page.
            </Empty>
          ) : (
            <DataTable
              caption="API keys of this workspace"
              rows={keys}
              columns={[
                { title: "Name", cell: ({ name }) => name },
                { title: "Begins with", cell: ({ prefix }) => <Code>{prefix}…</Code> },
                { title: "Role", cell: ({ role }) => role },
                {
                  title: "Of",
                  cell: (key) => <AttributesOf one={key} canChange={key.revokedAt === null} list="keys" />,
                },
                { title: "Created", cell: ({ createdAt }) => moment(createdAt) },
                { title: "Until", cell: ({ expiresAt }) => (expiresAt === null ? "for ever" : moment(expiresAt)) },
                {
                  title: "",
                  cell: ({ id, name, revokedAt }) =>
                    revokedAt === null ? (
                      <Button
                        size="xs"
                        variant="default"
                        aria-label={`Revoke ${name}`}
                        onClick={() => revoke.mutate(id)}
                      >
                        Revoke
                      </Button>
                    ) : (
                      `Revoked ${moment(revokedAt)}`
                    ),
                },
              ]}
            />
          )
        }
      </Loaded>
    </Stack>
  );
};

const General = ({ workspace, left }: { workspace: WorkspaceView; left: () => void }) => {
  const [form, setForm] = useState({
    name: workspace.name,
    zone: workspace.zone,
    weekStart: workspace.weekStart,
    demandsSecondFactor: workspace.demandsSecondFactor,
    region: workspace.region,
  });
  const [opened, { open, close }] = useDisclosure();
  const [typed, setTyped] = useState("");
  const change = useChange("begin", () => call(contract.change, form));
  const remove = useMutation({ mutationFn: () => call(contract.remove, { name: typed }), onSuccess: left });
  return (
    <Stack maw={480}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate(undefined);
        }}
      >
        <Stack>
          <TextInput
            label="Name"
            required
            value={form.name}
            onChange={(event) => setForm({ ...form, name: event.currentTarget.value })}
          />
          <Select
            label="Time zone"
            description="In which days and weeks are cut"
            searchable
            data={zones}
            value={form.zone}
            allowDeselect={false}
            onChange={(zone) => setForm({ ...form, zone: zone ?? form.zone })}
          />
          <Select
            label="Weeks begin on"
            data={[
              { value: "monday", label: "Monday" },
              { value: "sunday", label: "Sunday" },
            ]}
            value={form.weekStart}
            allowDeselect={false}
            onChange={(day) => setForm({ ...form, weekStart: day === "sunday" ? "sunday" : "monday" })}
          />
          <TextInput
            label="Region"
            description="Where its data has to stay: the region of this server, or empty for anywhere. Nothing is then sent to hosts elsewhere."
            value={form.region}
            onChange={(event) => setForm({ ...form, region: event.currentTarget.value })}
          />
          <Switch
            label="Members need a second factor"
            description="Or single sign-on. Who has neither finds nothing here until they have set one up."
            checked={form.demandsSecondFactor}
            onChange={(event) => setForm({ ...form, demandsSecondFactor: event.currentTarget.checked })}
          />
          {change.error !== null && <Problem error={change.error} />}
          <Group>
            <Button type="submit" loading={change.isPending}>
              Save
            </Button>
            {change.isSuccess && <Text role="status">Saved.</Text>}
          </Group>
        </Stack>
      </form>
      {workspace.role === "owner" && (
        <Card withBorder mt="lg">
          <Stack align="flex-start">
            <Title order={2}>Remove this workspace</Title>
            <Text>Its events, people, sources and dashboards are deleted for good.</Text>
            <Button color="red" variant="outline" onClick={open}>
              Remove workspace
            </Button>
          </Stack>
        </Card>
      )}
      <FormModal
        title={`Remove ${workspace.name}`}
        opened={opened}
        close={close}
        error={remove.error}
        pending={remove.isPending}
        send={() => remove.mutate()}
        verb="Remove for good"
      >
        <TextInput
          label={`Write ${workspace.name} to confirm`}
          required
          data-autofocus
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      </FormModal>
    </Stack>
  );
};

const noPassword = { current: "", next: "" };

/** The way in of whoever is signed in. */
const MyPassword = () => {
  const [form, setForm] = useState(noPassword);
  const change = useChange("begin", () => call(contract.changePassword, form), () => setForm(noPassword)); // prettier-ignore
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate(undefined);
      }}
    >
      <Stack maw={480}>
        <PasswordInput
          label="Your password"
          required
          autoComplete="current-password"
          value={form.current}
          onChange={(event) => setForm({ ...form, current: event.currentTarget.value })}
        />
        <PasswordInput
          label="Another password"
          description="At least 10 characters. You are signed out everywhere else."
          required
          minLength={10}
          autoComplete="new-password"
          value={form.next}
          onChange={(event) => setForm({ ...form, next: event.currentTarget.value })}
        />
        {change.error !== null && <Problem error={change.error} />}
        {change.isSuccess && <Text role="status">Your password was changed.</Text>}
        <Button type="submit" loading={change.isPending} w="fit-content">
          Change it
        </Button>
      </Stack>
    </form>
  );
};

/** Where whoever is signed in is signed in. */
const MySessions = () => {
  const query = useQuery({ queryKey: ["sessions"], queryFn: ({ signal }) => call(contract.sessions, {}, signal) });
  const end = useChange("sessions", (id: string | undefined) =>
    call(contract.endSessions, id === undefined ? {} : { id }),
  );
  return (
    <Stack gap="sm">
      <Title order={2}>Where you are signed in</Title>
      {end.error !== null && <Problem error={end.error} />}
      <Loaded query={query} height={80}>
        {({ sessions }) => (
          <Stack gap="sm">
            <DataTable
              caption="Your sessions, the newest first"
              rows={sessions}
              columns={[
                { title: "Signed in", cell: ({ createdAt }) => moment(createdAt) },
                { title: "Until", cell: ({ expiresAt }) => moment(expiresAt) },
                {
                  title: "",
                  cell: ({ id, isThis, createdAt }) =>
                    isThis ? "this one" : <Button size="xs" variant="default" aria-label={`End the session of ${moment(createdAt)}`} onClick={() => end.mutate(id)}>End it</Button>,
                },
              ]}
            />
            {sessions.length > 1 && (
              <Button variant="default" w="fit-content" loading={end.isPending} onClick={() => end.mutate(undefined)}>
                End all others
              </Button>
            )}
          </Stack>
        )}
      </Loaded>
    </Stack>
  ); // prettier-ignore
};

const tabs = ["members", "keys", "workspace", "alerts", "password"] as const;

/** Who may come in, and with which keys. The tab stands in the address. */
export const SettingsPage = ({
  workspace,
  left,
  signOn,
  alerts,
}: {
  workspace: WorkspaceView;
  left: () => void;
  /** The member's other ways of proving who they are. */
  signOn: ReactNode;
  /** Where it is said when something is wrong. */
  alerts: ReactNode;
}) => {
  const given: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const isAdmin = workspace.role === "admin" || workspace.role === "owner";
  const tab = tabs.find((one) => one === given["tab"]) ?? "members";
  return (
    <Stack>
      <Title order={1}>Settings</Title>
      <Tabs
        value={tab}
        onChange={(to) => void navigate({ to: "/settings", search: { tab: to } as never })}
        keepMounted={false}
      >
        <Tabs.List>
          <Tabs.Tab value="members">Members</Tabs.Tab>
          {isAdmin && <Tabs.Tab value="keys">API keys</Tabs.Tab>}
          {isAdmin && <Tabs.Tab value="workspace">Workspace</Tabs.Tab>}
          {allows(workspace.role, "govern") && <Tabs.Tab value="alerts">Alerts</Tabs.Tab>}
          <Tabs.Tab value="password">Your sign-in</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="password" pt="md">
          <Stack gap="xl">
            <MyPassword />
            {signOn}
            <MySessions />
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="members" pt="md">
          <Members canChange={isAdmin} />
        </Tabs.Panel>
        {allows(workspace.role, "govern") && (
          <Tabs.Panel value="alerts" pt="md">
            {alerts}
          </Tabs.Panel>
        )}
        {isAdmin && (
          <>
            <Tabs.Panel value="keys" pt="md">
              <Keys />
            </Tabs.Panel>
            <Tabs.Panel value="workspace" pt="md">
              <General workspace={workspace} left={left} />
            </Tabs.Panel>
          </>
        )}
      </Tabs>
    </Stack>
  );
};
