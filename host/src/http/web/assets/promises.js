// What became of each promise, worked out from the entries of a journal as they come.

function micros(text) {
  return Date.parse(text) * 1000 + (Number(text.slice(23, 26)) || 0);
}

export class Promises {
  rows = [];
  first = null;
  last = null;
  seq = 0;
  #of = new Map();
  #everyOf = new Map();
  #receiving = new Map();
  #buffered = new Map();

  take(entry) {
    const at = micros(entry.at);
    this.first ??= at;
    this.last = Math.max(this.last ?? at, at);
    this.seq = entry.seq;
    const name = entry.name ?? "";
    switch (entry.kind) {
      case "call": return this.#begin(entry, at, "step", name);
      case "call-many": {
        for (let each = 0; each < entry.count; each += 1) {
          this.#begin({ ...entry, promise: entry.promise + each }, at, "step", `${name} ${each + 1}/${entry.count}`);
        }
        return;
      }
      case "start-child": {
        const row = this.#begin(entry, at, "child", name);
        row.child = entry.child;
        if (entry.detached) this.#close(row, entry, at, "completed");
        return;
      }
      case "sleep": {
        const row = this.#begin(entry, at, "sleep", "sleep");
        row.due = micros(entry.due);
        return;
      }
      case "receive": return this.#receive(entry, at, name);
      case "received": return this.#arrive(entry, at, name);
      case "completed": return this.#settle(entry, at, "completed");
      case "failed": return this.#settle(entry, at, "failed");
      case "fired": return this.#settle(entry, at, "fired");
      case "cancel": return this.#cancel(entry, at);
      case "cancel-requested": return this.#happen(entry, at, "cancel was asked for");
      case "expired": return this.#happen(entry, at, "max_duration has passed");
      case "run": return this.#run(entry, at);
      case "ended": return this.#end(entry, at);
    }
  }

  // An attempt that failed and was followed by another, from a line of the log.
  tried(line) {
    const row = this.#everyOf.get(line.promise)?.findLast(({ run }) => run <= line.run);
    row?.tried.push({ number: line.attempt, begun: micros(line.attempt_began_at), ended: micros(line.at), why: line.message });
  }

  get open() {
    return this.rows.filter((row) => row.state === "open");
  }

  #begin(entry, at, what, name) {
    const row = {
      what, name, state: "open", promise: entry.promise, seq: entry.seq, begun: at, ended: null, endSeq: null,
      attempt: 0, took: 0, why: "", run: entry.run, tried: [],
    };
    this.#of.set(entry.promise, row);
    this.#queue(this.#everyOf, entry.promise).push(row);
    this.rows.push(row);
    return row;
  }

  #happen(entry, at, name) {
    this.rows.push({
      what: "event", name, state: "happened", promise: null, seq: entry.seq, begun: at, ended: at, endSeq: entry.seq,
      attempt: 0, took: 0, why: entry.reason ?? "", tried: [],
    });
  }

  #close(row, entry, at, state) {
    Object.assign(row, { state, ended: at, endSeq: entry.seq });
  }

  #settle(entry, at, state) {
    const row = this.#of.get(entry.promise);
    if (!row) return;
    const isKept = row.what === "step" && state === "completed" && entry.attempt === 0;
    this.#close(row, entry, at, isKept ? "answered" : state);
    row.attempt = entry.attempt ?? 0;
    row.took = entry.duration_micros ?? 0;
    row.fuel = entry.fuel;
    row.memory = entry.memory_peak_bytes;
    if (entry.failure) row.why = `${entry.failure.kind}: ${entry.failure.message}`;
  }

  #queue(map, name) {
    if (!map.has(name)) map.set(name, []);
    return map.get(name);
  }

  #receive(entry, at, name) {
    const row = this.#begin(entry, at, "signal", name);
    if (this.#queue(this.#buffered, name).shift()) this.#close(row, entry, at, "received");
    else this.#queue(this.#receiving, name).push(row);
  }

  #arrive(entry, at, name) {
    const waiting = this.#queue(this.#receiving, name);
    while (waiting.length) {
      const row = waiting.shift();
      if (row.state === "open") return this.#close(row, entry, at, "received");
    }
    this.#queue(this.#buffered, name).push({ seq: entry.seq });
  }

  #cancel(entry, at) {
    for (const promise of entry.promises ?? []) {
      const row = this.#of.get(promise);
      if (row?.state === "open") this.#close(row, entry, at, "cancelled");
    }
  }

  // What lies beyond `from` no longer counts; what was settled beyond it is open again.
  #run(entry, at) {
    const anew = entry.why === "continue-as-new";
    const beyond = (seq) => !anew && seq > (entry.from ?? 0);
    for (const row of this.rows) {
      if (row.promise !== null && beyond(row.seq)) row.state = "superseded";
      else if (row.promise !== null && row.endSeq !== null && beyond(row.endSeq)) {
        Object.assign(row, { state: "open", ended: null, endSeq: null, took: 0, why: "" });
      }
    }
    for (const [name, waiting] of this.#buffered) {
      this.#buffered.set(name, waiting.filter(({ seq }) => !anew && !beyond(seq)));
    }
    if (anew) this.#of.clear();
    this.#happen(entry, at, `run ${entry.run} begins: ${entry.why}`);
  }

  #end(entry, at) {
    for (const row of this.open) this.#close(row, entry, at, "cancelled");
    this.#happen(entry, at, `run ${entry.run} ended: ${entry.state}`);
  }
}
