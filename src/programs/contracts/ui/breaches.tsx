import { Anchor, Badge, Box, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { moment } from "#web/kit/moment.ts";
import { Empty, Loaded } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { ViolationGroup } from "../contract.ts";
import { HitsOf } from "./hits.tsx";

/** A new one is to be seen within seconds of its event. */
const everyMs = 5_000;
const toldByThemselves = 10;

const says = ({ rule, expected, actual, keyword }: ViolationGroup): string => {
  if (rule === "masked") return `Held ${keyword.toLowerCase().replaceAll("_", " ")}; it was masked.`;
  if (rule === "required_missing") return "Is missing.";
  if (rule === "unplanned_property") return "Is not in the contract.";
  if (rule === "unplanned_event") return "No contract has this event.";
  return `Should have ${expected}; is ${actual}.`;
};
const became: Readonly<Record<string, string>> = { forward: "Went on", quarantine: "Held", block: "Refused" };

/** What did not fit in the last week, alike put together, the latest first. */
export const Breaches = () => {
  const query = useQuery({
    queryKey: ["contracts", "violations"],
    queryFn: ({ signal }) => call(contract.violations, {}, signal),
    refetchInterval: everyMs,
  });
  return (
    <Loaded query={query}>
      {({ groups }) =>
        groups.length === 0 ? (
          <Empty
            title="Everything fits"
            action={
              <Button component={Link} to="/contracts" search={{ tab: "contracts" } as never} variant="default">
                Propose a contract
              </Button>
            }
          >
            In the last seven days no event broke a contract, and none held personal data or secrets where they do not
            belong. Begin with one event: propose its contract from what arrives.
          </Empty>
        ) : (
          <DataTable
            caption="What did not fit in the last 7 days, the latest first"
            rows={groups}
            columns={[
              {
                title: "Event",
                cell: ({ event }) => (
                  <Anchor component={Link} to="/contracts" search={{ tab: "held", event } as never} underline="always">
                    {event === "" ? "(person or account)" : event}
                  </Anchor>
                ),
              },
              {
                title: "Where",
                cell: ({ path }) => (
                  <Box miw={160} style={{ overflowWrap: "anywhere" }}>
                    {path}
                  </Box>
                ),
              },
              { title: "What", cell: says },
              {
                title: "Sent by",
                cell: ({ library, release }) =>
                  library === "" && release === ""
                    ? "–"
                    : [library, release === "" ? "" : `app ${release}`].filter((one) => one !== "").join(", "),
              },
              {
                title: "Became of it",
                cell: ({ action }) => (
                  <Badge variant="outline" color={action === "forward" ? "gray" : "red"}>
                    {became[action] ?? action}
                  </Badge>
                ),
              },
              {
                title: "Contract",
                cell: ({ contract: id, version }) => (id === "" ? "–" : `${id} ${version}`),
              },
              {
                title: "Hits",
                cell: (group) =>
                  group.rule === "masked" || group.event === "" ? (
                    "–"
                  ) : (
                    <HitsOf group={group} isFirst={groups.indexOf(group) < toldByThemselves} />
                  ),
              },
              { title: "Events", numeric: true, cell: ({ count }) => count.toLocaleString() },
              { title: "Since", cell: ({ first }) => moment(first) },
              { title: "Last", cell: ({ last }) => moment(last) },
            ]}
          />
        )
      }
    </Loaded>
  );
};
