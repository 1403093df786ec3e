// Looks at a report in each frame, as a reader and a reader's program would, and writes down what it finds.

// Opaque colour that a reader sees behind an element, and in its text, as [r, g, b].
function colours(view, element, ink) {
  const canvas = colours.canvas ??= document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const paint = (colour) => { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); };
  const seen = () => [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  const layers = [];
  for (let e = element; e; e = e.parentElement) layers.push(view.getComputedStyle(e).backgroundColor);
  canvas.clearRect(0, 0, 1, 1);
  layers.reverse().forEach(paint);
  const behind = seen();
  paint(ink);
  return { behind, front: seen() };
}

// The contrast of two colours by WCAG 2.2.
function contrast(one, other) {
  const light = (colour) => {
    const [r, g, b] = colour.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

// Text that is hard to read, with its contrast.
function faint(view) {
  const found = [];
  for (const element of view.document.body.querySelectorAll("*")) {
    const words = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
    if (!words || ["SCRIPT", "STYLE", "TITLE", "title"].includes(element.tagName) || !element.checkVisibility()) continue;
    const style = view.getComputedStyle(element);
    const { behind, front } = colours(view, element, element instanceof view.SVGElement ? style.fill : style.color);
    const ratio = contrast(behind, front);
    if (ratio < 4.5) found.push(`${words.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return found;
}

// A plot: its place on the screen, the length of its lines, and how much of its area its drawing spans.
function plot(view, svg) {
  const box = svg.getBoundingClientRect();
  const drawn = [...svg.querySelectorAll(".stretch path:not([d='']), .stretch rect, .fixed use")].map((e) => e.getBoundingClientRect());
  const dots = [...svg.querySelectorAll(".stretch path")].filter((path) => path.getAttribute("d").includes("h0"));
  return {
    label: svg.getAttribute("aria-label"),
    section: svg.closest("section").id,
    width: box.width,
    height: box.height,
    lines: [...svg.querySelectorAll(".stretch path")].reduce((sum, path) => sum + path.getTotalLength(), 0),
    shapes: drawn.length + dots.reduce((sum, path) => sum + path.getAttribute("d").split("h0").length - 1, 0),
    span: drawn.length && (Math.max(...drawn.map((r) => r.right)) - Math.min(...drawn.map((r) => r.left))) / box.width,
    // what sticks out of the plot by more than a marker's size
    outside: drawn.filter((r) => r.left < box.left - 8 || r.right > box.right + 8 || r.top < box.top - 8 || r.bottom > box.bottom + 8).length,
    ticks: svg.querySelectorAll(".grid text").length,
  };
}

// Points at the first plot with numbers, by the pointer and then by the keys.
function tooltip(view) {
  const svg = view.document.querySelector("svg[data-rows]");
  const box = svg.getBoundingClientRect();
  const text = () => {
    const tooltip = view.document.getElementById("tooltip");
    return tooltip.hidden ? "" : [...tooltip.querySelectorAll("dt, dd")].map((e) => e.textContent).join(" | ");
  };
  const clientX = box.left + box.width - 1;
  svg.dispatchEvent(new view.PointerEvent("pointermove", { clientX, clientY: box.top + 10, bubbles: true }));
  const pointed = text();
  svg.dispatchEvent(new view.KeyboardEvent("keydown", { key: "Home" }));
  const first = text();
  svg.dispatchEvent(new view.KeyboardEvent("keydown", { key: "Escape" }));
  return { pointed, first, hidden: text() };
}

function look(frame) {
  const view = frame.contentWindow;
  const page = view.document;
  const all = (selector) => [...page.querySelectorAll(selector)];
  const ids = all("[id]").map((e) => e.id);
  return {
    title: page.title,
    overflow: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    background: colours(view, page.body, "transparent").behind,
    faint: faint(view),
    plots: all("section svg.plot").map((svg) => plot(view, svg)),
    pictures: all("img").filter((img) => img.complete && img.naturalWidth > 0 && img.alt && img.width > 20).length,
    images: all("img").length,
    matrices: all(".matrix").length,
    bars: all("svg.length > .part-0").map((bar) => bar.getBoundingClientRect().width / bar.parentElement.getBoundingClientRect().width),
    fetched: view.performance.getEntriesByType("resource").map((e) => e.name).filter((name) => !name.startsWith("data:")),
    links: all("[href], [src]").map((e) => e.getAttribute("href") ?? e.getAttribute("src")).filter((to) => !/^(#|data:image\/png)/.test(to)),
    scripts: all("script").length,
    handlers: all("*").flatMap((e) => [...e.attributes]).map((a) => a.name).filter((name) => name.startsWith("on")),
    twins: ids.filter((id, index) => ids.indexOf(id) !== index),
    nameless: all("svg:not([aria-hidden]):not(svg svg):not([aria-label]), img:not([alt]), [role=region]:not([aria-label]), th:not([scope])").map((e) => e.outerHTML.slice(0, 80)),
    headings: all("h1, h2, h3").map((e) => e.tagName).join(" "),
    tooltip: page.querySelector("svg[data-rows]") && tooltip(view),
  };
}

addEventListener("load", () => {
  const found = {};
  for (const frame of document.querySelectorAll("iframe")) {
    try { found[frame.id] = look(frame); } catch (error) { found[frame.id] = { failed: String(error) }; }
  }
  document.getElementById("found").textContent = btoa(unescape(encodeURIComponent(JSON.stringify(found))));
});
