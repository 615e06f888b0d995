import { describe, expect, it } from "vitest";
import type { IncomingEvent } from "#records/events/incoming.ts";
import { companyDays, simulate, truths } from "./company.ts";

const day = 86_400_000;
const ends = ["2026-03-01", "2026-11-24", "2027-06-17"].map((date) => Date.parse(date));

interface Told {
  readonly events: readonly IncomingEvent[];
  readonly dayOf: (event: IncomingEvent) => number;
  readonly named: (name: string) => readonly IncomingEvent[];
}

const tell = (end: number): Told => {
  const events = [...simulate({ seed: 20_260_301, end, scale: 1 })].flat();
  return {
    events,
    dayOf: (event) => Math.floor(((event.at ?? 0) - (end - companyDays * day)) / day),
    named: (name) => events.filter((event) => event.name === name),
  };
};

/** Sign-ups that were followed by a project and a task within seven days. */
const activation = ({ named }: Told, signedUp: readonly IncomingEvent[]): number => {
  const times = (name: string): Map<string, number> =>
    new Map(
      named(name)
        .toReversed()
        .map((event) => [event.userId ?? "", event.at ?? 0]),
    ); // the first stays
  const [projects, tasks] = [times("Project created"), times("Task created")];
  const reached = signedUp.filter(({ userId = "", at = 0 }) => {
    const [project = 0, task = 0] = [projects.get(userId), tasks.get(userId)];
    return project >= at && task >= project && task - at <= 7 * day;
  });
  return reached.length / signedUp.length;
};

const sum = (events: readonly IncomingEvent[]): number =>
  events.reduce((total, event) => total + Number(event.properties?.["amount"]), 0);

describe.each(ends)("the simulated company that ends at %i", (end) => {
  const told = tell(end);
  const { named, dayOf, events } = told;
  const signUps = named("Signed up");

  it("has the size that is promised", () => {
    const members = new Set(events.map((event) => event.userId).filter((id) => id?.startsWith("user-")));
    const visitors = new Set(events.map((event) => event.anonymousId).filter((id) => id?.startsWith("visitor-")));
    expect(members.size + visitors.size).toBeGreaterThan(17_000);
    expect(members.size + visitors.size).toBeLessThan(24_000);
    expect(signUps.length).toBeGreaterThan(1_350);
    expect(signUps.length).toBeLessThan(1_750);
    expect(new Set(events.map((event) => event.messageId)).size).toBe(events.length);
    expect(events.every((event) => (event.at ?? Infinity) < end)).toBe(true);
  });

  it("activates more with the checklist", () => {
    const variants = new Map(
      named("Experiment viewed")
        .filter((event) => event.properties?.["experiment"] === "onboarding checklist")
        .map((event) => [event.userId, event.properties?.["variant"] as string]),
    );
    const of = (variant: string) => signUps.filter((event) => variants.get(event.userId) === variant);
    expect(of("control").length).toBeGreaterThan(150);
    expect(activation(told, of("checklist")) - activation(told, of("control"))).toBeGreaterThan(0.07);
  });

  it("loses activation, and the property, while version 4.12.0 was out", () => {
    const { from, to, version } = truths.brokenProperty;
    const broken = signUps.filter((event) => event.properties?.["app_version"] === version);
    expect(broken.every((event) => dayOf(event) >= from && dayOf(event) <= to)).toBe(true);
    const around = signUps.filter((event) => Math.abs(dayOf(event) - (from + to) / 2) < 40 && !broken.includes(event));
    expect(activation(told, broken)).toBeLessThan(activation(told, around) * 0.7);
    for (const event of named("Project created")) {
      expect("template" in (event.properties ?? {})).toBe(event.properties?.["app_version"] !== version);
    }
  });

  it("wastes most of its spend on display", () => {
    const spend = named("Campaign spend");
    const display = spend.filter((event) => event.properties?.["channel"] === truths.wastefulChannel);
    const paying = named("Subscription started");
    const fromDisplay = paying.filter((event) => event.properties?.["channel"] === truths.wastefulChannel);
    expect(sum(display) / sum(spend)).toBeGreaterThan(0.42);
    expect(fromDisplay.length / paying.length).toBeLessThan(0.12);
  });

  it("loses the accounts that complain about the seat minimum", () => {
    const cancelled = new Map(named("Subscription cancelled").map((event) => [event.account, event.at ?? 0]));
    const complaints = named("Conversation started").filter((e) => e.properties?.["topic"] === "seat minimum");
    const old = complaints.filter((event) => (event.at ?? 0) < end - 46 * day);
    const lost = old.filter((event) => (cancelled.get(event.account) ?? Infinity) - (event.at ?? 0) < 46 * day);
    const paying = named("Subscription started").length;
    expect(old.length).toBeGreaterThan(8);
    expect(lost.length / old.length).toBeGreaterThan(0.35);
    expect(cancelled.size / paying).toBeLessThan(0.35);
  });
});

it("is the same every time", () => {
  const first = [...simulate({ seed: 7, end: ends[0] ?? 0, scale: 0.05 })].flat();
  const second = [...simulate({ seed: 7, end: ends[0] ?? 0, scale: 0.05 })].flat();
  expect(second).toEqual(first);
  expect([...simulate({ seed: 8, end: ends[0] ?? 0, scale: 0.05 })].flat()).not.toEqual(first);
});
