import { ActionIcon, Alert, Anchor, Badge, Button, Card, Group, JsonInput, List, MultiSelect, NumberInput, SegmentedControl, Select, SimpleGrid, Stack, Switch, Tabs, TagsInput, Text, Textarea, TextInput, Title } from "@mantine/core"; // prettier-ignore
import { IconArrowDown, IconArrowUp, IconX } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { z } from "zod";
import * as cohorts from "#insights/cohorts/contract.ts";
import { isUnary, operatorChoices } from "#insights/common/ui/filters.tsx";
import { call, CallError } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import { Condition, type Flag, type FlagType, hashings, Rule, Setting, Split } from "../document.ts";
import { typeWords } from "./flags-page.tsx";

type Value = Flag["variations"][number]["value"];
const shown = (value: unknown): string => JSON.stringify(value);

const ValueInput = ({ type, label, value, change }: { type: FlagType; label: string; value: Value; change: (next: Value) => void }) => {
  const [text, setText] = useState(() => JSON.stringify(value, null, 2));
  if (type === "boolean") return <Select aria-label={label} data={["true", "false"]} value={value === true ? "true" : "false"} allowDeselect={false} onChange={(next) => change(next === "true")} />;
  if (type === "number") return <NumberInput aria-label={label} value={Number(value)} onChange={(next) => typeof next === "number" && change(next)} />;
  if (type === "string") return <TextInput aria-label={label} value={String(value as string)} onChange={(event) => change(event.currentTarget.value)} />;
  return (
    <JsonInput aria-label={label} value={text} autosize minRows={2} formatOnBlur validationError="This is no JSON." onChange={(next) => {
      setText(next);
      try {
        change(JSON.parse(next) as Value);
      } catch {
        // said beneath; the last that could be read holds
      }
    }} />
  );
}; // prettier-ignore

const ConditionRow = ({ condition, change, remove }: { condition: Condition; change: (next: Condition) => void; remove: () => void }) => {
  const known = useQuery({ queryKey: ["cohorts", "list"], queryFn: ({ signal }) => call(cohorts.list, {}, signal), enabled: condition.on === "cohort" });
  const { on, op } = condition;
  return (
    <Group gap="xs" align="start">
      <Select aria-label="Condition on" w={150} data={[{ value: "person", label: "Attribute" }, { value: "id", label: "Targeting key" }, { value: "cohort", label: "Cohort" }]} value={on} allowDeselect={false} onChange={(next) => change({ property: "", op: "eq", values: [], on: next === "id" || next === "cohort" ? next : "person" })} />
      {on === "person" && <TextInput aria-label="Attribute" placeholder="plan" w={150} value={condition.property} onChange={(event) => change({ ...condition, property: event.currentTarget.value })} />}
      <Select aria-label="Comparison" w={190} data={on === "cohort" ? [{ value: "eq", label: "is in" }, { value: "neq", label: "is not in" }] : [...operatorChoices]} value={op} allowDeselect={false} onChange={(next) => change({ ...condition, op: operatorChoices.find(({ value }) => value === next)?.value ?? "eq" })} />
      {on === "cohort" ? (
        <MultiSelect aria-label="Cohorts" flex={1} miw={180} data={(known.data?.cohorts ?? []).map(({ id, name }) => ({ value: id, label: name }))} value={condition.values} onChange={(values) => change({ ...condition, values })} />
      ) : (
        !isUnary(op) && <TagsInput aria-label="Values" flex={1} miw={180} value={condition.values} onChange={(values) => change({ ...condition, values })} />
      )}
      <ActionIcon variant="subtle" size="lg" aria-label="Remove the condition" onClick={remove}><IconX size={16} /></ActionIcon>
    </Group>
  );
}; // prettier-ignore

const replaced = <T,>(all: readonly T[], at: number, next: T): T[] => all.map((one, place) => (place === at ? next : one)); // prettier-ignore
const without = <T,>(all: readonly T[], at: number): T[] => all.filter((_, place) => place !== at);

/** Steps of a ramp as they are typed; what cannot be read is left out. */
const rampIn = (text: string): Split["ramp"] =>
  text.split(",").flatMap((step) => {
    const [, day, time = "00:00", share] = /^\s*(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d))?\s*=\s*(\d+(?:\.\d+)?)\s*%?\s*$/.exec(step) ?? [];
    return day === undefined ? [] : [{ at: `${day}T${time}:00Z`, coverage: Math.min(1, Number(share) / 100) }];
  }); // prettier-ignore

const SplitFields = ({ split, change }: { split: Split; change: (next: Split) => void }) => {
  const total = split.parts.reduce((sum, { weight }) => sum + weight, 0);
  return (
    <Stack gap="xs">
      <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }}>
        {split.parts.map(({ variation, weight }, at) => (
          <NumberInput key={variation} label={`Weight of ${variation}`} description={total > 0 ? `${((100 * weight) / total).toLocaleString("en", { maximumFractionDigits: 2 })} % of those inside` : "nobody"} min={0} value={weight} onChange={(next) => typeof next === "number" && change({ ...split, parts: replaced(split.parts, at, { variation, weight: next }) })} />
        ))}
        <NumberInput label="Share that is inside" description="Growing it moves nobody who is" suffix=" %" min={0} max={100} decimalScale={2} value={split.coverage * 100} onChange={(next) => typeof next === "number" && change({ ...split, coverage: next / 100 })} />
        <TextInput label="Ramp" description="2026-12-01=25, 2026-12-08=100: days (UTC) and shares" placeholder="none" defaultValue={split.ramp.map(({ at, coverage }) => `${at.slice(0, at.endsWith("T00:00:00Z") ? 10 : 16)}=${coverage * 100}`).join(", ")} onBlur={(event) => change({ ...split, ramp: rampIn(event.currentTarget.value) })} />
        <TextInput label="Split by" description="Empty: the targeting key" placeholder="account" value={split.by} onChange={(event) => change({ ...split, by: event.currentTarget.value })} />
        <Select label="Hashed as in" description="Keep your users where they are" data={[...hashings]} value={split.hashing} allowDeselect={false} onChange={(next) => change({ ...split, hashing: hashings.find((one) => one === next) ?? "growthbook-2" })} />
        <Switch mt="lg" label="Remember who got what" description="Whatever becomes of weights and conditions" checked={split.sticky !== null} onChange={(event) => change({ ...split, sticky: event.currentTarget.checked ? 1 : null })} />
        {split.sticky !== null && <Button mt="lg" variant="default" onClick={() => change({ ...split, sticky: (split.sticky ?? 0) + 1 })}>Begin anew ({split.sticky})</Button>}
        <TextInput label="Seed" description="Empty: the flag's key" value={split.seed} onChange={(event) => change({ ...split, seed: event.currentTarget.value })} />
        {(split.hashing === "eppo" || split.hashing === "launchdarkly") && <TextInput label="Salt" value={split.salt} onChange={(event) => change({ ...split, salt: event.currentTarget.value })} />}
      </SimpleGrid>
    </Stack>
  );
}; // prettier-ignore

const RuleCard = ({ rule, at, last, names, change, remove, move }: { rule: Rule; at: number; last: boolean; names: readonly string[]; change: (next: Rule) => void; remove: () => void; move: (by: number) => void }) => {
  const isSplit = "split" in rule.serve;
  const title = `Rule ${at + 1}`;
  return (
    <Card withBorder component="section" aria-label={title}>
      <Stack gap="sm">
        <Group justify="space-between" wrap="nowrap" align="end">
          <TextInput label={title} placeholder="Name" flex={1} value={rule.name} onChange={(event) => change({ ...rule, name: event.currentTarget.value })} />
          <Group gap={4} wrap="nowrap">
            <ActionIcon variant="subtle" size="lg" aria-label={`Move ${title} up`} disabled={at === 0} onClick={() => move(-1)}><IconArrowUp size={16} /></ActionIcon>
            <ActionIcon variant="subtle" size="lg" aria-label={`Move ${title} down`} disabled={last} onClick={() => move(1)}><IconArrowDown size={16} /></ActionIcon>
            <ActionIcon variant="subtle" size="lg" aria-label={`Remove ${title}`} onClick={remove}><IconX size={16} /></ActionIcon>
          </Group>
        </Group>
        <Text size="sm" fw={500}>{rule.when.length === 0 ? "For everybody" : "For whom all of this holds"}</Text>
        {rule.when.map((condition, place) => (
          <ConditionRow key={place} condition={condition} change={(next) => change({ ...rule, when: replaced(rule.when, place, next) })} remove={() => change({ ...rule, when: without(rule.when, place) })} />
        ))}
        <Group><Button size="compact-sm" variant="default" onClick={() => change({ ...rule, when: [...rule.when, Condition.parse({})] })}>Add a condition</Button></Group>
        <SegmentedControl w="fit-content" aria-label={`${title} gives`} data={[{ value: "one", label: "One value" }, { value: "split", label: "A split" }]} value={isSplit ? "split" : "one"} onChange={(next) => change({ ...rule, serve: next === "split" ? { split: Split.parse({ parts: names.map((variation) => ({ variation, weight: 1 })) }) } : { variation: names[0] ?? "" } })} />
        {"split" in rule.serve ? (
          <SplitFields split={rule.serve.split} change={(split) => change({ ...rule, serve: { split } })} />
        ) : (
          <Select label="Value" w="fit-content" data={[...names]} value={rule.serve.variation} allowDeselect={false} onChange={(variation) => change({ ...rule, serve: { variation: variation ?? "" } })} />
        )}
        <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }}>
          {(["from", "until"] as const).map((end) => (
            <TextInput key={end} label={end === "from" ? "From" : "Until"} description="UTC; empty: no end" type="datetime-local" value={rule[end]?.slice(0, 16) ?? ""} onChange={(event) => change({ ...rule, [end]: event.currentTarget.value === "" ? null : `${event.currentTarget.value}:00Z` })} />
          ))}
          <TextInput label="Layer" description="Flags that must not meet" value={rule.layer?.name ?? ""} onChange={(event) => change({ ...rule, layer: event.currentTarget.value === "" ? null : { from: 0, to: 0.5, ...rule.layer, name: event.currentTarget.value } })} />
          {rule.layer !== null && <Group wrap="nowrap" align="end">{(["from", "to"] as const).map((end) => <NumberInput key={end} label={end === "from" ? "Part from" : "to"} suffix=" %" min={0} max={100} value={(rule.layer?.[end] ?? 0) * 100} onChange={(next) => rule.layer !== null && typeof next === "number" && change({ ...rule, layer: { ...rule.layer, [end]: next / 100 } })} />)}</Group>}
        </SimpleGrid>
      </Stack>
    </Card>
  );
}; // prettier-ignore

const SettingFields = ({ setting, flag, others, change }: { setting: Setting; flag: Flag; others: readonly string[]; change: (next: Setting) => void }) => {
  const names = flag.variations.map(({ name }) => name);
  const choices = [{ value: "", label: "The default in the code" }, ...names.map((value) => ({ value, label: value }))];
  const { rules } = setting;
  const moved = (at: number, by: number): Rule[] => {
    const next = without(rules, at);
    const rule = rules[at];
    return rule === undefined ? [...rules] : [...next.slice(0, at + by), rule, ...next.slice(at + by)];
  };
  return (
    <Stack gap="sm">
      {rules.map((rule, at) => (
        <RuleCard key={at} rule={rule} at={at} last={at === rules.length - 1} names={names} change={(next) => change({ ...setting, rules: replaced(rules, at, next) })} remove={() => change({ ...setting, rules: without(rules, at) })} move={(by) => change({ ...setting, rules: moved(at, by) })} />
      ))}
      <Group><Button variant="default" onClick={() => change({ ...setting, rules: [...rules, Rule.parse({ serve: { variation: names[0] ?? "" } })] })}>Add a rule</Button></Group>
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <Select label="Everybody else gets" data={choices} value={setting.otherwise ?? ""} allowDeselect={false} onChange={(next) => change({ ...setting, otherwise: next === "" ? null : next })} />
        <Select label="While it is off" data={choices} value={setting.off ?? ""} allowDeselect={false} onChange={(next) => change({ ...setting, off: next === "" ? null : next })} />
        <TagsInput label="Only where these give" description="flag=variation, and the flag is on" data={others.map((key) => `${key}=on`)} value={setting.prerequisites.map(({ flag: key, variations }) => `${key}=${variations.join("|")}`)} onChange={(all) => change({ ...setting, prerequisites: all.filter((one) => /^[^=]+=.+/.test(one)).map((one) => ({ flag: one.slice(0, one.indexOf("=")), variations: one.slice(one.indexOf("=") + 1).split("|") })) })} />
      </SimpleGrid>
    </Stack>
  );
}; // prettier-ignore

/** Who gets what, by the flag as it stands on the page. */
const TryOut = ({ draft, environment }: { draft: Flag; environment: string }) => {
  const [key, setKey] = useState("");
  const [text, setText] = useState("{}");
  const question = { environment, draft, key, text };
  const ask = useMutation({
    mutationFn: async (given: typeof question) => call(contract.tryOut, { environment: given.environment, draft: given.draft, keys: [given.draft.key], ...(given.key === "" ? {} : { targetingKey: given.key }), attributes: contract.Attributes.parse(JSON.parse(given.text)) }),
  });
  // an answer to what is no longer asked is none
  const found = JSON.stringify(ask.variables) === JSON.stringify(question) ? ask.data?.flags[0] : undefined;
  return (
    <Card withBorder>
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          ask.mutate(question);
        }}
      >
        <Stack gap="sm">
          <Title order={2} size="h4">Who gets what</Title>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <TextInput label="Targeting key" description="Such as a user id" value={key} onChange={(event) => setKey(event.currentTarget.value)} />
            <Textarea label="Attributes" description="As JSON" value={text} autosize minRows={1} styles={{ input: { fontFamily: "monospace" } }} onChange={(event) => setText(event.currentTarget.value)} />
          </SimpleGrid>
          <Group><Button type="submit" variant="default" loading={ask.isPending}>Try it in {environment}</Button></Group>
          {ask.error !== null && <Problem error={ask.error} />}
          {found !== undefined && (
            <Alert role="status" variant="outline" color={found.problem === null ? "blue" : "red"} title={found.problem ?? (found.variant === null ? "The default in the code" : `${found.variant}: ${shown(found.value)}`)}>
              {found.rule === null ? { STATIC: "It is the same for everybody.", DEFAULT: "No rule fits.", DISABLED: "It is off here, or a prerequisite is not met." }[found.reason] : `By rule ${found.rule + 1}${found.reason === "SPLIT" ? ", by its split" : ""}.`}
            </Alert>
          )}
        </Stack>
      </form>
    </Card>
  );
}; // prettier-ignore

interface Stands {
  readonly flag: Flag;
  readonly version: number;
  readonly isArchived: boolean;
  readonly environments: readonly string[];
  readonly others: readonly string[];
  readonly mayEdit: boolean;
}

const Editor = ({ flag, version, isArchived, environments, others, mayEdit }: Stands) => {
  const client = useQueryClient();
  const [draft, setDraft] = useState(flag);
  const [environment, setEnvironment] = useState(environments[0] ?? "production");
  const [note, setNote] = useState("");
  const done = () => client.invalidateQueries({ queryKey: ["flags"] });
  const save = useMutation({ mutationFn: () => call(contract.save, { flag: draft, version, note }), onSuccess: done });
  const propose = useMutation({
    mutationFn: () => call(contract.propose, { flag: draft, version, note }),
    onSuccess: async () => {
      save.reset();
      setDraft(flag);
      await done();
    },
  });
  const turn = useMutation({ mutationFn: (isOn: boolean) => call(contract.turn, { key: flag.key, environment, isOn, note }), onSuccess: done });
  const archive = useMutation({ mutationFn: () => call(contract.archive, { key: flag.key, isArchived: !isArchived, note }), onSuccess: done });
  const isChanged = JSON.stringify(draft) !== JSON.stringify(flag);
  const { variations } = draft;
  const setting = draft.environments[environment] ?? Setting.parse({});
  const isOn = flag.environments[environment]?.isOn ?? false;
  const put = (next: Setting): void => setDraft({ ...draft, environments: { ...draft.environments, [environment]: next } });
  return (
    <Stack>
      <fieldset disabled={!mayEdit || isArchived} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
        <Stack>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <TextInput label="What it is for" value={draft.description} onChange={(event) => setDraft({ ...draft, description: event.currentTarget.value })} />
            <TextInput label="Owner" value={draft.owner} onChange={(event) => setDraft({ ...draft, owner: event.currentTarget.value })} />
          </SimpleGrid>
          {flag.type === "boolean" && (
            <Group align="end">
              <Switch label="It is a holdout" description="Keeps those out who get true: flags heed it as a prerequisite" checked={draft.holdout !== null} onChange={(event) => setDraft({ ...draft, holdout: event.currentTarget.checked ? { owners: [] } : null })} />
              {draft.holdout !== null && <TagsInput label="Of what is tested by" description="Owners; empty: by anybody" flex={1} miw={200} value={draft.holdout.owners} onChange={(owners) => setDraft({ ...draft, holdout: { owners } })} />}
            </Group>
          )}
          <Title order={2} size="h4">Values ({typeWords[flag.type].toLowerCase()})</Title>
          {variations.map(({ name, value }, at) => (
            <Group key={at} align="start" wrap="nowrap">
              <TextInput aria-label={`Name of value ${at + 1}`} w={140} value={name} onChange={(event) => setDraft({ ...draft, variations: replaced(variations, at, { name: event.currentTarget.value, value }) })} />
              <div style={{ flex: 1 }}><ValueInput type={flag.type} label={`Value ${at + 1}`} value={value} change={(next) => setDraft({ ...draft, variations: replaced(variations, at, { name, value: next }) })} /></div>
              <ActionIcon variant="subtle" size="lg" aria-label={`Remove value ${at + 1}`} disabled={variations.length === 1} onClick={() => setDraft({ ...draft, variations: without(variations, at) })}><IconX size={16} /></ActionIcon>
            </Group>
          ))}
          {flag.type !== "boolean" && <Group><Button size="compact-sm" variant="default" onClick={() => setDraft({ ...draft, variations: [...variations, { name: `value-${variations.length + 1}`, value: { string: "", number: 0, json: {}, boolean: false }[flag.type] }] })}>Add a value</Button></Group>}
          <Tabs value={environment} onChange={(next) => setEnvironment(next ?? environment)} keepMounted={false}>
            <Tabs.List>
              {environments.map((one) => (
                <Tabs.Tab key={one} value={one} rightSection={<Badge size="sm" variant="outline" color={flag.environments[one]?.isOn === true ? "blue" : "gray"}>{flag.environments[one]?.isOn === true ? "on" : "off"}</Badge>}>{one}</Tabs.Tab>
              ))}
            </Tabs.List>
            <Tabs.Panel value={environment} pt="md">
              <Stack>
                <Switch label={isOn ? `On in ${environment}` : `Off in ${environment}`} description={flag.environments[environment] === undefined ? "Save its rules here first." : "Takes effect at once."} checked={isOn} disabled={flag.environments[environment] === undefined || turn.isPending || isChanged} onChange={(event) => turn.mutate(event.currentTarget.checked)} />
                {turn.error !== null && <Problem error={turn.error} />}
                <SettingFields setting={setting} flag={draft} others={others} change={put} />
              </Stack>
            </Tabs.Panel>
          </Tabs>
          {mayEdit && (
            <Group align="end">
              <TextInput label="Why" placeholder="For the history" flex={1} miw={200} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
              <Button disabled={!isChanged} loading={save.isPending} onClick={() => save.mutate()}>Save</Button>
              <Button variant="default" disabled={!isChanged} onClick={() => setDraft(flag)}>Undo</Button>
            </Group>
          )}
        </Stack>
      </fieldset>
      {[save.error, propose.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
      {save.error instanceof CallError && save.error.code === "flags.review" && isChanged && <Group><Button loading={propose.isPending} onClick={() => propose.mutate()}>Propose it</Button></Group>}
      <TryOut draft={draft} environment={environment} />
      {mayEdit && <Group><Button variant="default" loading={archive.isPending} onClick={() => archive.mutate()}>{isArchived ? "Bring it back" : "Take it away"}</Button></Group>}
      {archive.error !== null && <Problem error={archive.error} />}
    </Stack>
  );
}; // prettier-ignore

type Waiting = z.output<typeof contract.get.output>["proposals"][number];

/** Changes that wait for somebody else to look at them. */
const Proposals = ({ proposals, mayEdit }: { proposals: readonly Waiting[]; mayEdit: boolean }) => {
  const client = useQueryClient();
  const decide = useMutation({ mutationFn: (given: { id: string; isTaken: boolean }) => call(contract.review, given), onSuccess: () => client.invalidateQueries({ queryKey: ["flags"] }) });
  return (
    <Stack>
      {proposals.map(({ id, by, at, note, changes, isOwn, isOutdated }) => (
        <Alert key={id} variant="outline" title={`${isOwn ? "You" : by} proposed, ${moment(at)}`}>
          <Stack gap="xs">
            {note !== "" && <Text size="sm">{note}</Text>}
            <List size="sm">{changes.map((one) => <List.Item key={one}>{one}</List.Item>)}</List>
            {isOutdated && <Text size="sm">The flag was changed since: propose it again.</Text>}
            {mayEdit && (
              <Group>
                {!isOwn && !isOutdated && <Button loading={decide.isPending} onClick={() => decide.mutate({ id, isTaken: true })}>Take it</Button>}
                <Button variant="default" loading={decide.isPending} onClick={() => decide.mutate({ id, isTaken: false })}>{isOwn ? "Take it back" : "Turn it down"}</Button>
              </Group>
            )}
          </Stack>
        </Alert>
      ))}
      {decide.error !== null && <Problem error={decide.error} />}
    </Stack>
  );
}; // prettier-ignore

/** One flag: its values, its rules by environment, who gets what, and what was changed. */
export const FlagPage = ({ flagKey, mayEdit }: { flagKey: string; mayEdit: boolean }) => {
  const query = useQuery({
    queryKey: ["flags", "get", flagKey],
    queryFn: async ({ signal }) => {
      const [found, { environments }, { flags }] = await Promise.all([call(contract.get, { key: flagKey }, signal), call(contract.environments, {}, signal), call(contract.list, {}, signal)]);
      return { ...found, environments: environments.map(({ name }) => name), others: flags.map(({ key }) => key).filter((key) => key !== flagKey) };
    },
  });
  return (
    <Stack>
      <Anchor component={Link} to="/flags" size="sm">Flags</Anchor>
      <Title order={1} style={{ overflowWrap: "anywhere" }}>{flagKey}</Title>
      <Loaded query={query}>
        {(found) => (
          <Stack>
            {found.isArchived && <Alert variant="outline" color="yellow">It was taken away: clients take the default in their code.</Alert>}
            <Proposals proposals={found.proposals} mayEdit={mayEdit} />
            <Editor key={found.version} {...found} mayEdit={mayEdit} />
            <DataTable
              caption="What was changed"
              rows={found.history}
              columns={[
                { title: "Version", numeric: true, cell: ({ version }) => version },
                { title: "When", cell: ({ at }) => moment(at) },
                { title: "Who", cell: ({ by }) => by },
                { title: "What", cell: ({ changes }) => <List size="sm">{changes.map((one) => <List.Item key={one}>{one}</List.Item>)}</List> },
                { title: "Why", cell: ({ note }) => note },
              ]}
            />
          </Stack>
        )}
      </Loaded>
    </Stack>
  );
}; // prettier-ignore
