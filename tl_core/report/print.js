// A chart is as wide as the window; on paper it is as wide as the page.
const charts = () => document.querySelectorAll(".plotly-graph-div");
addEventListener("beforeprint", () => charts().forEach((chart) => Plotly.relayout(chart, { width: 660 })));
addEventListener("afterprint", () => charts().forEach((chart) => Plotly.relayout(chart, { width: null, autosize: true })));
