// Stacked columns, one a day, drawn as SVG; the table beneath has the same numbers.
import { h, soft, table } from "./dom.js";
import { compact, credits, day, shortDay } from "./format.js";

/** Models with a colour of their own; the others share one. */
const COLOURS = 6;

/** The models by what they cost, largest first; those beyond the colours together as the last. */
export function ranked(rows) {
  const sums = new Map();
  for (const { model, credits } of rows) sums.set(model, (sums.get(model) ?? 0) + credits);
  const models = [...sums].sort((a, b) => b[1] - a[1]).map(([model, total]) => ({ model, total, models: new Set([model]) }));
  if (models.length <= COLOURS + 1) return models;
  const rest = models.slice(COLOURS);
  return [...models.slice(0, COLOURS), {
    model: `${rest.length} others`,
    total: rest.reduce((sum, { total }) => sum + total, 0),
    models: new Set(rest.map(({ model }) => model)),
  }];
}

/** A round number at or above another, for the top of the scale. */
function roundUp(value) {
  const size = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * size).find((step) => step >= value) ?? value;
}

/** Rows of {day, model, credits} over these days. */
export function chart(days, rows) {
  const series = ranked(rows);
  const byDay = new Map(days.map((day) => [day, series.map(() => 0)]));
  for (const { day, model, credits } of rows) {
    const column = byDay.get(day);
    if (column) column[series.findIndex(({ models }) => models.has(model))] += credits;
  }
  const totals = [...byDay.values()].map((column) => column.reduce((sum, part) => sum + part, 0));
  const top = roundUp(Math.max(...totals));
  const holder = h("div");
  const draw = () => holder.replaceChildren(drawing(byDay, totals, series, top, holder.clientWidth || 640));
  new ResizeObserver(draw).observe(holder);
  draw();

  const columns = [["Day"], ...series.map(({ model }) => [model, "n"]), ["Sum", "n"]];
  const lines = days.map((name, at) => [day(name), ...byDay.get(name).map(credits), credits(totals[at])]);
  const sum = totals.reduce((total, part) => total + part, 0);
  lines.push(["Sum", ...series.map(({ total }) => credits(total)), credits(sum)]);
  return [holder,
    h("ul", { class: "legend" }, series.map(({ model, total }, at) => h("li", {},
      h("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, h("rect", { width: 10, height: 10, rx: 2, class: `f${at}` })),
      model, " ", soft(credits(total))))),
    h("details", {}, h("summary", {}, "The same as a table"), table("Credits a day by model", columns, lines, true))];
}

function drawing(byDay, totals, series, top, width) {
  const height = 220, left = 48, bottom = 24, upper = 12;
  const inner = height - bottom - upper;
  const step = (width - left) / byDay.size;
  const thick = Math.max(2, step * 0.72);
  const y = (value) => upper + inner - (inner * value) / top;
  const scale = [0, 0.5, 1].map((part) => [
    h("line", { x1: left, x2: width, y1: y(top * part), y2: y(top * part) }),
    h("text", { x: left - 8, y: y(top * part) + 4, "text-anchor": "end" }, compact(top * part)),
  ]);
  const every = Math.ceil(70 / step);
  const columns = [...byDay].map(([name, parts], at) => {
    let reached = 0;
    const x = left + at * step;
    const pieces = parts.map((part, which) => {
      if (part <= 0) return null;
      const from = y(reached);
      reached += part;
      return h("rect", { x: x + (step - thick) / 2, y: y(reached), width: thick, height: from - y(reached), class: `f${which}` });
    });
    const spent = series.map(({ model }, which) => parts[which] > 0 && `${model}: ${credits(parts[which])}`).filter(Boolean);
    return h("g", { class: "column" },
      h("title", {}, [`${day(name)}: ${credits(totals[at])} credits`, ...spent].join("\n")),
      h("rect", { x, y: upper, width: step, height: inner, class: "edge" }),
      pieces,
      (byDay.size - 1 - at) % every === 0 && h("text", { x: x + step / 2, y: height - 6, "text-anchor": "middle" }, shortDay(name)));
  });
  const sum = totals.reduce((total, part) => total + part, 0);
  return h("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, height, role: "img",
    "aria-label": `Credits of the last ${byDay.size} days by model, ${credits(sum)} in all. A table with the numbers follows.` }, scale, columns);
}
