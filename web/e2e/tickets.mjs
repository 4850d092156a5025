// Holds the built page "Tickets and impact" to its promises on a stand-in for `reporting`: a check a promise, all of them
// run. KAIZEN_SCREENSHOT_DIR: where tickets-*.png and ticket-*.png go.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { runChecks } from "./checks.mjs";

const screenshots = process.env.KAIZEN_SCREENSHOT_DIR;

/** Opens the list at a query string and waits for all of it. */
async function open(page, { url }, search = "") {
  await page.goto(`${url}/tickets${search}`);
  await settled(page);
}

/** Opens a ticket and waits for all of it. */
async function openTicket(page, { url }, id, search = "") {
  await page.goto(`${url}/tickets/${id}${search}`);
  await page.waitForSelector(`article[data-ticket="${id}"]`);
  await settled(page);
}

/** Waits until nothing is loading any more. */
const settled = (page) =>
  page.waitForFunction(
    () =>
      document.querySelector("main h1") &&
      !document.querySelector(
        '.skeleton, main > [role="status"], [aria-busy="true"], [data-returned="loading"], [data-kept="loading"]',
      ),
  );

/** Text with its narrow spaces made plain. */
const told = async (page, selector) =>
  (await page.textContent(selector)).replaceAll("\u202f", " ").replace(/\s+/g, " ");

const ids = (page) => page.$$eval("tr[data-ticket]", (rows) => rows.map(({ dataset }) => dataset.ticket));
const query = (page) => new URL(page.url()).search;
const asked = (mock, call) => mock.behaviour.tracker.asked.filter((it) => it.call === call).map((it) => it.request);

const checks = {
  async "the header leads from one page to the other without loading anew, and says where one is"(page, mock) {
    await page.goto(`${mock.url}/?from=2026-03-24&to=2026-03-31&step=day`);
    await page.waitForSelector("article[data-metric]");
    await page.evaluate(() => {
      window.stayed = true;
    });
    await page.click("text=Tickets and impact");
    await settled(page);
    assert.equal(new URL(page.url()).pathname + query(page), "/tickets");
    assert.equal(await page.title(), "Tickets and impact · Kaizen");
    assert.equal(await page.textContent('nav [aria-current="page"]'), "Tickets and impact");
    await page.goBack();
    await page.waitForSelector('[data-from="2026-03-24T00:00:00.000Z"]');
    assert.equal(await page.title(), "Overview · Kaizen");
    assert.equal(await page.evaluate(() => window.stayed), true);
  },

  async "tickets are listed by page, the token of the next one in the address"(page, mock) {
    await open(page, mock);
    const first = await ids(page);
    assert.equal(first.length, 25);
    assert.equal(first[0], "T-60");
    assert.equal(await page.locator("text=First page").count(), 0);
    await page.click("text=Next page");
    await page.waitForSelector('tr[data-ticket="T-35"]');
    assert.equal(query(page), "?page=25");
    await page.click("text=Next page");
    await page.waitForSelector('tr[data-ticket="T-1"]');
    assert.equal(await page.locator("text=Next page").count(), 0);
    await page.goBack();
    await page.waitForSelector('tr[data-ticket="T-35"]');
    await page.click("text=First page");
    await page.waitForSelector('tr[data-ticket="T-60"]');
    assert.equal(query(page), "");
  },

  async "a ticket that was measured is listed with its verdict and its return"(page, mock) {
    await open(page, mock, "?page=25");
    assert.match(await told(page, 'tr[data-ticket="T-17"]'), /verified▲ improved\+12,400 EURannaenrichment2026-03-20/);
    await open(page, mock);
    assert.match(await told(page, 'tr[data-ticket="T-59"]'), /no effect■ no detectable change−820 EUR/);
    assert.match(await told(page, 'tr[data-ticket="T-51"]'), /inconclusive\? cannot tellnot computed/);
    assert.match(await told(page, 'tr[data-ticket="T-54"]'), /proposed––nobody/);
  },

  async "filters go into the address, and the service is asked for what it says"(page, mock) {
    await open(page, mock, "?page=25");
    await page.click(".states summary");
    await page.check('input[value="measuring"]');
    await page.check('input[value="in_progress"]');
    await page.fill('input[name="owner"]', " bert ");
    await page.fill('input[name="text"]', "timeouts step");
    await page.selectOption('select[name="order"]', "changed");
    await page.press('input[name="text"]', "Enter");
    await page.waitForURL(/owner=bert/);
    await settled(page);
    assert.equal(query(page), "?state=in_progress&state=measuring&owner=bert&text=timeouts+step&order=changed");
    const request = asked(mock, "ListTickets").at(-1);
    assert.deepEqual(
      [request.states, request.owner, request.text, request.orderBy, request.pageToken, request.category],
      [[3, 5], "bert", "timeouts step", "update_time desc", "", ""],
    );
    const found = await ids(page);
    assert.ok(found.length > 0 && found.every((id) => Number(id.slice(2)) % 4 === 0), String(found));
    // The same address says the same again.
    await page.reload();
    await settled(page);
    assert.deepEqual(await ids(page), found);
    assert.equal(await told(page, ".states summary span:last-child"), "in progress, measuring");
    assert.equal(await page.inputValue('input[name="owner"]'), "bert");
  },

  async "a category filters the tickets and the returns alike"(page, mock) {
    await open(page, mock, "?category=enrichment");
    assert.equal(asked(mock, "ListTickets").at(-1).category, "enrichment");
    assert.equal(asked(mock, "GetCumulativeRoi").at(-1).category, "enrichment");
    assert.equal(await told(page, "#returned"), "What tickets returned · enrichment");
  },

  async "an address that cannot be is told with the rule, and leads back"(page, mock) {
    await page.goto(`${mock.url}/tickets?state=asleep`);
    assert.match(await page.textContent('[role="alert"]'), /state must be one of proposed, accepted,.*it is “asleep”/);
    assert.deepEqual(asked(mock, "ListTickets"), []);
    await page.click('[role="alert"] a');
    await page.waitForSelector('tr[data-ticket="T-60"]');
    await page.goto(`${mock.url}/tickets/T-17?days=400`);
    assert.match(await page.textContent('[role="alert"]'), /days must be a whole number from 1 to 366; it is “400”/);
  },

  async "returns are told as measured and shrunk, gains, avoided losses and failed work apart"(page, mock) {
    await open(page, mock);
    assert.match(await told(page, '[data-sum="as measured"]'), /\+9,280 EUR.*95 % \+3,280 to \+15,280 EUR/);
    assert.match(await told(page, '[data-sum="shrunk"]'), /\+7,150 EUR.*95 % \+2,650 to \+11,650 EUR/);
    const rows = await page.$$eval('[data-totals="kinds"] tbody th', (found) => found.map((it) => it.textContent));
    assert.deepEqual(rows, ["gains", "avoided losses", "failed work"]);
    assert.match(await told(page, '[data-totals="categories"]'), /message_generation1−2,300 EUR/);
    const uncounted = page.locator("[data-uncounted]");
    assert.equal(await uncounted.locator("summary").textContent(), "1 measured ticket counts nowhere");
    await uncounted.locator("summary").press("Enter");
    assert.match(await uncounted.locator("li").textContent(), /^T-51 .*: nobody said what the metric is worth/);
  },

  async "the keyboard walks the returns over time, and their table says the same"(page, mock) {
    await open(page, mock);
    const chart = page.locator('[data-returned] [role="slider"]');
    await chart.focus();
    await page.keyboard.press("End");
    const plain = (text) => text.replaceAll("\u202f", " ");
    assert.equal(
      plain(await chart.getAttribute("aria-valuetext")),
      "2026-03-16 09:00Z, +7,150 EUR shrunk, +9,280 EUR as measured, 3 tickets",
    );
    await page.keyboard.press("Home");
    assert.match(plain(await chart.getAttribute("aria-valuetext")), /−700 EUR shrunk/);
    await page.click("[data-returned] .points summary");
    await page.waitForSelector("[data-returned] .points table");
    const rows = await page.$$eval("[data-returned] .points tbody tr", (found) => found.map((row) => row.textContent));
    assert.equal(rows.length, 3);
    assert.equal(plain(rows[2]), "2026-03-16 09:00Z3+9,280 EUR+7,150 EUR");
  },

  async "forecasts are told in all, by rule and by category, and each with what came of it"(page, mock) {
    await open(page, mock);
    assert.match(await told(page, '[data-kind="rule: slice_regression"]'), /250\.0 %0\.00161\.0 %−1\.3/);
    assert.match(await told(page, '[data-kind="category: enrichment"]'), /1100\.0 %––−0\.1/);
    await page.click("[data-calibration] .points summary");
    assert.match(await told(page, '[data-forecast="T-52"]'), /\+310\.0 \+120\.0 to \+500\.0−90\.0 .*no97\.0 %▼ worse/);
  },

  async "corrections of forecasts are told with what they were learned from, and forecasts with theirs"(page, mock) {
    await open(page, mock);
    assert.match(
      await told(page, '[data-correction="C-3"]'),
      /C-3 slice_regression× 0\.53± 18\.0 %0\.51 0\.45 to 0\.572026-03-16 09:00Z from 6 outcomes/,
    );
    assert.match(await told(page, "[data-corrections]"), /kaizen calibration --revert ID --reason TEXT/);
    await page.click("[data-calibration] .points summary");
    assert.match(await told(page, '[data-forecast="T-52"]'), /slice_regression, corrected by C-2/);
  },

  async "fewer than four tickets are said not to be shrunk"(page, mock) {
    await open(page, mock);
    assert.match(await told(page, "[data-returned] .sums"), /Fewer than four tickets stay as they are/);
  },

  async "a ticket that changes is shown as it is without loading the page anew, and it is told how old that is"(
    page,
    mock,
  ) {
    await open(page, mock);
    await page.waitForSelector('[data-live="live"]');
    assert.match(await told(page, "[data-live]"), /^liveupdated \d+ s agoPause$/);
    const { tracker } = mock.behaviour;
    assert.deepEqual(
      [asked(mock, "WatchTickets").at(-1).afterEventId, asked(mock, "WatchTickets").at(-1).ticketId],
      ["100", ""],
    );
    await page.evaluate(() => {
      window.stayed = true;
    });
    mock.module.give(tracker, "T-54", "carla");
    await page.waitForSelector('tr[data-ticket="T-54"] >> text=carla');
    assert.equal(await page.evaluate(() => window.stayed), true);
    // Many changes at once are read together
    const before = asked(mock, "ListTickets").length;
    for (let number = 0; number < 50; number += 1) mock.module.give(tracker, "T-55", `owner ${number}`);
    await page.waitForSelector('tr[data-ticket="T-55"] >> text=owner 49');
    assert.ok(asked(mock, "ListTickets").length <= before + 2, `${asked(mock, "ListTickets").length - before} lists`);
  },

  async "paused, nothing changes and no stream is open; resumed, nothing was missed"(page, mock) {
    await open(page, mock);
    await page.waitForSelector('[data-live="live"]');
    mock.module.give(mock.behaviour.tracker, "T-60", "anna");
    await page.waitForSelector('tr[data-ticket="T-60"] >> text=anna');
    await page.click("text=Pause");
    await page.waitForSelector('[data-live="paused"] [aria-pressed="true"]');
    assert.match(await told(page, "[data-live]"), /^pausedupdated \d+ s agoResume$/);
    const streams = asked(mock, "WatchTickets").length;
    mock.module.give(mock.behaviour.tracker, "T-59", "carla");
    // A change of the address reads anew, and opens no stream
    await page.selectOption('select[name="order"]', "changed");
    await page.press('input[name="text"]', "Enter");
    await page.waitForURL(/order=changed/);
    await settled(page);
    assert.equal(asked(mock, "WatchTickets").length, streams);
    mock.module.give(mock.behaviour.tracker, "T-58", "dora");
    await page.click("text=Resume");
    await page.waitForSelector('tr[data-ticket="T-58"] >> text=dora');
    assert.equal(asked(mock, "WatchTickets").at(-1).afterEventId, "101");
  },

  async "one ticket is followed alone, and shows what happened to it"(page, mock) {
    await openTicket(page, mock, "T-17");
    await page.waitForSelector('[data-live="live"]');
    assert.equal(asked(mock, "WatchTickets").at(-1).ticketId, "T-17");
    const measured = asked(mock, "MeasureImpact").length;
    mock.module.give(mock.behaviour.tracker, "T-17", "dora");
    await page.waitForSelector('[data-fact="owner"] >> text=dora');
    // Another owner is no reason to measure anew
    assert.equal(asked(mock, "MeasureImpact").length, measured);
  },

  async "a stream that is lost is told, and tried again by itself"(page, mock) {
    const { tracker } = mock.behaviour;
    tracker.broken.add("WatchTickets");
    await open(page, mock);
    await page.waitForSelector('[data-live="lost"]');
    assert.match(await told(page, "[data-live]"), /not live: WatchTickets failed: UNAVAILABLE; it is tried again/);
    assert.equal((await ids(page)).length, 25);
    tracker.broken.clear();
    mock.module.give(tracker, "T-54", "carla");
    await page.waitForSelector('tr[data-ticket="T-54"] >> text=carla');
    await page.waitForSelector('[data-live="live"]');
  },

  async "without tickets or measurements the page says how to get some"(page, mock) {
    mock.behaviour.tracker.empty = true;
    mock.behaviour.tracker.unmeasured = true;
    await open(page, mock);
    assert.match(await told(page, "main"), /No ticket has been measured yet/);
    assert.match(await told(page, "main"), /No forecast has a measured outcome yet/);
    assert.match(await told(page, "main"), /There are no tickets yet\. kaizen recommendations accept/);
    await open(page, mock, "?owner=carla");
    assert.match(await told(page, "[data-list]"), /No ticket is like that\. All tickets/);
  },

  async "what fails names its call and its code, leaves the rest, and can be tried again"(page, mock) {
    for (const [call, place] of [
      ["GetCumulativeRoi", "[data-returned]"],
      ["GetCalibration", "[data-calibration]"],
      ["ListTickets", "[data-list]"],
    ]) {
      mock.behaviour.tracker.broken.add(call);
      await open(page, mock);
      assert.match(await told(page, place), new RegExp(`${call} failed: UNAVAILABLE.*the ledger is away`));
      assert.equal(await page.locator(".notice.error").count(), 1, call);
      mock.behaviour.tracker.broken.clear();
      await page.click(`${place} >> text=Try again`);
      await page.waitForFunction(() => !document.querySelector(".notice.error"));
      await settled(page);
    }
    await page.goto(`${mock.url}/tickets?page=nowhere`);
    await page.waitForSelector('[data-list="failed"]');
    assert.match(await told(page, '[data-list="failed"]'), /INVALID_ARGUMENT.*page_token must be/);
    await page.click('[data-list="failed"] >> text=First page');
    await page.waitForSelector('tr[data-ticket="T-60"]');
  },

  async "a ticket opens from the list, and leads back to the list as it was filtered"(page, mock) {
    await page.setViewportSize({ width: 1280, height: 500 });
    await open(page, mock, "?state=verified&owner=anna");
    await page.focus('tr[data-ticket="T-17"] a');
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    assert.ok((await page.evaluate(() => scrollY)) > 0);
    await page.keyboard.press("Enter");
    await page.waitForSelector('article[data-ticket="T-17"]');
    assert.deepEqual(await page.evaluate(() => [scrollY, document.activeElement?.id]), [0, "main"]);
    await settled(page);
    assert.equal(new URL(page.url()).pathname + query(page), "/tickets/T-17?state=verified&owner=anna");
    await page.click("text=now, over 28 days");
    await page.waitForURL(/days=28/);
    await page.click("text=All tickets");
    await page.waitForSelector('tr[data-ticket="T-17"]');
    assert.equal(new URL(page.url()).pathname + query(page), "/tickets?state=verified&owner=anna");
  },

  async "an impact is told verdict first, with effect, interval, means and what it could have seen"(page, mock) {
    await openTicket(page, mock, "T-17");
    assert.equal(
      await told(page, ".verdict"),
      "▲ improved Success rate rose by 8.7 percentage points (95 % interval 6.1 to 11.3).",
    );
    assert.equal(await told(page, '[data-number="effect"]'), "+8.7 ppeffect, 95 % +6.1 pp to +11.3 pp");
    assert.match(await told(page, '[data-number="means"]'), /^82\.1 → 90\.8 %/);
    for (const [fact, text] of [
      ["at all looks together", "+4.9 pp to +12.5 pp"],
      ["mean before of", "2026-02-02 09:00Z to 2026-02-17 09:00Z and 2026-02-24 09:00Z to 2026-03-02 09:00Z"],
      ["improvement", "+10.6 % of what it was"],
      ["better with a probability of", "> 99.9 %"],
      ["smallest effect seen with 80 %", "2.4 pp"],
    ]) {
      assert.equal(await told(page, `[data-fact="${fact}"] dd`), text);
    }
  },

  async "how it is known is told with why not better, and how much it is to be trusted with its parts"(page, mock) {
    await openTicket(page, mock, "T-17");
    assert.equal(await told(page, "[data-method] > p"), "regression on untouched slices");
    assert.equal(
      await told(page, '[data-rung="randomised"]'),
      "✕ not a randomised share: chance did not say which decisions the change applies to",
    );
    assert.equal(await told(page, '[data-rung="controls"]'), "✓ untouched slices");
    assert.equal(
      await told(page, "[data-confidence]"),
      "0.82 = 0.90 method × 1.00 information × 0.96 days present × 0.95 placebo",
    );
    assert.match(await told(page, '[data-fact="placebo"]'), /of 60 times when nothing was changed, 3 had/);
    assert.match(await told(page, '[data-fact="novelty"]'), /p = 0\.41: no sign that it fades/);
    assert.match(await told(page, '[data-fact="shock"]'), /with a probability of 3\.0 %/);
    await page.click("[data-controls] summary");
    assert.match(await told(page, "[data-controls]"), /model_only–40\.0 %not used: it is a sum of other controls/);
  },

  async "the days are walked by key, those that are not in the measurement with their reason, and so is their table"(
    page,
    mock,
  ) {
    await openTicket(page, mock, "T-17");
    const chart = page.locator('.impact [role="slider"]');
    await chart.focus();
    await page.keyboard.press("Home");
    assert.match(await chart.getAttribute("aria-valuetext"), /^2 Feb 2026, 09:00 – .*, n \d+, before the change$/);
    for (let day = 0; day < 8; day += 1) await page.keyboard.press("ArrowRight");
    assert.match(
      await chart.getAttribute("aria-valuetext"),
      /no value, n 0, .*not in the measurement: it has no decisions/,
    );
    await page.keyboard.press("End");
    assert.match(await chart.getAttribute("aria-valuetext"), /^15 Mar 2026, 09:00 – .*, after the change$/);
    await page.click(".impact > .points summary");
    const rows = await page.$$eval("[data-days] tbody tr", (found) => found.map((row) => row.textContent));
    assert.equal(rows.length, 42);
    assert.match(rows[8], /beforeno value0no: it has no decisions/);
    assert.match(rows[31], /after.*no: an incident was going on/);
  },

  async "guardrails are told with their verdicts, those that were not measured with the reason"(page, mock) {
    await openTicket(page, mock, "T-17");
    const rail = (name) => told(page, `[data-guardrail="lead_enrichment.${name}"]`);
    assert.equal(await rail("p95_processing_time"), "95th percentile processing time▲ worse+210 ms +120 ms to +300 ms");
    assert.match(await rail("average_processing_time"), /■ no detectable change/);
    assert.match(await rail("method_effectiveness"), /not measured: there are 3 values before the change/);
  },

  async "what else changed is told with its ticket, and whether its effect is in the measurement"(page, mock) {
    await openTicket(page, mock, "T-17");
    assert.match(await told(page, '[data-overlap="before"]'), /2026-02-25 09:00Z deploy of lead_enrichment v12 T-12/);
    assert.match(
      await told(page, '[data-overlap="after"]'),
      /v14 https:\/\/deploy\.example\/9, after the change: its effect/,
    );
    await page.click('[data-overlap="before"] a');
    await page.waitForSelector('article[data-ticket="T-12"]');
  },

  async "a return is told with interval, probability and payback, and what it is made of"(page, mock) {
    await openTicket(page, mock, "T-17");
    const text = await told(page, '[data-roi="computed"]');
    for (const part of [
      "+12,400 EUR",
      "in 84 days, 95 % +8,100 to +16,700 EUR",
      "above zero with a probability of> 99.9 %",
      "which isa gain",
      "paid backafter 3.1 days",
      "effect × 42,000 × 3.57 EUR",
      "606 EUR: 6 h × 80.00 EUR, running it +126 EUR",
    ]) {
      assert.ok(text.includes(part), `no “${part}” in ${text}`);
    }
  },

  async "a return that is not computed is said to be so with the reason, and is no zero"(page, mock) {
    mock.behaviour.tracker.worthless = true;
    await openTicket(page, mock, "T-17");
    assert.equal(
      await told(page, '[data-roi="absent"]'),
      "What it returnedNot computed: the catalogue does not say what the metric is worth.",
    );
    assert.match(await told(page, '[data-measurement="57"]'), /not computed$/);
  },

  async "the days to measure over are in the address, and the service is asked for as many"(page, mock) {
    await openTicket(page, mock, "T-17");
    assert.equal(asked(mock, "MeasureImpact").at(-1).measurementPeriodDays, 14);
    await page.click("text=now, over 7 days");
    await page.waitForURL(/days=7/);
    await settled(page);
    assert.equal(asked(mock, "MeasureImpact").at(-1).measurementPeriodDays, 7);
    await page.goBack();
    await page.waitForSelector('.presets [aria-current="true"] >> text=now, over 14 days');
    await openTicket(page, mock, "T-17", "?days=21");
    assert.equal(asked(mock, "MeasureImpact").at(-1).measurementPeriodDays, 21);
  },

  async "measurements that are kept are listed, and each opens in full without measuring anew"(page, mock) {
    await openTicket(page, mock, "T-17");
    assert.match(
      await told(page, '[data-measurement="41"]'),
      /^Day 72026-03-09 09:00Zcould not be made: the warehouse was away$/,
    );
    assert.match(
      await told(page, '[data-measurement="57"]'),
      /▲ improved\+8\.7 pp \+6\.1 pp to \+11\.3 pp0\.82\+12,400 EUR$/,
    );
    const before = asked(mock, "MeasureImpact").length;
    await page.click("text=Day 28");
    await page.waitForSelector('[data-impact="kept"]');
    assert.equal(query(page), "?measurement=81");
    assert.match(
      await told(page, '[data-impact="kept"]'),
      /As it was kept on 2026-03-30 09:00Z, due on day 28\. ?■ no detectable/,
    );
    await page.click("text=Day 7");
    await page.waitForSelector("text=It could not be made: the warehouse was away");
    await openTicket(page, mock, "T-17", "?measurement=999");
    assert.match(await told(page, '[data-impact="absent"]'), /no kept measurement 999/);
    assert.equal(asked(mock, "MeasureImpact").length, before);
  },

  async "what was forecast, what was done and all that happened are told"(page, mock) {
    await openTicket(page, mock, "T-17");
    const section = (id) => told(page, `section[aria-labelledby="${id}"]`);
    assert.match(
      await section("recommended"),
      /slice_regression.*\+9\.4 % of the metric.*\+310\.0 \(95 % \+120\.0 to \+500\.0\)/,
    );
    assert.match(await section("recommended"), /benefit \+13,280 EUR, above zero with 99\.8 %/);
    assert.match(await section("implementation"), /v13.*6 h.*\+1\.50 a day.*method_used = registry_lookup/);
    const events = await page.$$eval("[data-event]", (found) => found.map(({ dataset }) => dataset.event));
    assert.deepEqual(events, ["57", "40", "21", "7", "3"]);
    assert.match(
      await told(page, '[data-event="57"]'),
      /^2026-03-16 09:00Z kaizen.*state measuring → verified.*Success rate rose/,
    );
    assert.match(await told(page, '[data-event="40"]'), /kaizen\s*measured on day 7: .*cannot tell.*Too early to tell/);
  },

  async "a link that leads nowhere a browser may be sent is text"(page, mock) {
    await openTicket(page, mock, "T-17");
    const links = await page.$$eval("article dd a", (found) => found.map(({ href }) => href));
    assert.deepEqual(links, ["https://code.example/pull/7"]);
    assert.equal(await told(page, '[data-fact="other"] dd'), "no address");
  },

  async "where little is known that is said, and nothing is made up"(page, mock) {
    await openTicket(page, mock, "T-58");
    assert.match(await told(page, ".verdict"), /^\? cannot tell It is too early to tell\./);
    assert.match(await told(page, ".impact"), /Not told\./);
    assert.match(await told(page, '[data-roi="absent"]'), /Not computed: the catalogue does not say/);
    assert.equal(await page.locator('[data-fact="placebo"], .impact [role="slider"], .impact table').count(), 0);
    assert.match(await told(page, "[data-kept]"), /None yet: they are made 7, 14 and 28 days after the change/);
  },

  async "what cannot be measured yet is told in the service's words, not as a failure"(page, mock) {
    await openTicket(page, mock, "T-57");
    assert.match(
      await told(page, '[data-impact="unmeasurable"]'),
      /It cannot be measured now\. ?there are 0 values after the change; 2 are needed/,
    );
    assert.equal(await page.locator(".notice.error").count(), 0);
  },

  async "a ticket that is not implemented is not measured"(page, mock) {
    await openTicket(page, mock, "T-55");
    assert.match(await told(page, '[data-impact="none"]'), /measured once it is implemented/);
    assert.match(await told(page, "main"), /Nothing is on record/);
    assert.deepEqual(asked(mock, "MeasureImpact"), []);
    assert.deepEqual(asked(mock, "ListMeasurements"), []);
  },

  async "a measurement that fails leaves the rest of the ticket, and can be tried again"(page, mock) {
    mock.behaviour.tracker.broken.add("MeasureImpact").add("ListMeasurements");
    await openTicket(page, mock, "T-17");
    assert.match(await told(page, '[data-impact="failed"]'), /MeasureImpact failed: UNAVAILABLE/);
    assert.match(await told(page, "[data-kept]"), /ListMeasurements failed: UNAVAILABLE/);
    assert.match(await told(page, "main"), /What was forecast/);
    mock.behaviour.tracker.broken.clear();
    await page.click('[data-impact="failed"] >> text=Try again');
    await page.waitForSelector('[data-impact="ready"] .verdict');
    await page.click("[data-kept] >> text=Try again");
    await page.waitForSelector('[data-measurement="57"]');
  },

  async "a ticket that is not there is told, with the way back"(page, mock) {
    await page.goto(`${mock.url}/tickets/T-999`);
    await page.waitForSelector(".notice.error");
    assert.match(await told(page, ".notice.error"), /Reading ticket T-999 failed: NOT_FOUND.*there is no ticket T-999/);
    await page.click("text=All tickets");
    await page.waitForSelector('tr[data-ticket="T-60"]');
  },

  async "nothing is wider than the screen, at a desk or in a hand, by day or by night"(page, mock) {
    for (const width of [1280, 768, 390, 320]) {
      await page.setViewportSize({ width, height: 800 });
      for (const [name, path] of [
        ["tickets", ""],
        ["ticket", "/T-17"],
      ]) {
        await page.goto(`${mock.url}/tickets${path}`);
        await settled(page);
        await page.waitForSelector(path ? '[data-impact="ready"] .chart' : "[data-list] tr");
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `${name}: ${wide} px of content on ${width} px`);
        if (screenshots) await photograph(page, name, width);
      }
    }
  },
};

async function photograph(page, name, width) {
  await mkdir(screenshots, { recursive: true });
  for (const colorScheme of width === 1280 ? ["dark", "light"] : ["light"]) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(screenshots, `${name}-${width}-${colorScheme}.png`), fullPage: true });
  }
}

await runChecks(checks);
