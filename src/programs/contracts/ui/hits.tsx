import { Anchor, Button, List, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "#web/call.ts";
import { Loaded } from "#web/kit/states.tsx";
import * as contract from "../contract.ts";
import type { DownstreamView, ViolationGroup } from "../contract.ts";

/** What hangs on something, with the way there. */
export const Hits = ({ uses }: { uses: readonly DownstreamView[] }) => (
  <List size="sm">
    {uses.map(({ kind, id, title, address, via }) => (
      <List.Item key={`${kind} ${id}`}>
        {kind}{" "}
        <Anchor component={Link} to={address} underline="always">
          {title}
        </Anchor>
        {via !== "" && ` by ${via}`}
      </List.Item>
    ))}
  </List>
);

/** The property that a violation is of; undefined for the event as a whole. */
const propertyOf = ({ path }: ViolationGroup): string | undefined =>
  /^\/properties\/([^/]+)/.exec(path)?.[1]?.replaceAll("~1", "/").replaceAll("~0", "~");

/** What a violation hits: told by itself for the first of a page, and for the others when it is asked. */
export const HitsOf = ({ group, isFirst }: { group: ViolationGroup; isFirst: boolean }) => {
  const [isAsked, setAsked] = useState(isFirst);
  const property = propertyOf(group);
  const { event } = group;
  const used = property === undefined ? ({ kind: "event", id: event } as const) : ({ kind: "property", id: property, event } as const); // prettier-ignore
  const query = useQuery({
    queryKey: ["contracts", "downstream", used],
    queryFn: ({ signal }) => call(contract.downstream, used, signal),
    enabled: isAsked,
  });
  if (!isAsked)
    return (
      <Button
        size="xs"
        variant="default"
        onClick={() => setAsked(true)}
        aria-label={`What ${event} ${property ?? ""} hits`}
      >
        Show
      </Button>
    );
  return (
    <Loaded query={query} height={20}>
      {({ uses }) => (uses.length === 0 ? <Text size="sm">Nothing that was saved</Text> : <Hits uses={uses} />)}
    </Loaded>
  );
};
