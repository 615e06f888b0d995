import { useQuery } from "@tanstack/react-query";
import * as catalog from "#records/catalog/contract.ts";
import { call } from "#web/call.ts";

export interface PropertyNames {
  readonly ofEvents: readonly string[];
  readonly ofPeople: readonly string[];
}

/** Names of properties and traits that there are to ask about. */
export const useProperties = (): PropertyNames => {
  const { data } = useQuery({
    queryKey: ["properties"],
    queryFn: ({ signal }) => call(catalog.properties, { limit: 500 }, signal),
    staleTime: 30_000,
  });
  const all = data?.properties ?? [];
  const names = (on: "event" | "person") => [...new Set(all.filter((item) => item.on === on).map((item) => item.name))];
  return { ofEvents: names("event"), ofPeople: names("person") };
};

/** Properties to choose from, `person:` before those of people. */
export const propertyChoices = ({ ofEvents, ofPeople }: PropertyNames, onlyPeople = false) => [
  { group: "Person", items: ofPeople.map((name) => ({ value: `person:${name}`, label: name })) },
  ...(onlyPeople ? [] : [{ group: "Event", items: ofEvents.map((name) => ({ value: name, label: name })) }]),
];
