import { usesOf, usable } from "#kernel/lineage.ts";
import type { Asset, Used } from "#kernel/module.ts";
import { isUsedIn } from "#kernel/references.ts";
import { holderOf, type Kind, type Node } from "./contract.ts";

/** What data there is, as lineage sees it. */
export interface Data {
  readonly events: readonly string[];
  /** A property with the events that it came with. */
  readonly properties: ReadonlyMap<string, readonly string[]>;
  /** An event with the sources that sent it. */
  readonly sources: ReadonlyMap<string, readonly string[]>;
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
}

type Named = Pick<Node, "kind" | "id" | "title">;
export const keyOf = ({ kind, id }: Pick<Node, "kind" | "id">): string => `${kind} ${id}`;
const mostNodes = 300;

const usedAs = ({ kind, id }: Named): Used | undefined => {
  if (kind === "event") return { kind, id };
  if (kind === "property") return { kind, id };
  return kind === "metric" || kind === "cohort" ? { kind, id } : undefined;
};

/** What a thing is made from, one step back. */
const feedsOf = (assets: readonly Asset[], data: Data, one: Named): Named[] => {
  if (one.kind === "event") {
    const sent = data.sources.get(one.id) ?? [];
    return assets.filter(
      (asset) => (asset.kind === "source" && sent.includes(asset.id)) || asset.about?.includes(one.id) === true,
    );
  }
  if (one.kind === "property") return (data.properties.get(one.id) ?? []).map((id) => ({ kind: "event", id, title: id })); // prettier-ignore
  const { definition, reads = [] } = assets.find((asset) => keyOf(asset) === keyOf(one)) ?? {};
  if (definition === undefined) return assets.filter((asset) => asset.kind === "source" && reads.includes(asset.id));
  const made = assets.filter((asset) => {
    const used = usable(asset);
    return used !== undefined && keyOf(asset) !== keyOf(one) && isUsedIn(definition, used);
  });
  const named = data.events.filter((id) => isUsedIn(definition, { kind: "event", id }));
  const properties = [...data.properties.keys()].filter((id) => isUsedIn(definition, { kind: "property", id }));
  return [
    ...made,
    ...named.map((id) => ({ kind: "event" as const, id, title: id })),
    ...properties.map((id) => ({ kind: "property" as const, id, title: id })),
  ];
};

/** What is made from a thing, one step on. */
const usersOf = (assets: readonly Asset[], data: Data, one: Named): Named[] => {
  if (one.kind === "source") {
    const sent = [...data.sources].flatMap(([id, senders]) => (senders.includes(one.id) ? [{ kind: "event" as const, id, title: id }] : [])); // prettier-ignore
    return [...sent, ...assets.filter(({ reads = [] }) => reads.includes(one.id))];
  }
  if (one.kind === "contract") return (assets.find((asset) => keyOf(asset) === keyOf(one))?.about ?? []).map((id) => ({ kind: "event" as const, id, title: id })); // prettier-ignore
  const used = usedAs(one);
  return used === undefined ? [] : usesOf(assets, used);
};

/** What feeds a thing and what hangs on it, step by step both ways. */
export const graphOf = (assets: readonly Asset[], data: Data, root: Named): Graph => {
  const nodes = new Map<string, Node>([[keyOf(root), { ...root, step: 0 }]]);
  const edges = new Map<string, { from: string; to: string }>();
  const walk = (direction: 1 | -1): void => {
    const next: Node[] = [{ ...root, step: 0 }];
    const seen = new Set([keyOf(root)]);
    for (let one = next.shift(); one !== undefined && nodes.size < mostNodes; one = next.shift()) {
      const found = direction === 1 ? usersOf(assets, data, one) : feedsOf(assets, data, one);
      for (const { kind, id, title } of found) {
        const node: Node = { kind, id, title, step: one.step + direction };
        const [from, to] = direction === 1 ? [keyOf(one), keyOf(node)] : [keyOf(node), keyOf(one)];
        if (nodes.size < mostNodes || nodes.has(keyOf(node))) edges.set(`${from}\n${to}`, { from, to });
        if (seen.has(keyOf(node)) || (nodes.size >= mostNodes && !nodes.has(keyOf(node)))) continue;
        seen.add(keyOf(node));
        if (!nodes.has(keyOf(node))) nodes.set(keyOf(node), node);
        next.push(node);
      }
    }
  };
  walk(1);
  walk(-1);
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
};

const producer = "https://github.com/throughline/throughline";
const schema = "https://openlineage.io/spec/2-0-2/OpenLineage.json";

/**
 * OpenLineage 2-0-2: a DatasetEvent for each event and source, a JobEvent for each thing that is made, with what it reads
 * and what it gives. Names are `kind/id` in the workspace's namespace.
 */
export const openLineageOf = (
  assets: readonly Asset[],
  data: Data,
  workspace: string,
  at: string,
  classOf: (kind: Kind, name: string) => string | undefined,
): readonly object[] => {
  const namespace = `throughline://${workspace}`;
  const nameOf = ({ kind, id }: Pick<Node, "kind" | "id">): string => `${kind}/${id}`;
  const facet = (fields: object, url: string) => ({ _producer: producer, _schemaURL: `https://openlineage.io/spec/facets/${url}.json`, ...fields }); // prettier-ignore
  const dataset = (one: Pick<Node, "kind" | "id">, facets: object = {}) => ({ namespace, name: nameOf(one), facets });
  const datasets = data.events.map((event) => {
    const fields = [...data.properties].flatMap(([name, events]) => (events.includes(event) ? [{ name }] : []));
    const tags = fields.flatMap(({ name }) => {
      const value = classOf("property", name);
      return value === undefined ? [] : [{ key: "class", value, source: "throughline", field: name }];
    });
    const facets = {
      schema: facet({ fields }, "1-2-0/SchemaDatasetFacet"),
      ...(tags.length === 0 ? {} : { tags: facet({ tags }, "1-0-0/TagsDatasetFacet") }),
    };
    return { eventTime: at, producer, schemaURL: `${schema}#/$defs/DatasetEvent`, dataset: dataset({ kind: "event", id: event }, facets) }; // prettier-ignore
  });
  const jobs = assets
    .filter(({ definition, reads }) => definition !== undefined || reads !== undefined)
    .map((asset) => ({
      eventTime: at,
      producer,
      schemaURL: `${schema}#/$defs/JobEvent`,
      job: {
        namespace,
        name: nameOf(asset),
        facets: {
          documentation: facet({ description: asset.description === "" ? asset.title : asset.description }, "1-0-0/DocumentationJobFacet"), // prettier-ignore
          ...(asset.owner === "" ? {} : { ownership: facet({ owners: [{ name: asset.owner, type: "OWNER" }] }, "1-0-0/OwnershipJobFacet") }), // prettier-ignore
        },
      },
      inputs: feedsOf(assets, data, asset).filter(({ kind }) => kind !== "property").map((one) => dataset(one)),
      outputs: [dataset(asset)],
    })); // prettier-ignore
  const senders = assets
    .filter(({ kind }) => kind === "source")
    .map((source) => ({
      eventTime: at,
      producer,
      schemaURL: `${schema}#/$defs/JobEvent`,
      job: { namespace, name: nameOf(source), facets: {} },
      inputs: [],
      outputs: [...data.sources].flatMap(([id, sent]) => (sent.includes(source.id) ? [dataset({ kind: "event", id })] : [])), // prettier-ignore
    }));
  return [...datasets, ...senders, ...jobs];
};

/** The kernel's name of who holds a property or trait of the catalog. */
export const holder = (kind: Kind): "event" | "person" | "account" | undefined =>
  kind in holderOf ? holderOf[kind as keyof typeof holderOf] : undefined;
