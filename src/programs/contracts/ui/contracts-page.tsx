import type { z } from "zod";
import { Select, SimpleGrid, Stack, Tabs, TagsInput, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { call } from "#web/call.ts";
import { Loaded, Problem } from "#web/kit/states.tsx";
import * as sources from "#records/sources/contract.ts";
import * as contract from "../contract.ts";
import type { Settings } from "../contract.ts";
import { Breaches } from "./breaches.tsx";
import { Contracts } from "./editor.tsx";
import { HeldEvents } from "./held.tsx";

const goesOn = { value: "forward", label: "Goes on, with a note" };
const waits = { value: "quarantine", label: "Is held" };
const refused = { value: "block", label: "Is refused" };
const without = { value: "omit", label: "Goes on without it" };
const kept = { value: "forward", label: "Is kept" };
const left = { value: "drop", label: "Is left out" };
const masked = { value: "redact", label: "Is masked by its type" };
const tokens = { value: "token", label: "Becomes a token, the same for the same" };
const short = { value: "truncate", label: "Is cut to what names nobody" };

/** What can be chosen, in the words of the page. */
const choices: readonly { key: Exclude<keyof Settings, "purposes" | "optOut">; label: string; data: { value: string; label: string }[] }[] = [
  { key: "violation", label: "An event that breaks its contract", data: [goesOn, without, waits, refused] },
  { key: "unplannedProperty", label: "A property that a closed contract lacks", data: [goesOn, without, waits, refused] },
  { key: "unplannedEvent", label: "An event without a contract", data: [{ ...goesOn, label: "Goes on" }, waits, refused] },
  { key: "pii", label: "Personal data in other properties", data: [masked, tokens, short, left, kept] },
  { key: "secret", label: "Keys, tokens and passwords", data: [masked, left, kept] },
  { key: "absentConsent", label: "An event that says nothing of consent", data: [{ value: "allow", label: "Is taken for a yes" }, { value: "deny", label: "Is taken for a no" }] },
]; // prettier-ignore

/** What people are asked for, by their consent and by their browser. */
const purposes = [
  { key: "purposes", label: "Purposes that people must have agreed to", description: "All of them, or their events are not kept. None: it is not asked." },
  { key: "optOut", label: "Purposes that Global Privacy Control says no to", description: "Where a browser sends it (Sec-GPC)." },
] as const; // prettier-ignore

/** Stands for no choice of its own. */
const asForAll = "as for all";

/** What is done with what does not fit: for all sources, or for one, which takes what it does not say from all. */
const Choices = () => {
  const given: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const client = useQueryClient();
  const query = useQuery({
    queryKey: ["contracts", "settings"],
    queryFn: ({ signal }) => call(contract.getSettings, {}, signal),
  });
  const known = useQuery({ queryKey: ["sources"], queryFn: ({ signal }) => call(sources.list, {}, signal) });
  const named = known.data?.sources ?? [];
  const source = named.find(({ id }) => id === given["source"])?.id ?? "";
  const change = useMutation({
    mutationFn: (settings: z.output<typeof contract.StoredSettings>) =>
      call(contract.setSettings, { source, settings }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["contracts", "settings"] }),
  });
  return (
    <Loaded query={query} height={160}>
      {({ all, bySource }) => {
        const own: z.output<typeof contract.StoredSettings> = source === "" ? all : (bySource[source] ?? {});
        const choose = (key: keyof Settings, value: string | readonly string[] | null): void => {
          const { [key]: _, ...rest } = own;
          change.mutate(contract.StoredSettings.parse(value === asForAll ? rest : { ...rest, [key]: value }));
        };
        return (
          <Stack gap="sm">
            <Text>What becomes of what does not fit. A contract can say otherwise for its events.</Text>
            <Select
              label="For"
              data={[{ value: "", label: "All sources" }, ...named.map(({ id, name }) => ({ value: id, label: name }))]}
              value={source}
              allowDeselect={false}
              onChange={(to) => void navigate({ to: ".", search: { tab: "choices", source: to === "" ? undefined : to } as never })}
              maw={320}
            />
            <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
              {choices.map(({ key, label, data }) => (
                <Select
                  key={key}
                  label={label}
                  data={source === "" ? data : [{ value: asForAll, label: `As for all (${(data.find(({ value }) => value === all[key])?.label ?? "").toLowerCase()})` }, ...data]}
                  value={own[key] ?? asForAll}
                  allowDeselect={false}
                  onChange={(value) => choose(key, value)}
                />
              ))}
            </SimpleGrid>
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              {purposes.map(({ key, label, description }) => (
                <TagsInput
                  key={key}
                  label={label}
                  description={source === "" || own[key] !== undefined ? description : `${description} As for all: ${all[key].length === 0 ? "none" : all[key].join(", ")}.`}
                  placeholder="Such as analytics"
                  value={[...(own[key] ?? [])]}
                  maxTags={20}
                  onChange={(value) => choose(key, value)}
                />
              ))}
            </SimpleGrid>
            {[change.error, known.error].map((error, at) => error !== null && <Problem key={at} error={error} />)}
          </Stack>
        );
      }}
    </Loaded>
  ); // prettier-ignore
};

const tabs = ["breaches", "held", "contracts", "choices"] as const;

/** What arrives against what was agreed: what does not fit, what is held, the contracts, and what is done. */
export const ContractsPage = () => {
  const { tab, event }: { tab?: unknown; event?: unknown } = useSearch({ strict: false });
  const navigate = useNavigate();
  const shown = tabs.find((one) => one === tab) ?? "breaches";
  return (
    <Stack>
      <Title order={1}>Contracts</Title>
      <Tabs
        value={shown}
        onChange={(next) => void navigate({ to: ".", search: { tab: next } as never })}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="breaches">What does not fit</Tabs.Tab>
          <Tabs.Tab value="held">Held</Tabs.Tab>
          <Tabs.Tab value="contracts">Contracts</Tabs.Tab>
          <Tabs.Tab value="choices">What is done</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="breaches">
          <Breaches />
        </Tabs.Panel>
        <Tabs.Panel value="held">
          <HeldEvents key={String(event)} event={typeof event === "string" ? event : undefined} />
        </Tabs.Panel>
        <Tabs.Panel value="contracts">
          <Contracts />
        </Tabs.Panel>
        <Tabs.Panel value="choices">
          <Choices />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
};
