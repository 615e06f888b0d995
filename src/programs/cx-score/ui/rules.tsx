import { Anchor, Button, Card, Group, List, Modal, MultiSelect, NumberInput, Select, SimpleGrid, Stack, Switch, Text, TextInput, Title } from "@mantine/core"; // prettier-ignore
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import * as alerts from "../../alerts/contract.ts";
import { useProperties } from "#insights/common/ui/properties.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import { Rule, type RuleView } from "../contract.ts";
import * as themeContract from "../../themes/contract.ts";
import { drivers } from "../scorer/conversation.ts";
import { driverWords, oneDigit } from "./words.ts";

interface Kept {
  readonly id?: string;
  readonly rule: Rule;
  readonly isOn: boolean;
}

/** How far tags have come where the conversations came from. */
const taggedWords = ({ done, waiting, failed, problem }: RuleView["tags"]) => (
  <>
    {done.toLocaleString()}
    {waiting > 0 && `, ${waiting.toLocaleString()} to go`}
    {failed > 0 && `, ${failed.toLocaleString()} failed`}
    {problem !== "" && <Text size="xs" c="red" style={{ minWidth: 160 }}>{problem}{failed > 0 ? " Save the rule to try again." : ""}</Text>}
  </>
); // prettier-ignore

/** What a rule asks for, in words. */
const saysOf = ({ below, above, driver, polarity, points, topic, channel, team, words, trait, traitIs, traitFrom, answerOver }: Rule, titleOf: (topic: string) => string): string => {
  const all = [
    ...(below === null ? [] : [`below ${below}`]),
    ...(above === null ? [] : [`${above} or more`]),
    ...(driver === null ? [] : [`${driverWords[driver]} ${polarity < 0 ? "pulled it down" : "pushed it up"} by ${points} or more`]),
    ...(topic === "" ? [] : [`about ${titleOf(topic)}`]),
    ...(trait === "" ? [] : [`${trait} of the account is ${traitFrom === null ? traitIs : `${traitFrom} or more`}`]),
    ...(answerOver === null ? [] : [`no answer within ${answerOver} minutes`]),
    ...(channel === "" ? [] : [`by ${channel}`]),
    ...(team === "" ? [] : [`handled by ${team}`]),
    ...(words === "" ? [] : [`the customer wrote “${words}”`]),
  ];
  return all.length === 0 ? "every scored conversation" : all.join(", ");
}; // prettier-ignore

const RuleForm = ({ given, range, close }: { given: Kept; range: { from: string; to: string }; close: () => void }) => {
  const client = useQueryClient();
  const [rule, setRule] = useState(given.rule);
  const change = (next: Partial<Rule>): void => setRule({ ...rule, ...next });
  const channels = useQuery({ queryKey: ["alerts", "list"], queryFn: ({ signal }) => call(alerts.list, {}, signal) });
  const themes = useQuery({ queryKey: ["cx", "themes"], queryFn: ({ signal }) => call(themeContract.list, {}, signal) });
  const people = useQuery({ queryKey: ["cx", "reviews", false], queryFn: ({ signal }) => call(contract.reviews, {}, signal) });
  const { ofAccounts } = useProperties();
  const dry = useMutation({ mutationFn: () => call(contract.tryRule, { ...range, rule }) });
  const save = useMutation({
    mutationFn: () => call(contract.saveRule, { ...(given.id === undefined ? {} : { id: given.id }), rule, isOn: given.isOn }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["cx", "rules"] });
      close();
    },
  });
  const limit = (key: "below" | "above", label: string) => <NumberInput label={label} min={1} max={5} step={0.5} decimalScale={1} value={rule[key] ?? ""} onChange={(value) => change({ [key]: typeof value === "number" ? value : null })} />;
  return (
    <Modal opened onClose={close} title={given.id === undefined ? "New rule" : "Rule"} size="lg">
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          save.mutate();
        }}
      >
        <Stack gap="sm">
          <TextInput label="Name" required data-autofocus value={rule.name} onChange={(event) => change({ name: event.currentTarget.value })} />
          <SimpleGrid cols={{ base: 1, xs: 2 }}>
            {limit("below", "Score below")}
            {limit("above", "Score from")}
            <Select label="Driver" clearable data={drivers.map((value) => ({ value, label: driverWords[value] }))} value={rule.driver} onChange={(next) => change({ driver: drivers.find((one) => one === next) ?? null })} />
            {rule.driver !== null && <Select label="Which way" data={[{ value: "-1", label: "Pulled it down" }, { value: "1", label: "Pushed it up" }]} value={String(rule.polarity)} allowDeselect={false} onChange={(next) => change({ polarity: next === "1" ? 1 : -1 })} />}
            <TextInput label="Channel" description="Empty: any" value={rule.channel} onChange={(event) => change({ channel: event.currentTarget.value })} />
            <TextInput label="Team" description="Empty: any" value={rule.team} onChange={(event) => change({ team: event.currentTarget.value })} />
            <TextInput label="The customer wrote" description="Empty: anything" value={rule.words} onChange={(event) => change({ words: event.currentTarget.value })} />
            <Select label="About" description="Empty: anything" clearable searchable data={(themes.data?.themes ?? []).filter(({ countsAs }) => countsAs === null).map(({ id, title }) => ({ value: id, label: title }))} value={rule.topic === "" ? null : rule.topic} onChange={(topic) => change({ topic: topic ?? "" })} />
            <NumberInput label="No answer within" description="Minutes; empty: any" min={1} max={100_000} value={rule.answerOver ?? ""} onChange={(value) => change({ answerOver: typeof value === "number" ? value : null })} />
            <Select label="Trait of the account" description="Such as its plan or what it pays; empty: any" clearable searchable data={[...new Set([...ofAccounts, ...(rule.trait === "" ? [] : [rule.trait])])]} value={rule.trait === "" ? null : rule.trait} onChange={(trait) => change({ trait: trait ?? "", traitIs: "", traitFrom: null })} />
            {rule.trait !== "" && <TextInput label="It is" description={rule.traitFrom === null ? "A number: this or more" : "This or more"} value={rule.traitFrom === null ? rule.traitIs : String(rule.traitFrom)} onChange={({ currentTarget: { value } }) => change(value.trim() !== "" && Number.isFinite(Number(value)) ? { traitFrom: Number(value), traitIs: "" } : { traitFrom: null, traitIs: value })} />}
            <Select label="Who looks at it" description="Empty: whoever comes first" clearable searchable data={(people.data?.members ?? []).map(({ id, name }) => ({ value: id, label: name }))} value={rule.assign === "" ? null : rule.assign} onChange={(assign) => change({ assign: assign ?? "" })} />
            <MultiSelect label="Tell" description="Channels of alerts; none: flagged alone" data={(channels.data?.channels ?? []).map(({ id, name }) => ({ value: id, label: name }))} value={rule.tell} onChange={(tell) => change({ tell })} />
            <TextInput label="Tag in Intercom" description="Where it came by its API; empty: none" maxLength={100} value={rule.tag} onChange={(event) => change({ tag: event.currentTarget.value })} />
            {rule.tell.length > 0 && <Switch mt="lg" label="Told together, once a day" checked={rule.digest} onChange={(event) => change({ digest: event.currentTarget.checked })} />}
          </SimpleGrid>
          <Group><Button variant="default" loading={dry.isPending} disabled={rule.name === ""} onClick={() => dry.mutate()}>Try it on this time</Button></Group>
          {dry.data !== undefined && (
            <Stack gap={4} role="status">
              <Text size="sm">It fits {dry.data.fits.toLocaleString()} of {dry.data.conversations.toLocaleString()} conversations. Nobody was told.</Text>
              <List size="sm">{dry.data.examples.slice(0, 3).map(({ id, score, summary }) => <List.Item key={id}>{oneDigit(score)}: {summary}</List.Item>)}</List>
            </Stack>
          )}
          {[dry.error, save.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
          <Group><Button type="submit" loading={save.isPending}>Save</Button></Group>
        </Stack>
      </form>
    </Modal>
  );
}; // prettier-ignore

/** What is done about conversations as they are scored. */
export const Rules = ({ range, mayEdit }: { range: { from: string; to: string }; mayEdit: boolean }) => {
  const client = useQueryClient();
  const [open, setOpen] = useState<Kept>();
  const query = useQuery({ queryKey: ["cx", "rules"], queryFn: ({ signal }) => call(contract.rules, {}, signal) });
  const themes = useQuery({ queryKey: ["cx", "themes"], queryFn: ({ signal }) => call(themeContract.list, {}, signal) });
  const titles = new Map((themes.data?.themes ?? []).map(({ id, title }) => [id, title]));
  const done = () => client.invalidateQueries({ queryKey: ["cx", "rules"] });
  const turn = useMutation({ mutationFn: (given: { id: string; rule: Rule; isOn: boolean }) => call(contract.saveRule, given), onSuccess: done });
  const remove = useMutation({ mutationFn: (id: string) => call(contract.removeRule, { id }), onSuccess: done });
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Title order={2} size="h4">Rules</Title>
        <Loaded query={query} height={60}>
          {({ rules }) =>
            rules.length === 0 ? (
              <Text size="sm">A rule flags conversations as they are scored, and tells the channels of your alerts: each conversation once.</Text>
            ) : (
              <DataTable
                caption="What is done, and how often it was"
                rows={rules}
                columns={[
                  { title: "Rule", cell: ({ rule }) => rule.name },
                  { title: "Fits", cell: ({ rule }) => saysOf(rule, (id) => titles.get(id) ?? "a theme that is gone") },
                  { title: "Acted", numeric: true, cell: ({ id, firings }) => (firings === 0 ? "0" : <Anchor component={Link} to={`/conversations?rule=${encodeURIComponent(id)}`}>{firings.toLocaleString()}</Anchor>) },
                  ...(rules.some(({ rule, tags }) => rule.tag !== "" || tags.done + tags.waiting + tags.failed > 0) ? [{ title: "Tagged", numeric: true, cell: ({ tags }: RuleView) => taggedWords(tags) }] : []),
                  { title: "Last", cell: ({ last }) => (last === null ? "" : moment(last)) },
                  {
                    title: "",
                    cell: ({ id, rule, isOn }) => mayEdit && (
                      <Group gap="xs" wrap="nowrap">
                        <Switch aria-label={`${rule.name} is on`} checked={isOn} disabled={turn.isPending} onChange={(event) => turn.mutate({ id, rule, isOn: event.currentTarget.checked })} />
                        <Button size="xs" variant="default" aria-label={`Change ${rule.name}`} onClick={() => setOpen({ id, rule, isOn })}>Change</Button>
                        <Button size="xs" variant="default" aria-label={`Take ${rule.name} away`} loading={remove.isPending} onClick={() => remove.mutate(id)}>Take away</Button>
                      </Group>
                    ),
                  },
                ]}
              />
            )
          }
        </Loaded>
        {[turn.error, remove.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
        {mayEdit && <Group><Button variant="default" onClick={() => setOpen({ rule: Rule.parse({ name: "New rule", below: 2.5 }), isOn: true })}>New rule</Button></Group>}
        {open !== undefined && <RuleForm given={open} range={range} close={() => setOpen(undefined)} />}
      </Stack>
    </Card>
  );
}; // prettier-ignore
