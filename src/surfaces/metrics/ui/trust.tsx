import { Alert, Anchor, Group, List, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ofMetric } from "#programs/quality/contract.ts";
import { call } from "#web/call.ts";
import { moment } from "#web/kit/moment.ts";

const mostShown = 5;

/** How far a metric's number may be relied on: the score of what it is made of, and what is wrong with that now. */
export const Trust = ({ metric }: { metric: string }) => {
  const query = useQuery({
    queryKey: ["quality", "metric", metric],
    queryFn: ({ signal }) => call(ofMetric, { metric }, signal),
  });
  const found = query.data;
  if (found === undefined || found.at === null || (found.score === null && found.faults.length === 0)) return null;
  const score = found.score === null ? "" : `${found.score} of 100, the worst of its sources. `;
  if (found.faults.length === 0)
    return (
      <Group gap="xs">
        <Text size="sm">
          Data quality: {score}Nothing is wrong with what it is made of, {moment(found.at)}.
        </Text>
      </Group>
    );
  return (
    <Alert variant="outline" color="yellow" title={`Data quality: ${score}${found.faults.length === 1 ? "one thing is" : `${found.faults.length} things are`} wrong with what it is made of`}>
      <List size="sm">
        {found.faults.slice(0, mostShown).map(({ kind, subject: { event, property }, says }) => (
          <List.Item key={`${kind} ${event} ${property}`}>
            {property === null ? event : `${property} of ${event}`}: {says}
          </List.Item>
        ))}
      </List>
      <Anchor component={Link} to="/govern/home" underline="always" size="sm">
        What broke
      </Anchor>
    </Alert>
  ); // prettier-ignore
};
