"""A workflow and two steps in plain Python, against the WIT world alone: what wit/*.wit says, and nothing else."""

import json
import traceback

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import context, durable
from wit_world.imports.durable import CallOptions
from wit_world.imports.types import Failure, Level

# -- the module -------------------------------------------------------------------------------------------------------


def checkout(order, amount, **_more):
    """Sells one order: reserves and charges at the same time, and writes the receipt a little later."""
    reserved = call("reserve", {"order": order})
    charged = call("charge", {"order": order, "amount": amount})
    shelf, receipt = reserved.wait()["shelf"], charged.wait()["receipt"]
    Promise(durable.sleep(2_000)).wait()
    return {"order": order, "shelf": shelf, "receipt": receipt}


def reserve(order):
    """Finds the shelf."""
    return {"shelf": len(order)}


def charge(order, amount):
    """Charges the card."""
    if amount > 1_000_000:
        raise Failed("card-declined", f"the card of order {order} does not cover {amount}")
    # The same for each attempt: whoever is charged can tell a repeat by it.
    context.log(Level.INFO, f"charging under {context.idempotency_key('charge')}", "{}")
    return {"receipt": f"R-{order}-{amount}"}


WORKFLOWS = {"checkout": checkout}
STEPS = {"reserve": reserve, "charge": charge}

MANIFEST = {
    "manifest": 1,
    "sdk": "none: Python against the WIT world",
    "workflows": [
        {
            "name": "checkout",
            "doc": checkout.__doc__,
            "input": {
                "type": "object",
                "required": ["order", "amount"],
                "properties": {"order": {"type": "string"}, "amount": {"type": "integer", "minimum": 0}},
            },
        }
    ],
    "steps": [
        {"name": "reserve", "doc": reserve.__doc__},
        {"name": "charge", "doc": charge.__doc__, "options": {"retry": {"never_for": ["card-declined"]}}},
    ],
}

# -- what every module of this kind needs -----------------------------------------------------------------------------


class Failed(Exception):
    """What a step or workflow fails with."""

    def __init__(self, kind, message, details=None):
        super().__init__(message)
        self.failure = Failure(kind, message, None if details is None else json.dumps(details))


class Promise:
    """One thing that will settle."""

    settled = {}

    def __init__(self, number):
        self.number = number

    def wait(self):
        """Waits for it, and takes down whatever else settles meanwhile."""
        while self.number not in Promise.settled:
            other, outcome = durable.next()
            Promise.settled[other] = outcome
        outcome = Promise.settled.pop(self.number)
        if isinstance(outcome, Err):
            failure = outcome.value
            raise Failed(failure.kind, failure.message, failure.details and json.loads(failure.details))
        return json.loads(outcome.value)


def call(step, argument):
    """Begins a step, as its declaration says."""
    declared = CallOptions(None, None, None, None, None, None, None, None)
    return Promise(durable.call(step, json.dumps(argument), declared))


def run(functions, name, argument):
    """Runs a function of the module. What it raises is its failure."""
    try:
        return Ok(json.dumps(functions[name](**json.loads(argument))))
    except Failed as failed:
        return Err(failed.failure)
    except Exception as error:
        details = json.dumps({"traceback": traceback.format_exc()})
        return Err(Failure(type(error).__name__, str(error), details))


class Guest(exports.Guest):
    """What the world wants a module to export."""

    def describe(self):
        return json.dumps(MANIFEST)

    def run_workflow(self, workflow, input):
        Promise.settled = {}
        return run(WORKFLOWS, workflow, input)

    def run_step(self, step, input):
        return run(STEPS, step, input)
