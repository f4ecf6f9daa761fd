// Reads a chart where the pointer stands: a hair line and the values of that second.
for (const figure of document.querySelectorAll("figure[data-curves]")) {
  const { curves, left, width, total, seconds } = JSON.parse(figure.dataset.curves);
  const svg = figure.querySelector("svg");
  const hair = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const tip = document.createElement("div");
  tip.className = "tip"; tip.hidden = true; hair.setAttribute("class", "hair");
  const leave = () => { tip.hidden = true; hair.remove(); };
  figure.append(tip);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width * total - left) / width * seconds;
    if (at < 0 || at > seconds) return leave();
    const rows = curves.map(([name, points]) => {
      const near = points.reduce((best, point) => Math.abs(point[0] - at) < Math.abs(best[0] - at) ? point : best, [1e9, 0]);
      return Math.abs(near[0] - at) < 2 ? `\n${name}  ${near[1]}` : "";
    });
    const x = left + at / seconds * width;
    for (const [key, value] of [["x1", x], ["x2", x], ["y1", 12], ["y2", 194]]) hair.setAttribute(key, value);
    svg.append(hair);
    tip.textContent = `${at.toFixed(0)} s${rows.join("")}`; tip.hidden = false;
    const place = event.clientX - figure.getBoundingClientRect().left;
    tip.style.left = place < box.width / 2 ? `${place + 14}px` : "auto";
    tip.style.right = place < box.width / 2 ? "auto" : `${box.width - place + 14}px`;
  });
  svg.addEventListener("pointerleave", leave);
}
