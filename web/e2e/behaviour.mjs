// Holds the built Overview page to its promises on a stand-in for `reporting`: a check a promise, all of them run.

import assert from "node:assert/strict";
import { allLoaded } from "./browser.mjs";
import { runChecks } from "./checks.mjs";

const tile = (metric) => `article[data-metric="${metric}"]`;
const RATE = "lead_enrichment.success_rate";

/** Opens the page at a query string and waits for its tiles. */
async function open(page, { url }, search = "") {
  await page.goto(`${url}/${search}`);
  await allLoaded(page);
}

const checks = {
  async "an address without a range stays as it is and shows the last 8 weeks by day"(page, mock) {
    await open(page, mock);
    assert.equal(new URL(page.url()).search, "");
    const shown = await page.$eval("[data-from]", ({ dataset }) => ({ ...dataset }));
    assert.deepEqual(shown, { from: "2026-02-03T00:00:00.000Z", to: "2026-03-31T00:00:00.000Z", step: "day" });
  },

  async "a chosen range goes into the address, and back and forward follow it"(page, mock) {
    await open(page, mock);
    const before = await page.getAttribute(tile(RATE), "data-n");
    await page.click("text=Last week");
    await page.waitForFunction(
      ([selector, n]) => ![n, ""].includes(document.querySelector(selector)?.dataset.n),
      [tile(RATE), before],
    );
    assert.equal(new URL(page.url()).search, "?from=2026-03-24&to=2026-03-31&step=day");
    await page.goBack();
    await page.waitForSelector(`${tile(RATE)}[data-n="${before}"]`);
    await page.goForward();
    await page.waitForSelector('[data-from="2026-03-24T00:00:00.000Z"]');
    await allLoaded(page);
  },

  async "a component tells what its quality labels are worth once it is asked"(page, mock) {
    await open(page, mock);
    const section = page.locator('section[aria-labelledby="component-lead_enrichment"]');
    assert.equal(await page.locator("[data-reliability]").count(), 0);
    await section.locator("summary", { hasText: "quality labels" }).press("Enter");
    const rows = section.locator('[data-stated-by="quality_score"] tbody tr');
    await rows.first().waitFor();
    const told = await rows.allInnerTexts();
    assert.equal(told.length, 2);
    assert.match(told[0], /80 to 90\s+81[.]0.%\s+1.204\s+79[.]0/);
    const other = page.locator('section[aria-labelledby="component-ai_message_generation"]');
    await other.locator("summary", { hasText: "quality labels" }).press("Enter");
    await other.getByText("Nothing was stated of these decisions.").waitFor();
  },

  async "the form refuses a range that cannot be and says why"(page, mock) {
    await open(page, mock, "?from=2026-03-02&to=2026-03-09&step=day");
    await page.fill('input[name="to"]', "2026-03-01");
    await page.click("text=Apply");
    assert.match(await page.textContent('[role="alert"]'), /to must be after from/);
    assert.equal(new URL(page.url()).search, "?from=2026-03-02&to=2026-03-09&step=day");
  },

  async "an address that cannot be read is told, not replaced"(page, { url }) {
    await page.goto(`${url}/?from=tomorrow&to=2026-03-09`);
    assert.match(await page.textContent('[role="alert"]'), /from must be a date/);
    assert.equal(await page.$(tile(RATE)), null);
  },

  async "a range outside the data shows empty tiles and says where the data is"(page, mock) {
    await open(page, mock, "?from=2020-01-01&to=2020-02-01&step=week");
    assert.match(await page.textContent("main"), /the data spans/);
    assert.equal(await page.getAttribute(tile(RATE), "data-value"), "");
    assert.match(await page.textContent(tile(RATE)), /No decisions in this range/);
  },

  async "one failing metric names its request and code, leaves the others, and can be tried again"(page, mock) {
    mock.behaviour.broken.add(RATE);
    await open(page, mock);
    assert.match(
      await page.textContent(tile(RATE)),
      /QueryMetric of lead_enrichment\.success_rate failed: UNAVAILABLE/,
    );
    assert.equal(await page.locator('article[data-state="failed"]').count(), 1);
    mock.behaviour.broken.clear();
    await page.click(`${tile(RATE)} >> text=Try again`);
    await page.waitForSelector(`${tile(RATE)}[data-state="ready"]`);
  },

  async "without decisions or analyses the page says how to get some"(page, mock) {
    mock.behaviour.unanalysed = true;
    await open(page, mock);
    assert.match(await page.textContent(".analysis"), /None has run yet/);
    mock.behaviour.empty = true;
    await page.reload();
    await page.waitForSelector("text=No decisions yet");
  },

  async "the newest analysis lists what declined before what improved"(page, mock) {
    await open(page, mock);
    const words = await page.$$eval(".analysis > .trends .word", (found) =>
      found.map(({ textContent }) => textContent),
    );
    assert.deepEqual(words, ["declining", "improving"]);
  },

  async "what declined is told with the slice that made it so, and what to do about it opens to why and how"(
    page,
    mock,
  ) {
    await open(page, mock);
    assert.match(
      await page.textContent('[data-trend="lead_enrichment.success_rate"] .causes'),
      /method_used = registry_lookup: 92\.0.% → 66\.0.%, −25\.7.pp beyond the rest \(95.% −30\.2 – −21\.2.%\), 655 decisions/,
    );
    const entry = page.locator('[data-recommendation="re-1"]');
    assert.match(await entry.locator("summary").textContent(), /^high Lead enrichment: Success rate got worse/);
    assert.equal(await entry.locator("ol").isVisible(), false);
    await entry.locator("summary").press("Enter");
    assert.equal(await entry.locator("ol li").count(), 2);
    assert.match(await entry.textContent(), /return not computed/);
    assert.match(await entry.textContent(), /\(× 0\.53 by C-3, as earlier forecasts came true\)/);
  },

  async "a recommendation leads to the decisions it rests on, to one of them, and back"(page, mock) {
    await open(page, mock);
    const entry = page.locator('[data-recommendation="re-1"]');
    assert.match(await entry.locator("summary").textContent(), /· reopened$/);
    await entry.locator("summary").press("Enter");
    assert.match(
      await entry.locator(".history").textContent(),
      /2026-03-30 00:00Z reopened: came back after ticket T-1 ended as cancelled/,
    );
    await entry.locator("text=Decisions of the period").click();
    await page.waitForSelector('tr[data-decision="e.1/a"]');
    const list = page.url();
    assert.match(await page.textContent(".heading"), /lead_enrichment.*method_used = registry_lookup/);
    await page.click("text=Next page");
    await page.waitForSelector("text=No decision is like that.");
    await page.click("text=First page");
    await page.click('tr[data-decision="e.1/a"] a');
    await page.waitForSelector('article[data-decision="e.1/a"]');
    assert.match(await page.textContent("article"), /"employees": 40/);
    assert.match(await page.textContent('[data-fact="record"]'), /kaizen\.decisions, partition 3, offset 17/);
    await page.click("text=All of these decisions");
    await page.waitForSelector('tr[data-decision="e.1/a"]');
    assert.equal(page.url(), list);
    await page.goto(`${mock.url}/decisions?from=never`);
    assert.match(await page.textContent('[role="alert"]'), /from must be a date or a time in UTC/);
    await page.goto(`${mock.url}/decisions?event=none`);
    assert.match(await page.textContent("main"), /GetDecision failed: NOT_FOUND/);
  },

  async "what else was found is told by its kind and with its time, what is missing first"(page, mock) {
    await open(page, mock);
    const kinds = await page.$$eval("[data-findings]", (found) => found.map(({ dataset }) => dataset.findings));
    assert.deepEqual(kinds, ["missingData", "levelChange"]);
    assert.match(
      await page.textContent('[data-findings="levelChange"] li'),
      /^2026-02-23 02:00Z Success rate fell and stayed there/,
    );
  },

  async "a split metric shows its groups, ranked, the rest last"(page, mock) {
    await open(page, mock);
    const rows = '[data-groups="ai_message_generation.template_effectiveness"] tbody tr';
    const cells = await page.$$eval(rows, (found) =>
      found.map((row) => [row.querySelector("th").textContent, Number.parseFloat(row.querySelector("td").textContent)]),
    );
    assert.equal(cells.at(-1)[0], "all others");
    const values = cells.slice(0, -1).map(([, value]) => value);
    assert.deepEqual(
      values,
      [...values].sort((a, b) => b - a),
    );
  },

  async "the theme follows the system until it is chosen, and the choice is kept"(page, mock) {
    const ground = () => page.$eval("body", (body) => getComputedStyle(body).backgroundColor);
    await open(page, mock);
    const light = await ground();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await ground();
    assert.notEqual(dark, light);
    await page.click("#theme");
    assert.equal(await ground(), light);
    await page.reload();
    assert.equal(await ground(), light);
    await page.evaluate(() => localStorage.clear());
  },

  async "the keyboard walks a chart, and each point is told with what it rests on"(page, mock) {
    await open(page, mock, "?from=2026-03-02&to=2026-03-31&step=day");
    const chart = page.locator(`${tile(RATE)} [role="slider"]`);
    await chart.focus();
    await page.keyboard.press("Home");
    assert.match(await chart.getAttribute("aria-valuetext"), /^2 Mar 2026, [\d.]+.%, n \d+, 95 % .*, before /);
    await page.keyboard.press("ArrowRight");
    assert.match(await chart.getAttribute("aria-valuetext"), /^3 Mar 2026/);
    await page.keyboard.press("End");
    assert.match(await chart.getAttribute("aria-valuetext"), /^30 Mar 2026, .*incomplete/);
    assert.equal(await page.locator(".tooltip").count(), 1);
  },

  async "a drag over a chart zooms the page to what it spans"(page, mock) {
    await open(page, mock, "?from=2026-03-02&to=2026-03-30&step=day");
    const over = page.locator(`${tile(RATE)} .u-over`);
    await over.scrollIntoViewIfNeeded();
    const plot = await over.boundingBox();
    await page.mouse.move(plot.x + plot.width * 0.25, plot.y + 40);
    await page.mouse.down();
    await page.mouse.move(plot.x + plot.width * 0.75, plot.y + 40, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/from=2026-03-0[89].*to=2026-03-2[234]/);
    await allLoaded(page);
  },

  async "each chart has its table, gaps and unfinished days told in words"(page, mock) {
    await open(page, mock, "?from=2026-03-02&to=2026-03-31&step=day");
    await page.click(`${tile(RATE)} summary`);
    const rows = await page.$$eval(`${tile(RATE)} .points tbody tr`, (found) => found.map((row) => row.textContent));
    assert.equal(rows.length, 29);
    assert.match(rows[9], /^11 Mar 2026no value0/);
    assert.match(rows[28], /incomplete/);
  },

  async "nothing is wider than the screen, at a desk or in a hand"(page, mock) {
    for (const width of [1280, 768, 390, 320]) {
      await page.setViewportSize({ width, height: 800 });
      await open(page, mock);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${wide} px of content on ${width} px`);
    }
  },
};

await runChecks(checks);
