"""Scrapes a host while a crowd of executions runs on it; promtool says of each scrape whether it is as Prometheus wants it."""

import concurrent.futures
import json
import os
import re
import subprocess
import urllib.request

SERVER, PROMTOOL = os.environ["STEPWELL_SERVER"], os.environ["PROMTOOL"]
KEY = {"authorization": "Bearer " + os.environ["STEPWELL_API_KEY"], "content-type": "application/json"}
CROWD, AT_ONCE = 120, 16
# The host is on this machine, whatever proxy the environment names.
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def asked(path, body=None):
    body = body and json.dumps(body).encode()
    with direct.open(urllib.request.Request(SERVER + path, body, KEY), timeout=60) as answer:
        return answer.read().decode()


def run(number):
    name = f"Guest {number}"
    order = {"workflow": "welcome", "input": {"name": name, "email": f"{number}@example.com", "remind_after": "1s"}}
    started = json.loads(asked("/v1/executions", order))
    return json.loads(asked(f"/v1/executions/{started['id']}/result?wait=30s"))["state"]


def scrape():
    text = asked("/metrics")
    said = subprocess.run([PROMTOOL, "check", "metrics"], input=text, text=True, capture_output=True)
    assert said.returncode == 0 and not said.stderr, said.stdout + said.stderr
    return int(re.search(r"^stepwell_activations (\d+)$", text, re.MULTILINE)[1])


with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as crowd:
    runs = [crowd.submit(run, number) for number in range(CROWD)]
    busy = []
    while not all(each.done() for each in runs):
        busy.append(scrape())
    ends = {each.result() for each in runs}
busy.append(scrape())

assert ends == {"completed"}, ends
assert len(busy) >= 5 and max(busy) > 1, busy
print(f"{len(busy)} scrapes are in order; up to {max(busy)} executions were in hand")
