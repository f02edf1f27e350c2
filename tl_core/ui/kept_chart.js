// Draws a Plotly figure into its place on the page, and gives new data to the same chart.

let loading = null;

function plotly(address) {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      loading = null; // the next drawing tries again
      script.remove();
      reject(new Error(`Plotly did not load from ${address}.`));
    };
    document.head.append(script);
  });
  return loading;
}

// The page's own colour and letters, of the theme that is chosen now.
function dressed(layout, place) {
  const style = getComputedStyle(place);
  const font = { ...layout.font, size: 12, color: style.color, family: style.fontFamily };
  const title = { ...layout.title, font: { ...layout.title?.font, weight: 600 } };
  // A finger that is dragged scrolls the page; only a mouse draws the frame of a zoom.
  const dragmode = matchMedia("(pointer: fine)").matches ? "zoom" : false;
  return { ...layout, font, title, dragmode, autosize: true };
}

function placeIn(parent) {
  const known = parent.querySelector(":scope > .kept-chart");
  if (known) return known;
  const made = document.createElement("div");
  made.className = "kept-chart";
  made.style.width = "100%";
  made.setAttribute("role", "img");
  parent.append(made);
  return made;
}

const watchers = new WeakMap();

function followWidth(place, drawer) {
  if (watchers.has(place)) return;
  const watcher = new ResizeObserver(() => {
    // The observer tells of a place that was taken off the page too; Plotly refuses to size what has no box.
    if (place.isConnected && place.offsetParent) drawer.Plots.resize(place);
  });
  watchers.set(place, watcher);
  watcher.observe(place);
}

async function draw(place, data) {
  const figure = JSON.parse(data.figure);
  place.setAttribute("aria-label", data.alt);
  place.style.minHeight = `${figure.layout.height}px`; // nothing below it moves while Plotly loads
  const drawer = await plotly(data.plotly);
  if (!place.isConnected) return;
  await drawer.react(place, figure.data, dressed(figure.layout, place), { displayModeBar: false });
  followWidth(place, drawer);
}

export default function ({ data, parentElement }) {
  const place = placeIn(parentElement);
  draw(place, data).catch((error) => {
    place.textContent = `This chart could not be drawn. ${error.message} Reload the page to try again.`;
  });
}
