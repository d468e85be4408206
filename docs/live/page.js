// The event stream in a page of the dashboard, to use or to copy. ../live.md says why it does what it does.

/**
 * Follow a clinic's events, each once and in order, until `stop` is called or the service refuses.
 *
 * @param {string} clinic the clinic's address in the API, such as "/api/v1/clinics/my-clinic"
 * @param {Object<string, function(object): void>} handlers what to do by kind: {"appointment.booked": event => …}.
 *     An EventSource hears only of the kinds that it is asked for by name.
 * @param {function(): void} resync load all that is shown: the stream stands now, from where nothing will be missed; or
 *     something was missed, and cannot be told
 * @param {function(object): void} refused it ended for good: the problem, by whose `code` to show sign-in, legal texts, …;
 *     only its `status` where the answer is not the service's
 * @returns {function(): void} stop
 */
export function follow(clinic, handlers, resync, refused, { silence = 45_000, patience = 10_000, pause = 1000, longest = 60_000 } = {}) {
  let source, last, timer, failures = 0, stands = false, stopped = false;
  open();
  return () => {
    stopped = true;
    quit();
  };

  function open() {
    // A new EventSource knows nothing of the last id of the one before; where it reconnects by itself, it does.
    source = new EventSource(last === undefined ? `${clinic}/events` : `${clinic}/events?last_event_id=${last}`);
    for (const [kind, handle] of Object.entries(handlers)) hear(kind, handle);
    hear("stream.heartbeat", () => stands || load());
    hear("stream.resync", load);
    hear("stream.closed", ({ reason }) => {
      // After the others it comes back by itself, when the service said.
      if (reason === "session_revoked" || reason === "access_ended") ask();
    });
    // CONNECTING: it tries again by itself. CLOSED: the answer was no stream, and it does not say what it was.
    source.onerror = () => source.readyState === EventSource.CLOSED && ask();
    watch();
  }

  function load() {
    stands = true;
    resync();
  }

  function hear(kind, handle) {
    source.addEventListener(kind, (frame) => {
      last = frame.lastEventId || last;
      failures = 0;
      watch();
      handle(JSON.parse(frame.data));
    });
  }

  // A phone that changed networks is not told that its connection is dead: heartbeats are at most 30 s apart.
  function watch() {
    clearTimeout(timer);
    timer = setTimeout(ask, silence);
  }

  // The clinic itself stands behind the same doors as its stream, and its answer has a status.
  async function ask() {
    quit();
    let wait = Math.min(pause * 2 ** failures++, longest) * (0.5 + Math.random() / 2);
    try {
      // Often on the very connection that is dead: without an end of its own this would wait for many minutes.
      const answer = await fetch(clinic, { cache: "no-store", signal: AbortSignal.timeout(patience) });
      if (stopped) return;
      if ([401, 403, 404].includes(answer.status)) return refused(await problemOf(answer));
      wait = Math.max(wait, 1000 * (Number(answer.headers.get("Retry-After")) || 0));
    } catch {
      // nobody there, now
    }
    if (!stopped) timer = setTimeout(open, wait);
  }

  // Somebody in between may refuse, too, in words of their own: there is no `code` then, and a person to try again.
  async function problemOf(answer) {
    const text = await answer.text();
    try {
      return JSON.parse(text);
    } catch {
      return { status: answer.status };
    }
  }

  function quit() {
    clearTimeout(timer);
    source.onerror = null;
    source.close();
  }
}
