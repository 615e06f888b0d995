import { describe, expect, it } from "vitest";
import type { TrendsResult } from "#insights/trends/contract.ts";
import type { Overview as Voices } from "#programs/voices/contract.ts";
import { noVeil } from "#kernel/classes.ts";
import type { Overview } from "#programs/cx-score/contract.ts";
import type { Trust } from "#programs/cx-score/trust.ts";
import { companyDays, simulate, truths } from "#programs/demo/company.ts";
import { Question } from "#surfaces/explore/contract.ts";
import { questionOf } from "#surfaces/explore/ui/question.ts";
import { readAsked } from "#surfaces/explore/ui/asked.ts";
import { insightOf } from "#surfaces/explore/insights.ts";
import type { QuestionTile } from "#surfaces/dashboards/contract.ts";
import type { AuditView } from "#programs/audit/contract.ts";
import type { Results } from "#programs/experiments/operations.ts";
import { useWorld } from "#test/world.ts";

const world = useWorld();

describe("the demo workspace", () => {
  it("fills through the door, answers with what was simulated, and goes with one call", async () => {
    const { workspace } = await world.ask<{ workspace: string }>("demo.create", {});
    const status = () => world.ask<{ share: number; complete: boolean }>("demo.status", {}, workspace);
    expect((await status()).complete).toBe(false);
    await expect(world.ask("demo.create", {})).rejects.toMatchObject({ code: "demo.exists" });
    await expect.poll(async () => (await status()).complete, { timeout: 120_000, interval: 500 }).toBe(true);

    const today = new Date().toISOString().slice(0, 10);
    const events = [...simulate({ seed: 20_260_301, end: Date.parse(today), scale: 1 })].flat();
    const signUps = new Set(events.filter(({ name }) => name === "Signed up").map(({ userId }) => userId));
    const range = { last: companyDays + 40, unit: "day" };
    const series = [{ event: "Signed up", measure: "unique" }, { event: null, measure: "total" }]; // prettier-ignore
    const trend = await world.ask<TrendsResult>("trends.ask", { range, series, display: "total" }, workspace);
    expect(new Set(trend.lines.map((line) => line.total))).toEqual(new Set([signUps.size, events.length]));

    const { dashboards } = await world.ask<{ dashboards: { id: string }[] }>("dashboards.list", {}, workspace);
    const dashboard = await world.ask<{ tiles: QuestionTile[] }>(
      "dashboards.get",
      { id: dashboards[0]?.id },
      workspace,
    );
    expect(dashboard.tiles.length).toBeGreaterThan(2);
    for (const { question } of dashboard.tiles) {
      const { name } = insightOf(question.kind).operation;
      const answer = await world.ask<{ sentence: string }>(name, question.input, workspace);
      expect(answer.sentence).not.toMatch(/Nobody|Nothing/);
    }

    // what is planted in its experiments is found, and so is what is wrong with one of them
    const results = (key: string) => world.ask<Results>("experiments.results", { key }, workspace);
    const checklist = await results("onboarding-checklist");
    expect(checklist).toMatchObject({
      verdict: "ship",
      best: "checklist",
      mismatch: { isMismatch: false },
      strange: [],
    });
    const [comparison] = checklist.metrics[0]!.comparisons;
    expect(comparison!.effect!.lower).toBeGreaterThan(0);
    const colours = await results("board-colours");
    expect(colours).toMatchObject({ verdict: "invalid", mismatch: { isMismatch: true }, strange: [] });
    // what it measures happened, so that its page has something to show
    expect(colours.metrics[0]!.comparisons[0]!.control).toBeGreaterThan(0.5);
    const [control, other] = colours.arms;
    expect(other!.units / control!.units).toBeCloseTo(0.8, 1);

    // its conversations are scored, and the seat minimum is what pulls them down
    const found = (await world.system.directory.find(workspace))!;
    const [scoring] = world.system.modules.find(({ name }) => name === "cx-score")!.jobs!;
    await scoring!.run({ principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now: Date.now(), ...found }); // prettier-ignore
    const dayAt = (ago: number): string => new Date(Date.parse(today) - ago * 86_400_000).toISOString().slice(0, 10);
    const since = companyDays - truths.seatMinimum.day;
    const [before, after] = await Promise.all([[companyDays + 10, since + 1], [since, 0]].map(([from = 0, to = 0]) => world.ask<Overview>("cx.overview", { from: dayAt(from), to: dayAt(to) }, workspace))); // prettier-ignore
    expect(after!.total.scored).toBe(after!.total.conversations);
    expect(before!.total.mean! - after!.total.mean!).toBeGreaterThan(0.1);
    const policy = ({ drivers }: Overview): number => drivers.find(({ driver }) => driver === "policy_feedback")?.points ?? 0; // prettier-ignore
    expect(policy(after!)).toBeLessThan(policy(before!));
    // customers of the demo agree where they were asked
    const { customers } = await world.ask<{ customers: Trust }>("cx.trust", {}, workspace);
    expect(customers.rows[0]!.auc).toBeGreaterThan(0.8);

    // some are asked how they work, and what they say is heard
    const [reading] = world.system.modules.find(({ name }) => name === "voices")!.jobs!;
    await reading!.run({ principal: { kind: "nobody" }, role: "owner", veil: noVeil, signal: new AbortController().signal, log: world.system.log, now: Date.now(), ...found }); // prettier-ignore
    const heard = await world.ask<Voices>("voices.overview", { from: dayAt(companyDays + 10), to: dayAt(0) }, workspace); // prettier-ignore
    expect(heard.kinds.find(({ kind }) => kind === "interview")!.conversations).toBeGreaterThan(5);
    expect(heard.themes.reduce((sum, { jobs }) => sum + jobs, 0)).toBeGreaterThan(5);

    await world.ask("workspaces.remove", { name: "Fernly (demo)" }, workspace);
    await expect(status()).rejects.toMatchObject({ status: 404 });
    expect(world.system.ingest.stats.failing).toBeUndefined();
  }, 180_000);

  it("holds questions that the builder shows as they are", async () => {
    const { workspace } = await world.ask<{ workspace: string }>("demo.create", {});
    const { dashboards } = await world.ask<{ dashboards: { id: string }[] }>("dashboards.list", {}, workspace);
    const { tiles } = await world.ask<{ tiles: QuestionTile[] }>(
      "dashboards.get",
      { id: dashboards[0]?.id },
      workspace,
    );
    for (const { address, question } of tiles) {
      const search = Object.fromEntries(
        [...new URL(address, "http://here").searchParams].map(([name, text]) => [
          name,
          /^[[\d{tf]/.test(text) ? parsed(text) : text,
        ]),
      );
      expect(Question.parse(withoutLimit(questionOf(readAsked(search))))).toEqual(
        Question.parse(withoutLimit(question)),
      );
    }
    await world.ask("workspaces.remove", { name: "Fernly (demo)" }, workspace);
  }, 60_000);

  it("is removed by its owner alone, and by its name", async () => {
    const workspace = await world.newWorkspace();
    await expect(world.ask("workspaces.remove", { name: "acme?" }, workspace)).rejects.toMatchObject({
      code: "workspaces.other_name",
    });
    const { key } = await world.ask<{ key: string }>("workspaces.createKey", { name: "k", role: "admin" }, workspace);
    const response = await fetch(`${world.url}/api/workspaces.remove`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ name: "Acme" }),
    });
    expect(response.status).toBe(403);
    const { entries } = await world.ask<{ entries: AuditView[] }>("audit.list", {}, workspace);
    expect(entries.map(({ action, decision, reason }) => `${action} ${decision} ${reason}`)).toEqual([
      "workspaces.remove failed workspaces.owner_only",
      "workspaces.remove allow ",
      "workspaces.createKey allow ",
      "workspaces.remove failed workspaces.other_name",
      "workspaces.remove allow ",
    ]);
  });
});

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** How many groups a chart shows is the page's own choice. */
const withoutLimit = (question: Question): unknown =>
  JSON.parse(JSON.stringify(question, (key, value) => (key === "limit" ? 5 : value)));
