import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { inTurns } from "./in-turns.ts";

describe("turns", () => {
  it("answer in order, never more of them at a time than allowed", async () => {
    let [running, most] = [0, 0];
    const answers = await inTurns([30, 1, 20, 5, 10, 1], 2, async (ms) => {
      running += 1;
      most = Math.max(most, running);
      await wait(ms);
      running -= 1;
      return ms * 2;
    });
    expect(answers).toEqual([60, 2, 40, 10, 20, 2]);
    expect(most).toBe(2);
    expect(await inTurns([], 2, () => Promise.reject(new Error("never")))).toEqual([]);
  });

  it("end together for the reason of the first that fails, and none begins after it", async () => {
    const [begun, ended]: [number[], number[]] = [[], []];
    const run = async (n: number, signal: AbortSignal): Promise<number> => {
      begun.push(n);
      if (n === 1) throw new Error("the first");
      await wait(60_000, undefined, { signal }).catch(() => undefined);
      ended.push(n);
      throw new Error("the second");
    };
    await expect(inTurns([0, 1, 2, 3], 2, run)).rejects.toThrow("the first");
    expect([begun, ended]).toEqual([[0, 1], [0]]);
  });

  it("are told when their caller goes away", async () => {
    const caller = new AbortController();
    const asked = inTurns([0, 1, 2], 2, (_, signal) => wait(60_000, undefined, { signal }), caller.signal);
    caller.abort();
    await expect(asked).rejects.toThrow(/aborted/);
  });
});
