import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { defineCommand, runMain } from "citty";
import { planFormats } from "#programs/contracts/contract.ts";
import { Refusal } from "#kernel/refusal.ts";
import type { Manifest } from "./backup.ts";
import { version } from "./version.ts";

// what a command needs is loaded by it: most need a small part of the whole

/** Runs a command; what its caller can mend is said in one sentence, everything else with its trace. */
const guarded = (work: () => Promise<void>) => async (): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(error.message);
    process.exit(2);
  }
};

const stopOn = (signals: readonly NodeJS.Signals[], stop: () => Promise<void>): void => {
  let stopping = false;
  for (const signal of signals) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      setTimeout(() => process.exit(1), 15_000).unref();
      stop().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
};

const serve = defineCommand({
  meta: { name: "serve", description: "Starts the server." },
  run: guarded(async () => {
    const { readConfig } = await import("#kernel/config.ts");
    const { openSystem } = await import("./system.ts");
    const { listen } = await import("./server.ts");
    const system = await openSystem(readConfig(process.env));
    const server = await listen(system);
    system.startJobs();
    // a fault of ours that must not cost everybody the server
    process.on("unhandledRejection", (error) => system.log.error({ err: error }, "a promise failed unheard"));
    stopOn(["SIGINT", "SIGTERM"], async () => {
      await server.http.close();
      await system.close();
    });
    console.log(`Throughline ${version} is ready at ${server.url}`);
  }),
});

const doctor = defineCommand({
  meta: { name: "doctor", description: "Says whether everything that is needed works here." },
  run: guarded(async () => {
    const { readConfig } = await import("#kernel/config.ts");
    const { serverOn } = await import("./control.ts");
    const { openSystem } = await import("./system.ts");
    const config = readConfig(process.env);
    console.log(`node      ${process.version}`);
    console.log(`chdb      ${String(createRequire(import.meta.url)("chdb/package.json").version)}`);
    console.log(`data      ${config.data}`);
    const running = await serverOn(config.data);
    if (running !== undefined) return console.log(`server    ${running.url} ${JSON.stringify(running.state)}`);
    const system = await openSystem({ ...config, log_level: "error" });
    console.log(`engine    ${await system.engine.version()} (${system.host === undefined ? "server" : "embedded"})`);
    console.log(
      `state     ${config.database_url === undefined ? "embedded" : "PostgreSQL"}, ${(await system.directory.all()).length} workspace(s)`,
    );
    console.log(`backlog   ${system.ingest.stats.backlogBytes} bytes`);
    await system.close();
  }),
});

const importCommand = defineCommand({
  meta: { name: "import", description: "Sends the rows of a CSV, JSON or Parquet file to a running server." },
  args: {
    file: { type: "positional", description: "The file.", required: true },
    key: { type: "string", description: "Write key of the source.", required: true },
    url: { type: "string", description: "Address of the server.", default: "http://localhost:3100" },
    map: { type: "string", description: "Columns by meaning, such as userId=customer_id,time=date." },
    event: { type: "string", description: "Name of the event where no column holds one." },
    traits: { type: "boolean", description: "The rows describe people and are no events.", default: false },
  },
  run: ({ args }) =>
    guarded(async () => {
      const { importFile } = await import("#surfaces/cli/import-file.ts");
      const { file, key, url, map, event, traits } = args;
      const progress = (rows: number, refused: number): void =>
        void process.stderr.write(`\r${rows} rows, ${refused} refused`);
      const outcome = await importFile({ file, url, writeKey: key, map, event, traits, progress });
      console.log(`\n${outcome.rows - outcome.refused} rows taken, ${outcome.refused} refused`);
      if (outcome.errors !== undefined) console.log(`The refused rows and their reasons are in ${outcome.errors}`);
    })(),
});

const conversationsCommand = defineCommand({
  meta: { name: "conversations", description: "Sends conversations of a file (JSON or lines of it; Intercom, Zendesk, Chatwoot or our own) to a running server." },
  args: {
    file: { type: "positional", description: "The file.", required: true },
    key: { type: "string", description: "Write key of the source.", required: true },
    url: { type: "string", description: "Address of the server.", default: "http://localhost:3100" },
    format: { type: "string", description: "own, intercom, zendesk or chatwoot; found out where absent." },
  },
  run: ({ args }) =>
    guarded(async () => {
      const { sendConversations } = await import("#surfaces/cli/conversations.ts");
      const { file, key, url, format } = args;
      const { taken, withheld, rejected, errors } = await sendConversations({ file, key, url, format }, (done, bad) => void process.stderr.write(`\r${done} taken, ${bad} refused`));
      console.log(`\n${taken} conversations taken, ${rejected} refused${withheld > 0 ? `, ${withheld} withheld for want of consent` : ""}`);
      if (errors !== undefined) console.log(`What was refused and why is in ${errors}`);
    })(),
}); // prettier-ignore

const remoteArgs = {
  key: { type: "string", description: "An API key of the workspace.", required: true },
  url: { type: "string", description: "Address of the server.", default: "http://localhost:3100" },
} as const;

const askCommand = defineCommand({
  meta: { name: "ask", description: "Asks a running server: throughline ask trends.ask '{...}' --key KEY" },
  args: {
    operation: { type: "positional", description: "Such as trends.ask or people.list.", required: true },
    input: { type: "positional", description: "The input as JSON.", default: "{}" },
    ...remoteArgs,
  },
  run: ({ args }) =>
    guarded(async () => {
      const { askRemote } = await import("#surfaces/cli/remote.ts");
      console.log(JSON.stringify(await askRemote(args, args.operation, args.input), null, 2));
    })(),
});

const exportCommand = defineCommand({
  meta: { name: "export", description: "Writes events or people of a running server to a file." },
  args: {
    what: { type: "positional", description: "events or people.", required: true },
    out: { type: "string", description: "The file; standard output when absent." },
    format: { type: "string", description: "ndjson, csv or parquet.", default: "ndjson" },
    from: { type: "string", description: "First day of the events, in UTC." },
    to: { type: "string", description: "Last day of the events, in UTC." },
    event: { type: "string", description: "Only events of this name." },
    ...remoteArgs,
  },
  run: ({ args }) =>
    guarded(async () => {
      const { exportTo } = await import("#surfaces/cli/remote.ts");
      const { what, format, from, to, event } = args;
      const input = what === "events" ? { format, from, to, event } : { format };
      await exportTo(args, what, input, args.out);
    })(),
});

const definitionArgs = {
  path: { type: "positional", description: "A folder of definitions, or one file.", required: true },
  ...remoteArgs,
} as const;

const planCommand = defineCommand({
  meta: {
    name: "plan",
    description: "Says what applying the definitions of a folder would change on a running server.",
  },
  args: {
    ...definitionArgs,
    check: { type: "boolean", description: "Ends with 1 where anything would change.", default: false },
  },
  run: ({ args }) =>
    guarded(async () => {
      const { planFrom, planSays } = await import("#surfaces/cli/definitions.ts");
      const planned = await planFrom(args, args.path);
      console.log(planSays(planned));
      if (args.check && planned.some(({ action }) => action !== "keep")) process.exitCode = 1;
    })(),
});

const applyCommand = defineCommand({
  meta: { name: "apply", description: "Makes a running server as the definitions of a folder say." },
  args: definitionArgs,
  run: ({ args }) =>
    guarded(async () => {
      const { applyFrom, planSays } = await import("#surfaces/cli/definitions.ts");
      console.log(planSays(await applyFrom(args, args.path)));
    })(),
});

const pullCommand = defineCommand({
  meta: { name: "pull", description: "Writes the definitions of a running server to a folder." },
  args: { ...definitionArgs, path: { ...definitionArgs.path, description: "The folder." } },
  run: ({ args }) =>
    guarded(async () => {
      const { pullTo } = await import("#surfaces/cli/definitions.ts");
      console.log(`${await pullTo(args, args.path)} metrics are in ${args.path}`);
    })(),
});

const told = ({ data }: Manifest, done: string, folder: string): string => {
  const events = Object.values(data).reduce((sum, counts) => sum + (counts["events"] ?? 0), 0);
  return `${Object.keys(data).length} workspace(s) with ${events.toLocaleString("en")} events ${done} ${folder}`;
};

const folderArg = { folder: { type: "positional", description: "The folder of the backup.", required: true } } as const;

const backupCommand = defineCommand({
  meta: {
    name: "backup",
    description: "Writes everything that is kept to a new folder, while the server runs or not.",
  },
  args: folderArg,
  run: ({ args }) =>
    guarded(async () => {
      const { readConfig } = await import("#kernel/config.ts");
      const { backupByServer } = await import("./control.ts");
      const { backup } = await import("./backup.ts");
      const { openSystem } = await import("./system.ts");
      const config = readConfig(process.env);
      const folder = resolve(args.folder);
      const byServer = await backupByServer(config.data, folder);
      if (byServer !== undefined) return console.log(told(byServer, "are in", folder));
      const system = await openSystem({ ...config, log_level: "error" });
      console.log(told(await backup(system, folder), "are in", folder));
      await system.close();
    })(),
});

const restoreCommand = defineCommand({
  meta: {
    name: "restore",
    description: "Puts a backup into an empty data folder and checks that all of it came back.",
  },
  args: folderArg,
  run: ({ args }) =>
    guarded(async () => {
      const { readConfig } = await import("#kernel/config.ts");
      const { restore } = await import("./backup.ts");
      const { openSystem } = await import("./system.ts");
      const system = await openSystem({ ...readConfig(process.env), log_level: "error" });
      console.log(told(await restore(system, resolve(args.folder)), "came back from", args.folder));
      await system.close();
    })(),
});

const checkCommand = defineCommand({
  meta: {
    name: "check",
    description:
      "Checks the contracts of a folder: 0 clean, 1 findings, 2 could not check or nothing to check, 3 failed.",
  },
  args: {
    path: { type: "positional", description: "A folder of contracts, or one file.", required: true },
    base: { type: "string", description: "Compare with the files at this commit or branch." },
    key: {
      type: "string",
      description: "An API key of a workspace to compare with, and whose recent events are tried.",
    },
    url: remoteArgs.url,
    format: { type: "string", description: "text, github or junit.", default: "text" },
    "fail-on": { type: "string", description: "error, warning or never.", default: "error" },
  },
  run: async ({ args }) => {
    const { checkCode, checkContracts, formats, isFailOn, isFormat } = await import("#surfaces/cli/check.ts");
    try {
      const { path, base, key, url, format, "fail-on": failOn } = args;
      if (!isFormat(format)) throw new Refusal("check.format", `There is no format ${format}: text, github or junit.`);
      if (!isFailOn(failOn)) throw new Refusal("check.fail_on", `--fail-on is error, warning or never, not ${failOn}.`);
      const found = await checkContracts({ path, base, remote: key === undefined ? undefined : { url, key } });
      console.log(formats[format](found));
      process.exitCode = checkCode(found, failOn);
    } catch (error) {
      console.error(error instanceof Refusal ? error.message : error);
      process.exitCode = error instanceof Refusal ? 2 : 3;
    }
  },
});

const cxCommand = defineCommand({
  meta: { name: "cx", description: "CX Score." },
  subCommands: {
    score: defineCommand({
      meta: { name: "score", description: "Scores conversations of a file, one JSON object a line, without a server." },
      args: {
        input: { type: "string", required: true, description: 'Lines {"id", "lang"?, "turns": [{"r": "customer|ai_agent|human_agent", "x": "text", "t"?}]}; t in seconds.' },
        output: { type: "string", required: true, description: "Where a line for each goes, in the same order." },
      },
      run: ({ args }) => guarded(async () => (await import("#surfaces/cli/cx.ts")).cxScore(args, console))(),
    }),
  },
}); // prettier-ignore

const convertCommand = defineCommand({
  meta: {
    name: "convert",
    description: "Turns a tracking plan (Segment, RudderStack, Iglu, JSON Schema, CSV) into contracts, or contracts into one.",
  },
  args: {
    path: { type: "positional", description: "A plan; with --to a folder of contracts, or one file.", required: true },
    out: { type: "string", description: "The folder for the contracts, or the file of the plan; standard output when absent." },
    format: { type: "string", description: `Of the plan: ${planFormats.join(", ")}; told by what is in it when absent.` },
    to: { type: "string", description: `Write a plan: ${planFormats.join(", ")}.` },
  },
  run: ({ args }) => guarded(async () => (await import("#surfaces/cli/convert.ts")).convert(args, console))(),
}); // prettier-ignore

const gateCommand = defineCommand({
  meta: { name: "gate", description: "Whether a use of AI may be released: 0 it may, 1 a check fails, 2 it could not be told." },
  args: {
    use: { type: "positional", description: "Its id in the register.", required: true },
    ...remoteArgs,
  },
  run: ({ args }) =>
    guarded(async () => {
      const { gateOf } = await import("#surfaces/cli/gate.ts");
      const { text, code } = await gateOf({ url: args.url, key: args.key }, args.use);
      console.log(text);
      process.exitCode = code;
    })(),
}); // prettier-ignore

const codegenCommand = defineCommand({
  meta: { name: "codegen", description: "Writes TypeScript for senders of events from the contracts of a folder." },
  args: {
    path: { type: "positional", description: "A folder of contracts, or one file.", required: true },
    out: { type: "string", description: "The file; standard output when absent." },
  },
  run: ({ args }) =>
    guarded(async () => {
      const { codeFrom } = await import("#surfaces/cli/codegen.ts");
      const code = codeFrom(args.path);
      if (args.out === undefined) process.stdout.write(code);
      else writeFileSync(args.out, code);
    })(),
});

const auditCommand = defineCommand({
  meta: { name: "audit", description: "Checks the audit log: 0 intact, 1 broken, 2 could not be told." },
  subCommands: {
    "set-aside": defineCommand({
      meta: { name: "set-aside", description: "Keeps a broken log under another name and lets a new one begin." },
      args: { workspace: { type: "positional", description: "Id of the workspace, as verify names it.", required: true } },
      run: ({ args }) =>
        guarded(async () => {
          const { readConfig } = await import("#kernel/config.ts");
          const { openStore } = await import("#kernel/state/store.ts");
          const { setAside } = await import("#kernel/audit/audit.ts");
          const { dialectOf } = await import("./system.ts");
          const store = await openStore(dialectOf(readConfig(process.env)));
          console.log(`The log so far is kept as "${await setAside(store, args.workspace, Date.now())}".`);
          await store.destroy();
        })(),
    }),
    verify: defineCommand({
      meta: { name: "verify", description: "Walks the logs in the data folder, or an exported one." },
      args: {
        file: { type: "positional", description: "An exported log; the logs in the data folder when absent.", required: false },
        "public-key": { type: "string", description: "File of the key that is trusted, PEM." },
        checkpoints: { type: "string", description: "Folder of checkpoints that were written elsewhere." },
      },
      run: async ({ args }) => {
        const { file, checkpoints, "public-key": key } = args;
        const { auditSays, keysIn, verifyFile, verifyStore } = await import("#surfaces/cli/audit.ts");
        const told = async () => {
          if (file !== undefined) return verifyFile(file, key === undefined ? undefined : keysIn(key));
          const { auditKeyFile, readConfig } = await import("#kernel/config.ts");
          const { openStore } = await import("#kernel/state/store.ts");
          const { dialectOf } = await import("./system.ts");
          const config = readConfig(process.env);
          const keys = keysIn(key ?? auditKeyFile(config));
          const store = await openStore(dialectOf(config));
          const checked = await verifyStore(store, keys, checkpoints);
          await store.destroy();
          return checked;
        };
        try {
          const { text, code } = auditSays(await told());
          console.log(text);
          process.exitCode = code;
        } catch (error) {
          // 1 is kept for a log that is broken
          console.error(error instanceof Refusal ? error.message : error);
          process.exitCode = 2;
        }
      },
    }),
  },
}); // prettier-ignore

await runMain(
  defineCommand({
    meta: { name: "throughline", version, description: "An open, self-hosted growth system." },
    subCommands: {
      serve,
      doctor,
      ask: askCommand,
      plan: planCommand,
      apply: applyCommand,
      pull: pullCommand,
      import: importCommand,
      export: exportCommand,
      backup: backupCommand,
      restore: restoreCommand,
      audit: auditCommand,
      check: checkCommand,
      convert: convertCommand,
      conversations: conversationsCommand,
      cx: cxCommand,
      codegen: codegenCommand,
      gate: gateCommand,
    },
  }),
);
