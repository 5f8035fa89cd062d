// Whether a campaign's live page still is live, and its chart. All else works without scripts.
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
  addEventListener("resize", () => chart.setSize({ width: Math.max(240, place.clientWidth), height: 160 }));
  if (!live.hasAttribute("hx-sse:connect")) return;

  // Signed out, no longer allowed, or deleted: the page itself says which, once it is loaded again.
  const GONE = [401, 403, 404];
  // Something comes at least as often as was chosen, or every 5 seconds; twice and some patience more is silence.
  const SILENCE = 2 * Math.max(5, Number(live.dataset.every)) * 1000 + 10000;
  const AGAIN = 3000;
  let heard = Date.now();
  // The extension's connection, and since when it is one.
  let connection = null, connected = heard;

  function say(text) { if (state.textContent !== text) state.textContent = text; }
  function lost() { say(`○ not connected: as of ${new Date(heard).toISOString().slice(11, 19)} UTC, trying again`); }
  function failed(status) { if (GONE.includes(status)) location.reload(); else lost(); }
  // The extension connects again by itself, but not where there has been no connection yet.
  function again() { lost(); setTimeout(() => htmx.trigger(live, "again"), AGAIN); }

  live.addEventListener("htmx:sse:after:connection", (event) => {
    connection = event.detail.connection;
    connected = Date.now();
  });
  live.addEventListener("htmx:sse:after:message", (event) => {
    if (event.detail.message.event) return;
    heard = Date.now();
    say("● live");
    look();
  });
  live.addEventListener("over", () => location.reload());
  live.addEventListener("away", lost);
  live.addEventListener("htmx:sse:error", (event) => failed(event.detail.status));
  live.addEventListener("htmx:response:error", (event) => { failed(event.detail.ctx.response.status); again(); });
  live.addEventListener("htmx:error", again);
  setInterval(() => {
    const now = Date.now();
    if (document.hidden || now - heard <= SILENCE) return;
    lost();
    if (!connection || now - connected <= SILENCE) return;
    // The extension would read for ever from one on which nothing comes; once it is over, it connects again.
    connected = now;
    connection.reader?.cancel();
  }, 1000);
})();
