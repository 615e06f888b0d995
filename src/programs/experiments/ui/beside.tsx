import { Alert, Card, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { Loaded } from "#web/kit/states.tsx";
import * as operations from "../operations.ts";
import { effectWords, percent } from "../words.ts";

/** Other experiments on the same people, and whether this one does the same whatever their arm. Nothing where there are none. */
export const Beside = ({ experimentKey }: { experimentKey: string }) => {
  const query = useQuery({ queryKey: ["experiments", "beside", experimentKey], queryFn: ({ signal }) => call(operations.beside, { key: experimentKey }, signal) });
  return (
    <Loaded query={query} height={60}>
      {({ experiments, left }) =>
        experiments.length > 0 && (
          <Card withBorder>
            <Stack gap="sm">
              <Title order={2} size="h4">Beside other experiments</Title>
              {experiments.filter(({ isAlarm }) => isAlarm).map(({ key, name, pValue }) => (
                <Alert key={key} variant="outline" color="red" title={`It does not do the same in every arm of ${name}`}>
                  So different by chance: p = {pValue?.toPrecision(2)}. Read each alone, or put both in one layer next time.
                </Alert>
              ))}
              <DataTable
                caption="The metric that decides, in each arm of the others"
                rows={experiments.flatMap(({ name, pValue, arms }) => arms.map((arm) => ({ name, pValue, ...arm })))}
                columns={[
                  { title: "Experiment", cell: ({ name }) => name },
                  { title: "Its arm", cell: ({ other }) => other },
                  { title: "Arm here", cell: ({ arm }) => arm },
                  { title: "Units", numeric: true, cell: ({ units }) => units.toLocaleString() },
                  { title: "Effect here", numeric: true, cell: ({ effect }) => (effect === null ? "–" : `${effectWords(effect.estimate)} ± ${percent(2 * effect.standardError, 1)}`) },
                  { title: "Alike (p)", numeric: true, cell: ({ pValue }) => (pValue === null ? "–" : pValue.toPrecision(2)) },
                ]}
              />
              <Text size="sm">Effects with twice their standard error. An alarm is below p = 0.01, shared by all of them{left > 0 ? `; ${left} older ones were not looked at` : ""}.</Text>
            </Stack>
          </Card>
        )
      }
    </Loaded>
  );
}; // prettier-ignore
