// SPDX-License-Identifier: Apache-2.0
#include "sim/view/run_page_script.hpp"

namespace reticle {

std::string_view run_page_style() {
  return R"CSS(:root {
  --c-weights_sram: #0b57b0; --c-weights_hbm: #2f7fd6; --c-weights_far: #8db8ea; --c-kv: #17692f;
  --c-kv_move: #63ad77; --c-adapter_move: #a9cfae; --c-mac: #b3401b; --c-vector: #e0894f;
  --c-fabric_latency: #7b2d8e; --c-fabric_transfer: #b97fc9; --c-launch: #7a5200; --c-idle: #b5bcc4;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --c-weights_sram: #5b9bf0; --c-weights_hbm: #8ab8ff; --c-weights_far: #c3dcff; --c-kv: #57b877;
    --c-kv_move: #8fd6a5; --c-adapter_move: #c7ecd0; --c-mac: #f0835a; --c-vector: #ffb98f;
    --c-fabric_latency: #c58ad6; --c-fabric_transfer: #e6c3ef; --c-launch: #d9a94a; --c-idle: #6b747d;
  }
}
.figure { margin: 1rem 0 2rem; break-inside: avoid; }
.figure { overflow-x: auto; }
.figure svg { width: 100%; min-width: 620px; }
.figure, .key i { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.figure .said { color: var(--soft); font-size: .9rem; margin: .3rem 0 .6rem; }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .85rem; padding: 0; margin: .3rem 0; list-style: none; }
.key i { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; vertical-align: -.1rem; }
.choice { display: flex; flex-wrap: wrap; gap: .8rem; margin: .4rem 0; }
.choice select { font: inherit; color: var(--front); background: var(--back); border: 1px solid var(--line); border-radius: .25rem; padding: .2rem .4rem; min-height: 2rem; }
.bar { stroke: var(--back); stroke-width: .5; }
.soft { fill: var(--soft) !important; }
.roof { stroke: var(--front); stroke-width: 1.5; fill: none; }
.curve { fill: none; stroke-width: 2; }
.cell { stroke: var(--back); }
#run nav a { margin-right: .9rem; }
@media print {
  @page { margin: 14mm; }
  :root { --back: #fff; --front: #000; --soft: #444; --line: #bbb; --panel: #fff; }
  main { max-width: none; padding: 0; }
  .choice { display: none; }
  details:not([open]) { display: none; }
  .figure { overflow: visible; }
  .figure svg { min-width: 0; }
  h2 { break-after: avoid; }
}
)CSS";
}

std::string_view run_page_body() {
  return R"HTML(<div id="run">
<noscript><p>The figures of this page are drawn by the script in it; report.json has every number.</p></noscript>
<p id="verdict"></p>
<dl class="facts" id="facts"></dl>
<section id="s-time"><h2>Where the time went</h2><div class="figure" id="f-run"></div><div class="figure" id="f-waterfall"></div></section>
<section id="s-roofline"><h2>Roofline</h2><div class="figure" id="f-roofline"></div></section>
<section id="s-energy"><h2>Energy and power</h2><div class="figure" id="f-energy"></div><div class="figure" id="f-power"></div><div class="figure" id="f-heat"></div></section>
<section id="s-memory"><h2>Where data lived</h2><div class="figure" id="f-residency"></div></section>
<section id="s-latency"><h2>Latencies</h2><div class="figure" id="f-latency"></div></section>
<section id="s-dies"><h2>Utilisation of the dies</h2><div class="figure" id="f-dies"></div></section>
<section id="s-fabric"><h2>The fabric</h2><div class="figure" id="f-fabric"></div></section>
<section id="s-inputs"><h2>Inputs and provenance</h2><div id="f-inputs"></div></section>
</div>
)HTML";
}

std::string_view run_page_script() {
  return R"JS("use strict";
const D = JSON.parse(document.getElementById("data").textContent), R = D.report;
const $ = id => document.getElementById(id);
const NS = "http://www.w3.org/2000/svg";
function el(name, attributes, parent, text) {
  const e = document.createElementNS(NS, name);
  for (const k in attributes) e.setAttribute(k, attributes[k]);
  if (text !== undefined) e.textContent = text;
  if (parent) parent.appendChild(e);
  return e;
}
function html(name, parent, text, attributes = {}) {
  const e = document.createElement(name);
  for (const k in attributes) e.setAttribute(k, attributes[k]);
  if (text !== undefined) e.textContent = text;
  if (parent) parent.appendChild(e);
  return e;
}
const tip = (e, words) => { el("title", {}, e, words); return e; };
function si(v, unit = "", digits = 3) {
  if (v === null || v === undefined) return "–";
  if (v === 0) return "0 " + unit;
  const steps = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"], [1e-12, "p"]];
  const s = steps.find(([f]) => Math.abs(v) >= f * 0.9995) || steps[steps.length - 1];
  return (+(v / s[0]).toPrecision(digits)) + " " + s[1] + unit;
}
const percent = v => v === null || v === undefined ? "–" : (100 * v).toFixed(v < 0.1 ? 1 : 0) + " %";
const colour = c => "var(--c-" + c + ")";
const palette = i => "var(--m" + (i % 6) + ")";
function svg(parent, height, label, width = 1000) {
  return el("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label}, parent);
}
function key(parent, entries) {
  const ul = html("ul", parent, undefined, {class: "key"});
  for (const [fill, text] of entries) { const li = html("li", ul); html("i", li).style.background = fill; li.append(text); }
}
function ticks(low, high, wanted = 6) {
  if (!(high > low)) return [low];
  const rough = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(rough)), m = rough / power;
  const step = power * (m < 1.5 ? 1 : m < 3.5 ? 2 : m < 7.5 ? 5 : 10), out = [];
  for (let t = Math.ceil(low / step) * step; t <= high + step / 1e6; t += step) out.push(Math.abs(t) < step / 1e6 ? 0 : t);
  return out;
}
function axes(s, x, y, box, units) {
  for (const t of x.ticks) { el("line", {class: "grid", x1: x.at(t), x2: x.at(t), y1: box.top, y2: box.bottom}, s);
    el("text", {x: x.at(t), y: box.bottom + 16, "text-anchor": x.at(t) > box.right - 10 ? "end" : "middle"}, s, x.text(t)); }
  for (const t of y.ticks) { el("line", {class: "grid", x1: box.left, x2: box.right, y1: y.at(t), y2: y.at(t)}, s);
    el("text", {x: box.left - 6, y: y.at(t) + 4, "text-anchor": "end"}, s, y.text(t)); }
  el("text", {x: box.right, y: box.bottom + 32, "text-anchor": "end", class: "soft"}, s, units[0]);
  el("text", {x: box.left, y: box.top - 8, class: "soft"}, s, units[1]);
}
function linear(low, high, from, to, text) {
  return {at: v => from + (v - low) / ((high - low) || 1) * (to - from), ticks: ticks(low, high), text};
}
function logarithmic(low, high, from, to, text) {
  const a = Math.log10(low), b = Math.log10(high), all = [];
  for (let e = Math.ceil(a - 1e-9); e <= b + 1e-9; ++e) all.push(10 ** e);
  return {at: v => from + (Math.log10(v) - a) / ((b - a) || 1) * (to - from), ticks: all, text};
}
function chooser(parent, label, options, onchange) {
  const l = html("label", parent, label + " "), s = html("select", l);
  options.forEach(([value, text]) => html("option", s, text, {value}));
  s.onchange = () => onchange(s.value);
  return s;
}
function table(parent, caption, heads, rows) {
  const wide = html("div", parent, undefined, {class: "wide", tabindex: 0, role: "region", "aria-label": caption});
  const t = html("table", wide); html("caption", t, caption);
  const tr = html("tr", html("thead", t)); for (const h of heads) html("th", tr, h, {scope: "col"});
  const body = html("tbody", t);
  for (const row of rows) { const r = html("tr", body); for (const c of row) html("td", r, c); }
}
const none = (id, words) => html("p", $(id), words, {class: "said"});

function facts() {
  const l = R.limited_by;
  $("verdict").textContent = l && l.category ? `${percent(l.share)} of the time goes to ${D.categories[l.category].title}: ${l.text}.` : "";
  const add = (name, text) => { html("dt", $("facts"), name); html("dd", $("facts"), text); };
  const d = R.deployment;
  add("machine", `${d.nodes} node${d.nodes > 1 ? "s" : ""}, ${d.packages} package${d.packages > 1 ? "s" : ""}, ${d.dies} dies (${d.status})`);
  add("plan", R.placement.plan.text);
  add("output tokens", si(R.throughput.output_tokens_per_s, "/s") + ", " + si(R.throughput.per_chip, "/s") + " per chip; " + percent(R.roofline.achieved_fraction) + " of the roofline (" + R.roofline.bound_by + ")");
  add("simulated", `${R.steps} steps, ${si(R.simulated_s, "s")}; ${R.recall.enabled ? R.recall.simulated_steps + " simulated, " + R.recall.recalled_steps + " recalled" : "every step"}`);
  for (const [k, name] of [["ttft_ms", "time to first token"], ["tpot_ms", "time per output token"], ["e2e_ms", "arrival to last token"]])
    if (R.latency[k]) add(name, `mean ${si(R.latency[k].mean / 1e3, "s")}, p50 ${si(R.latency[k].p50 / 1e3, "s")}, p95 ${si(R.latency[k].p95 / 1e3, "s")}, p99 ${si(R.latency[k].p99 / 1e3, "s")}`);
  add("power", `${si(R.energy.average_power_w, "W")} on average, ${si(R.energy.busy_power_w, "W")} while busy; ${si(R.energy.per_token_j, "J")} per output token`);
  if (R.cost.usd_per_m_tokens !== null) add("cost", "$ " + (+R.cost.usd_per_m_tokens.toPrecision(3)) + " per million output tokens");
  for (const f of R.feasible.limits) add("limit", f.text);
  for (const w of R.warnings) add("warning", w.text);
}

function run_bar() {
  const parts = Object.entries(R.time_breakdown).filter(([, v]) => v > 0).sort((a, b) => b[1] - a[1]);
  html("p", $("f-run"), "All simulated time, by what the critical path was waiting for.", {class: "said"});
  const s = svg($("f-run"), 58, "time by category: " + parts.map(([c, v]) => D.categories[c].title + " " + percent(v)).join(", "));
  let x = 0;
  for (const [c, v] of parts) {
    const w = 1000 * v;
    tip(el("rect", {class: "bar", x, y: 4, width: Math.max(w, .5), height: 34, fill: colour(c)}, s), `${D.categories[c].title}: ${(100 * v).toFixed(2)} %`);
    if (w > 60) el("text", {x: x + w / 2, y: 54, "text-anchor": "middle"}, s, percent(v));
    x += w;
  }
  key($("f-run"), parts.map(([c, v]) => [colour(c), D.categories[c].title + " " + percent(v)]));
}

function waterfall() {
  const box = $("f-waterfall");
  if (!D.anatomy.length) return none("f-waterfall", "No step was simulated on the silicon: there is nothing to take apart.");
  const choice = html("div", box, undefined, {class: "choice"}), where = html("div", box);
  const name = a => a.prompt_tokens ? `with ${a.prompt_tokens} prompt tokens and ${a.decodes} decodes` : `of ${a.decodes} decodes`;
  const draw = i => {
    where.replaceChildren();
    const a = D.anatomy[i];
    const rows = a.operators.map(o => ({o, sum: Object.values(o.path_us).reduce((x, y) => x + y, 0)})).filter(r => r.sum > 0);
    html("p", where, `One step ${name(a)}, ${si(a.took_us * 1e-6, "s")}: number ${a.simulated} of those simulated. Each operator's time on the critical path, all layers together, adds up to the step; what is hidden behind others is not in it.`, {class: "said"});
    const h = 20, s = svg(where, rows.length * h + 40, "waterfall over the operators of a step"), left = 150, right = 880;
    const x = linear(0, a.took_us, left, right, v => si(v * 1e-6, "s"));
    for (const t of x.ticks) { el("line", {class: "grid", x1: x.at(t), x2: x.at(t), y1: 6, y2: rows.length * h + 10}, s); el("text", {x: x.at(t), y: rows.length * h + 26, "text-anchor": "middle"}, s, x.text(t)); }
    let from = 0, y = 10; const seen = new Set();
    for (const {o, sum} of rows) {
      el("text", {x: left - 8, y: y + 13, "text-anchor": "end"}, s, o.name);
      let at = from;
      for (const [c, us] of Object.entries(o.path_us)) {
        seen.add(c);
        tip(el("rect", {class: "bar", x: x.at(at), y, width: Math.max(.5, x.at(at + us) - x.at(at)), height: h - 4, fill: colour(c)}, s), `${o.name}: ${D.categories[c].title} ${si(us * 1e-6, "s")}`);
        at += us;
      }
      el("text", {x: x.at(at) + 6, y: y + 13, class: "soft"}, s, `${si(sum * 1e-6, "s")}, ${percent(sum / a.took_us)}`);
      from = at; y += h;
    }
    key(where, [...seen].map(c => [colour(c), D.categories[c].title]));
    const more = html("details", where); html("summary", more, "Every operator in numbers");
    table(more, "Operators of the step, all layers and dies together", ["operator", "on the path", "under way", "bytes loaded", "bytes stored", "MACs", "vector operations"],
      a.operators.map(o => [o.name, si(Object.values(o.path_us).reduce((p, q) => p + q, 0) * 1e-6, "s"), si(o.span_us * 1e-6, "s"),
        Object.entries(o.loaded).map(([t, b]) => si(b, "B") + " " + t).join(", "), Object.entries(o.stored).map(([t, b]) => si(b, "B") + " " + t).join(", "),
        Object.entries(o.macs).map(([p, n]) => si(n) + p).join(", "), si(o.vector_ops)]));
  };
  if (D.anatomy.length > 1) chooser(choice, "step", D.anatomy.map((a, i) => [i, name(a)]), draw);
  draw(0);
}

function roofline() {
  const box = $("f-roofline");
  const choice = html("div", box, undefined, {class: "choice"}), where = html("div", box);
  const draw = i => {
    where.replaceChildren();
    const a = D.anatomy[i];
    if (!a) return html("p", where, "No step was simulated on the silicon.", {class: "said"});
    const points = [];
    for (const o of a.operators) {
      const macs = Object.values(o.macs).reduce((x, y) => x + y, 0), bytes = Object.values(o.loaded).reduce((x, y) => x + y, 0);
      if (macs > 0 && bytes > 0 && o.span_us > 0) points.push({o, x: macs / bytes, y: macs / (o.span_us * 1e-6)});
    }
    html("p", where, "Every operator with products: multiply-accumulates per byte it loads, and per second while any of its instructions is under way, all dies together. Roofs: what the memories could stream and the arrays compute.", {class: "said"});
    const B = D.roofs.bytes_per_s, formats = new Set(a.operators.flatMap(o => Object.keys(o.macs)));
    const M = Object.fromEntries(Object.entries(D.roofs.macs_per_s).filter(([f]) => formats.has(f)));
    if (!points.length || !Object.keys(M).length) return;
    const top = Math.max(...Object.values(M)) * 3, right = Math.max(...points.map(p => p.x), ...Object.values(M).map(m => m / Math.min(...Object.values(B)))) * 3;
    const low = Math.min(...points.map(p => p.x)) / 3, bottom = Math.min(...points.map(p => p.y)) / 3;
    const f = {left: 90, right: 970, top: 24, bottom: 380}, s = svg(where, 420, "roofline with " + points.length + " operators");
    const x = logarithmic(low, right, f.left, f.right, v => +v.toPrecision(2) + ""), y = logarithmic(bottom, top, f.bottom, f.top, v => si(v, "", 2));
    axes(s, x, y, f, ["MACs per byte loaded", "MACs per second"]);
    const peak = Math.max(...Object.values(M));
    for (const [tier, b] of Object.entries(B)) {
      const x1 = Math.min(peak / b, right), x0 = Math.max(low, bottom / b);
      if (x0 >= x1) continue;
      el("line", {class: "roof", x1: x.at(x0), y1: y.at(x0 * b), x2: x.at(x1), y2: y.at(x1 * b)}, s);
      const m = Math.sqrt(x0 * x1);
      const odd = tier === "hbm";
      el("text", {x: x.at(m) + (odd ? 10 : -6), y: y.at(m * b) + (odd ? 16 : -6), "text-anchor": odd ? "start" : "end"}, s, `${tier} ${si(b, "B/s")}`);
    }
    for (const [format, m] of Object.entries(M)) {
      const from = Math.max(low, m / Math.max(...Object.values(B)));
      el("line", {class: "roof", "stroke-dasharray": m === peak ? "none" : "6 4", x1: x.at(from), y1: y.at(m), x2: f.right, y2: y.at(m)}, s);
      el("text", {x: f.right, y: y.at(m) - 5, "text-anchor": "end"}, s, `${format} ${si(m, "MAC/s")}`);
    }
    const taken = [];
    points.sort((p, q) => q.y - p.y).forEach((p, n) => {
      const cx = x.at(p.x), cy = y.at(p.y);
      tip(el("circle", {class: "mark op", cx, cy, r: 5.5, fill: palette(n)}, s), `${p.o.name}: ${+p.x.toPrecision(3)} MACs/byte, ${si(p.y, "MAC/s")}`);
      let ty = cy + 4; while (taken.some(t => Math.abs(t[0] - cx) < 22 && Math.abs(t[1] - ty) < 12)) ty += 12;
      taken.push([cx, ty]); el("text", {x: cx + 8, y: ty}, s, n + 1);
    });
    key(where, points.map((p, n) => [palette(n), `${n + 1} ${p.o.name}`]));
  };
  if (D.anatomy.length > 1) chooser(choice, "step", D.anatomy.map((a, i) => [i, a.prompt_tokens ? "with prompt tokens" : "decodes alone"]), draw);
  draw(0);
}

function bars(parent, rows, unit, label) {
  const h = 20, s = svg(parent, rows.length * h + 8, label), most = Math.max(...rows.map(r => r[1])), sum = rows.reduce((a, r) => a + r[1], 0);
  rows.forEach(([name, v, fill], i) => {
    el("text", {x: 162, y: i * h + 15, "text-anchor": "end"}, s, name);
    const w = Math.max(.5, 600 * v / most);
    tip(el("rect", {class: "bar", x: 170, y: i * h + 2, width: w, height: h - 4, fill: fill || "var(--m0)"}, s), `${name}: ${si(v, unit)}`);
    el("text", {x: 176 + w, y: i * h + 15, class: "soft"}, s, `${si(v, unit)}, ${percent(v / sum)}`);
  });
}
function energy() {
  const rows = Object.entries(R.energy.by_component).filter(([, v]) => v > 0).sort((a, b) => b[1] - a[1]);
  html("p", $("f-energy"), `${si(R.energy.total_j, "J")} in all, ${si(R.energy.per_token_j, "J")} per output token. Constant power is light.`, {class: "said"});
  const constant = n => D.constant.includes(n);
  bars($("f-energy"), rows.map(([n, v]) => [n, v, constant(n) ? "var(--c-idle)" : "var(--m0)"]), "J", "energy by component");
}
const groups = [["sram", n => n.startsWith("sram")], ["hbm", n => n.startsWith("hbm") && !D.constant.includes(n)], ["mac", n => n === "mac"], ["vector", n => n === "vector"],
  ["fabric", n => n.startsWith("fabric")], ["wires and far tiers", n => n === "transport" || n === "far" || n === "flash"], ["constant", () => true]];
function power() {
  if (D.power.length < 2) return;
  html("p", $("f-power"), `Power of instance 0 over time, by module${R.thermal ? ", as the full clock takes: what a lowered clock saves is in the temperatures below" : ""}.`, {class: "said"});
  const rows = D.power.map(p => { const w = new Array(groups.length).fill(0); for (const [n, v] of Object.entries(p.watts)) w[groups.findIndex(g => g[1](n))] += v; return {t: p.t, to: p.to, w, sum: w.reduce((a, b) => a + b, 0)}; });
  const f = {left: 80, right: 980, top: 24, bottom: 240}, s = svg($("f-power"), 276, "power over time");
  const x = linear(rows[0].t, rows[rows.length - 1].to, f.left, f.right, v => si(v, "s")), y = linear(0, Math.max(...rows.map(r => r.sum)) * 1.05, f.bottom, f.top, v => si(v, "W"));
  axes(s, x, y, f, ["simulated time", "watts"]);
  const order = [6, 0, 1, 2, 3, 4, 5], below = rows.map(() => 0);
  for (const g of order) {
    let d = "";
    rows.forEach((r, i) => { d += `${i ? "L" : "M"}${x.at(r.t).toFixed(1)} ${y.at(below[i] + r.w[g]).toFixed(1)}L${x.at(r.to).toFixed(1)} ${y.at(below[i] + r.w[g]).toFixed(1)}`; });
    for (let i = rows.length - 1; i >= 0; --i) d += `L${x.at(rows[i].to).toFixed(1)} ${y.at(below[i]).toFixed(1)}L${x.at(rows[i].t).toFixed(1)} ${y.at(below[i]).toFixed(1)}`;
    el("path", {d: d + "Z", fill: g === 6 ? "var(--c-idle)" : palette(g)}, s);
    rows.forEach((r, i) => below[i] += r.w[g]);
  }
  key($("f-power"), order.filter(g => rows.some(r => r.w[g] > 0)).map(g => [g === 6 ? "var(--c-idle)" : palette(g), groups[g][0]]));
}
function curves(parent, label, series, units, text) {
  const all = series.flatMap(c => c.points), f = {left: 80, right: 980, top: 24, bottom: 220}, s = svg(parent, 256, label);
  const x = linear(Math.min(...all.map(p => p[0])), Math.max(...all.map(p => p[0])), f.left, f.right, v => si(v, "s"));
  const values = all.map(p => p[1]), floor = units[2] === "free" ? Math.min(...values) : 0;
  const y = linear(floor, Math.max(...values) * 1.05 || 1, f.bottom, f.top, text);
  axes(s, x, y, f, units);
  for (const c of series) el("path", {class: "curve", stroke: c.fill, d: c.points.map((p, i) => (i ? "H" : "M") + x.at(p[0]).toFixed(1) + (i ? "V" : " ") + y.at(p[1]).toFixed(1)).join("")}, s);
  key(parent, series.map(c => [c.fill, c.name]));
}
function heat() {
  const t = R.thermal;
  if (!t) return none("f-heat", "Temperatures were not simulated (engine.thermal).");
  const words = t.sustained.kept_up ? `For ever: ${percent(t.sustained.clock)} of the clock, ${si(t.sustained.output_tokens_per_s, "tokens/s")}, ${t.sustained.hottest_c.toFixed(1)} °C` : "For ever: not even at the lowest clock";
  html("p", $("f-heat"), `Cooling ${t.cooling}. At the full clock ${si(t.burst_output_tokens_per_s, "tokens/s")}${t.seconds_to_throttling === null ? ", for ever" : " for " + si(t.seconds_to_throttling, "s") + " from cold"}. ${words}; bound by ${t.sustained.bound_by}.`, {class: "said"});
  const h = D.heat.samples;
  if (h.length < 2) return;
  curves($("f-heat"), "die temperatures over time", [{name: "hottest die", fill: "var(--m1)", points: h.map(p => [p[0], p[2]])}, {name: "coolest die", fill: "var(--m0)", points: h.map(p => [p[0], p[3]])}], ["simulated time", "°C", "free"], v => v.toFixed(1));
  curves($("f-heat"), "clock over time", [{name: "clock, share", fill: "var(--m3)", points: h.map(p => [p[0], p[1]])}], ["simulated time", "share of the clock"], v => v.toFixed(2));
}
function residency() {
  const rows = D.residency;
  const m = R.memory.tiers;
  table($("f-residency"), "Memory of the deployment", ["tier", "capacity", "weights", "cache, peak", "cache, mean", "staging, activations, adapters"], m.map(t => [t.name, si(t.capacity_bytes, "B"), si(t.weights_bytes, "B"), si(t.kv_peak_bytes, "B"), si(t.kv_mean_bytes, "B"), si(t.reserved_bytes, "B")]));
  if (rows.length < 2) return;
  html("p", $("f-residency"), "Keys and values of instance 0 by tier, and its requests, over time.", {class: "said"});
  const tiers = ["sram", "hbm", "far", "flash"].filter(t => rows.some(r => r.kv[t]));
  if (tiers.length) curves($("f-residency"), "cache by tier over time", tiers.map((t, i) => ({name: "cache in " + t, fill: palette(i), points: rows.map(r => [r.t, r.kv[t] || 0])})), ["simulated time", "bytes"], v => si(v, "B"));
  curves($("f-residency"), "requests over time", [{name: "running", fill: palette(2), points: rows.map(r => [r.t, r.running])}, {name: "waiting", fill: palette(1), points: rows.map(r => [r.t, r.waiting])}], ["simulated time", "requests"], v => si(v));
}
function latencies() {
  const names = {ttft_ms: "time to first token", tpot_ms: "time per output token", itl_ms: "from one token to the next", e2e_ms: "arrival to last token"};
  let drawn = 0;
  for (const k in names) {
    const h = D.latencies[k], q = R.latency[k];
    if (!h) continue;
    ++drawn;
    const f = {left: 80, right: 980, top: 46, bottom: 146}, s = svg($("f-latency"), 182, names[k] + " distribution");
    const x = logarithmic(h.low, h.high, f.left, f.right, v => si(v / 1e3, "s", 2)), y = linear(0, Math.max(...h.counts), f.bottom, f.top, v => si(v));
    x.ticks = x.ticks.length > 1 ? x.ticks : [h.low, Math.sqrt(h.low * h.high), h.high];
    y.ticks = [0, Math.max(...h.counts)];
    axes(s, x, y, f, ["", ""]);
    el("text", {x: f.left, y: 16, class: "soft"}, s, names[k] + ": how many");
    const step = (f.right - f.left) / h.counts.length;
    h.counts.forEach((n, i) => { if (n) tip(el("rect", {class: "bar", x: f.left + i * step, y: y.at(n), width: step, height: f.bottom - y.at(n), fill: "var(--m0)"}, s), n + ""); });
    // Percentiles whose marks would touch share their words.
    const marks = [];
    if (q) for (const p of ["p50", "p95", "p99"]) {
      const at = x.at(Math.min(h.high, Math.max(h.low, q[p]))), text = `${p} ${si(q[p] / 1e3, "s")}`;
      el("line", {x1: at, x2: at, y1: f.top - 4, y2: f.bottom, stroke: "var(--m1)", "stroke-width": 1.5}, s);
      const last = marks[marks.length - 1];
      if (last && at - last.at < 110) last.text += ", " + text; else marks.push({at, text});
    }
    for (const m of marks) el("text", {x: m.at, y: f.top - 8, "text-anchor": m.at < 250 ? "start" : m.at > 800 ? "end" : "middle"}, s, m.text);
  }
  if (!drawn) none("f-latency", "No request got two tokens.");
}
/// Corners and sizes of all dies: packages side by side, nodes below each other.
function floor() {
  const d = D.dies, per = d.per_package, n = R.deployment.dies, packages = Math.ceil(n / per), across = Math.min(d.packages_per_node, Math.max(1, Math.ceil(Math.sqrt(packages * 2.2 * d.height / d.width))));
  const gap = 0.5, w = d.width + gap, h = d.height + gap, cell = 1000 / (across * w + gap);
  const place = i => { const p = Math.floor(i / per), k = i % per; return [(p % across * w + gap + k % d.width) * cell, (Math.floor(p / across) * h + gap + Math.floor(k / d.width)) * cell]; };
  return {place, cell, packages, across, w, h, gap, height: (Math.ceil(packages / across) * h + gap) * cell};
}
/// What is told of dies and links is of the machine before any fault.
const before = () => R.faults && R.faults.length ? ", before the first fault" : "";
const shade = v => `color-mix(in srgb, var(--m1) ${Math.round(8 + 92 * v)}%, var(--panel))`;
function dies() {
  if (!D.dies.shares.length) return none("f-dies", "No die was simulated.");
  const choice = html("div", $("f-dies"), undefined, {class: "choice"}), where = html("div", $("f-dies"));
  const units = ["mac", "vector", "sram", "hbm", "far"].filter(u => D.dies.shares.some(s => s[u] > 0));
  const hot = D.heat && D.heat.die_c.length === D.dies.shares.length;
  const draw = u => {
    where.replaceChildren();
    const temperature = u === "temperature", values = temperature ? D.heat.die_c : D.dies.shares.map(s => s[u]);
    const low = temperature ? Math.min(...values) : 0, high = temperature ? Math.max(...values) : Math.max(...values, 1e-9);
    const text = v => temperature ? v.toFixed(1) + " °C" : (100 * v).toFixed(1) + " %";
    html("p", where, temperature ? `Temperature of each die at the end: ${text(low)} to ${text(high)}.` : `Share of the simulated steps' time that each die's ${u} was busy: ${text(Math.min(...values))} to ${text(high)}, mean ${text(values.reduce((a, b) => a + b, 0) / values.length)}${before()}. The strongest colour is the busiest die's, whatever its share.`, {class: "said"});
    const f = floor(), s = svg(where, f.height, "heat map of " + u + " over the dies");
    for (let p = 0; p < f.packages; ++p) el("rect", {x: (p % f.across * f.w + f.gap * .6) * f.cell, y: (Math.floor(p / f.across) * f.h + f.gap * .6) * f.cell, width: (f.w - f.gap * .2) * f.cell, height: (f.h - f.gap * .2) * f.cell, fill: "none", stroke: "var(--line)"}, s);
    values.forEach((v, i) => {
      const [x, y] = f.place(i);
      tip(el("rect", {class: "cell die", x, y, width: f.cell, height: f.cell, fill: shade((v - low) / ((high - low) || 1))}, s), `die ${i}: ${text(v)}`);
      const words = f.cell > 46 ? el("text", {x: x + f.cell / 2, y: y + f.cell / 2 + 4, "text-anchor": "middle"}, s, text(v)) : null;
      if (words && (v - low) / ((high - low) || 1) > .55) words.style.fill = "var(--back)";
    });
  };
  chooser(choice, "unit", [...units, ...(hot ? ["temperature"] : [])].map(u => [u, u]), draw);
  draw(units[0]);
}
function fabric() {
  const L = D.links;
  if (!L) return none("f-fabric", R.deployment.dies > 1 ? "This form of the fabric counts no single links." : "One die: there is no fabric.");
  table($("f-fabric"), "Links of instance 0 by level", ["level", "links", "bytes carried", "busy, mean", "busy, most"], L.levels.map(l => [l.name, l.links, si(l.bytes, "B"), percent(l.mean_share), percent(l.most_share)]));
  if (!L.links.length) return none("f-fabric", "Too many links to draw one by one.");
  const n = L.dies, f = floor(), most = Math.max(...L.links.map(l => l[4]), 1e-9);
  html("p", $("f-fabric"), `Dies, switches and links of instance 0${before()}; wide and strong: busy, ${percent(most)} at most.`, {class: "said"});
  const hubs = [...new Set(L.links.flatMap(l => [l[0], l[1]]).filter(v => v >= n))].sort((a, b) => a - b), room = hubs.length ? 90 : 10;
  const s = svg($("f-fabric"), f.height + room, "fabric with link loads"), at = v => {
    if (v < n) { const [x, y] = f.place(v); return [x + f.cell / 2, y + f.cell / 2 + room]; }
    return [1000 * (hubs.indexOf(v) + .5) / hubs.length, 26];
  };
  for (const [from, to, level, bytes, share] of [...L.links].sort((a, b) => a[4] - b[4])) {
    const [x1, y1] = at(from), [x2, y2] = at(to), dx = x2 - x1, dy = y2 - y1, d = Math.hypot(dx, dy) || 1, o = Math.min(6, f.cell / 10);
    const cells = d / f.cell, bend = from < n && to < n && cells > 1.5 ? f.cell * .35 : 0, ox = -dy / d * o, oy = dx / d * o;
    tip(el("path", {class: "link", d: `M${(x1 + ox).toFixed(1)} ${(y1 + oy).toFixed(1)}Q${((x1 + x2) / 2 - dy / d * (bend + o)).toFixed(1)} ${((y1 + y2) / 2 + dx / d * (bend + o)).toFixed(1)} ${(x2 + ox).toFixed(1)} ${(y2 + oy).toFixed(1)}`,
      fill: "none", stroke: share > 0 ? `color-mix(in srgb, var(--m3) ${Math.round(25 + 75 * share / most)}%, var(--line))` : "var(--line)", "stroke-width": (.6 + 4.4 * share / most).toFixed(2)}, s),
      `${L.levels[level].name}: ${from < n ? "die " + from : "switch " + (from - n)} to ${to < n ? "die " + to : "switch " + (to - n)}: ${si(bytes, "B")}, busy ${percent(share)}`);
  }
  for (let i = 0; i < n && i < D.dies.shares.length; ++i) { const [x, y] = at(i), r = Math.min(14, f.cell * .22); tip(el("rect", {x: x - r, y: y - r, width: 2 * r, height: 2 * r, rx: 2, fill: "var(--panel)", stroke: "var(--soft)"}, s), "die " + i); if (r >= 11) el("text", {x, y: y + 4, "text-anchor": "middle"}, s, i); }
  for (const v of hubs) { const [x, y] = at(v); tip(el("circle", {cx: x, cy: y, r: 13, fill: "var(--panel)", stroke: "var(--front)"}, s), "switch " + (v - n)); if (hubs.length < 40) el("text", {x, y: y + 4, "text-anchor": "middle"}, s, "S" + (v - n)); }
}
function inputs() {
  const box = $("f-inputs"), I = R.inputs;
  table(box, "The run", ["", ""], [["platform", I.platform], ["model", I.llm], ["workload", I.workload], ["seed", I.seed], ["fidelity", I.fidelity], ["digest of the inputs", I.digest], ["trace digest", I.trace_digest || "–"], ["Reticle", R.reticle_version + " (" + R.git_revision + ")"]]);
  const shares = o => Object.entries(o || {}).filter(([, v]) => v > 0).sort((a, b) => b[1] - a[1]).map(([w, v]) => w + " " + percent(v)).join(", ") || "–";
  table(box, "What the result rests on", ["of", "by how far its constants can be trusted"], [["the time", shares(R.provenance.time)], ["the energy", shares(R.provenance.energy)]]);
  const more = html("details", box); html("summary", more, "All " + D.inputs.length + " values of the run, with their origin");
  table(more, "resolved.yaml", ["key", "value", "from", "confidence", "source"], D.inputs);
}
facts(); run_bar(); waterfall(); roofline(); energy(); power(); heat(); residency(); latencies(); dies(); fabric(); inputs();
)JS";
}

}  // namespace reticle
