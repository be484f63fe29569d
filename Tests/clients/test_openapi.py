"""The JSON API answers what its OpenAPI document says, whatever it is asked (schemathesis)."""

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from support.gatehouse import Gatehouse
from support.people import ALICE, FULL, WATCHER, everywhere

CHECKS = (
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    unsupported_method,
)


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    (folder / "files").mkdir()
    store = {"endpoint": "https://store.example.com", "region": "eu-west-1", "access_key_id": "AKSTORE",
             "secret_access_key": "store-secret-0123456789"}
    config = {
        "buckets": [
            {"name": "local", "backend_type": "file", "backend_options": {"path": str(folder / "files")}},
            {"name": "far", "backend_type": "s3", "backend_options": store},
        ],
        "users": [ALICE.entry("user", ["local", "far"]), WATCHER.entry("readonly", ["far"])],
        "credentials": [FULL.entry(everywhere())],
    }
    gateway = Gatehouse(folder, config).start()
    yield gateway
    gateway.stop()


def operations(gateway):
    schema = schemathesis.openapi.from_url(f"{gateway.endpoint}/-/openapi.json")
    return [result.ok() for result in schema.get_all_operations()]


def test_the_document_is_for_everybody(api):
    answer = api.request("GET", "/-/openapi.json")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (path, method)
            assert {"400", "401", "403", "404", "405", "429", "500", "503"} <= set(operation["responses"])


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("headers", [ALICE.headers, {"x-api-key": "wrong"}, {}], ids=["alice", "wrong", "nobody"])
def test_no_answer_that_is_not_in_the_document(api, headers, mode):
    examples = 150 if headers == ALICE.headers else 10

    for operation in operations(api):

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=examples, deadline=None, database=None, derandomize=True,
                  suppress_health_check=list(HealthCheck))
        def asked(case):
            # A caller who guesses keys is told 429 after a while, which is in the document too.
            case.call_and_validate(headers=headers, checks=CHECKS)

        asked()


def test_each_asked_for_as_it_is_meant(api):
    """Not every call may be a refusal: the checks above would not see the answer's shape."""
    for bucket in ("local", "far"):
        for operation in operations(api):
            if operation.label != "POST /downloads":
                continue
            for body in ({"bucket": bucket, "key": "a"}, {"items": [{"bucket": bucket, "key": "a"},
                                                                    {"bucket": "nobodys", "key": "a"}]}):
                case = operation.Case(body=body, media_type="application/json")
                answer = case.call_and_validate(headers=ALICE.headers, checks=CHECKS)
                assert answer.status_code == 200, json.dumps(body)
