import { existsSync } from "node:fs";
import sparticuz from "@sparticuz/chromium";
import { chromium, type Browser } from "playwright-core";

/** A real Chromium: the one named by CHROMIUM_PATH, else the system's, else the one that comes as a package. */
export const launchBrowser = async (): Promise<Browser> => {
  const installed = [process.env["CHROMIUM_PATH"], "/usr/bin/chromium"].find(
    (path) => path !== undefined && existsSync(path),
  );
  const executablePath = installed ?? (await sparticuz.executablePath());
  const quiet = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
  ];
  return chromium.launch({
    executablePath,
    args: installed === undefined ? [...sparticuz.args, ...quiet] : quiet,
    headless: true,
  });
};

/** As people have it: a headless one is taken for a bot by SDKs, which then send nothing. */
export const userAgent =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36";
