import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Runs `visit` in Debian's Chromium (or KAIZEN_CHROMIUM) with a profile of its own, then closes it. */
export async function inBrowser(visit, options = {}) {
  const profile = await mkdtemp(join(tmpdir(), "kaizen-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.KAIZEN_CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: ARGUMENTS,
    viewport: { width: 1280, height: 900 },
    colorScheme: "light",
    ...options,
  });
  try {
    return await visit(context);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** Collects whatever a sound page never does: console errors, exceptions, requests that fail, leave or are refused. */
export function watch(page, origin) {
  const faults = [];
  page.on("console", (message) => message.type() === "error" && faults.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
  page.on("requestfailed", (request) => faults.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) faults.push(`left the origin: ${request.url()}`);
  });
  page.on("response", (response) => response.status() >= 400 && faults.push(`${response.status()}: ${response.url()}`));
  return faults;
}

/** Waits until the tiles are there and none is loading any more. */
export async function allLoaded(page) {
  await page.waitForFunction(() => {
    const tiles = [...document.querySelectorAll("article[data-metric]")];
    const groups = [...document.querySelectorAll("article.split")];
    return (
      tiles.length > 0 &&
      tiles.every((tile) => tile.dataset.state !== "loading") &&
      groups.every((tile) => tile.querySelector(".groups table, .groups + .notice, .whole + .notice")) &&
      document.querySelector(".analysis")?.dataset.state !== "loading"
    );
  });
}
