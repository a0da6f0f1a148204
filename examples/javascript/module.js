// A workflow and two steps in plain JavaScript, against the WIT world alone: what wit/*.wit says, and nothing else.

import { call, next, sleep } from "stepwell:workflow/durable@0.1.0";
import { idempotencyKey, log } from "stepwell:workflow/context@0.1.0";

// -- the module -------------------------------------------------------------------------------------------------------

const workflows = { checkout };
const steps = { reserve, charge };

/** Sells one order: reserves and charges at the same time, and writes the receipt a little later. */
function checkout({ order, amount }) {
  const reserved = promise(call("reserve", json({ order }), asDeclared));
  const charged = promise(call("charge", json({ order, amount }), asDeclared));
  const [{ shelf }, { receipt }] = all([reserved, charged]);
  promise(sleep(2_000n)).wait();
  return { order, shelf, receipt };
}

function reserve({ order }) {
  return { shelf: order.length };
}

function charge({ order, amount }) {
  if (amount > 1_000_000) {
    throw failure("card-declined", `the card of order ${order} does not cover ${amount}`);
  }
  // The same for each attempt: whoever is charged can tell a repeat by it.
  log("info", `charging under ${idempotencyKey("charge")}`, "{}");
  return { receipt: `R-${order}-${amount}` };
}

const manifest = {
  manifest: 1,
  sdk: "none: JavaScript against the WIT world",
  workflows: [
    {
      name: "checkout",
      doc: "Sells one order.",
      input: {
        type: "object",
        required: ["order", "amount"],
        properties: { order: { type: "string" }, amount: { type: "integer", minimum: 0 } },
      },
    },
  ],
  steps: [
    { name: "reserve", doc: "Finds the shelf." },
    { name: "charge", doc: "Charges the card.", options: { retry: { never_for: ["card-declined"] } } },
  ],
};

// -- what every module of this kind needs -----------------------------------------------------------------------------

/** Leaves everything as the step's declaration says: none of the optional fields is there. */
const asDeclared = {};

/** What has settled and was not asked for yet, by promise. */
let settled = new Map();

/** One thing that will settle. */
function promise(number) {
  return {
    /** Waits for it, and takes down whatever else settles meanwhile. */
    wait() {
      while (!settled.has(number)) {
        const [other, outcome] = next();
        settled.set(other, outcome);
      }
      const outcome = settled.get(number);
      settled.delete(number);
      if (outcome.tag === "err") throw outcome.val;
      return JSON.parse(outcome.val);
    },
  };
}

/** Waits for all of them. They were begun already, so the order of asking costs nothing. */
function all(promises) {
  return promises.map((one) => one.wait());
}

function json(value) {
  return JSON.stringify(value ?? null);
}

function failure(kind, message, details) {
  return { kind, message, details: details === undefined ? undefined : json(details) };
}

/** Runs a function of the module. What it throws is its failure. */
function run(functions, name, input) {
  try {
    return { tag: "ok", val: json(functions[name](JSON.parse(input))) };
  } catch (thrown) {
    return { tag: "err", val: asFailure(thrown) };
  }
}

function asFailure(thrown) {
  if (thrown instanceof Error) return failure(thrown.name, thrown.message, { stack: thrown.stack ?? "" });
  return thrown;
}

export const guest = {
  describe: () => json(manifest),
  runWorkflow(name, input) {
    settled = new Map();
    return run(workflows, name, input);
  },
  runStep: (name, input) => run(steps, name, input),
};
