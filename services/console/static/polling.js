// Pages that look again by themselves: whether they still can.
"use strict";
(() => {
  const away = document.getElementById("away");
  function show(isAway) { if (away.hidden === isAway) away.hidden = !isAway; }
  document.addEventListener("htmx:response:error", () => show(true));
  document.addEventListener("htmx:error", () => show(true));
  document.addEventListener("htmx:after:settle", () => show(false));
})();
