"use strict";
// The moment under the pointer, and folded scenarios opened for printing. Everything else works
// without this script.
const SVG = "http://www.w3.org/2000/svg";
for (const chart of document.querySelectorAll("svg.chart")) {
  const { left, width, span, top, bottom } = chart.dataset;
  const hair = document.createElementNS(SVG, "g");
  const line = document.createElementNS(SVG, "path");
  const label = document.createElementNS(SVG, "text");
  hair.setAttribute("class", "hair");
  hair.append(line, label);
  hair.style.display = "none";
  chart.append(hair);
  chart.addEventListener("pointermove", (event) => {
    const point = new DOMPoint(event.clientX, event.clientY);
    const x = point.matrixTransform(chart.getScreenCTM().inverse()).x;
    const share = (x - left) / width;
    hair.style.display = share < 0 || share > 1 ? "none" : "";
    line.setAttribute("d", `M${x} ${top}V${bottom}`);
    label.setAttribute("x", x);
    label.setAttribute("y", Number(bottom) + 19);
    label.textContent = `${(share * span).toFixed(span < 120 ? 2 : 1)} s`;
  });
  chart.addEventListener("pointerleave", () => { hair.style.display = "none"; });
}
window.addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll(".scenario > details")) folded.open = true;
});
