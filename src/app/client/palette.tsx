import "@mantine/spotlight/styles.css";
import { ActionIcon } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { Spotlight, spotlight, type SpotlightActionGroupData } from "@mantine/spotlight";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import * as cohorts from "#insights/cohorts/contract.ts";
import * as metrics from "#insights/metrics/contract.ts";
import * as catalog from "#records/catalog/contract.ts";
import * as people from "#records/people/contract.ts";
import * as dashboards from "#surfaces/dashboards/contract.ts";
import { call } from "#web/call.ts";
import { pagesFor } from "#web/shell.tsx";
import type { Role } from "#kernel/roles.ts";

/** As many of each sort as the palette offers. */
const most = 6;

const useNames = (search: string, opened: boolean, role: Role): readonly SpotlightActionGroupData[] => {
  const navigate = useNavigate();
  const names = useQuery({
    queryKey: ["palette"],
    queryFn: async ({ signal }) => {
      const [numbers, boards, groups, events] = await Promise.all([
        call(metrics.list, {}, signal),
        call(dashboards.list, {}, signal),
        call(cohorts.list, {}, signal),
        call(catalog.events, { limit: 500 }, signal),
      ]);
      return { numbers: numbers.metrics, boards: boards.dashboards, groups: groups.cohorts, events: events.events };
    },
    enabled: opened,
    staleTime: 30_000,
  });
  const found = useQuery({
    queryKey: ["palette-people", search],
    queryFn: ({ signal }) => call(people.list, { search, limit: most }, signal),
    enabled: opened && search.length > 1,
  });
  const go =
    (to: string, search: object = {}) =>
    (): void =>
      void navigate({ to, search: search as never });
  const { numbers = [], boards = [], groups = [], events = [] } = names.data ?? {};
  const known = (group: string, all: readonly { id: string; label: string; keywords?: string[]; onClick: () => void }[]): SpotlightActionGroupData => ({ group, actions: all.map((action) => ({ ...action, id: `${group} ${action.id}` })) }); // prettier-ignore
  return [
    known("Pages", pagesFor(role).map(({ path, title }) => ({ id: path, label: title, onClick: go(path) }))), // prettier-ignore
    known("Metrics", numbers.map(({ key, name }) => ({ id: key, label: name, onClick: go(`/catalog/metrics/${key}`) }))), // prettier-ignore
    known(
      "Dashboards",
      boards.map(({ id, name }) => ({ id, label: name, onClick: go(`/dashboards/${id}`) })),
    ),
    known(
      "Cohorts",
      groups.map(({ id, name }) => ({ id, label: name, onClick: go(`/cohorts/${id}`) })),
    ),
    known("Ask about an event", events.map(({ name }) => ({ id: name, label: name, onClick: go("/explore", { kind: "trends", events: [name] }) }))), // prettier-ignore
    known("People", (search.length > 1 ? (found.data?.people ?? []) : []).map(({ id, ids, name }) => ({ id, label: name, keywords: ids, onClick: go(`/people/${id}`) }))), // prettier-ignore
  ];
};

/** Finds pages, metrics, dashboards, cohorts, events and people by typing: Ctrl or ⌘ with K. */
export const Palette = ({ role }: { role: Role }) => {
  const [query, setQuery] = useState("");
  const [opened, setOpened] = useState(false);
  const [search] = useDebouncedValue(query, 200);
  const groups = useNames(search, opened, role);
  return (
    <>
      <ActionIcon variant="default" size="lg" aria-label="Find" title="Ctrl or ⌘ with K" onClick={spotlight.open}>
        <IconSearch size={18} aria-hidden />
      </ActionIcon>
      <Spotlight
        actions={[...groups]}
        query={query}
        onQueryChange={setQuery}
        onSpotlightOpen={() => setOpened(true)}
        onSpotlightClose={() => setOpened(false)}
        nothingFound="Nothing of that name"
        scrollable
        maxHeight={480}
        limit={30}
        attributes={{ content: { "aria-label": "Find" } }}
        searchProps={{ placeholder: "A page, metric, dashboard, cohort, event or person", "aria-label": "Find" }}
      />
    </>
  );
};
