import { other } from "#insights/common/frame.ts";
import { journeyEnd, type JourneyInput, type JourneyResult, type Link } from "./contract.ts";

/** A link by the names of its steps; what is not among the most frequent is Other already. */
export interface NamedLink {
  readonly place: number;
  readonly source: string;
  readonly target: string;
  readonly journeys: number;
  readonly seconds: number;
}

const placeOf = (place: number, name: string): string => `${place} ${name}`;

/** How many journeys had a step at a place. Each that is there goes on, or ends; the last place is only arrived at. */
const visits = (links: readonly NamedLink[]): Map<string, { place: number; name: string; journeys: number }> => {
  const found = new Map<string, { place: number; name: string; journeys: number }>();
  const add = (place: number, name: string, journeys: number): void => {
    const known = found.get(placeOf(place, name))?.journeys ?? 0;
    found.set(placeOf(place, name), { place, name, journeys: known + journeys });
  };
  const last = Math.max(...links.map((link) => link.place));
  for (const link of links) {
    add(link.place, link.source, link.journeys);
    if (link.place === last && link.target !== journeyEnd) add(last + 1, link.target, link.journeys);
  }
  return found;
};

/** Keeps the most frequent steps of each place, and the start and end asked for; the others are Other. */
export const folded = (
  input: JourneyInput,
  links: readonly NamedLink[],
): Pick<JourneyResult, "links" | "places" | "journeys"> => {
  if (links.length === 0) return { links: [], places: [], journeys: 0 };
  const named = new Set<string>();
  for (let place = 1; place <= input.steps; place += 1) {
    const own = [...visits(links).values()].filter((one) => one.place === place && one.name !== other);
    own.sort((a, b) => b.journeys - a.journeys || (a.name < b.name ? -1 : 1));
    const asked = own.filter(({ name }) => name === input.start || name === input.end);
    for (const { name } of [...own.slice(0, input.nodes), ...asked]) named.add(placeOf(place, name));
  }
  const nameAt = (place: number, name: string): string =>
    name === journeyEnd || named.has(placeOf(place, name)) ? name : other;
  const merged = new Map<string, NamedLink>();
  for (const link of links) {
    const source = nameAt(link.place, link.source);
    const target = nameAt(link.place + 1, link.target);
    const key = JSON.stringify([link.place, source, target]);
    const known = merged.get(key);
    const journeys = link.journeys + (known?.journeys ?? 0);
    merged.set(key, { place: link.place, source, target, journeys, seconds: link.seconds + (known?.seconds ?? 0) });
  }
  const shown = [...merged.values()];
  const stops = [...visits(shown).values()].sort((a, b) => b.journeys - a.journeys);
  const places = Array.from({ length: Math.max(...stops.map(({ place }) => place)) }, (_, index) =>
    stops.filter(({ place }) => place === index + 1).map(({ name, journeys }) => ({ name, journeys })),
  );
  const asLink = ({ place, source, target, journeys, seconds }: NamedLink): Link => ({
    place,
    source,
    target,
    journeys,
    averageSeconds: target === journeyEnd ? null : seconds / journeys,
  });
  return {
    links: shown.map(asLink).sort((a, b) => a.place - b.place || b.journeys - a.journeys),
    places,
    journeys: (places[0] ?? []).reduce((sum, { journeys }) => sum + journeys, 0),
  };
};

export const sentenceOf = (
  input: JourneyInput,
  { links, journeys }: Pick<JourneyResult, "links" | "journeys">,
  from: string,
  to: string,
): string => {
  const where = [
    input.start === undefined ? "" : ` that begin at ${input.start}`,
    input.end === undefined ? "" : ` that end at ${input.end}`,
  ].join("");
  if (journeys === 0) return `There were no journeys${where} from ${from} to ${to}.`;
  const shown = (name: string): string => (name === other ? "other steps" : name);
  const [first] = links.filter((link) => link.target !== journeyEnd);
  const share = (count: number): string =>
    `${((count / journeys) * 100).toLocaleString("en", { maximumFractionDigits: 1 })} %`;
  const most =
    first === undefined
      ? "None of them has a second step."
      : `Most often ${shown(first.target)} comes after ${shown(first.source)}: in ${share(first.journeys)} of them.`;
  return `${journeys.toLocaleString("en")} journeys${where} from ${from} to ${to}. ${most}`;
};
