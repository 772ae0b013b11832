// The live page: pause and resume, how the connection stands, and a table that does not grow for ever.
// htmx and its SSE extension connect, resume after Last-Event-ID and insert the rows.
(() => {
  const LONGEST = 200;
  const rows = document.getElementById("rows");
  const state = document.getElementById("state");
  const pause = document.getElementById("pause");
  if (!rows || !state || !pause) return;

  let paused = false;
  let waiting = [];
  let connection = "connecting";

  const text = (name) => state.dataset[name] ?? "";
  const show = () => {
    const line = paused ? text("paused").replace("{n}", count()) : text(connection);
    if (state.textContent !== line) state.textContent = line;
    state.className = `state ${paused ? "paused" : connection}`;
  };
  const count = () => waiting.reduce((sum, html) => sum + html.split("<tr").length - 1, 0);
  const trim = () => {
    while (rows.rows.length > LONGEST) rows.deleteRow(-1);
    document.getElementById("none")?.toggleAttribute("hidden", rows.rows.length > 0);
  };
  const become = (name) => () => { connection = name; show(); };

  rows.addEventListener("live", become("live"));
  rows.addEventListener("away", become("away"));
  rows.addEventListener("closed", () => { connection = "closed"; paused = false; pause.hidden = true; show(); });
  rows.addEventListener("htmx:sse:error", become("away"));
  rows.addEventListener("htmx:sse:before:message", (event) => {
    const message = event.detail.message;
    if (message.event || !paused) return;
    event.preventDefault();
    waiting.unshift(message.data);
    if (count() > LONGEST) waiting.pop();
    show();
  });
  rows.addEventListener("htmx:sse:after:message", trim);

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    if (!paused) {
      rows.insertAdjacentHTML("afterbegin", waiting.join(""));
      waiting = [];
      trim();
    }
    show();
  });
  show();
})();
