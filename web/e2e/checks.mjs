import assert from "node:assert/strict";
import { inBrowser, watch } from "./browser.mjs";
import { serveMock } from "./server.mjs";

/** Runs all checks, each named by its promise, on a page and a stand-in of its own; the exit code tells of a failure. */
export async function runChecks(checks) {
  await inBrowser(async (context) => {
    for (const [promise, check] of Object.entries(checks)) {
      const mock = await serveMock();
      const page = await context.newPage();
      const faults = watch(page, mock.url);
      try {
        await check(page, mock);
        // Navigating away cancels requests; everything else a sound page never does.
        assert.deepEqual(
          faults.filter((fault) => !fault.includes("ERR_ABORTED")),
          [],
        );
        console.log(`ok    ${promise}`);
      } catch (error) {
        process.exitCode = 1;
        console.log(`FAILED ${promise}\n${error.message}`);
      }
      await page.close();
      mock.close();
    }
  });
}
