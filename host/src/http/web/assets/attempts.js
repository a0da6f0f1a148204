// Attempts of steps that failed and were followed by another: bars within the bar of their step.
import { logIn } from "./access.js";

const PAGE = 1000;
const EVERY = 2000;

export class Attempts {
  #id;
  #timeline;
  #after = 0;
  #isFollowed = false;

  constructor(id, timeline) {
    this.#id = id;
    this.#timeline = timeline;
  }

  // Takes in what there is, and what comes as long as the execution goes on. One that goes on after its end is followed again.
  async follow() {
    if (this.#isFollowed) return;
    this.#isFollowed = true;
    let isOver = false;
    while (!isOver) {
      // What has come just before its end is asked for once more.
      isOver = this.#timeline.ended;
      try {
        await this.#read();
      } catch {
        // The light at the lower left says that there is no answer.
      }
      if (!isOver) await new Promise((wake) => setTimeout(wake, EVERY));
    }
    this.#isFollowed = false;
  }

  async #read() {
    let isMore = true;
    while (isMore) {
      const { lines, next_after: next } = await this.#page();
      lines.forEach((line) => this.#timeline.promises.tried(line));
      this.#after = lines.at(-1)?.id ?? this.#after;
      if (lines.length) this.#timeline.changed();
      isMore = next !== null;
    }
  }

  async #page() {
    const response = await fetch(`/v1/executions/${this.#id}/logs?failed_attempts=true&after=${this.#after}&limit=${PAGE}`);
    if (response.status === 401) logIn();
    if (!response.ok) throw new Error(`the attempts cannot be read: ${response.status}`);
    return response.json();
  }
}
