"""Starts a workflow and awaits its result by a client that was generated from the description of the API."""

import os

from stepwell_client import AuthenticatedClient
from stepwell_client.api.executions import await_result, list_executions, start_executions
from stepwell_client.models import Order, Outcome

server, key = os.environ["STEPWELL_SERVER"], os.environ["STEPWELL_API_KEY"]
client = AuthenticatedClient(base_url=server, token=key, raise_on_unexpected_status=True)
order = Order(workflow="welcome", input_={"name": "Ada", "email": "ada@example.com", "remind_after": "1s"})
started = start_executions.sync(client=client, body=order)
outcome = await_result.sync(started.id, client=client, wait="30s")

assert isinstance(outcome, Outcome) and outcome.state == "completed", outcome
assert started.id in [execution.id for execution in list_executions.sync(client=client).executions]
print(f"{started.id} has ended with {outcome.result}")
