import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Interval } from "./gen/kaizen/analysis/v1/metrics_pb";

const LOCALE = "en-GB";
const MINUS = "−";
const NARROW = "\u202f";

const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const hundredths = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const upToHundredths = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 2 });
const thousandths = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
const three = new Intl.NumberFormat(LOCALE, { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });

/** A number of decisions. */
export const formatCount = (count: bigint | number): string => whole.format(count);

/** A share, 0 to 1, in percent. */
export const formatShare = (share: number): string => `${minus(tenths.format(share * 100))}${NARROW}%`;

/** A value in its unit, to the precision a person compares with. */
export function formatValue(value: number, unit: string): string {
  const { number, unit: suffix } = partsOf(value, unit);
  return suffix ? `${number}${NARROW}${suffix}` : number;
}

/** A value's figure and its unit, apart so that they can be set in different sizes. */
export function partsOf(value: number, unit: string): { number: string; unit: string } {
  switch (unit) {
    case "ratio":
      return { number: minus(tenths.format(value * 100)), unit: "%" };
    case "seconds":
      return Math.abs(value) < 1 && value !== 0
        ? { number: minus(three.format(value * 1000)), unit: "ms" }
        : { number: minus(three.format(value)), unit: "s" };
    case "score":
      return { number: minus(tenths.format(value)), unit: "/ 100" };
    case "count":
      return { number: minus(whole.format(value)), unit: "" };
    default:
      return { number: minus(Math.abs(value) >= 1000 ? whole.format(value) : three.format(value)), unit };
  }
}

/** A 95 % interval in the unit of its value. */
export function formatInterval({ lower, upper }: Pick<Interval, "lower" | "upper">, unit: string): string {
  const low = partsOf(lower, unit);
  const high = partsOf(upper, unit);
  const alike = low.unit === high.unit;
  return `${low.number}${alike ? "" : `${NARROW}${low.unit}`} – ${high.number}${high.unit ? `${NARROW}${high.unit}` : ""}`;
}

/** An absolute change with its sign; shares change by percentage points. */
export function formatChange(change: number, unit: string): string {
  const size = Math.abs(change);
  const text = unit === "ratio" ? `${tenths.format(size * 100)}${NARROW}pp` : formatValue(size, unit);
  return signed(change, text);
}

/** Both ends of the 95 % interval of a change. */
export const formatChangeInterval = ({ lower, upper }: Pick<Interval, "lower" | "upper">, unit: string): string =>
  `${formatChange(lower, unit)} to ${formatChange(upper, unit)}`;

/** An amount of money without its currency, with its sign, to the whole unit where it is large. */
export const formatAmount = (amount: number): string => signed(amount, size(amount));

/** An amount of money with its sign. */
export const formatMoney = (amount: number, currency: string): string => `${formatAmount(amount)}${NARROW}${currency}`;

/** An amount of money without a sign where it is above zero. */
export const formatPrice = (amount: number, currency: string): string =>
  `${amount < 0 ? MINUS : ""}${size(amount)}${NARROW}${currency}`;

/** Both ends of the 95 % interval of an amount of money. */
export const formatMoneyInterval = ({ lower, upper }: Pick<Interval, "lower" | "upper">, currency: string): string =>
  `${formatAmount(lower)} to ${formatMoney(upper, currency)}`;

const size = (amount: number): string => (Math.abs(amount) >= 100 ? whole : hundredths).format(Math.abs(amount));

/** Hours of work. */
export const formatHours = (hours: number): string => `${upToHundredths.format(hours)}${NARROW}h`;

/** A number with its sign and one digit after the point. */
export const formatSigned = (number: number): string => signed(number, tenths.format(Math.abs(number)));

/** A number from 0 to 1 that is not read as a share. */
export const formatPart = (part: number): string => hundredths.format(part);

/** A Brier score, of which the best are small. */
export const formatScore = (score: number): string => thousandths.format(score);

/** A probability, whose ends are told apart from certainty. */
export function formatProbability(probability: number): string {
  if (probability > 0.999) return `> 99.9${NARROW}%`;
  return probability < 0.001 ? `< 0.1${NARROW}%` : formatShare(probability);
}

/** A time to the minute, in UTC; nothing for none. */
export const formatTime = (time: Timestamp | undefined): string =>
  time ? `${timestampDate(time).toISOString().slice(0, 16).replace("T", " ")}Z` : "";

/** A relative change in percent with its sign. */
export const formatRelative = (change: number): string =>
  signed(change, `${tenths.format(Math.abs(change) * 100)}${NARROW}%`);

const signed = (of: number, text: string): string => `${of > 0 ? "+" : of < 0 ? MINUS : ""}${text}`;
/** Sets a real minus; what is rounded to zero has none. */
const minus = (text: string): string => (/^-[0.]+$/.test(text) ? text.slice(1) : text.replace("-", MINUS));
