// SPDX-License-Identifier: Apache-2.0
#include "sim/html/style.hpp"

namespace reticle {

std::string_view style_sheet() {
  return R"css(:root {
  color-scheme: light dark;
  --back: #ffffff; --front: #1b1f24; --soft: #55606b; --line: #d5dae0; --panel: #f5f7f9;
  --link: #0b57b0; --focus: #b35900; --claim: #f3d48a; --good: #17692f; --part: #7a5200;
  --bad: #a01c1c; --none: #55606b;
  --m0: #0b57b0; --m1: #b3401b; --m2: #17692f; --m3: #7b2d8e; --m4: #7a5200; --m5: #00707a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14171a; --front: #e6e9ec; --soft: #a7b0b9; --line: #3a4149; --panel: #1d2226;
    --link: #8ab8ff; --focus: #ffb366; --claim: #5c4a16; --good: #7fd49a; --part: #f0c05a;
    --bad: #ff9a9a; --none: #a7b0b9;
    --m0: #8ab8ff; --m1: #ff9d73; --m2: #7fd49a; --m3: #d9a3ea; --m4: #f0c05a; --m5: #74d3dc;
  }
}
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.55 system-ui, sans-serif; background: var(--back); color: var(--front); }
main, header nav { max-width: 68rem; margin: 0 auto; padding: 0 1rem; }
main { padding-bottom: 4rem; }
header { border-bottom: 1px solid var(--line); background: var(--panel); }
header nav a { display: inline-block; padding: .7rem .9rem .7rem 0; }
a { color: var(--link); }
a:focus-visible, button:focus-visible, select:focus-visible, input:focus-visible,
summary:focus-visible, .wide:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--back); padding: .5rem; z-index: 2; }
h1 { font-size: 1.7rem; line-height: 1.25; }
h2 { font-size: 1.3rem; margin-top: 2.2rem; }
h3 { font-size: 1.1rem; margin-top: 1.8rem; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--soft); padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
thead th { background: var(--panel); white-space: nowrap; }
th button { font: inherit; font-weight: bold; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
th[aria-sort=ascending] button::after { content: " \25B2"; }
th[aria-sort=descending] button::after { content: " \25BC"; }
code { font-size: .88em; overflow-wrap: anywhere; }
.filters { display: flex; flex-wrap: wrap; gap: .8rem; background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; padding: .8rem; }
.filters label { display: flex; flex-direction: column; font-size: .85rem; color: var(--soft); }
.filters select, .filters input { font: inherit; color: var(--front); background: var(--back); border: 1px solid var(--line); border-radius: .25rem; padding: .25rem .4rem; min-height: 2.2rem; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; padding: .8rem; background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; }
.filters button { align-self: end; font: inherit; min-height: 2.2rem; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; }
.verdict { font-weight: bold; }
.supported, .underclaimed { color: var(--good); }
.conditional { color: var(--part); }
.overclaimed { color: var(--bad); }
.not-simulable { color: var(--none); }
.stale { color: var(--bad); font-weight: bold; }
svg { max-width: 100%; height: auto; display: block; }
svg text { fill: var(--front); font: 12px system-ui, sans-serif; }
.grid { stroke: var(--line); }
.claim { fill: var(--claim); opacity: .6; }
.mark { stroke: var(--back); stroke-width: 1; }
.m0 { fill: var(--m0); } .m1 { fill: var(--m1); } .m2 { fill: var(--m2); }
.m3 { fill: var(--m3); } .m4 { fill: var(--m4); } .m5 { fill: var(--m5); }
.graph .edge { stroke: var(--soft); fill: none; stroke-width: 1.5; }
.graph .edge.circle { stroke: var(--bad); stroke-dasharray: 5 3; }
.graph marker path { fill: var(--soft); }
.graph rect { fill: var(--panel); stroke: var(--soft); }
.graph a:hover rect, .graph a:focus rect { stroke: var(--focus); stroke-width: 3; }
.graph a:focus { outline: none; }
.graph a.dim, .graph .edge.dim { opacity: .2; }
.graph a.lit rect { stroke: var(--link); stroke-width: 3; }
.graph .edge.lit { stroke: var(--link); stroke-width: 2.5; }
.heat td { text-align: center; }
.heat .h1 { background: color-mix(in srgb, var(--claim) 35%, transparent); }
.heat .h2 { background: color-mix(in srgb, var(--claim) 65%, transparent); }
.heat .h3 { background: var(--claim); }
@media (max-width: 40rem) {
  .stack thead { position: absolute; left: -999rem; }
  .stack tr { display: block; border: 1px solid var(--line); border-radius: .4rem; margin: .6rem 0; padding: .3rem; }
  .stack td { display: flex; gap: .6rem; border: 0; padding: .15rem .4rem; }
  .stack td::before { content: attr(data-label); color: var(--soft); min-width: 6.5rem; }
}
@media print { header, .filters, .skip { display: none; } }
)css";
}

}  // namespace reticle
