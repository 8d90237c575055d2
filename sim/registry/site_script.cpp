// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/pages.hpp"

namespace reticle {

std::string_view site_script() {
  return R"js("use strict";
// Sorting and filtering of the table of entries, and what lights up in the graph.
(function () {
  const table = document.getElementById("entries");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const filters = document.getElementById("filters");
  const count = document.getElementById("count");
  filters.hidden = false;

  function wanted(row) {
    for (const select of filters.querySelectorAll("select"))
      if (select.value && row.dataset[select.name] !== select.value) return false;
    const words = document.getElementById("search").value.toLowerCase().split(/\s+/);
    const text = row.textContent.toLowerCase();
    return words.every((word) => text.includes(word));
  }
  function filter() {
    let shown = 0;
    for (const row of rows) {
      row.hidden = !wanted(row);
      if (!row.hidden) ++shown;
    }
    count.textContent = shown + " of " + rows.length + " entries shown";
    const query = new URLSearchParams();
    for (const field of filters.querySelectorAll("select, input"))
      if (field.value) query.set(field.name, field.value);
    const text = query.toString();
    try { history.replaceState(null, "", text ? "#" + text : location.pathname); } catch (error) {}
  }
  function sort(heading, button) {
    const up = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = button.dataset.key;
    const value = (row) => row.dataset[key];
    const numeric = rows.every((row) => value(row) !== "" && !isNaN(value(row)));
    rows.sort((a, b) => {
      const order = numeric ? value(a) - value(b) : value(a).localeCompare(value(b));
      return (up ? order : -order) || a.dataset.number - b.dataset.number;
    });
    for (const row of rows) body.appendChild(row);
  }
  for (const heading of table.tHead.rows[0].cells) {
    const button = heading.querySelector("button");
    if (button) button.addEventListener("click", () => sort(heading, button));
  }
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const field of filters.querySelectorAll("select, input")) {
    if (asked.has(field.name)) field.value = asked.get(field.name);
    field.addEventListener("input", filter);
  }
  document.getElementById("reset").addEventListener("click", () => {
    for (const field of filters.querySelectorAll("select, input")) field.value = "";
    filter();
  });
  filter();
})();

(function () {
  const graph = document.querySelector("svg.graph");
  if (!graph) return;
  const nodes = Array.from(graph.querySelectorAll("a"));
  const edges = Array.from(graph.querySelectorAll(".edge"));
  const id = (node) => node.id.slice("node-".length);
  const list = (text) => text.split(" ").filter(Boolean);
  function light(node) {
    const near = new Set([id(node), ...list(node.dataset.needs), ...list(node.dataset.unlocks)]);
    for (const other of nodes) {
      other.classList.toggle("lit", near.has(id(other)));
      other.classList.toggle("dim", !near.has(id(other)));
    }
    for (const edge of edges) {
      const touches = edge.dataset.from === id(node) || edge.dataset.to === id(node);
      edge.classList.toggle("lit", touches);
      edge.classList.toggle("dim", !touches);
    }
  }
  function clear() {
    for (const part of nodes.concat(edges)) part.classList.remove("lit", "dim");
  }
  for (const node of nodes) {
    node.addEventListener("focus", () => light(node));
    node.addEventListener("mouseenter", () => light(node));
    node.addEventListener("blur", clear);
    node.addEventListener("mouseleave", clear);
  }
})();
)js";
}

}  // namespace reticle
