import { Anchor, Button, Group, Select, Stack, Text, Title } from "@mantine/core";
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { call, open } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { download } from "#web/kit/download.ts";
import { moment } from "#web/kit/moment.ts";
import { useSearchBox } from "#web/kit/search-box.tsx";
import { Empty, Loaded, Problem } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import { addressOf } from "./lineage.tsx";
import { classWords, kindWords } from "./words.ts";

const shown = 200;

/** Everything there is, to search and to go into. */
export const CatalogPage = () => {
  const { asked, box } = useSearchBox("By name, description or owner");
  const given: Record<string, unknown> = useSearch({ strict: false });
  const kind = contract.Kind.safeParse(given["kind"]).data;
  const navigate = useNavigate();
  const query = useQuery({
    queryKey: ["stewardship", "catalog", asked, kind],
    queryFn: ({ signal }) => call(contract.list, { search: asked, kind, limit: shown }, signal),
    placeholderData: keepPreviousData,
  });
  const take = useMutation({
    mutationFn: async () => download("openlineage.ndjson", await (await open(contract.openLineage, {})).blob()),
  });
  return (
    <Stack>
      <Title order={1}>Catalog</Title>
      <Text maw={720}>
        What data there is, whose it is, who may see it, and what was made from it. Open a line to see what feeds it and
        what hangs on it.
      </Text>
      <Group align="flex-end" gap="sm">
        {box}
        <Select
          label="Of"
          data={[{ value: "", label: "Everything" }, ...contract.kinds.map((value) => ({ value, label: kindWords[value] }))]}
          value={kind ?? ""}
          allowDeselect={false}
          onChange={(to) => void navigate({ to: ".", search: { search: given["search"], kind: to === "" ? undefined : to } as never, replace: true })}
        />
        <Button variant="default" loading={take.isPending} onClick={() => take.mutate()}>
          Export as OpenLineage
        </Button>
      </Group>
      {take.error !== null && <Problem error={take.error} />}
      <Loaded query={query} height={400}>
        {({ items, total }) =>
          total === 0 ? (
            <Empty title="Nothing is called that">
              {asked === "" && kind === undefined ? "Send events, and what they say will be listed here." : "Search for another word, or of everything."}
            </Empty>
          ) : (
            <DataTable
              caption={total > items.length ? `The first ${items.length} of ${total.toLocaleString()}; search to narrow them down` : `${total.toLocaleString()} in the catalog`}
              rows={items}
              columns={[
                {
                  title: "Name",
                  cell: (item) => (
                    <Anchor component={Link} to={addressOf(item)} underline="always" style={{ overflowWrap: "anywhere", display: "inline-block", minWidth: 110 }}>
                      {item.title}
                    </Anchor>
                  ),
                },
                { title: "Is", cell: (item) => kindWords[item.kind] },
                { title: "Class", cell: (item) => (item.class === null ? "" : classWords[item.class].label) },
                { title: "Owner", cell: (item) => item.owner },
                { title: "Seen or changed", cell: (item) => (item.at === null ? "" : moment(item.at)) },
              ]}
            />
          )
        }
      </Loaded>
    </Stack>
  ); // prettier-ignore
};
