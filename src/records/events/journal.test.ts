import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { beforeFirstFrame, openJournal, openPosition } from "./journal.ts";

const base = mkdtempSync(join(tmpdir(), "throughline-journal-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let made = 0;
const fresh = (): string => join(base, String((made += 1)));
const all = Number.MAX_SAFE_INTEGER;
const linesIn = (journal: ReturnType<typeof openJournal>, after = 0) =>
  journal.read(after, all).flatMap((frame) => frame.lines);

describe("the journal", () => {
  it("has after a restart what it acknowledged, in order", async () => {
    const folder = fresh();
    const first = openJournal(folder, true, 100);
    await Promise.all([first.append(["a", "b"]), first.append(["c"])]);
    await first.append(["d"]);
    await first.close();
    const second = openJournal(folder, true, 100);
    expect(linesIn(second, 100)).toEqual(["a", "b", "c", "d"]);
    await second.append(["e"]);
    expect(linesIn(second, second.last - 1)).toEqual(["e"]);
    await second.close();
  });

  it.each([1, 5, 19, 25])(
    "drops a tail that was torn %i bytes after the last frame's start, and goes on",
    async (kept) => {
      const folder = fresh();
      const journal = openJournal(folder, true, 0);
      await journal.append(["whole"]);
      const [name = ""] = readdirSync(folder);
      const path = join(folder, name);
      const { size } = statSync(path);
      await journal.append(["torn by the crash"]);
      await journal.close();
      truncateSync(path, size + kept);
      const again = openJournal(folder, true, 0);
      expect(linesIn(again)).toEqual(["whole"]);
      await again.append(["after"]);
      await again.close();
      expect(linesIn(openJournal(folder, true, 0))).toEqual(["whole", "after"]);
    },
  );

  it("takes no frame whose bytes were changed", async () => {
    const folder = fresh();
    const journal = openJournal(folder, true, 0);
    await journal.append(["one"]);
    await journal.close();
    const [name = ""] = readdirSync(folder);
    appendFileSync(join(folder, name), Buffer.alloc(64, 7));
    expect(linesIn(openJournal(folder, true, 0))).toEqual(["one"]);
  });

  it("lets go of files that hold nothing unread, and never gives a number out twice", async () => {
    const folder = fresh();
    const journal = openJournal(folder, false, 0);
    const line = "x".repeat(1024 * 1024);
    for (let n = 0; n < 130; n += 1) await journal.append([line]);
    expect(readdirSync(folder).length).toBeGreaterThan(2);
    const { last } = journal;
    journal.release(last);
    expect([readdirSync(folder).length, journal.backlogBytes]).toEqual([1, 0]);
    await journal.close();
    expect(openJournal(folder, false, last).last).toBe(last);
  });

  it("lets go of every byte that is done with, also of a process before, and of nothing else", async () => {
    const folder = fresh();
    const first = openJournal(folder, false, 0);
    await first.append(["planted"]);
    await first.close();
    const journal = openJournal(folder, false, 1);
    const isGone = journal.renew();
    journal.release(1);
    expect(isGone()).toBe(true);
    expect(readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8")).join("")).not.toContain("planted"); // prettier-ignore
    expect(journal.renew()()).toBe(true);
    const under = journal.append(["a"]);
    const isLater = journal.renew();
    await under;
    await journal.append(["b"]);
    journal.release(2);
    expect(isLater()).toBe(true);
    expect(linesIn(journal, 0)).toEqual(["b"]);
    journal.renew();
    await journal.append(["c"]);
    expect(linesIn(journal, 0)).toEqual(["b", "c"]);
    await journal.close();
    expect(linesIn(openJournal(folder, false, 2), 2)).toEqual(["b", "c"]);
    // files whose frames were released before the next was begun go with it
    const leaky = openJournal(fresh(), false, 0);
    await leaky.append(["x"]);
    leaky.release(1);
    leaky.renew();
    await leaky.append(["y"]);
    leaky.release(1);
    expect(linesIn(leaky, 1)).toEqual(["y"]);
    await leaky.close();
  });
});

describe("the position", () => {
  it("is the newest that was written whole", () => {
    const path = join(base, "position");
    const first = openPosition(path, true);
    first.save({ done: 5, batch: undefined });
    first.save({ done: 5, batch: [6, 9] });
    first.close();
    expect(openPosition(path, true).current).toEqual({ done: 5, batch: [6, 9] });
    // the second save went to slot 0; a torn write of it leaves the first
    writeFileSync(path, Buffer.alloc(20, 1), { flag: "r+" });
    expect(openPosition(path, true).current).toEqual({ done: 5, batch: undefined });
  });

  it("can be found anew from the frames where it was lost", async () => {
    const folder = fresh();
    expect(beforeFirstFrame(folder)).toBeUndefined();
    const journal = openJournal(folder, true, 1_700_000_000_000);
    await journal.append(["kept"]);
    await journal.close();
    const start = beforeFirstFrame(folder) ?? 0;
    expect(linesIn(openJournal(folder, true, start), start)).toEqual(["kept"]);
  });
});
