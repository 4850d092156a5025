// Says whether the interval of a measured impact (IMPACT.json) holds what the simulator planted (TRUTH.json): its first fault is
// what was mended.
import { readFileSync } from "node:fs";

const [truth, impact] = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, "utf8")));
const planted = -truth.faults[0].size.absolute;
const [lower, upper] = impact.effect.interval;
const points = (share) => `${(100 * share).toFixed(1)} points`;
const said = `planted: ${points(planted)}; measured: ${points(lower)} to ${points(upper)}`;
if (planted < lower || planted > upper) {
  console.error(`demo: the interval does not hold what was planted. ${said}`);
  process.exit(1);
}
console.log(`The interval holds what was planted. ${said}`);
