// Opens the Overview page and prints the numbers it shows: {url, from, to, tiles: [{metric, value, n, coverage}]}.
//
// KAIZEN_DASHBOARD_URL  a running system; without it the built page on a stand-in for `reporting`
// KAIZEN_SCREENSHOT_DIR where overview-light.png, overview-dark.png and overview-phone.png go
//
// Fails when the page logs an error, throws, asks anything of another host, or shows a failed tile.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { allLoaded, inBrowser, watch } from "./browser.mjs";

const screenshots = process.env.KAIZEN_SCREENSHOT_DIR;

async function read(page) {
  const tiles = await page.$$eval("article[data-metric]", (found) =>
    found.map(({ dataset }) => {
      const number = (text) => (text === "" ? null : Number(text));
      const { metric, state, value, n, coverage } = dataset;
      return { metric, state, value: number(value), n: number(n), coverage: number(coverage) };
    }),
  );
  const failed = tiles.filter(({ state }) => state !== "ready").map(({ metric }) => metric);
  if (failed.length > 0) throw new Error(`tiles without an answer: ${failed.join(", ")}`);
  const { from, to } = await page.$eval("[data-from]", ({ dataset }) => ({ from: dataset.from, to: dataset.to }));
  return { from, to, tiles: tiles.map(({ state: _, ...tile }) => tile) };
}

async function photograph(page) {
  await mkdir(screenshots, { recursive: true });
  const take = (name) => page.screenshot({ path: join(screenshots, `overview-${name}.png`), fullPage: true });
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    await take(colorScheme);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await take("phone");
}

const mock = process.env.KAIZEN_DASHBOARD_URL ? undefined : await (await import("./server.mjs")).serveMock();
const url = process.env.KAIZEN_DASHBOARD_URL ?? mock.url;
try {
  await inBrowser(async (context) => {
    const page = await context.newPage();
    const faults = watch(page, new URL(url).origin);
    await page.goto(url);
    await allLoaded(page);
    const shown = await read(page);
    if (screenshots) await photograph(page);
    if (faults.length > 0) throw new Error(faults.join("\n"));
    console.log(JSON.stringify({ url, ...shown }));
  });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  mock?.close();
}
