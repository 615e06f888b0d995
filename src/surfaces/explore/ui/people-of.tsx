import { Anchor, Button, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import * as cohorts from "#insights/cohorts/contract.ts";
import type { Chosen } from "#insights/common/insight.ts";
import type { Who } from "#insights/common/frame.ts";
import { call } from "#web/call.ts";
import { DataTable } from "#web/kit/data-table.tsx";
import { Loaded, Problem } from "#web/kit/states.tsx";
import type { Question } from "../contract.ts";
import { insightOf, type Answer } from "../insights.ts";

const shown = 100;
/** As many as one question gives out. */
const most = 10_000;

interface PointProps {
  readonly question: Question;
  readonly result: Answer;
  readonly chosen: Chosen;
}

const askWho = ({ question, result, chosen }: PointProps, limit: number, signal?: AbortSignal): Promise<Who> => {
  const { drill } = insightOf(question.kind);
  if (drill === undefined) throw new Error(`nobody is behind a ${question.kind}`);
  return call(drill.operation, { ...drill.input(question.input, chosen, result), limit }, signal);
};

const People = (props: PointProps) => {
  const query = useQuery({
    queryKey: ["who", props.question, props.chosen],
    queryFn: ({ signal }) => askWho(props, shown, signal),
  });
  return (
    <Loaded query={query} height={160}>
      {({ unit, people }) => (
        <DataTable
          caption={people.length === shown ? `The first ${shown}` : `${people.length} ${unit}`}
          rows={people}
          columns={[
            {
              title: unit === "people" ? "Person" : "Account",
              cell: ({ person, ids }) => (
                <Anchor
                  component={Link}
                  to={unit === "people" ? "/people/$person" : "/accounts/$account"}
                  params={{ person, account: person } as never}
                  underline="always"
                >
                  {ids[0] ?? person}
                </Anchor>
              ),
            },
          ]}
        />
      )}
    </Loaded>
  );
};

const MakeCohort = ({ suggested, ...point }: PointProps & { suggested: string }) => {
  const [name, setName] = useState("");
  const client = useQueryClient();
  const navigate = useNavigate();
  const make = useMutation({
    mutationFn: async () => {
      const { unit, people } = await askWho(point, most);
      const { id } = await call(cohorts.create, {
        name: name === "" ? suggested.slice(0, 100) : name,
        unit,
        definition: { kind: "list" },
      });
      const keys = people.map(({ person }) => person);
      await call(cohorts.setMembers, unit === "people" ? { id, persons: keys } : { id, ids: keys });
      return id;
    },
    onSuccess: async (id) => {
      await client.invalidateQueries({ queryKey: ["cohorts"] });
      await navigate({ to: "/cohorts/$cohort", params: { cohort: id } as never });
    },
  });
  return (
    <Stack gap="xs">
      <Group align="flex-end">
        <TextInput
          label="Make a cohort of them"
          placeholder={suggested}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          flex={1}
        />
        <Button onClick={() => make.mutate()} loading={make.isPending}>
          Make cohort
        </Button>
      </Group>
      <Text size="xs">They are put on a list as they are now, {most.toLocaleString()} at most.</Text>
      {make.error !== null && <Problem error={make.error} />}
    </Stack>
  );
};

/** The people whom a point of an answer is about, and a cohort of them. `first` is the point that was clicked. */
export const PeopleOf = ({
  question,
  result,
  first,
  close,
}: {
  question: Question;
  result: Answer;
  first: Chosen;
  close: () => void;
}) => {
  const [picked, setPicked] = useState(first);
  const { drill, title } = insightOf(question.kind);
  if (drill === undefined) return null;
  const axes = drill.axes(result);
  // what was picked and is still there, else the first of each
  const chosen = Object.fromEntries(
    axes.map(({ name, options }) => [
      name,
      (options.find(({ value }) => value === picked[name]) ?? options[0])?.value ?? "",
    ]),
  );
  return (
    <Modal opened onClose={close} title={`People of this ${title.toLowerCase()}`} size="lg">
      <Stack>
        <Group align="flex-end" grow>
          {axes.map(({ name, label, options }) => (
            <Select
              key={name}
              label={label}
              allowDeselect={false}
              searchable={options.length > 10}
              data={options.map((option) => ({ ...option }))}
              value={chosen[name] ?? null}
              onChange={(value) => setPicked({ ...chosen, [name]: value ?? "" })}
            />
          ))}
        </Group>
        <MakeCohort question={question} result={result} chosen={chosen} suggested={drill.says(chosen, result)} />
        <People question={question} result={result} chosen={chosen} />
      </Stack>
    </Modal>
  );
};
