import { fork } from "node:child_process";
import { request, Agent } from "node:http";
import { fileURLToPath } from "node:url";
import { openSystem } from "#app/system.ts";
import { readConfig } from "#kernel/config.ts";
import { createWorkspace } from "#programs/workspaces/create.ts";
import { lineOf, placed, readLine } from "#records/events/envelope.ts";
import { keysOf } from "#records/people/keys.ts";
import { decodeOwn } from "#records/sources/vendors/own.ts";

const batchSize = 100;
const port = 3_900;

/** Events of about 1 KB. */
const bodyOf = (writeKey: string, batch: number): string => {
  const events = Array.from({ length: batchSize }, (_, n) => ({
    event: ["Opened", "Searched", "Bought"][n % 3],
    id: `${batch}-${n}`,
    userId: `person ${(batch * batchSize + n) % 5_000}`,
    time: Date.now() - (n % 60) * 1_000,
    properties: {
      plan: n % 2 === 0 ? "pro" : "free",
      amount: n,
      page: `/products/${n % 40}`,
      text: "lorem ipsum dolor sit amet ".repeat(30),
    },
  }));
  return JSON.stringify({ writeKey, events });
};

const agent = new Agent({ keepAlive: true, maxSockets: 32 });
const post = (body: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const began = performance.now();
    const sent = request(
      {
        port,
        host: "127.0.0.1",
        path: "/v1/events",
        method: "POST",
        agent,
        headers: { "content-type": "application/json" },
      },
      (response) => {
        response.resume();
        response.on("end", () =>
          response.statusCode === 200
            ? resolve(performance.now() - began)
            : reject(new Error(`status ${response.statusCode}`)),
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });

const percentile = (values: readonly number[], share: number): string => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
};

/** Events a second through the door, acknowledged and then all stored, against the same rows put straight into the engine. */
export const benchIngest = async (folder: string): Promise<void> => {
  const config = readConfig({}, { data: folder, log_level: "error" });
  const batches = 400;

  const straight = await openSystem(config);
  const member = await straight.access.createMember("bench@example.com", "Bench", "a long password");
  const workspace = await createWorkspace(
    straight.store,
    { name: "Bench", zone: "UTC", weekStart: "monday" },
    member,
    Date.now(),
  );
  const other = await createWorkspace(
    straight.store,
    { name: "Straight", zone: "UTC", weekStart: "monday" },
    member,
    Date.now(),
  );
  const { writeKey } = await straight.registry.create(workspace, "loader", "api", "");
  const found = await straight.directory.find(other);
  if (found === undefined) throw new Error("no workspace");
  const source = { id: "s", workspace: other, product: "", identity: "first_link" } as const;
  const keys = keysOf(found.workspace.secret);
  const rows = Array.from({ length: batches }, (_, batch) =>
    decodeOwn(JSON.parse(bodyOf("", batch)))
      .items.flatMap((item) => ("fault" in item ? [] : [item]))
      .map((event) =>
        placed(readLine(lineOf(event, source, keys, Date.now())).row ?? "", keys.actor(event.userId ?? "")),
      )
      .join("\n"),
  );
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await work();
    return (performance.now() - began) / 1_000;
  };
  const small = await timed(async () => {
    for (const [n, body] of rows.entries()) await found.engine.insert("events", body, { token: `small-${n}` });
  });
  const large = await timed(async () => {
    for (let n = 0; n < rows.length; n += 100)
      await found.engine.insert("events", rows.slice(n, n + 100).join("\n"), { token: `large-${n}` });
  });
  await straight.close();

  const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));
  const env = {
    ...process.env,
    THROUGHLINE_DATA: folder,
    THROUGHLINE_PORT: String(port),
    THROUGHLINE_LOG_LEVEL: "error",
  };
  const server = fork(program, ["serve"], { env, stdio: "ignore" });
  const ready = async (): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.status === 200;
  while (!(await ready())) await new Promise((resolve) => setTimeout(resolve, 100));
  const backlog = async (): Promise<number> =>
    Number(
      /throughline_ingest_backlog_bytes (\d+)/.exec(
        await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
      )?.[1] ?? 0,
    );

  const bodies = Array.from({ length: batches }, (_, batch) => bodyOf(writeKey, batch));
  const queue = [...bodies];
  const acknowledged = { seconds: 0 };
  const whole = await timed(async () => {
    acknowledged.seconds = await timed(() => Promise.all(Array.from({ length: 16 }, async () => { for (let body = queue.pop(); body !== undefined; body = queue.pop()) await post(body); }))); // prettier-ignore
    while ((await backlog()) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  const waits: number[] = [];
  const steady = Array.from({ length: 500 }, (_, n) => bodyOf(writeKey, 10_000 + n));
  const pending: Promise<void>[] = [];
  const began = performance.now();
  for (const [n, body] of steady.entries()) {
    const due = began + n * (1_000 / 50);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    pending.push(post(body).then((ms) => void waits.push(ms)));
  }
  await Promise.all(pending);
  const ended = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  await ended;

  const events = batches * batchSize;
  const rate = (seconds: number): number => Math.round(events / seconds);
  console.log(
    `straight into the engine   ${rate(small)} events/s in inserts of 100, ${rate(large)} in inserts of 10,000`,
  );
  console.log(
    `through POST of 100        ${rate(acknowledged.seconds)} events/s acknowledged (fsync), ${rate(whole)} until stored`,
  );
  console.log(
    `ratio, until stored        ${(rate(whole) / rate(small)).toFixed(2)} to inserts of 100, ${(rate(whole) / rate(large)).toFixed(2)} to inserts of 10,000`,
  );
  console.log(`acknowledgement at 5,000/s p50 ${percentile(waits, 0.5)} ms, p99 ${percentile(waits, 0.99)} ms`);
};
