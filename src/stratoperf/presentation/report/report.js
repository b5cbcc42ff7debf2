"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (name, text) => Object.assign(document.createElement(name), { textContent: text });
  document.documentElement.classList.add("scripts");

  // Tables: a button in each title, as in the W3C's pattern of sortable tables.
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.v === undefined ? cell.textContent.trim() : Number(cell.dataset.v);
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number"
      ? a - b
      : typeof a === typeof b
        ? a.localeCompare(b, undefined, { numeric: true })
        : typeof a === "number" ? -1 : 1;
  for (const table of all("table.sort")) {
    const body = table.tBodies[0];
    const titles = all("thead th", table);
    titles.forEach((title, column) => {
      const button = make("button", title.textContent);
      button.type = "button";
      title.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = title.getAttribute("aria-sort") === "ascending";
        titles.forEach((other) => other.removeAttribute("aria-sort"));
        title.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...body.rows].map((row) => [value(row, column), row]);
        rows.sort(([a], [b]) => (down ? compare(b, a) : compare(a, b)));
        body.append(...rows.map(([, row]) => row));
      });
    });
  }

  // The filter, and how many cases it and the switches leave.
  const filter = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const cards = all(".grid > li");
  const count = () => {
    const left = cards.filter((card) => getComputedStyle(card).display !== "none").length;
    shown.textContent = `${left} of ${cards.length} measured cases shown`;
  };
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const part of all("[data-f]")) {
      part.toggleAttribute("data-off", !words.every((word) => part.dataset.f.includes(word)));
    }
    for (const section of all(".benchmark")) {
      section.toggleAttribute("data-off", !section.querySelector("details.one:not([data-off])"));
    }
    count();
  };
  let waiting = 0;
  filter.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 120);
  });
  all(".controls input[type=checkbox]").forEach((box) => box.addEventListener("change", count));
  apply();

  // Vertical axes from zero: what is drawn shrinks towards the upper end of its axis.
  const zero = document.getElementById("zero");
  zero.addEventListener("change", () => {
    for (const marks of all("[data-zero]")) {
      const [top, bottom, origin] = marks.dataset.zero.split(" ").map(Number);
      const scale = zero.checked ? (bottom - top) / (origin - top) : 1;
      marks.setAttribute("transform", `matrix(1 0 0 ${scale} 0 ${top * (1 - scale)})`);
      if (!zero.checked) marks.removeAttribute("transform");
      const numbers = all("g.t", marks.ownerSVGElement)[1];
      all(".zero", numbers).forEach((text) => text.remove());
      let free = zero.checked ? bottom - 13 : Infinity;
      for (const text of all("text", numbers)) {
        text.dataset.y ??= text.getAttribute("y");
        const y = top + (text.dataset.y - top) * scale;
        text.setAttribute("y", y);
        text.setAttribute("visibility", y <= free ? "visible" : "hidden");
        if (y <= free && zero.checked) free = y - 13;
      }
      if (zero.checked) {
        const text = numbers.firstElementChild.cloneNode();
        text.textContent = "0";
        text.setAttribute("class", "zero");
        text.setAttribute("y", bottom);
        text.setAttribute("visibility", "visible");
        delete text.dataset.y;
        numbers.append(text);
      }
    }
  });

  // A link to a case opens it.
  const open = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    const details = target && target.closest("details");
    if (!details) return;
    if (details.matches(".quiet")) document.getElementById("relevant").checked = false;
    details.removeAttribute("data-off");
    details.closest("section").removeAttribute("data-off");
    details.open = true;
    details.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();

  // Zoom: a figure fills the window; wheel, buttons, arrows and dragging change what is seen.
  const dialog = document.createElement("dialog");
  const bar = make("div", "");
  const stage = make("div", "");
  dialog.append(bar, stage);
  document.body.append(dialog);
  let picture, home, box;
  const look = (next) => {
    box = next;
    picture.setAttribute("viewBox", box.map((side) => side.toFixed(2)).join(" "));
  };
  const zoom = (factor, x = 0.5, y = 0.5) => {
    const scale = Math.min(1, Math.max(0.05, (box[2] / home[2]) * factor));
    const [width, height] = [home[2] * scale, home[3] * scale];
    look([box[0] + (box[2] - width) * x, box[1] + (box[3] - height) * y, width, height]);
    if (scale === 1) look([...home]);
  };
  const move = (x, y) => look([box[0] + x * box[2], box[1] + y * box[3], box[2], box[3]]);
  const commands = [["+", () => zoom(0.7)], ["−", () => zoom(1 / 0.7)], ["whole", () => look([...home])], ["close", () => dialog.close()]];
  const names = ["enlarge", "shrink", "show the whole figure", "close"];
  commands.forEach(([text, act], place) => {
    const button = make("button", text);
    button.type = "button";
    button.setAttribute("aria-label", names[place]);
    button.addEventListener("click", act);
    bar.append(button);
  });
  const keys = { "+": () => zoom(0.7), "-": () => zoom(1 / 0.7), ArrowLeft: () => move(-0.1, 0), ArrowRight: () => move(0.1, 0), ArrowUp: () => move(0, -0.1), ArrowDown: () => move(0, 0.1) };
  dialog.addEventListener("keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const place = picture.getBoundingClientRect();
    zoom(event.deltaY < 0 ? 0.85 : 1 / 0.85, (event.clientX - place.left) / place.width, (event.clientY - place.top) / place.height);
  }, { passive: false });
  stage.addEventListener("pointermove", (event) => {
    if (!(event.buttons & 1)) return;
    const place = picture.getBoundingClientRect();
    move(-event.movementX / place.width, -event.movementY / place.height);
  });
  for (const figure of all("figure")) {
    const button = make("button", "zoom");
    button.type = "button";
    const title = figure.querySelector("figcaption").textContent;
    button.setAttribute("aria-label", `zoom: ${title}`);
    button.addEventListener("click", () => {
      picture = figure.querySelector("svg").cloneNode(true);
      home = picture.getAttribute("viewBox").split(" ").map(Number);
      box = [...home];
      stage.replaceChildren(picture);
      dialog.setAttribute("aria-label", title);
      dialog.showModal();
    });
    figure.querySelector("figcaption").after(button);
  }
})();
