import {
  Alert,
  Button,
  Card,
  Group,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "#web/call.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../judge/contract.ts";
import type { JudgeSettings, JudgeView } from "../judge/contract.ts";
import { percent } from "./words.ts";

const Form = ({ found, close }: { found: JudgeView; close: () => void }) => {
  const client = useQueryClient();
  const [settings, setSettings] = useState<JudgeSettings>({ ...found.settings, secret: "" });
  const change = (next: Partial<JudgeSettings>): void => setSettings({ ...settings, ...next });
  const save = useMutation({ mutationFn: () => call(contract.set, { settings }), onSuccess: async () => { await client.invalidateQueries({ queryKey: ["cx", "judge"] }); close(); } });
  return (
    <form onSubmit={(event) => { event.preventDefault(); save.mutate(); }}>
      <Stack gap="sm">
        <Switch label="It judges: masked text of conversations leaves for this address" checked={settings.isOn} onChange={(event) => change({ isOn: event.currentTarget.checked })} />
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <TextInput label="Address" description="That answers as OpenAI’s chat completions do" placeholder="https://api.example.com/v1" required={settings.isOn} value={settings.address} onChange={(event) => change({ address: event.currentTarget.value })} />
          <TextInput label="Model" required={settings.isOn} description="As the endpoint names it" value={settings.model} onChange={(event) => change({ model: event.currentTarget.value })} />
          <TextInput label="Key" type="password" autoComplete="off" description={found.hasSecret ? "Empty: the one that is there, for the same address" : "Empty where none is needed"} value={settings.secret} onChange={(event) => change({ secret: event.currentTarget.value })} />
          <Select label="It judges" description={settings.use === "all" ? "As a version of the score, in shadow until you switch it on" : "To be held beside the score and to learn from"} data={[{ value: "sample", label: "A sample" }, { value: "all", label: "Every conversation" }]} allowDeselect={false} value={settings.use} onChange={(value) => change({ use: value === "all" ? "all" : "sample" })} />
          <NumberInput label="Conversations a day" description="At most" min={1} max={100_000} allowDecimal={false} required value={settings.perDay} onChange={(value) => change({ perDay: typeof value === "number" ? value : 50 })} />
          <NumberInput label="Tokens a day" description="At most; the conversation under way is ended" min={1_000} max={1_000_000_000} allowDecimal={false} required value={settings.tokensPerDay} onChange={(value) => change({ tokensPerDay: typeof value === "number" ? value : 500_000 })} />
        </SimpleGrid>
        {save.error !== null && <Problem error={save.error} />}
        <Group><Button type="submit" loading={save.isPending}>Save</Button><Button variant="default" onClick={close}>Not now</Button></Group>
      </Stack>
    </form>
  );
}; // prettier-ignore

const Figures = ({ found }: { found: JudgeView }) => (
  <Stack gap={4}>
    <Text size="sm">{found.settings.model}: {found.judged.toLocaleString()} conversations judged, {found.today.judged.toLocaleString()} of {found.settings.perDay.toLocaleString()} today{found.settings.isOn && found.settings.use === "all" ? " (every conversation, as a version of the score)" : ""}; {(found.tokensIn + found.tokensOut).toLocaleString()} tokens, {found.today.tokens.toLocaleString()} today.</Text>
    {found.failed > 0 && <Text size="sm">Of {found.failed.toLocaleString()} no answer could be used.</Text>}
    {found.quotes.given > 0 && <Text size="sm">Quotes whose words are in the text: {percent(found.quotes.found / found.quotes.given)} of {found.quotes.given.toLocaleString()}; others are left out.</Text>}
    {found.twice.pairs > 0 && <Text size="sm">Asked twice, it said the same within half a point in {percent(found.twice.same ?? 0)} of {found.twice.pairs}{found.twice.kappa === null ? "" : `; kappa ${found.twice.kappa.toFixed(2)}`}.</Text>}
  </Stack>
); // prettier-ignore

/** A language model of the workspace's choice that judges a sample or all. Off until somebody who governs switches it on. */
export const Judge = ({ maySet }: { maySet: boolean }) => {
  const [isOpen, setOpen] = useState(false);
  const query = useQuery({ queryKey: ["cx", "judge"], queryFn: ({ signal }) => call(contract.get, {}, signal) });
  return (
    <Card withBorder component="section" aria-label="A language model as judge">
      <Stack gap="sm">
        <Title order={2} size="h4">A language model as judge</Title>
        <Loaded query={query} height={40}>
          {(found) => (
            <Stack gap="sm">
              {found.problem !== "" && <Alert variant="outline" color="red" title="It could not be asked">{found.problem}</Alert>}
              {found.settings.isOn || found.judged > 0 ? <Figures found={found} /> : <Text size="sm">Off. The score needs none: it is made here, and nothing leaves. A judge can be held beside it, and the score can learn from it; only masked text is sent, and only to the address that you give.</Text>}
              {isOpen ? <Form found={found} close={() => setOpen(false)} /> : maySet && <Group><Button variant="default" onClick={() => setOpen(true)}>{found.settings.isOn ? "Change or end it" : "Set one up"}</Button></Group>}
            </Stack>
          )}
        </Loaded>
      </Stack>
    </Card>
  );
}; // prettier-ignore
