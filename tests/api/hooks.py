"""What schemathesis cannot know from the document: texts of forms that JSON Schema has no word for, what there is on the host,
and a module to upload."""

import itertools
import os
import pathlib

import schemathesis
from hypothesis import strategies as st

KNOWN = os.environ["STEPWELL_TEST_IDS"].split(",")
FORMATS = {
    "uuid": st.one_of(st.sampled_from(KNOWN), st.uuids().map(str)),
    # Each of these may stand wherever a duration does.
    "duration-text": st.sampled_from(["1m", "90s", "1h30m", "1d"]),
    "short-duration-text": st.sampled_from(["0s", "1s", "45s"]),
    "wait-text": st.sampled_from(["0s", "10ms", "200ms"]),
    "cron": st.sampled_from(["* * * * *", "0 3 * * 1-5", "0 0 1 1 *"]),
    "iana-time-zone": st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    "module-reference": st.sampled_from(["shop", "nobody-has-this", "f" * 64]),
    "http-capability": st.sampled_from(["api.example.com:443", "GET,POST example.org", "*.example.net"]),
    "secret-name": st.sampled_from(["STRIPE_KEY", "MAIL_PASSWORD"]),
    "dir-capability": st.sampled_from(["/in:ro", "/out/deep:rw"]),
}
for name, texts in FORMATS.items():
    schemathesis.openapi.format(name, texts)

WASM = pathlib.Path(os.environ["STEPWELL_TEST_MODULE"]).read_bytes()
schemathesis.openapi.media_type("application/wasm", st.just(WASM))


def whole(value):
    """JSON Schema takes 7.0 for an integer, the API does not."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(part) for part in value]
    if isinstance(value, dict):
        return {key: whole(part) for key, part in value.items()}
    return value


@schemathesis.hook
def map_body(context, body):
    body = whole(body)
    # A schedule ends after it begins, for which a document has no words either.
    if isinstance(body, dict) and body.get("starts_at") and body.get("ends_at"):
        del body["ends_at"]
    return body


ADDRESSES = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    # Wrong keys are counted by address, and each request shall be answered by itself.
    number = next(ADDRESSES)
    case.headers["x-forwarded-for"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    query = case.query if isinstance(case.query, dict) else {}
    # A stream ends when it is told to; one that nobody ends would be waited for.
    if case.path.endswith("/events"):
        case.query = {"for": "100ms", **query}
    # Header and order may both bring a key, and then they have to agree, for which a document has no words.
    body = case.body if isinstance(case.body, dict) else {}
    # A key for some workflows has the role that starts them and no other, for which a document has no words either.
    if case.path == "/v1/keys" and body.get("workflows") and body.get("roles") != ["start"]:
        del body["workflows"]
    keyed = "id" in query or "idempotency_key" in body or "executions" in body
    if keyed and case.headers:
        case.headers.pop("idempotency-key", None)
