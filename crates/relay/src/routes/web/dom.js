// Elements. Text always becomes text nodes: nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "rect", "line", "path", "text", "title"]);

/** An element: properties are attributes, `on…` are listeners, false and null are left out. */
export function h(tag, properties = {}, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const show = (place, ...children) => place.replaceChildren(...children.flat(9).filter(Boolean));

/** Says something to screen readers without moving the focus. */
export function announce(words) {
  document.getElementById("status").textContent = words;
}

/** A button that does something by itself; `style` is "main" for the one that is meant, "danger" for what deletes. */
export const button = (words, onclick, style) => h("button", { type: "button", class: style, onclick }, words);

export const card = (...children) => h("section", { class: "card" }, children);
export const soft = (...children) => h("span", { class: "soft" }, children);
/** A line of small print. */
export const small = (...children) => h("p", { class: "label" }, children);
/** A state as a coloured word: "good", "warn", "bad" or none. */
export const tag = (words, style = "") => h("span", { class: `tag ${style}` }, words);
/** The title of a view, with what stands beside it. */
export const heading = (title, ...beside) => h("div", { class: "head" }, h("h1", {}, title), beside);
/** A moment in few words, with the exact one as its tooltip. */
export const time = (words, exact) => h("time", { title: exact }, words);

export const busy = (words = "Loading…") => h("p", { class: "busy" }, words);

export const empty = (...children) => h("div", { class: "empty" }, children);

/** An error as a person needs it: what happened, what to do, and a way to try again. */
export function problem(error, again) {
  return h("div", { class: "note bad", role: "alert" },
    h("p", {}, error.message),
    error.advice && h("p", {}, error.advice),
    again && button("Try again", again));
}

/** Fills a place with what `load` resolves to: progress first, then the content or the problem. */
export async function fill(place, signal, load, words) {
  show(place, busy(words));
  place.setAttribute("aria-busy", "true");
  try {
    const content = await load();
    if (!signal.aborted) show(place, content);
  } catch (error) {
    if (signal.aborted) return;
    show(place, problem(error, () => fill(place, signal, load, words)));
  } finally {
    place.removeAttribute("aria-busy");
  }
}

/** A card whose content is loaded. */
export function loadedCard(title, signal, load) {
  const content = h("div");
  fill(content, signal, load);
  return card(h("h2", {}, title), content);
}

/**
 * A table; columns are [heading, class], the first cell of a row heads it. Where it is narrow each row becomes a
 * block of its own (the roles keep it a table for screen readers), but for a grid, which is scrolled.
 */
export function table(caption, columns, rows, isGrid = false) {
  const head = columns.map(([words, style]) => h("th", { scope: "col", role: "columnheader", class: style }, words || unseen("Actions")));
  const body = rows.map((cells) => h("tr", { role: "row" }, cells.map((cell, at) => {
    const [words, style] = columns[at];
    return at === 0
      ? h("th", { scope: "row", role: "rowheader", class: style }, cell)
      : h("td", { role: "cell", class: style, "data-label": words }, cell);
  })));
  const parts = [h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head)), h("tbody", { role: "rowgroup" }, body)];
  const element = h("table", { role: "table", class: isGrid ? "" : "stacked" }, h("caption", { class: "unseen" }, caption), parts);
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, element);
}

/** Names with their values; what is not there is left out. */
export const facts = (lines) => h("dl", {}, lines.filter(([, value]) => value !== undefined && value !== null && value !== "")
  .map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));

export const field = (label, control, style) => h("label", { class: style }, label, control);

export function select(name, options, value) {
  return h("select", { name }, options.map(([id, words]) => h("option", { value: id, selected: id === value }, words)));
}

async function copy(text, source) {
  const before = [...source.childNodes];
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Pages from plain http have no clipboard: a selection that is copied works everywhere.
    const area = h("textarea", { class: "unseen", value: text, "aria-label": "Text to copy" });
    (source.closest("dialog") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    source.focus();
  }
  show(source, "Copied");
  announce("Copied");
  setTimeout(() => show(source, before), 1500);
}

/** Words for screen readers only, such as what a button in a row is about. */
export const unseen = (words) => h("span", { class: "unseen" }, words);

export const copyButton = (text, what) =>
  button(["Copy", unseen(` ${what}`)], (event) => copy(text, event.currentTarget));

/** A modal dialog that is gone when it closes. */
export function dialog(title, ...children) {
  const element = h("dialog", { "aria-labelledby": "dialog-title", onclose: () => element.remove() },
    h("h2", { id: "dialog-title" }, title), children);
  document.body.append(element);
  element.showModal();
  return element;
}

/** Asks before something that cannot be undone. */
export function confirm(title, words, action, act) {
  const place = h("div");
  const go = async () => {
    show(place, busy());
    try {
      await act();
      box.close();
    } catch (error) {
      show(place, problem(error));
    }
  };
  const box = dialog(title, h("p", {}, words), place,
    h("div", { class: "row end" }, button("Cancel", () => box.close()), button(action, go, "danger")));
}
