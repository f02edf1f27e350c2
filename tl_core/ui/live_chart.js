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

const SHOWN = 120; // pixels of a picture's side on the page

// The picture of the point that is pointed at, in the corner of the chart that is farther away.
function showPictures(place, sheet) {
  place.sheet = sheet;
  if (!sheet || place.picture) return;
  const picture = document.createElement("div");
  picture.setAttribute("aria-hidden", "true");
  picture.style.cssText = `position:absolute;bottom:8px;width:${SHOWN}px;height:${SHOWN}px;border-radius:6px;display:none;pointer-events:none;image-rendering:pixelated`;
  place.style.position = "relative";
  place.append(picture);
  place.picture = picture;
  place.on("plotly_hover", ({ points, event }) => {
    const { address, columns } = place.sheet;
    const number = points[0].customdata?.[0] ?? 0;
    const box = place.getBoundingClientRect();
    const isLeft = event.clientX - box.left < box.width / 2;
    picture.style.backgroundImage = `url(${address})`;
    picture.style.backgroundSize = `${columns * SHOWN}px auto`;
    picture.style.backgroundPosition = `-${(number % columns) * SHOWN}px -${Math.floor(number / columns) * SHOWN}px`;
    picture.style.left = isLeft ? "auto" : "8px";
    picture.style.right = isLeft ? "8px" : "auto";
    picture.style.display = "block";
  });
  place.on("plotly_unhover", () => (picture.style.display = "none"));
}

async function draw(place, data) {
  const figure = JSON.parse(data.figure);
  place.setAttribute("aria-label", data.alt);
  place.style.minHeight = `${figure.layout.height}px`; // nothing below it moves while Plotly loads
  const drawer = await plotly(data.plotly);
  if (!place.isConnected) return;
  await drawer.react(place, figure.data, dressed(figure.layout, place), { displayModeBar: false });
  followWidth(place, drawer);
  showPictures(place, data.sheet);
}

export default function ({ data, parentElement }) {
  const place = placeIn(parentElement);
  draw(place, data).catch((error) => {
    place.textContent = `This chart could not be drawn. ${error.message} Reload the page to try again.`;
  });
}
