import type { TrendsResult } from "#insights/trends/contract.ts";
import type { World } from "#test/world.ts";

/** What a workspace says of an event through the API: how many, of how many people, and the sum of `amount`. */
export const readBack = async (world: World, workspace: string, event: string | null) => {
  await world.settled();
  const ask = async (measure: string) => {
    const input = {
      range: { last: 3, unit: "day" },
      series: [{ event, measure, property: "amount" }],
      display: "total",
    };
    return (await world.ask<TrendsResult>("trends.ask", input, workspace)).lines[0]?.total ?? 0;
  };
  const { total } = await world.ask<{ total: number }>("sources.deadLetters", {}, workspace);
  return { events: await ask("total"), people: await ask("unique"), sum: await ask("sum"), dead: total };
};
