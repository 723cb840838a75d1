// Numbers and times in the visitor's language and zone.

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat(undefined, { maximumFractionDigits: 3 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const percents = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const shortMoments = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
const days = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const shortDays = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", timeZone: "UTC" });
// Words stay in the language of the page.
const distances = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export const count = (n) => (n === null || n === undefined ? "–" : whole.format(n));
export const credits = (n) => (n === null || n === undefined ? "–" : (Math.abs(n) < 100 ? fine : whole).format(n));
export const compact = (n) => short.format(n);
export const percent = (n) => percents.format(n);
export const moment = (time) => moments.format(asDate(time));
export const shortMoment = (time) => shortMoments.format(asDate(time));
/** A calendar day written as 2026-11-28, which is in no zone. */
export const day = (text) => days.format(new Date(`${text}T00:00:00Z`));
export const shortDay = (text) => shortDays.format(new Date(`${text}T00:00:00Z`));

export function seconds(ms) {
  if (ms === null || ms === undefined) return "–";
  return ms < 1000 ? `${whole.format(ms)} ms` : `${new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 }).format(ms / 1000)} s`;
}

/** Times come as seconds since 1970 or as RFC 3339. */
export function asDate(time) {
  return typeof time === "number" ? new Date(time * 1000) : new Date(time);
}

const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [30, "day"], [12, "month"], [Infinity, "year"]];

/** "3 minutes ago", "in 2 days". */
export function distance(time) {
  let amount = (asDate(time) - Date.now()) / 1000;
  for (const [size, unit] of STEPS) {
    if (Math.abs(amount) < size) return distances.format(Math.round(amount), unit);
    amount /= size;
  }
}

/** Today in a zone, as 2026-11-28. */
export function today(zone) {
  try {
    return new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date());
  } catch {
    return new Date().toISOString().slice(0, 10);
  }
}

/** The calendar day so many days from another. */
export function addDays(text, amount) {
  const date = new Date(`${text}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + amount);
  return date.toISOString().slice(0, 10);
}
