"use strict";
// The numbers under the pointer. They are read out of the tables below the plots.
(() => {
  const tooltip = document.getElementById("tooltip");

  function show(plot, row, x, y) {
    const cursor = plot.querySelector(".cursor");
    const at = 100 * row.dataset.at + "%";
    cursor.setAttribute("x1", at);
    cursor.setAttribute("x2", at);
    plot.classList.add("pointed");
    const heads = row.closest("table").tHead.rows[0].cells;
    const list = document.createElement("dl");
    [...row.cells].forEach((cell, index) => {
      if (index && cell.textContent === "–") return;
      const name = document.createElement("dt");
      const value = document.createElement("dd");
      name.textContent = heads[index].textContent;
      value.textContent = cell.textContent;
      if (index) name.className = "run-" + (heads[index].dataset.key % 8);
      list.append(name, value);
    });
    tooltip.replaceChildren(list);
    tooltip.hidden = false;
    const left = x + 16 + tooltip.offsetWidth > innerWidth - 8 ? x - 16 - tooltip.offsetWidth : x + 16;
    tooltip.style.left = Math.max(8, left) + "px";
    tooltip.style.top = Math.max(8, Math.min(y, innerHeight - tooltip.offsetHeight - 8)) + "px";
  }

  function hide(plot) {
    plot.classList.remove("pointed");
    tooltip.hidden = true;
  }

  for (const plot of document.querySelectorAll("svg[data-rows]")) {
    const rows = [...document.getElementById(plot.dataset.rows).tBodies[0].rows];
    if (!rows.length) continue;
    let index = rows.length - 1;
    plot.addEventListener("pointermove", (event) => {
      const box = plot.getBoundingClientRect();
      const part = (event.clientX - box.left) / box.width;
      const distance = (row) => Math.abs(row.dataset.at - part);
      index = rows.reduce((best, row, i) => (distance(row) < distance(rows[best]) ? i : best), 0);
      show(plot, rows[index], event.clientX, event.clientY);
    });
    plot.addEventListener("pointerleave", () => hide(plot));
    plot.addEventListener("blur", () => hide(plot));
    plot.addEventListener("keydown", (event) => {
      if (event.key === "Escape") return hide(plot);
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -rows.length, End: rows.length }[event.key];
      if (!step) return;
      event.preventDefault();
      if (plot.classList.contains("pointed")) index += step;
      index = Math.max(0, Math.min(rows.length - 1, index));
      const box = plot.getBoundingClientRect();
      show(plot, rows[index], box.left + rows[index].dataset.at * box.width, box.top);
    });
  }

  // Printed pages have no details to open.
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });

  if (navigator.clipboard) {
    for (const command of document.querySelectorAll(".command")) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(command.textContent);
          button.textContent = "Copied";
        } catch {
          button.textContent = "Not allowed";
        }
        setTimeout(() => (button.textContent = "Copy"), 1500);
      });
      command.before(button);
    }
  }
})();
