import { Badge, Button, Group, List, Modal, MultiSelect, Select, Stack, Text, Textarea, TextInput, Title } from "@mantine/core"; // prettier-ignore
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { download } from "#web/kit/download.ts";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { Use } from "../contract.ts";

const kindWords = { rules: "Rules", model: "Model", llm: "Language model" } as const;
const riskWords = { minimal: "Minimal", limited: "Limited", high: "High", prohibited: "Prohibited" } as const;
const heading = (field: string): string => field.replaceAll(/([A-Z])/g, " $1").toLowerCase().replace(/^./, (one) => one.toUpperCase()); // prettier-ignore

const useChange = <T,>(work: (given: T) => Promise<unknown>, done?: () => void) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: work,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["cards"] });
      done?.();
    },
  });
};

const unknown = { name: "", kind: "model" as Use["kind"], version: "1", purpose: "", risk: "limited" as Use["risk"], oversight: "", owner: "", trainedOn: [] as string[], prompt: "" }; // prettier-ignore

const Register = ({ use, datasets, close }: { use: Use | undefined; datasets: readonly { id: string; name: string }[]; close: () => void }) => {
  const [form, setForm] = useState(use === undefined ? unknown : { name: use.name, kind: use.kind, version: use.version, purpose: use.purpose, risk: use.risk, oversight: use.oversight, owner: use.owner, trainedOn: use.trainedOn, prompt: use.prompt });
  const save = useChange(() => call(contract.register, { ...form, ...(use === undefined ? {} : { id: use.id }) }), close);
  const text = (key: "name" | "version" | "owner", label: string) => (
    <TextInput label={label} required={key !== "owner"} value={form[key]} onChange={(event) => setForm({ ...form, [key]: event.currentTarget.value })} />
  );
  const area = (key: "purpose" | "oversight" | "prompt", label: string, description: string) => (
    <Textarea label={label} description={description} autosize minRows={2} maxRows={8} value={form[key]} onChange={(event) => setForm({ ...form, [key]: event.currentTarget.value })} />
  );
  return (
    <Modal opened onClose={close} title={use === undefined ? "A use of AI" : use.name} size="lg">
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          save.mutate(undefined);
        }}
      >
        <Stack>
          {text("name", "Name")}
          <Group grow>
            <Select label="Decides by" data={Object.entries(kindWords).map(([value, label]) => ({ value, label }))} value={form.kind} allowDeselect={false} onChange={(value) => setForm({ ...form, kind: contract.useKinds.find((one) => one === value) ?? "model" })} />
            <Select label="Risk (AI Act)" data={Object.entries(riskWords).map(([value, label]) => ({ value, label }))} value={form.risk} allowDeselect={false} onChange={(value) => setForm({ ...form, risk: contract.risks.find((one) => one === value) ?? "limited" })} />
          </Group>
          <Group grow>
            {text("version", "Version")}
            {text("owner", "Owner")}
          </Group>
          {area("purpose", "Purpose", "What it decides or writes, for whom")}
          {area("oversight", "Human oversight", "Who can look at, correct and stop it, and how")}
          <MultiSelect label="Trained on" data={datasets.map(({ id, name }) => ({ value: id, label: name }))} value={form.trainedOn} onChange={(value) => setForm({ ...form, trainedOn: value })} />
          {area("prompt", "Prompt", "Of a language model; searched for personal data")}
          {save.error !== null && <Problem error={save.error} />}
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}; // prettier-ignore

/** A card: what the system knows, and what only people can write. */
const Card = ({ kind, id, mayGovern, close }: { kind: "dataset" | "model"; id: string; mayGovern: boolean; close: () => void }) => {
  const query = useQuery({ queryKey: ["cards", kind, id], queryFn: ({ signal }) => call(contract.get, { kind, id }, signal) });
  const [changed, setChanged] = useState<Record<string, string>>({});
  const save = useChange(() => call(contract.write, { kind, id, fields: changed }), () => setChanged({}));
  return (
    <Modal opened onClose={close} title={kind === "dataset" ? "Dataset card" : "Model card"} size="xl">
      <Loaded query={query} height={300}>
        {({ title, known, written, fields, missing, markdown }) => (
          <Stack>
            <Title order={2} size="h4">
              {title}
            </Title>
            <DataTable
              caption="What the system knows"
              rows={known}
              columns={[
                { title: "What", cell: ({ name }) => name },
                { title: "Is", cell: ({ value }) => <Text size="sm" style={{ overflowWrap: "anywhere" }}>{value}</Text> },
              ]}
            />
            <Text role="status">{missing.length === 0 ? "It is complete." : `To be written: ${missing.map(heading).join(", ")}.`}</Text>
            {mayGovern && fields.map((field) => (
              <Textarea key={field} label={heading(field)} autosize minRows={2} maxRows={8} value={changed[field] ?? written[field] ?? ""} onChange={(event) => setChanged({ ...changed, [field]: event.currentTarget.value })} />
            ))}
            {save.error !== null && <Problem error={save.error} />}
            <Group>
              {mayGovern && (
                <Button disabled={Object.keys(changed).length === 0} loading={save.isPending} onClick={() => save.mutate(undefined)}>
                  Save
                </Button>
              )}
              <Button variant="default" onClick={() => download(`${kind}-card.md`, new Blob([markdown], { type: "text/markdown" }))}>
                Download as Markdown
              </Button>
            </Group>
          </Stack>
        )}
      </Loaded>
    </Modal>
  );
}; // prettier-ignore

/** What a release asks for, and whether it is there. */
const Gate = ({ use, mayGovern, close }: { use: Use; mayGovern: boolean; close: () => void }) => {
  const query = useQuery({ queryKey: ["cards", "gate", use.id], queryFn: ({ signal }) => call(contract.gate, { use: use.id }, signal) });
  const release = useChange(() => call(contract.release, { use: use.id }));
  const withdraw = useChange(() => call(contract.withdraw, { use: use.id }));
  return (
    <Modal opened onClose={close} title={`Release ${use.name}`} size="lg">
      <Loaded query={query} height={200}>
        {({ version, checks, passed }) => (
          <Stack>
            <Text role="status">
              {use.released === version ? `Version ${version} is released.` : passed ? `Version ${version} can be released, by somebody who neither registered nor measured it.` : `Version ${version} cannot be released yet.`}
            </Text>
            <DataTable
              caption="What a release asks for"
              rows={checks}
              columns={[
                { title: "Check", cell: ({ name }) => name },
                { title: "State", cell: ({ passed: fine }) => <Badge variant="outline" color={fine ? "blue" : "red"}>{fine ? "Passed" : "Open"}</Badge> },
                { title: "Why", cell: ({ says }) => <Text size="sm">{says}</Text> },
              ]}
            />
            {[release.error, withdraw.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
            {mayGovern && (
              <Group>
                <Button disabled={!passed || use.released === version} loading={release.isPending} onClick={() => release.mutate(undefined)}>
                  Release version {version}
                </Button>
                {use.released !== null && (
                  <Button variant="default" loading={withdraw.isPending} onClick={() => withdraw.mutate(undefined)}>
                    Withdraw
                  </Button>
                )}
              </Group>
            )}
          </Stack>
        )}
      </Loaded>
    </Modal>
  );
}; // prettier-ignore

type Open = { readonly what: "register"; readonly id?: string } | { readonly what: "card"; readonly kind: "dataset" | "model"; readonly id: string } | { readonly what: "gate"; readonly id: string }; // prettier-ignore

/** What decides or writes by rules, models and language models here, and the cards of these and of the data. */
export const CardsPage = ({ mayGovern }: { mayGovern: boolean }) => {
  const [open, setOpen] = useState<Open>();
  const query = useQuery({ queryKey: ["cards", "uses"], queryFn: ({ signal }) => call(contract.uses, {}, signal) });
  const close = () => setOpen(undefined);
  return (
    <Stack>
      <Title order={1}>AI and cards</Title>
      <Loaded query={query}>
        {({ uses, datasets }) => {
          const use = open === undefined || open.what === "card" ? undefined : uses.find(({ id }) => id === open.id);
          return (
            <Stack gap="xl">
              <Stack gap="sm">
                {mayGovern && (
                  <Group>
                    <Button variant="default" onClick={() => setOpen({ what: "register" })}>
                      Register a use of AI
                    </Button>
                  </Group>
                )}
                <DataTable
                  caption="What decides or writes here"
                  rows={uses}
                  columns={[
                    { title: "Name", cell: ({ name }) => name },
                    { title: "By", cell: ({ kind, version }) => `${kindWords[kind]} ${version}` },
                    { title: "Risk", cell: ({ risk }) => <Badge variant="outline" color={risk === "minimal" || risk === "limited" ? "gray" : "red"}>{riskWords[risk]}</Badge> },
                    { title: "Owner", cell: ({ owner }) => (owner === "" ? "nobody yet" : owner) },
                    { title: "Oversight", cell: ({ oversight }) => <Text size="sm" miw={200}>{oversight === "" ? "not said" : oversight}</Text> },
                    { title: "Released", cell: ({ needsRelease, released }) => (needsRelease ? (released ?? "no") : "needs none") },
                    {
                      title: "Do",
                      cell: ({ id, name, needsRelease }) => (
                        <Group gap="xs" wrap="nowrap">
                          <Button size="xs" variant="default" aria-label={`Card of ${name}`} onClick={() => setOpen({ what: "card", kind: "model", id })}>Card</Button>
                          {needsRelease && <Button size="xs" variant="default" aria-label={`Release of ${name}`} onClick={() => setOpen({ what: "gate", id })}>Release</Button>}
                          {mayGovern && <Button size="xs" variant="default" aria-label={`Change ${name}`} onClick={() => setOpen({ what: "register", id })}>Change</Button>}
                        </Group>
                      ),
                    },
                  ]}
                />
              </Stack>
              <Stack gap="sm">
                <Title order={2}>Data sets</Title>
                {datasets.length === 0 ? (
                  <Empty title="No data set yet">Each source is a data set: make one under Sources, and its card is written as its events come.</Empty>
                ) : (
                  <DataTable
                    caption="Each source is a data set"
                    rows={datasets}
                    columns={[
                      { title: "Data set", cell: ({ name }) => name },
                      { title: "Card", cell: ({ missing }) => (missing === 0 ? "complete" : `${missing} fields to write`) },
                      { title: "", cell: ({ id, name }) => <Button size="xs" variant="default" aria-label={`Card of ${name}`} onClick={() => setOpen({ what: "card", kind: "dataset", id })}>Card</Button> },
                    ]}
                  />
                )}
              </Stack>
              <List size="sm">
                <List.Item>How a version was measured is written down by API (cards.evaluate), with thresholds and by group.</List.Item>
                <List.Item>Groups of fewer than 30 are shown and not judged; none is ever inferred.</List.Item>
              </List>
              {open?.what === "register" && <Register use={use} datasets={datasets} close={close} />}
              {open?.what === "card" && <Card kind={open.kind} id={open.id} mayGovern={mayGovern} close={close} />}
              {open?.what === "gate" && use !== undefined && <Gate use={use} mayGovern={mayGovern} close={close} />}
            </Stack>
          );
        }}
      </Loaded>
    </Stack>
  ); // prettier-ignore
};
