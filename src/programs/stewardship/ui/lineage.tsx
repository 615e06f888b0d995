import { Anchor, List, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Scroll } from "#web/kit/scroll.tsx";
import type { Kind, Node } from "../contract.ts";
import { kindWords } from "./words.ts";

const [boxWidth, boxHeight, gapX, gapY] = [190, 44, 70, 12];
const mostDrawn = 40;
const keyOf = ({ kind, id }: Pick<Node, "kind" | "id">): string => `${kind} ${id}`;
const short = (text: string): string => (text.length > 25 ? `${text.slice(0, 24)}…` : text);

export const addressOf = ({ kind, id }: { readonly kind: Kind; readonly id: string }): string =>
  `/govern/catalog/${kind}/${encodeURIComponent(id)}`;

interface Placed extends Node {
  readonly x: number;
  readonly y: number;
}

/** A column for each step, from what feeds the item at the left to what hangs on it at the right. */
const placed = (nodes: readonly Node[]): readonly Placed[] => {
  const first = Math.min(...nodes.map(({ step }) => step));
  const rows = new Map<number, number>();
  return nodes.map((node) => {
    const row = rows.get(node.step) ?? 0;
    rows.set(node.step, row + 1);
    return { ...node, x: (node.step - first) * (boxWidth + gapX), y: row * (boxHeight + gapY) };
  });
};

const Drawing = ({ nodes, edges }: { nodes: readonly Node[]; edges: readonly { from: string; to: string }[] }) => {
  const all = placed(nodes);
  const at = new Map(all.map((node) => [keyOf(node), node]));
  const width = Math.max(...all.map(({ x }) => x)) + boxWidth + 2;
  const height = Math.max(...all.map(({ y }) => y)) + boxHeight + 2;
  return (
    <Scroll label="Lineage, drawn">
      <svg width={width} height={height} role="img" aria-label="Lineage; the same is written below.">
        {edges.map(({ from, to }) => {
          const [a, b] = [at.get(from), at.get(to)];
          if (a === undefined || b === undefined) return null;
          const [x1, y1, x2, y2] = [a.x + boxWidth, a.y + boxHeight / 2, b.x, b.y + boxHeight / 2];
          const bend = (x1 + x2) / 2;
          return (
            <path
              key={`${from} ${to}`}
              d={`M${x1},${y1} C${bend},${y1} ${bend},${y2} ${x2},${y2}`}
              fill="none"
              stroke="var(--mantine-color-dimmed)"
            />
          );
        })}
        {all.map((node) => (
          <g key={keyOf(node)} transform={`translate(${node.x + 1},${node.y + 1})`}>
            <title>{`${kindWords[node.kind]}: ${node.title}`}</title>
            <rect
              width={boxWidth}
              height={boxHeight}
              rx={4}
              fill="var(--mantine-color-body)"
              stroke={node.step === 0 ? "var(--mantine-primary-color-filled)" : "var(--mantine-color-default-border)"}
              strokeWidth={node.step === 0 ? 2 : 1}
            />
            <text x={10} y={17} fontSize={12} fill="var(--mantine-color-dimmed)">
              {kindWords[node.kind]}
            </text>
            <text x={10} y={34} fontSize={14} fill="var(--mantine-color-text)">
              {short(node.title)}
            </text>
          </g>
        ))}
      </svg>
    </Scroll>
  );
};

const Side = ({ title, nodes, none }: { title: string; nodes: readonly Node[]; none: string }) => (
  <Stack gap={4}>
    <Title order={3}>{title}</Title>
    {nodes.length === 0 ? (
      <Text size="sm">{none}</Text>
    ) : (
      <List size="sm">
        {nodes.map((node) => (
          <List.Item key={keyOf(node)}>
            {kindWords[node.kind].toLowerCase()}{" "}
            <Anchor component={Link} to={addressOf(node)} underline="always" size="sm">
              {node.title}
            </Anchor>
          </List.Item>
        ))}
      </List>
    )}
  </Stack>
);

/** What feeds a thing and what hangs on it: drawn while few, and written. */
export const Lineage = ({
  nodes,
  edges,
}: {
  nodes: readonly Node[];
  edges: readonly { from: string; to: string }[];
}) => {
  const near = nodes.toSorted((a, b) => Math.abs(a.step) - Math.abs(b.step));
  return (
    <Stack gap="md">
      <Title order={2}>Where it comes from and what hangs on it</Title>
      {nodes.length > 1 && <Drawing nodes={near.slice(0, mostDrawn)} edges={edges} />}
      {nodes.length > mostDrawn && (
        <Text size="sm">
          Drawn are the nearest {mostDrawn} of {nodes.length}.
        </Text>
      )}
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <Side title="What feeds it" nodes={near.filter(({ step }) => step < 0)} none="Nothing that is known here." />
        <Side title="What hangs on it" nodes={near.filter(({ step }) => step > 0)} none="Nothing that was saved." />
      </SimpleGrid>
    </Stack>
  );
};
