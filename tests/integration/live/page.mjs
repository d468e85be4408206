// Node's own EventSource and fetch as a signed-in browser has them, telling on stdout what they see, a JSON object a line.
// node --experimental-eventsource page.mjs raw|follow <clinic's URL> <cookie> <options>

import { follow } from "../../../docs/live/page.js";

const [how, clinic, cookie, options] = process.argv.slice(2);
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

setInterval(() => {}, 60_000); // a page stays open; Node would end between two connections

const plain = { fetch, EventSource };
await fetch("data:,"); // makes the dispatcher
const dispatcher = globalThis[Symbol.for("undici.globalDispatcher.1")].compose((dispatch) => (request, handler) => {
  return dispatch({ ...request, headers: { ...Object.fromEntries(Object.entries(request.headers ?? {})), cookie } }, handler);
});
globalThis.EventSource = class extends plain.EventSource {
  constructor(url) {
    super(url, { dispatcher, node: { dispatcher } });
    this.addEventListener("open", () => tell({ open: true }));
  }
};
globalThis.fetch = (url, init) => plain.fetch(url, { ...init, headers: { ...init?.headers, cookie } });

if (how === "raw") {
  const source = new EventSource(`${clinic}/events`);
  source.onerror = () => tell({ error: source.readyState });
  source.addEventListener("appointment.booked", (frame) => tell({ event: frame.lastEventId }));
} else {
  const heard = (event) => tell({ event });
  const kinds = ["client.created", "appointment.booked"];
  follow(
    clinic,
    Object.fromEntries(kinds.map((kind) => [kind, heard])),
    () => tell({ resync: true }),
    (problem) => tell({ refused: problem.code ?? problem.status }),
    JSON.parse(options),
  );
}
