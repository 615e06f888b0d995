import { useQuery } from "@tanstack/react-query";
import * as catalog from "#records/catalog/contract.ts";
import { call } from "#web/call.ts";

export interface PropertyNames {
  readonly ofEvents: readonly string[];
  readonly ofPeople: readonly string[];
  readonly ofAccounts: readonly string[];
}

/** Names of properties and traits that there are to ask about; of events, those of one event where it is given. */
export const useProperties = (event?: string): PropertyNames => {
  const { data } = useQuery({
    queryKey: ["properties", event],
    queryFn: ({ signal }) =>
      call(catalog.properties, { limit: 500, ...(event === undefined ? {} : { event }) }, signal),
    staleTime: 30_000,
  });
  const all = data?.properties ?? [];
  const names = (on: "event" | "person" | "account") => [
    ...new Set(all.filter((item) => item.on === on).map((item) => item.name)),
  ];
  return { ofEvents: names("event"), ofPeople: names("person"), ofAccounts: names("account") };
};

/** Properties to choose from, `person:` before those of people. */
export const propertyChoices = ({ ofEvents, ofPeople }: PropertyNames, onlyPeople = false) => [
  { group: "Person", items: ofPeople.map((name) => ({ value: `person:${name}`, label: name })) },
  ...(onlyPeople ? [] : [{ group: "Event", items: ofEvents.map((name) => ({ value: name, label: name })) }]),
];

/** The same for conditions, which are about more: `TARGET:NAME`, and the bare name for properties of events. */
export const conditionChoices = (names: PropertyNames) => [
  ...propertyChoices(names),
  { group: "Person at that time", items: names.ofPeople.map((name) => ({ value: `person_then:${name}`, label: `${name} (then)` })) },
  { group: "Account", items: names.ofAccounts.map((name) => ({ value: `account:${name}`, label: name })) },
  { group: "Session", items: [
    { value: "session:events", label: "Events of the session" },
    { value: "session:seconds", label: "Seconds of the session" },
    { value: "session:id", label: "Session id" },
  ] },
  { group: "Product", items: [{ value: "product:", label: "Product" }] },
]; // prettier-ignore
