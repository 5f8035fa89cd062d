// The chart of a campaign's live page, and whether the page still is live. All else works without scripts.
"use strict";
(() => {
  const live = document.getElementById("live");
  const place = document.getElementById("chart");
  const state = document.getElementById("switch");
  // An hour at one look a second.
  const MOST = 3600;
  const at = [], active = [], minute = [];
  const ink = getComputedStyle(document.body).color;
  const axis = { stroke: ink, grid: { stroke: "rgba(128, 128, 128, 0.25)" } };
  const chart = new uPlot({
    width: Math.max(240, place.clientWidth), height: 160,
    series: [{}, { label: "calls at once", stroke: "#0a8f5b", width: 2 }, { label: "last minute", stroke: "#3f8ae0", width: 1, scale: "minute" }],
    axes: [axis, axis, { ...axis, scale: "minute", side: 1, grid: { show: false } }],
    // A minute at least, so that the first look is no chart of years.
    scales: { x: { range: (_, low, high) => low === null ? [0, 60] : [low, Math.max(high, low + 60)] }, y: { range: (_, __, high) => [0, Math.max(1, high)] }, minute: { range: (_, __, high) => [0, Math.max(1, high)] } },
  }, [at, active, minute], place);

  function look() {
    const numbers = live.querySelector(".numbers");
    if (!numbers) return;
    at.push(Date.now() / 1000);
    active.push(Number(numbers.dataset.active));
    minute.push(Number(numbers.dataset.minute));
    for (const series of [at, active, minute]) if (series.length > MOST) series.shift();
    chart.setData([at, active, minute]);
  }

  look();
  live.addEventListener("htmx:sse:after:message", () => { state.textContent = "● live"; look(); });
  live.addEventListener("htmx:sse:error", () => { state.textContent = "○ not connected, trying again"; });
  addEventListener("resize", () => chart.setSize({ width: Math.max(240, place.clientWidth), height: 160 }));
})();
