// News: a socket says that there is some, and then it is fetched piece by piece.

import { byId, say } from "./dom.js";

const PATIENCE = [500, 1000, 2000, 5000, 10_000]; // milliseconds before trying again

export class Live {
  #last = 0; // number of the newest finding that is known
  #run = null; // name of the store that the numbers are of
  #fetching = false;
  #again = false;
  #failures = 0;

  /** `on.reset()` is called when all that was known is void, `on.news(answer)` for each piece. */
  constructor(on) {
    this.on = on;
  }

  start() {
    const address = new URL("hopguard/live", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    socket.addEventListener("open", () => {
      this.#failures = 0;
      this.#show("live", "Live");
      this.fetch();
    });
    socket.addEventListener("message", () => this.fetch());
    socket.addEventListener("close", () => {
      const wait = PATIENCE[Math.min(this.#failures, PATIENCE.length - 1)];
      this.#failures += 1;
      if (!byId("live").classList.contains("refused")) this.#show("lost", "Not connected; trying again");
      setTimeout(() => this.start(), wait);
      if (this.#failures > 1) this.fetch(); // it tells why
    });
  }

  #show(state, text) {
    byId("live").className = `live ${state}`;
    say(byId("live"), text);
  }

  /** Fetch what is new; if that is going on, once more afterwards. */
  async fetch() {
    this.#again = true;
    if (this.#fetching) return;
    this.#fetching = true;
    try {
      while (this.#again) {
        this.#again = false;
        await this.#fetchAll();
      }
    } catch {
      this.#show("lost", "Not connected; trying again");
    } finally {
      this.#fetching = false;
    }
  }

  async #fetchAll() {
    for (;;) {
      const answer = await fetch(`hopguard/data?after=${this.#last}`);
      if (answer.status === 403) {
        this.#show("refused", "Logged out: load this page again");
        return;
      }
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const news = await answer.json();
      if (news.run !== this.#run) {
        const first = this.#run === null;
        this.#run = news.run;
        this.on.reset();
        if (!first) {
          this.#last = 0;
          continue;
        }
      }
      this.#last = news.last;
      this.on.news(news);
      if (news.complete) return;
      // Let what has come be drawn.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
}
