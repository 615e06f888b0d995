import { Anchor, Group, Select, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useProperties } from "#insights/common/ui/properties.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { Loaded } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { Breakdown as Found, Part } from "../contract.ts";
import { ManageThemes } from "./themes.tsx";
import { driverWords, interval, oneDigit, partWords, percent, points } from "./words.ts";

const Whole = ({ children }: { children: string }) => <span style={{ whiteSpace: "nowrap" }}>{children}</span>;

const Parts = ({ found, part, choose }: { found: Found; part: Part; choose: (name: string) => void }) => (
  <Stack gap="xs">
    <DataTable
      caption={`By ${part.by === "account_trait" ? part.trait : partWords[part.by].toLowerCase()}, the largest first; “before” is the time of the same length before`}
      rows={found.parts}
      columns={[
        { title: "Name", cell: ({ name, title }) => <Anchor component="button" type="button" ta="left" onClick={() => choose(name)}>{title === "" ? "(none)" : title}</Anchor> },
        { title: "Conversations", numeric: true, cell: ({ conversations }) => conversations.toLocaleString() },
        { title: "Before", numeric: true, cell: ({ before }) => before.conversations.toLocaleString() },
        { title: "Mean", numeric: true, cell: ({ mean }) => oneDigit(mean) },
        { title: "Mean before", numeric: true, cell: ({ before }) => oneDigit(before.mean) },
        { title: "4 to 5", numeric: true, cell: ({ good }) => <Whole>{good === null ? "–" : percent(good.share)}</Whole> },
        { title: "Its interval", cell: ({ good }) => <Whole>{interval(good)}</Whole> },
        { title: "Pulled down the most by", cell: (one) => (one.driver === null ? "–" : <Whole>{`${driverWords[one.driver]} ${points(one.points)}`}</Whole>) },
      ]}
    />
    {found.withheld > 0 && <Text size="sm">{found.withheld} with fewer than {contract.leastOfTeammate} scored conversations are not shown: so few say nothing of a person.</Text>}
  </Stack>
); // prettier-ignore

interface Given {
  readonly range: { readonly from: string; readonly to: string };
  readonly part: Part;
  readonly change: (part: Part) => void;
  readonly choose: (name: string) => void;
  readonly mayEdit: boolean;
}

/** How conversations went by parts of the whole; each leads to its conversations. */
export const Breakdown = ({ range, part, change, choose, mayEdit }: Given) => {
  const isTrait = part.by === "account_trait";
  const { ofAccounts } = useProperties();
  const query = useQuery({ queryKey: ["cx", "breakdown", range, part], queryFn: ({ signal }) => call(contract.breakdown, { ...range, part }, signal), enabled: !isTrait || part.trait !== "" });
  return (
    <Stack component="section" aria-label="By parts" gap="sm">
      <Title order={2} size="h4">Where it goes well, and where it does not</Title>
      <Group align="end">
        <Select label="By" w={200} data={contract.parted.map((value) => ({ value, label: partWords[value] }))} value={part.by} allowDeselect={false} onChange={(by) => change({ by: contract.parted.find((one) => one === by) ?? "channel", trait: "" })} />
        {part.by === "topic" && <ManageThemes mayEdit={mayEdit} />}
        {isTrait && <Select label="Trait" w={200} searchable placeholder="Such as plan" data={[...ofAccounts]} value={part.trait === "" ? null : part.trait} onChange={(trait) => change({ by: "account_trait", trait: trait ?? "" })} />}
      </Group>
      {isTrait && part.trait === "" ? <Text size="sm">Choose a trait of accounts, such as their plan.</Text> : <Loaded query={query} height={120}>{(found) => <Parts found={found} part={part} choose={choose} />}</Loaded>}
    </Stack>
  );
}; // prettier-ignore
