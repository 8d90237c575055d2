// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/report_page.hpp"

namespace reticle {

// Plain SVG drawn by a script of ours: the page works from a disk, without a network.
const std::string_view kReportPage = R"PAGE(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>@TITLE@</title>
<meta name="viewport" content="width=device-width">
<style>
:root{--ink:#1c2430;--soft:#667;--line:#d8dce3;--paper:#fff;--card:#f6f7f9;--mark:#c2410c}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#9aa3b2;--line:#3a4250;--paper:#14181f;--card:#1c222c;--mark:#fb923c}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1080px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .3rem}p,li{max-width:75ch}.soft{color:var(--soft)}
select{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:4px;padding:1px 4px;margin:0 .8rem .3rem 0}
svg{background:var(--card);border-radius:6px;width:100%;height:auto}svg text{fill:var(--ink);font:12px system-ui,sans-serif}
svg .soft{fill:var(--soft)}.axis{stroke:var(--line)}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{padding:.15rem .7rem .15rem 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
#fronttable td,#fronttable th{text-align:right}
#tip{position:fixed;pointer-events:none;background:var(--paper);border:1px solid var(--line);border-radius:4px;padding:.4rem .6rem;font-size:13px;display:none;max-width:34rem;box-shadow:0 2px 8px #0003;white-space:pre-line;z-index:9}
.key span{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin:0 .35em 0 .9em}
.plot{overflow-x:auto}.plot svg{min-width:640px}
@media print{select{border:0;appearance:none}}
</style></head><body>
<h1 id="title"></h1><p class="soft" id="about"></p>
<h2>In words</h2><ul id="words"></ul>
<h2>The front</h2><p class="soft" id="frontsaid"></p><div class="plot"><table id="fronttable"></table></div>
<h2 id="heattitle">Heat map</h2><div id="heatset"></div><div class="plot"><svg id="heat" viewBox="0 0 1000 440"></svg></div>
<h2>Along one axis</h2><div id="lineset"></div><div class="plot"><svg id="line" viewBox="0 0 1000 440"></svg></div><div class="key" id="linekey"></div>
<h2>What can be had together</h2><p class="soft">Points of the front, which no other point beats in every objective, are joined where the plot shows two objectives.</p>
<div id="frontset"></div><div class="plot"><svg id="front" viewBox="0 0 1000 440"></svg></div><div class="key" id="frontkey"></div>
<h2>Which axis matters</h2><p class="soft" id="how"></p><div class="plot"><svg id="sens" viewBox="0 0 1000 300"></svg></div>
<h2>Points without a result</h2><table id="none"></table>
<div id="tip"></div>
<script id="data" type="application/json">@DATA@</script>
<script>
"use strict";
const D = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id), NS = "http://www.w3.org/2000/svg";
const PALETTE = ["#2563eb","#c2410c","#15803d","#9333ea","#0891b2","#be123c","#a16207","#4b5563","#db2777","#65a30d","#7c3aed","#0f766e"];
const limits = [...new Set(D.points.map(p => p.outputs && p.outputs.limited_by).filter(Boolean))].sort();
const colour = name => PALETTE[Math.max(0, limits.indexOf(name)) % PALETTE.length];
const numbers = D.figures.map(f => f.name).filter(n => D.points.some(p => p.outputs && typeof p.outputs[n] === "number"));
const objectives = D.objectives.map(o => o.name).filter(n => numbers.includes(n));
const unit = n => { const f = D.figures.find(f => f.name === n); return f && f.unit ? " [" + f.unit + "]" : ""; };
const text = v => v === null || v === undefined ? "–" : typeof v !== "number" ? String(v) :
  v !== 0 && (Math.abs(v) >= 1e6 || Math.abs(v) < 1e-3) ? v.toExponential(3) :
  Math.abs(v) >= 1000 ? Math.round(v).toLocaleString("en-US") : String(+v.toPrecision(4));
// Keys that change together are one axis: the first whose values all differ names it, else all of them do.
const axes = [...new Set(D.axes.map(a => a.axis))].map(n => {
  const keys = D.axes.filter(a => a.axis === n), own = keys.length < 2 ? keys[0] : keys.find(a => new Set(a.values).size === a.values.length);
  if (own) return own;
  const joint = {key: keys.map(a => a.key).join(" + "), axis: n, numeric: false, numbers: {}, sampled: false,
    values: keys[0].values.map((_, i) => keys.map(a => a.values[i]).join(" + "))};
  for (const p of D.points) p.inputs[joint.key] = p.inputs[keys[0].key] === null ? null : keys.map(a => p.inputs[a.key]).join(" + ");
  return joint;
}), axisKeys = axes.map(a => a.key);
// Every key of an axis.
const together = key => D.axes.filter(a => a.axis === axes.find(b => b.key === key).axis).map(a => a.key).join(", ");
const PARTS = 10;
for (const a of axes) {
  a.binned = a.sampled && Object.keys(a.numbers).length > PARTS;
  if (!a.binned) continue;
  const all = Object.values(a.numbers), low = Math.min(...all), high = Math.max(...all), log = low > 0 && high / low > 50;
  const f = log ? Math.log : x => x, back = log ? Math.exp : x => x;
  a.part = v => Math.min(PARTS - 1, Math.floor((f(a.numbers[v]) - f(low)) / (f(high) - f(low)) * PARTS));
  a.names = [...Array(PARTS).keys()].map(i => text(back(f(low) + (i + .5) / PARTS * (f(high) - f(low)))));
}
// Of a point, as heat maps and choices have it.
const cell = (p, key) => { const a = axes.find(a => a.key === key), v = p.inputs[key]; return v === null || !a.binned ? v : a.names[a.part(v)]; };
const place = (key, v) => axes.find(a => a.key === key).numbers[v];
const broken = p => p.broken && p.broken.length ? p.broken.join(", ") : "";
function el(tag, attributes, parent, content) {
  const e = document.createElementNS(NS, tag);
  for (const k in attributes) e.setAttribute(k, attributes[k]);
  if (content !== undefined) e.textContent = content;
  if (parent) parent.appendChild(e);
  return e;
}
function tip(e, words) {
  e.addEventListener("mousemove", m => { const t = $("tip"); t.textContent = words; t.style.display = "block";
    t.style.left = Math.min(m.clientX + 14, innerWidth - t.offsetWidth - 8) + "px";
    t.style.top = Math.min(m.clientY + 14, innerHeight - t.offsetHeight - 8) + "px"; });
  e.addEventListener("mouseleave", () => { $("tip").style.display = "none"; });
}
function about(p) {
  const lines = ["point " + p.id + " (" + p.fidelity + ", " + p.status + ")"];
  for (const a of D.axes) if (p.inputs[a.key] !== null) lines.push(a.key + " = " + p.inputs[a.key]);
  if (p.reason) lines.push(p.reason.slice(0, 300));
  if (p.outputs && p.status === "ok") {
    for (const n of new Set([...objectives, "throughput", "tpot_p99", "power"])) lines.push(n + ": " + text(p.outputs[n]));
    lines.push("limited by " + p.outputs.limited_by, "plan " + p.outputs.plan);
    if (p.within_limits === false) lines.push("outside the sweep's limits");
    if (broken(p)) lines.push("breaks limits of the hardware: " + broken(p));
  }
  return lines.join("\n");
}
function choose(into, label, options, value, change) {
  const l = document.createElement("label"), s = document.createElement("select");
  l.textContent = label + " ";
  for (const o of options) { const e = document.createElement("option"); e.value = e.textContent = o; s.appendChild(e); }
  s.value = value; s.addEventListener("change", () => change(s.value));
  l.appendChild(s); into.appendChild(l);
}
// Values of an axis in the sweep's order; a sampled range has its own in rising order.
function valuesOf(key, points) {
  const seen = [...new Set(points.map(p => cell(p, key)).filter(v => v !== null))], axis = axes.find(a => a.key === key);
  if (axis.binned) return seen.sort((a, b) => axis.names.indexOf(a) - axis.names.indexOf(b));
  return axis.numeric ? seen.sort((a, b) => place(key, a) - place(key, b)) : seen.sort((a, b) => axis.values.indexOf(a) - axis.values.indexOf(b));
}
// Choices for every axis that a plot does not show.
function others(into, state, shown, draw) {
  for (const key of axisKeys.filter(k => !shown.includes(k))) {
    const values = valuesOf(key, D.points);
    // Samples are nowhere but at their own point: held at a value they would leave no others.
    if (axes.find(a => a.key === key).sampled) values.push("(all)");
    if (!values.includes(state.fixed[key])) state.fixed[key] = values[values.length - 1];
    choose(into, key, values, state.fixed[key], v => { state.fixed[key] = v; draw(); });
  }
}
const final = D.points.filter(p => p.fidelity === D.run.fidelity || p.status !== "ok");
const matching = (state, shown) => final.filter(p => axisKeys.every(k => shown.includes(k) ||
  p.inputs[k] === null || state.fixed[k] === undefined || state.fixed[k] === "(all)" || cell(p, k) === state.fixed[k]));
// A point that is no candidate is drawn hollow.
const hollow = (p, fill) => p.candidate ? {fill} : {fill: "var(--paper)", stroke: fill, "stroke-width": 1.5, "stroke-dasharray": "3 2"};
// From blue over white-ish to orange; sizes are read from the numbers too.
function shade(u) {
  const stops = [[30,64,150],[90,150,200],[225,225,205],[240,160,80],[175,50,20]];
  const at = Math.min(3.9999, Math.max(0, u) * 4), i = Math.floor(at), f = at - i;
  return "rgb(" + stops[i].map((c, k) => Math.round(c + f * (stops[i + 1][k] - c))).join(",") + ")";
}
function scale(values, low, high, log) {
  let a = Math.min(...values), b = Math.max(...values);
  if (!(b > a)) { a -= Math.abs(a) * 0.1 + 1e-12; b += Math.abs(b) * 0.1 + 1e-12; }
  const f = log ? Math.log : x => x;
  return { at: v => low + (f(v) - f(a)) / (f(b) - f(a)) * (high - low), a, b, log };
}
function ticks(s) {
  const out = [];
  if (s.log) { for (let e = Math.floor(Math.log10(s.a)); e <= Math.ceil(Math.log10(s.b)); ++e)
      for (const m of s.b / s.a < 50 ? [1, 2, 5] : [1]) { const v = m * 10 ** e; if (v >= s.a * 0.999 && v <= s.b * 1.001) out.push(v); }
    return out.length > 1 ? out : [s.a, s.b]; }
  const step = 10 ** Math.floor(Math.log10((s.b - s.a) / 4)), size = (s.b - s.a) / step > 20 ? 5 : (s.b - s.a) / step > 8 ? 2 : 1;
  for (let v = Math.ceil(s.a / step / size) * step * size; v <= s.b + 1e-12; v += step * size) out.push(v);
  return out;
}
function frame(svg, x, y, nameX, nameY, labelsX) {
  for (const v of labelsX || ticks(x).map(v => [x.at(v), text(v)])) {
    el("line", {x1: v[0], x2: v[0], y1: 20, y2: 390, class: "axis"}, svg);
    el("text", {x: v[0], y: 408, "text-anchor": "middle"}, svg, v[1]);
  }
  for (const v of ticks(y)) {
    el("line", {x1: 90, x2: 970, y1: y.at(v), y2: y.at(v), class: "axis"}, svg);
    el("text", {x: 84, y: y.at(v) + 4, "text-anchor": "end"}, svg, text(v));
  }
  el("text", {x: 530, y: 432, "text-anchor": "middle", class: "soft"}, svg, nameX);
  el("text", {x: 12, y: 14, class: "soft"}, svg, nameY);
}
function heat() {
  const s = heat.state, box = $("heatset"), svg = $("heat");
  box.replaceChildren(); svg.replaceChildren();
  choose(box, "figure", numbers, s.figure, v => { s.figure = v; heat(); });
  choose(box, "across", axisKeys, s.x, v => { if (v === s.y) s.y = s.x; s.x = v; heat(); });
  choose(box, "up", axisKeys, s.y, v => { if (v === s.x) s.x = s.y; s.y = v; heat(); });
  others(box, s, [s.x, s.y], heat);
  const points = matching(s, [s.x, s.y]), xs = valuesOf(s.x, points), ys = valuesOf(s.y, points);
  const shown = points.map(p => p.status === "ok" && p.outputs[s.figure]).filter(v => typeof v === "number");
  const log = shown.length && Math.min(...shown) > 0 && Math.max(...shown) / Math.min(...shown) > 20;
  const u = shown.length ? scale(shown, 0, 1, log) : null;
  const w = 870 / Math.max(1, xs.length), h = 370 / Math.max(1, ys.length);
  // Where several points share a cell, as samples do, it has their mean.
  const cells = new Map();
  for (const p of points) {
    const i = xs.indexOf(cell(p, s.x)), j = ys.indexOf(cell(p, s.y));
    if (i < 0 || j < 0) continue;
    const at = i + "," + j;
    if (!cells.has(at)) cells.set(at, {i, j, points: []});
    cells.get(at).points.push(p);
  }
  let several = false, none = false;
  for (const c of cells.values()) {
    const ran = c.points.filter(p => p.status === "ok" && typeof p.outputs[s.figure] === "number"), p = ran[0] || c.points[0];
    const v = ran.length ? ran.reduce((sum, q) => sum + q.outputs[s.figure], 0) / ran.length : null;
    several = several || ran.length > 1;
    const out = v !== null && !ran.some(q => q.candidate), x = 100 + c.i * w, y = 390 - (c.j + 1) * h;
    none = none || out;
    const box = el("rect", {x: x + 1, y: y + 1, width: w - 2, height: h - 2, rx: 2,
      fill: v !== null ? shade(u.at(v)) : "transparent", stroke: v !== null ? "none" : "var(--line)"}, svg);
    tip(box, ran.length > 1 ? "mean of " + ran.length + " points: " + text(v) : about(p));
    if (out) el("line", {x1: x + 3, y1: y + h - 3, x2: x + w - 3, y2: y + 3, stroke: "#111", "stroke-width": 1, "pointer-events": "none"}, svg);
    if (w > 44 && h > 14) {
      const dark = v !== null && (u.at(v) < 0.3 || u.at(v) > 0.8);
      const label = el("text", {x: x + w / 2, y: y + h / 2 + 4, "text-anchor": "middle", "pointer-events": "none"}, svg,
        v !== null ? text(v) : p.status === "ok" ? "–" : p.status.slice(0, Math.floor(w / 7)));
      label.style.fill = v !== null ? (dark ? "#fff" : "#111") : "var(--soft)";
      if (h < 22) label.style.fontSize = "10px";
    }
  }
  xs.forEach((v, i) => { if (i % Math.ceil(xs.length / 16) === 0) el("text", {x: 100 + (i + .5) * w, y: 408, "text-anchor": "middle"}, svg, v); });
  ys.forEach((v, j) => { if (j % Math.ceil(ys.length / 20) === 0) el("text", {x: 92, y: 394 - (j + .5) * h, "text-anchor": "end"}, svg, v); });
  el("text", {x: 530, y: 432, "text-anchor": "middle", class: "soft"}, svg, together(s.x));
  el("text", {x: 12, y: 14, class: "soft"}, svg, together(s.y) + " up; colour: " + s.figure + unit(s.figure) + (several ? ", means" : "") + (none ? "; struck: no candidate" : ""));
}
// The values themselves, with their units, where there are few enough; of those too close one.
function labels(all, numeric) {
  if (numeric && (!all.length || all.length > 16)) return null;
  let before = -1e9;
  return all.filter(l => l[0] - before > 44 ? (before = l[0], true) : false);
}
function line() {
  const s = line.state, box = $("lineset"), svg = $("line");
  box.replaceChildren(); svg.replaceChildren(); $("linekey").replaceChildren();
  choose(box, "figure", numbers, s.figure, v => { s.figure = v; line(); });
  choose(box, "across", axisKeys, s.x, v => { if (v === s.by) s.by = "(none)"; s.x = v; line(); });
  choose(box, "a line per", ["(none)", ...axisKeys.filter(k => k !== s.x)], s.by, v => { s.by = v; line(); });
  const shownAxes = s.by === "(none)" ? [s.x] : [s.x, s.by];
  others(box, s, shownAxes, line);
  const points = matching(s, shownAxes).filter(p => p.status === "ok" && typeof p.outputs[s.figure] === "number" && p.inputs[s.x] !== null);
  if (!points.length) { el("text", {x: 400, y: 220, class: "soft"}, svg, "no point ran here"); return; }
  const axis = axes.find(a => a.key === s.x), numeric = axis.numeric, order = axis.binned ? [] : valuesOf(s.x, points);
  const at = p => numeric ? place(s.x, p.inputs[s.x]) : order.indexOf(p.inputs[s.x]);
  const xs = points.map(at), log = numeric && Math.min(...xs) > 0 && Math.max(...xs) / Math.min(...xs) >= 16;
  // From 0 where the figure varies by half or more of its largest value: a smaller change would be squashed.
  const figures = points.map(p => p.outputs[s.figure]), least = Math.min(...figures), most = Math.max(...figures);
  const near = least > 0 && least > most / 2 && most > least, pad = (most - least) * 0.05;
  const x = scale(xs, 100, s.by === "(none)" ? 960 : 830, log), y = scale([...figures, ...(near ? [least - pad, most + pad] : [0])], 385, 25, false);
  frame(svg, x, y, together(s.x), s.figure + unit(s.figure) + (near ? "; the axis does not begin at 0" : "") + (s.by === "(none)" ? "" : "; a line per " + together(s.by)), labels(order.map((v, i) => [x.at(numeric ? place(s.x, v) : i), v]), numeric));
  const groups = s.by === "(none)" ? [null] : valuesOf(s.by, points);
  const ends = [];
  for (const g of groups) {
    const mine = points.filter(p => g === null || cell(p, s.by) === g).sort((a, b) => at(a) - at(b));
    if (!mine.length) continue;
    // Samples differ in every axis: a line between two of them would say that they differ in one.
    if (!axis.sampled) el("path", {d: "M" + mine.map(p => x.at(at(p)) + " " + y.at(p.outputs[s.figure])).join("L"), fill: "none", stroke: "var(--soft)", "stroke-width": 1.2}, svg);
    for (const p of mine) tip(el("circle", {cx: x.at(at(p)), cy: y.at(p.outputs[s.figure]), r: 5, ...hollow(p, colour(p.outputs.limited_by))}, svg), about(p));
    const last = mine[mine.length - 1];
    if (g !== null) ends.push({name: g, x: x.at(at(last)), y: y.at(last.outputs[s.figure])});
  }
  // Names beside the plot, each joined to the end of its line, and none on another: pushed down from the top, then up.
  ends.sort((a, b) => a.y - b.y);
  const gap = Math.min(14, 360 / Math.max(1, ends.length));
  ends.forEach((e, i) => { e.at = Math.max(e.y, i ? ends[i - 1].at + gap : 26); });
  for (let i = ends.length - 1; i >= 0; --i) ends[i].at = Math.min(ends[i].at, i + 1 < ends.length ? ends[i + 1].at - gap : 386);
  for (const e of ends) {
    el("path", {d: "M" + (e.x + 6) + " " + e.y + "L" + (e.x + 6 > 846 ? e.x + 8 : 846) + " " + e.at, stroke: "var(--soft)", "stroke-dasharray": "1 3", fill: "none"}, svg);
    const label = el("text", {x: 850, y: e.at + 4}, svg, e.name.length > 22 ? e.name.slice(0, 21) + "\u2026" : e.name);
    if (gap < 12) label.style.fontSize = Math.max(6, gap) + "px";
    tip(label, together(s.by) + " = " + e.name);
  }
  key($("linekey"), points);
}
function key(into, points) {
  into.replaceChildren("limited by");
  for (const l of [...new Set(points.map(p => p.outputs.limited_by))].filter(Boolean).sort()) {
    const s = document.createElement("span"); s.style.background = colour(l); into.append(s, l);
  }
}
function front() {
  const s = front.state, box = $("frontset"), svg = $("front");
  box.replaceChildren(); svg.replaceChildren();
  choose(box, "across", numbers, s.x, v => { s.x = v; front(); });
  choose(box, "up", numbers, s.y, v => { s.y = v; front(); });
  const points = final.filter(p => p.status === "ok" && typeof p.outputs[s.x] === "number" && typeof p.outputs[s.y] === "number");
  if (!points.length) return;
  const wide = n => { const v = points.map(p => p.outputs[n]); return Math.min(...v) > 0 && Math.max(...v) / Math.min(...v) > 10; };
  const x = scale(points.map(p => p.outputs[s.x]), 100, 960, wide(s.x)), y = scale(points.map(p => p.outputs[s.y]), 385, 25, wide(s.y));
  frame(svg, x, y, s.x + unit(s.x), s.y + unit(s.y));
  const best = new Set(D.front), on = points.filter(p => best.has(p.id)).sort((a, b) => a.outputs[s.x] - b.outputs[s.x]);
  if (D.objectives.length === 2 && objectives.includes(s.x) && objectives.includes(s.y) && on.length > 1)
    el("path", {d: "M" + on.map(p => x.at(p.outputs[s.x]) + " " + y.at(p.outputs[s.y])).join("L"), fill: "none", stroke: "var(--mark)"}, svg);
  for (const p of points) {
    const b = best.has(p.id), c = el("circle", {cx: x.at(p.outputs[s.x]), cy: y.at(p.outputs[s.y]), r: b ? 6 : 3.5, fill: colour(p.outputs.limited_by),
      "fill-opacity": b ? 1 : p.candidate ? .45 : 0, stroke: b ? "var(--ink)" : p.candidate ? "none" : colour(p.outputs.limited_by)}, svg);
    tip(c, about(p) + (b ? "\non the front" : ""));
  }
  key($("frontkey"), points);
}
function sensitivity() {
  const svg = $("sens"), all = D.sensitivity.filter(s => s.axes.some(a => a.first !== null));
  if (!all.length) { el("text", {x: 20, y: 40, class: "soft"}, svg, "nothing varies"); return; }
  const total = all.some(s => s.axes.some(a => a.total !== null));
  $("how").textContent = all[0].method + (total ? ": dark, what an axis explains alone; light, with all it interacts with." : ": what an axis explains alone. On a grid with points left out axes are not independent, and shares may overlap.")
    + " " + all.map(s => s.objective + ": " + s.rows + (total ? " rows" : " points") + " that ran").join(", ") + ", within limits or not.";
  const rows = all.reduce((n, s) => n + s.axes.length + 1.4, 0);
  svg.setAttribute("viewBox", "0 0 1000 " + (30 + rows * 22));
  let y = 24;
  for (const s of all) {
    el("text", {x: 12, y, "font-weight": 600}, svg, s.objective); y += 8;
    for (const a of s.axes) {
      const bar = (v, fill) => v === null ? null : el("rect", {x: 330, y, width: Math.max(0.5, Math.min(1.1, Math.max(0, v)) * 560), height: 16, fill}, svg);
      const t = bar(a.total, "#93b4f3"), f = bar(a.first, "#2563eb");
      const within = m => m === null ? "" : " \u00b1 " + text(m);
      const words = (a.applies_to === null ? "" : "among the " + a.applies_to + " points where it applies\n") + a.key + ": first order " + text(a.first) + within(a.first_margin) + (a.total === null ? "" : ", total " + text(a.total) + within(a.total_margin));
      for (const e of [t, f]) if (e) tip(e, words);
      el("text", {x: 322, y: y + 13, "text-anchor": "end"}, svg, a.key + (a.applies_to === null ? "" : " *"));
      el("text", {x: 338 + Math.min(1.1, Math.max(0, a.total === null ? a.first : Math.max(a.first, a.total))) * 560, y: y + 13, class: "soft"}, svg,
         (100 * a.first).toFixed(0) + " %" + (a.total === null ? "" : " \u00b1 " + (100 * a.first_margin).toFixed(0) + ", " + (100 * a.total).toFixed(0) + " \u00b1 " + (100 * a.total_margin).toFixed(0) + " %"));
      y += 22;
    }
    y += 24;
  }
}
// Candidates that none beats, in the order of D.front.
function frontTable() {
  const MOST = 60, byId = new Map(D.points.map(p => [p.id, p])), rows = D.front.map(id => byId.get(id)).filter(Boolean);
  $("frontsaid").textContent = rows.length + " of " + D.points.length + " points, which no other one within limits beats in every objective" + (rows.length > MOST ? "; the first " + MOST : "") + ".";
  if (!rows.length) { $("fronttable").remove(); return; }
  const head = $("fronttable").insertRow();
  for (const h of ["point", ...D.axes.map(a => a.key.split(".").pop()), ...D.objectives.map(o => o.name + unit(o.name))]) { const c = document.createElement("th"); c.textContent = h; head.appendChild(c); }
  D.axes.forEach((a, i) => { head.cells[i + 1].title = a.key; });
  for (const p of rows.slice(0, MOST)) {
    const r = $("fronttable").insertRow();
    for (const v of [p.id, ...D.axes.map(a => p.inputs[a.key]), ...p.objectives]) r.insertCell().textContent = text(v);
  }
}
function missing() {
  const groups = new Map();
  for (const p of D.points) if (p.status !== "ok") {
    const words = p.status + "|" + p.reason.replace(/[0-9][0-9.,]*/g, "…").slice(0, 160);
    if (!groups.has(words)) groups.set(words, []);
    groups.get(words).push(p);
  }
  if (!groups.size) { $("none").textContent = "None: every point has a result."; return; }
  const head = $("none").insertRow(); for (const h of ["points", "status", "reason, of the first"]) { const c = document.createElement("th"); c.textContent = h; head.appendChild(c); }
  for (const [, list] of [...groups].sort((a, b) => b[1].length - a[1].length).slice(0, 40)) {
    const r = $("none").insertRow();
    for (const v of [list.length, list[0].status, list[0].reason.slice(0, 400)]) r.insertCell().textContent = v;
  }
}
$("title").textContent = D.title;
const outside = final.filter(p => p.status === "ok" && !p.candidate).length;
const count = s => D.points.filter(p => p.status === s).length;
$("about").textContent = D.run.llm + " on " + D.run.platform + ", " + D.run.workload + ", " + D.run.fidelity + ". " + D.points.length + " points, " + count("ok") + " with a result, " + count("infeasible") + " do not fit, "
  + count("skipped") + " skipped." + (outside ? " " + outside + " with a result are no candidates, and drawn hollow or struck." : "") + " Objectives: " + D.objectives.map(o => o.better + " " + o.name).join(", ") + (D.limits.length ? ". Limits: " + D.limits.join(", ") : "") + ". Reticle " + D.reticle_version + " (" + D.git_revision + ").";
for (const k of [...D.best, ...D.notes, ...D.knees]) { const li = document.createElement("li"); li.textContent = k; $("words").appendChild(li); }
if (D.best.length && !D.knees.length) { const li = document.createElement("li"); li.textContent = "Along no axis through the best point does a curve bend, or the limit or the plan change."; $("words").appendChild(li); }
const figure = objectives[0] || numbers[0] || "throughput", many = [...axisKeys].sort((a, b) => valuesOf(b, D.points).length - valuesOf(a, D.points).length);
heat.state = {figure, x: many[0], y: many[1] || many[0], fixed: {}};
line.state = {figure, x: many[0], by: many[1] || "(none)", fixed: {}};
front.state = {x: objectives[1] || numbers[1] || figure, y: figure};
if (axes.length > 1) heat(); else for (const id of ["heattitle", "heatset", "heat"]) $(id).remove();
line(); front(); sensitivity(); frontTable(); missing();
</script></body></html>
)PAGE";

}  // namespace reticle
