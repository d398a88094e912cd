"use strict";
// Zoom, jumps, hover and keys for the timelines. Nothing on the page needs it: without this script
// the same timelines are pictures, and links lead to the pins on them.
const SVG = "http://www.w3.org/2000/svg";
const STEPS_S = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600,
  7200, 21600];
const LETTER_PX = 6.1;
const SHORTEST_S = 0.2;
const JUMP_S = 12; // width of the window that a jump shows
const KEYS = "Arrow keys move, plus and minus zoom, 0 shows all, n and p go from moment to moment";
const charts = new Map();

function clock(seconds, step) {
  const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
  if (seconds < 60) return `${seconds.toFixed(digits)} s`;
  const minutes = Math.floor(seconds / 60), rest = (seconds - 60 * minutes).toFixed(digits);
  const padded = rest.padStart(digits ? digits + 3 : 2, "0");
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${padded}` : `${minutes}:${padded}`;
}

function made(tag, attributes = {}, text = "") {
  const element = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4))
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  return element;
}

const tip = made("div", { class: "tip", role: "tooltip", hidden: "" });
document.querySelector("main").append(tip);

function showTip(text, x, y) {
  tip.textContent = text;
  tip.hidden = false;
  const wide = tip.offsetWidth, high = tip.offsetHeight;
  tip.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - wide - 8))}px`;
  tip.style.top = `${y + 18 + high > innerHeight ? y - high - 10 : y + 18}px`;
}

class Timeline {
  constructor(svg) {
    this.svg = svg;
    for (const name of ["left", "width", "span", "top", "bottom"]) {
      this[name] = Number(svg.dataset[name]);
    }
    this.frame = svg.parentElement;
    this.figure = svg.closest("figure");
    this.plot = svg.querySelector(".plot");
    this.ticks = svg.querySelector(".ticks");
    this.from = 0;
    this.to = this.span;
    this.at = -1;
    this.read();
    this.addControls();
    this.listen();
  }

  // Everything in the plot with its place at the widest view.
  read() {
    this.titles = new Map();
    for (const title of this.svg.querySelectorAll("title")) {
      this.titles.set(title.parentElement, title.textContent);
      title.remove(); // ours shows at once, follows the theme and can be reached by keys
    }
    const number = (element, name) => Number(element.getAttribute(name) || 0);
    const all = (selector) => [...this.plot.querySelectorAll(selector)];
    this.boxes = all("rect").filter((r) => !r.closest(".moment")).map((element) =>
      ({ element, x: number(element, "x"), drawn: number(element, "width"),
        width: Number(element.dataset.width ?? element.getAttribute("width")) }));
    const boxOf = (element) => {
      while (element && element.tagName !== "rect") element = element.previousElementSibling;
      return this.boxes.find((box) => box.element === element) || null;
    };
    this.words = all("text").filter((t) => !t.closest(".moment")).map((element) => {
      const inside = element.classList.contains("inside");
      return {
        element, inside, x: number(element, "x"), length: element.textContent.length * LETTER_PX + 8,
        box: inside || "sticks" in element.dataset ? boxOf(element) : null,
      };
    });
    this.curves = all("path.curve");
    this.points = all("path.mark, g.moment").map((element) => {
      const [, x, , y] = element.getAttribute("transform").match(/\((-?[\d.]+)( (-?[\d.]+))?/);
      return { element, x: Number(x), y: Number(y || 0) };
    });
    const notable = ".moment, .mark:not(.mark-effective), rect.outage, rect.steps, rect.suspect";
    this.moments = all(notable).map((element) => {
      const own = this.points.find((p) => p.element === element)
        || this.boxes.find((b) => b.element === element);
      return { element, second: ((own.x - this.left) / this.width) * this.span };
    }).sort((a, b) => a.second - b.second);
  }

  addControls() {
    const bar = made("div", { class: "controls" });
    const button = (text, label, action) => {
      const element = made("button", { type: "button", "aria-label": label, title: label }, text);
      element.addEventListener("click", action);
      bar.append(element);
    };
    button("−", "Zoom out", () => this.zoom(2));
    button("+", "Zoom in", () => this.zoom(0.5));
    button("‹", "Earlier", () => this.pan(-0.3));
    button("›", "Later", () => this.pan(0.3));
    button("Show all", "Show the whole run", () => this.show(0, this.span));
    button("Previous moment", "Previous moment: mark, step, outage or evidence", () => this.step(-1));
    button("Next moment", "Next moment: mark, step, outage or evidence", () => this.step(1));
    this.said = made("output", { class: "window", "aria-live": "polite" });
    bar.append(this.said);
    const help = made("p", { class: "hint soft", id: `${this.figure.id}-keys` },
      `Drag over a stretch to enlarge it; double click shows all. ${KEYS}.`);
    this.frame.setAttribute("aria-describedby", help.id);
    this.figure.prepend(bar);
    this.figure.append(help);
    this.hair = made("svg:g", { class: "hair" });
    this.hair.append(made("svg:path"), made("svg:text"));
    this.brush = made("svg:rect", { class: "brush", y: this.top, height: this.bottom - this.top });
    this.hair.style.display = this.brush.style.display = "none";
    this.svg.append(this.brush, this.hair);
  }

  x(second) { return this.left + ((second - this.from) / (this.to - this.from)) * this.width; }

  secondAt(event) {
    const point = new DOMPoint(event.clientX, event.clientY);
    const x = point.matrixTransform(this.svg.getScreenCTM().inverse()).x;
    return this.from + ((x - this.left) / this.width) * (this.to - this.from);
  }

  show(from, to) {
    const length = Math.min(Math.max(to - from, SHORTEST_S), this.span);
    this.from = Math.min(Math.max(from, 0), this.span - length);
    this.to = this.from + length;
    const k = this.span / length;
    const place = (x) => this.x(((x - this.left) / this.width) * this.span);
    const right = this.left + this.width;
    for (const { element, x, width, drawn } of this.boxes) {
      // Far ends are cut off near the plot: renderers lose precision far outside.
      const start = Math.min(Math.max(place(x), this.left - 50), right + 50);
      const end = Math.min(Math.max(place(x + width), start), right + 50);
      element.setAttribute("x", start.toFixed(2));
      element.setAttribute("width", Math.max(end - start, Math.min(drawn, 2)).toFixed(2));
    }
    for (const { element, inside, x, box, length: needs } of this.words) {
      if (!box) { element.setAttribute("x", place(x).toFixed(2)); continue; }
      const start = Math.max(place(box.x), this.left), end = Math.min(place(box.x + box.width), right);
      element.setAttribute("x", (start + (inside ? 5 : 0)).toFixed(2));
      element.classList.toggle("tight", inside ? end - start < needs : end < this.left);
    }
    const shift = (place(this.left) - k * this.left).toFixed(3);
    for (const element of this.curves) {
      element.setAttribute("transform", k === 1 ? "" : `translate(${shift} 0) scale(${k} 1)`);
    }
    for (const { element, x, y } of this.points) {
      element.setAttribute("transform", `translate(${place(x).toFixed(2)} ${y})`);
    }
    this.drawTicks();
    this.svg.classList.toggle("zoomed", k > 1);
    const step = length / 10;
    this.said.textContent = k > 1 ? `${clock(this.from, step)} to ${clock(this.to, step)}`
      : `all ${clock(this.span, step)}`;
  }

  drawTicks() {
    const length = this.to - this.from;
    const step = STEPS_S.find((one) => length / one <= 14) || length / 14;
    this.ticks.replaceChildren();
    for (let n = Math.ceil(this.from / step - 1e-9); n * step <= this.to + 1e-9; n++) {
      const x = this.x(n * step).toFixed(2);
      const label = made("svg:text",
        { class: "tick", x, y: this.bottom + 19, "text-anchor": "middle" }, clock(n * step, step));
      this.ticks.append(
        made("svg:path", { class: "grid", d: `M${x} ${this.top}V${this.bottom + 5}` }), label);
    }
  }

  zoom(factor, around = (this.from + this.to) / 2) {
    const length = Math.min((this.to - this.from) * factor, this.span);
    const from = around - ((around - this.from) / (this.to - this.from)) * length;
    this.show(from, from + length);
  }

  pan(share) {
    const by = (this.to - this.from) * share;
    this.show(this.from + by, this.to + by);
  }

  // Show a moment closely, unless it is already shown more closely.
  jump(second) {
    const length = Math.min(this.to - this.from, JUMP_S, this.span);
    this.show(second - length / 2, second + length / 2);
    this.point(second, "");
  }

  step(by) {
    if (!this.moments.length) return;
    this.at = (this.at + by + this.moments.length) % this.moments.length;
    const { element, second } = this.moments[this.at];
    if (second < this.from || second > this.to) this.jump(second);
    this.select(element);
    const text = this.textOf(element);
    this.point(second, text);
    this.said.textContent = `${clock(second, 0.01)}: ${text}`;
    element.scrollIntoView({ block: "nearest" });
    const { left, bottom } = element.getBoundingClientRect();
    if (!element.classList.contains("moment")) showTip(text, left, bottom - 14);
  }

  select(element) {
    for (const old of this.plot.querySelectorAll(".chosen")) old.classList.remove("chosen");
    if (element) element.classList.add("chosen");
  }

  textOf(element) {
    for (let one = element; one && one !== this.svg; one = one.parentElement) {
      if (this.titles.has(one)) return this.titles.get(one);
    }
    return "";
  }

  point(second) {
    const [line, label] = this.hair.children, x = this.x(second);
    this.hair.style.display = second < this.from || second > this.to ? "none" : "";
    line.setAttribute("d", `M${x} ${this.top}V${this.bottom}`);
    label.setAttribute("x", x);
    label.setAttribute("y", this.bottom + 19);
    label.textContent = clock(second, 0.01);
  }

  listen() {
    let begun = null;
    this.svg.addEventListener("pointerdown", (event) => {
      const second = this.secondAt(event);
      if (event.button || event.pointerType === "touch") return;
      if (second < this.from || second > this.to) return;
      begun = second;
      event.preventDefault(); // no text is selected; so the focus has to be set by hand
      this.frame.focus({ preventScroll: true });
      this.svg.setPointerCapture(event.pointerId);
    });
    this.svg.addEventListener("pointermove", (event) => {
      const second = this.secondAt(event);
      this.point(second);
      if (begun !== null) {
        const ends = [begun, second].map((one) => this.x(Math.min(Math.max(one, this.from), this.to)));
        this.brush.setAttribute("x", Math.min(...ends));
        this.brush.setAttribute("width", Math.abs(ends[0] - ends[1]));
        this.brush.style.display = "";
      }
      const text = begun === null ? this.textOf(event.target) : "";
      if (text) showTip(text, event.clientX, event.clientY);
      else tip.hidden = true;
    });
    this.svg.addEventListener("pointerup", (event) => {
      const start = begun, end = this.secondAt(event);
      begun = null;
      this.brush.style.display = "none";
      if (start === null) return;
      if (Math.abs(this.x(start) - this.x(end)) > 5) this.show(Math.min(start, end), Math.max(start, end));
    });
    this.svg.addEventListener("pointercancel", () => {
      begun = null;
      this.brush.style.display = "none";
    });
    this.svg.addEventListener("dblclick", () => this.show(0, this.span));
    this.svg.addEventListener("pointerleave", () => {
      this.hair.style.display = "none";
      tip.hidden = true;
    });
    this.frame.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.secondAt(event));
    }, { passive: false });
    const keys = {
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
      "0": () => this.show(0, this.span), ArrowLeft: () => this.pan(-0.2),
      ArrowRight: () => this.pan(0.2), n: () => this.step(1), p: () => this.step(-1),
      Escape: () => { tip.hidden = true; this.select(null); this.hair.style.display = "none"; },
    };
    this.frame.addEventListener("keydown", (event) => {
      const action = event.altKey || event.ctrlKey || event.metaKey ? null : keys[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    });
  }
}

// A timeline is made able to move when it comes near the screen, or is jumped to.
function timelineOf(svg) {
  if (!charts.has(svg)) {
    charts.set(svg, new Timeline(svg));
    charts.get(svg).show(0, Infinity);
  }
  return charts.get(svg);
}

function reveal(target) {
  for (let one = target.parentElement; one; one = one.parentElement) {
    if (one.tagName === "DETAILS") one.open = true;
  }
}

function follow(target, second) {
  reveal(target);
  const svg = target.closest("svg.chart") || target.querySelector("svg.chart");
  if (!svg) return;
  const timeline = timelineOf(svg);
  const moment = timeline.moments.find((one) => one.element === target);
  timeline.jump(moment ? moment.second : second);
  timeline.select(moment ? target : null);
  timeline.frame.focus({ preventScroll: true });
  timeline.figure.scrollIntoView({ block: "start" });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  const target = link && document.getElementById(link.getAttribute("href").slice(1));
  if (!target) return;
  reveal(target);
  if (target.matches(".moment") || "at" in link.dataset) {
    event.preventDefault();
    history.pushState(null, "", link.getAttribute("href"));
    follow(target, Number(link.dataset.at));
  }
});

const near = new IntersectionObserver((seen) => {
  for (const entry of seen) {
    if (!entry.isIntersecting) continue;
    timelineOf(entry.target);
    near.unobserve(entry.target);
  }
}, { rootMargin: "400px" });
for (const svg of document.querySelectorAll("svg.chart")) near.observe(svg);

window.addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll(".scenario > details")) folded.open = true;
  for (const timeline of charts.values()) timeline.show(0, timeline.span);
});
const asked = location.hash && document.getElementById(location.hash.slice(1));
if (asked && asked.matches(".moment")) follow(asked, 0);
else if (asked) reveal(asked);
