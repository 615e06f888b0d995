import { performance } from "node:perf_hooks";
import { listen } from "#app/server.ts";
import { openSystem } from "#app/system.ts";
import { readConfig } from "#kernel/config.ts";
import { createWorkspace } from "#programs/workspaces/create.ts";
import { Flag } from "#programs/flags/document.ts";
import { bookOf } from "#programs/flags/book.ts";

const [mostFlags, contexts, asked, askedFlags] = [5_000, 10_000, 3_000, 100];
const plans = ["free", "pro", "enterprise"];

/** A rule on an attribute, then a split. */
const flagOf = (n: number): Flag =>
  Flag.parse({
    key: `flag-${n}`,
    type: "boolean",
    variations: [{ name: "on", value: true }, { name: "off", value: false }],
    environments: {
      production: {
        isOn: true,
        otherwise: "off",
        rules: [
          { when: [{ property: "plan", values: ["enterprise"] }, { property: "seats", op: "gte", values: [n % 50] }], serve: { variation: "on" } },
          { serve: { split: { parts: [{ variation: "on", weight: 1 }, { variation: "off", weight: 1 }], coverage: 0.5 } } },
        ],
      },
    },
  }); // prettier-ignore

const quantile = (all: readonly number[], share: number): number => all.toSorted((a, b) => a - b)[Math.floor(all.length * share)] ?? 0; // prettier-ignore

/** All flags for each context, in one process. */
const inProcess = (): void => {
  const book = bookOf(Array.from({ length: mostFlags }, (_, n) => flagOf(n)), "production"); // prettier-ignore
  let on = 0;
  const single: number[] = [];
  const began = performance.now();
  for (let at = 0; at < contexts; at += 1) {
    const context = { key: `user-${at}`, attributes: { plan: plans[at % 3], seats: at % 60 }, isIn: () => false };
    for (const key of book.keys) {
      const found = book.evaluate(key, context, began);
      if ("value" in found && found.value === true) on += 1;
    }
    const before = performance.now();
    book.evaluate(`flag-${at % mostFlags}`, context, began);
    single.push(performance.now() - before);
  }
  const ms = performance.now() - began;
  const all = mostFlags * contexts;
  console.log(`flags       ${mostFlags.toLocaleString("en")} × ${contexts.toLocaleString("en")} contexts: ${(ms / 1000).toFixed(1)} s, ${((ms / all) * 1e6).toFixed(0)} ns an answer, ${((100 * on) / all).toFixed(1)} % on`); // prettier-ignore
  console.log(`one answer  p99 ${(quantile(single, 0.99) * 1000).toFixed(1)} µs`);
};

const timed = async (ask: () => Promise<Response>): Promise<number[]> => {
  const times: number[] = [];
  for (let n = 0; n < asked; n += 1) {
    const before = performance.now();
    await (await ask()).text();
    times.push(performance.now() - before);
  }
  return times.slice(asked / 10); // the first ones warm up
};

/** One flag, and all of 100, over HTTP; beside an address that does nothing. */
const overHttp = async (folder: string): Promise<void> => {
  const system = await openSystem(readConfig({}, { data: folder, port: 0, log_level: "error" }));
  const server = await listen(system);
  const member = await system.access.createMember("bench@example.com", "Bench", "a long password");
  const workspace = await createWorkspace(system.store, { name: "Bench", zone: "UTC", weekStart: "monday" }, member, Date.now()); // prettier-ignore
  const principal = await system.access.fromSession(await system.access.signIn("bench@example.com", "a long password"));
  const ask = (operation: string, input: unknown) => system.dispatch({ operation, input, principal, workspace });
  for (let n = 0; n < askedFlags; n += 1) await ask("flags.save", { flag: flagOf(n), version: 0 });
  const { environments } = (await ask("flags.environments", {})) as { environments: { key: string }[] }; // its contract
  const url = server.url.replace("localhost", "127.0.0.1");
  const headers = { "x-api-key": environments[0]?.key ?? "", "content-type": "application/json" };
  const body = JSON.stringify({ context: { targetingKey: "user-1", plan: "pro", seats: 5 } });
  const post = (path: string) => timed(() => fetch(`${url}/ofrep/v1/evaluate/flags${path}`, { method: "POST", headers, body })); // prettier-ignore
  const found = { nothing: await timed(() => fetch(`${url}/healthz`)), "one flag": await post("/flag-7"), [`${askedFlags} flags`]: await post("") }; // prettier-ignore
  for (const [name, times] of Object.entries(found)) console.log(`${name.padEnd(11)} over HTTP: p50 ${quantile(times, 0.5).toFixed(2)} ms, p99 ${quantile(times, 0.99).toFixed(2)} ms`); // prettier-ignore
  await server.http.close();
  await system.close();
};

export const benchFlags = async (folder: string): Promise<void> => {
  inProcess();
  await overHttp(folder);
};
