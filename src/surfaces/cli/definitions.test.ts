import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { useWorld } from "#test/world.ts";
import { applyFrom, planFrom, planSays, pullTo, readDefinitions } from "./definitions.ts";

const world = useWorld();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "throughline-definitions-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const two = `kind: Metric
key: buyers
name: Buyers
unit: people
measure:
  kind: unique
  event: Bought
---
kind: Metric
key: conversion
name: From sign-up to first order
direction: up
moment: activation
inputs: [buyers]
measure:
  kind: conversion
  windowSeconds: 604800
  steps:
    - event: Signed up
    - event: Bought
      filters:
        - { property: amount, op: gt, values: [0] }
`;

describe("definitions in files", () => {
  it("are planned, applied and pulled, and then nothing is left to do", async () => {
    const { key } = await world.ask<{ key: string }>("workspaces.createKey", { name: "ci", role: "analyst" });
    const remote = { url: world.url, key };
    mkdirSync(join(folder, "growth"));
    writeFileSync(join(folder, "growth", "orders.yml"), two);
    writeFileSync(join(folder, "notes.md"), "no definition");
    expect(planSays(await planFrom(remote, folder))).toBe(
      "  + buyers (Buyers)\n  + conversion (From sign-up to first order)\n2 to add, 0 to change, 0 to remove, 0 as they are",
    );
    await applyFrom(remote, folder);
    const again = mkdtempSync(join(tmpdir(), "throughline-pulled-"));
    expect(await pullTo(remote, again)).toBe(2);
    expect(readDefinitions(again)).toEqual(readDefinitions(folder));
    writeFileSync(join(again, "buyers.yaml"), two.split("---")[0]!.replace("unique", "count"));
    expect(planSays(await planFrom(remote, again))).toBe(
      '  ~ buyers (Buyers)\n      measure.kind: "unique" -> "count"\n      measure.of: "people" -> nothing\n      used by metric From sign-up to first order\n0 to add, 1 to change, 0 to remove, 1 as they are',
    );
    rmSync(again, { recursive: true });
  });

  it.each([
    ["kind: Metric\nkey: a\nname: A\nmeasure:\n  kind: count\n  evnt: Bought\n", ":5: measure: "],
    ["kind: Metric\nkey: A b\nname: A\nmeasure: { kind: count }\n", ":2: key: Lower-case letters"],
    ["kind: Contract\nkey: a\n", ':1: kind is "Contract"; it should be Metric.'],
    ["kind: Metric\nkey: [a\n", ":3: "],
    ["- a\n", ":1: a definition has keys and values."],
  ])("say where they are wrong: %j", (text, message) => {
    writeFileSync(join(folder, "wrong.yaml"), text);
    expect(() => readDefinitions(folder)).toThrow(message.replace(/^:/, "wrong.yaml:"));
  });
});
