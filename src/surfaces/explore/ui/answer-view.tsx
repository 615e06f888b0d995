import { Accordion, Button, Code, Group, Skeleton, Stack, Text } from "@mantine/core";
import { lazy, Suspense, useMemo, useRef, useState } from "react";
import type { Chosen } from "#insights/common/insight.ts";
import { download, pictureOf } from "#web/kit/download.ts";
import type { Question } from "../contract.ts";
import { notesIn, withNotes } from "../notes.ts";
import { AddNote, NoteList, useNotes } from "./notes.tsx";
import { PeopleOf } from "./people-of.tsx";
import { NumbersTable } from "./answer-table.tsx";
import { csvOf } from "../csv.ts";
import { insightOf, type Answer } from "../insights.ts";

const Chart = lazy(() => import("#web/kit/chart.tsx"));

/** The sentence, then the picture, then the table (folded away where there is little room), then how it was computed. */
export const AnswerView = ({
  result,
  question,
  compact = false,
}: {
  result: Answer;
  /** What was asked, where one may go on from a point to its people. */
  question?: Question;
  compact?: boolean;
}) => {
  const insight = insightOf(result.kind);
  const all = useNotes();
  const { options, tables, notes } = useMemo(() => {
    const chart = insight.chart(result);
    const own = notesIn(result, all);
    return {
      options: chart === undefined ? undefined : withNotes(chart, own),
      tables: insight.tables(result),
      notes: own,
    };
  }, [insight, result, all]);
  const { provenance } = result;
  const [point, setPoint] = useState<Chosen>();
  const { drill } = insight;
  const canDrill = drill !== undefined && question?.kind === result.kind;
  const clicked = useMemo(
    () =>
      canDrill
        ? (at: { series: string; place: number; item: string }) => setPoint(drill?.clicked(result, at))
        : undefined,
    [canDrill, drill, result],
  );
  const picture = useRef<HTMLDivElement>(null);
  const name = provenance.from === "" ? result.kind : `${result.kind} ${provenance.from} to ${provenance.to}`;
  const numbers = tables.map((table, place) => <NumbersTable key={place} table={table} />);
  const saveTable = (): void => download(`${name}.csv`, new Blob([csvOf(result)], { type: "text/csv;charset=utf-8" }));
  const savePicture = async (): Promise<void> => {
    const drawn = (): SVGSVGElement | null => picture.current?.querySelector("svg") ?? null;
    // the chart's own code may still be on its way
    for (let tries = 0; drawn() === null && tries < 100; tries += 1) await new Promise((next) => setTimeout(next, 100));
    const svg = drawn();
    if (svg !== null) download(`${name}.png`, await pictureOf(svg));
  };
  return (
    <Stack>
      <Text size={compact ? "md" : "lg"} data-testid="sentence">
        {result.sentence}
      </Text>
      {options !== undefined && (
        <Suspense fallback={<Skeleton height={340} />}>
          <div ref={picture}>
            <Chart
              options={options}
              label={`Chart. ${result.sentence} The table below has every number.`}
              height={compact ? 260 : 340}
              clicked={clicked}
            />
          </div>
        </Suspense>
      )}
      {notes.length > 0 && <NoteList notes={notes} />}
      <Group justify="space-between">
        <Text size="sm">{insight.note?.(result) ?? ""}</Text>
        {point !== undefined && question !== undefined && (
          <PeopleOf question={question} result={result} first={point} close={() => setPoint(undefined)} />
        )}
        <Group gap="sm" className="no-print">
          {canDrill && (
            <Button size="xs" variant="default" onClick={() => setPoint({})}>
              See people
            </Button>
          )}
          {"buckets" in result && !compact && <AddNote />}
          <Button size="xs" variant="default" onClick={saveTable}>
            Save as CSV
          </Button>
          {options !== undefined && (
            <Button size="xs" variant="default" onClick={() => void savePicture()}>
              Save as PNG
            </Button>
          )}
        </Group>
      </Group>
      {(!compact || options === undefined) && numbers}
      <Accordion variant="contained" className="no-print">
        {compact && options !== undefined && (
          <Accordion.Item value="numbers">
            <Accordion.Control>Every number</Accordion.Control>
            <Accordion.Panel>{numbers}</Accordion.Panel>
          </Accordion.Item>
        )}
        <Accordion.Item value="how">
          <Accordion.Control>How this is computed</Accordion.Control>
          <Accordion.Panel>
            <Stack gap="sm">
              <Text size="sm">{provenance.definition}</Text>
              <Text size="sm">
                {provenance.from !== "" && `${provenance.from} to ${provenance.to}, days of ${provenance.zone}. `}
                Asked at {new Date(provenance.askedAt).toLocaleString()}; took {provenance.milliseconds} ms.
              </Text>
              <Code block tabIndex={0} style={{ maxHeight: 320, overflow: "auto" }}>
                {provenance.sql}
              </Code>
            </Stack>
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </Stack>
  );
};
