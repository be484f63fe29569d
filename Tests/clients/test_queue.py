"""Stores' events through a queue: moto's SQS, read by long polling."""

import json
import sys
import time
import uuid

import boto3
import pytest
from support.gatehouse import eventually
from support.people import ALICE, account
from support.ports import free_port
from support.process import Process
from support.slots import issue, state, use
from support.store_events import record, wrapped
from support.stub_store import response, s3_error

BODY = b"0123456789"
KEY = {"aws_access_key_id": "AKQUEUE", "aws_secret_access_key": "queue-secret", "region_name": "us-east-1"}


@pytest.fixture(scope="module")
def queue_service(tmp_path_factory):
    port = free_port()
    process = Process(
        "sqs", [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], tmp_path_factory.mktemp("sqs")
    )
    client = boto3.client("sqs", endpoint_url=f"http://127.0.0.1:{port}", **KEY)

    def ready():
        try:
            client.list_queues()
            return True
        except Exception:
            return False

    assert eventually(ready, step=0.2)
    yield client, port
    process.stop()


@pytest.fixture
def queue(queue_service):
    """A queue of the test's own, read by nobody yet; and how many messages are in it."""
    client, port = queue_service
    url = client.create_queue(QueueName=uuid.uuid4().hex, Attributes={"VisibilityTimeout": "1"})["QueueUrl"]

    class Queue:
        def put(self, message):
            client.send_message(QueueUrl=url, MessageBody=message if isinstance(message, str) else json.dumps(message))

        def hand_out(self, times):
            """As often as if somebody had read every message and done nothing about it."""
            for _ in range(times):
                client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)

        def left(self):
            counts = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            return int(counts["ApproximateNumberOfMessages"]) + int(counts["ApproximateNumberOfMessagesNotVisible"])

    made = Queue()
    made.settings = {
        "sqs_queue_url": url, "sqs_endpoint": f"http://127.0.0.1:{port}", "sqs_region": "us-east-1",
        "sqs_access_key_id": KEY["aws_access_key_id"], "sqs_secret_access_key": KEY["aws_secret_access_key"],
    }
    return made


def desk_of(store, queue):
    return {
        "accounts": [account("north", store, ["photos"])],
        "users": [ALICE.entry("user", ["photos"])],
        "uploads": {**queue.settings, "default_ttl": "10m"},
    }


def failing_store(stub_store):
    """An empty store that heeds conditions, and fails once something is in the list."""
    failing, there = [], set()

    def answer(seen):
        if failing:
            return s3_error(500, "InternalError")
        if seen.method == "HEAD":
            return response(404, length=False)
        if seen.method == "PUT" and (seen.header("x-amz-copy-source") or seen.target in there):
            return s3_error(412, "PreconditionFailed")
        there.add(seen.target)
        return response(headers=[("ETag", '"e"')]) if seen.method == "PUT" else response(204, length=False)

    store = stub_store(answer)
    store.access_key, store.secret_key = "AKSTORE", "store-secret-0123456789"
    return store, failing


def test_a_queue_s_messages_complete_slots_and_are_removed(gateway, north, queue):
    desk = gateway(desk_of(north, queue))
    plain, inside = issue(desk, len(BODY)), issue(desk, len(BODY))
    assert use(plain, BODY) == use(inside, BODY) == 200
    queue.put(record("photos", plain["key"]))
    queue.put(wrapped(record("photos", inside["key"])))
    queue.put({"Event": "s3:TestEvent"})
    assert eventually(lambda: state(desk, plain) == state(desk, inside) == "completed")
    assert eventually(lambda: queue.left() == 0)


def test_messages_that_nothing_can_be_done_about_are_dropped_some_time(gateway, stub_store, queue):
    """One is not understood, one is about a slot whose store fails: each is tried so often, and no more."""
    store, failing = failing_store(stub_store)
    config = desk_of(store, queue)
    # Nobody reads the queue yet.
    desk = gateway({**config, "uploads": {"default_ttl": "10m"}})
    slot = issue(desk, len(BODY))
    failing.append(True)
    desk.stop()
    desk.write_config(config)
    queue.put("{}")
    queue.hand_out(4)
    queue.put(record("photos", slot["key"]))
    queue.hand_out(19)
    desk.start()
    assert eventually(lambda: queue.left() == 0)
    assert eventually(lambda: desk.metric("gatehouse_store_events_total", outcome="poisoned") == 2)
    assert eventually(lambda: "nothing can be done about it" in desk.process.output())
    failing.clear()
    assert state(desk, slot) == "issued"


def test_a_message_whose_store_fails_for_a_while_is_kept(gateway, stub_store, queue):
    store, failing = failing_store(stub_store)
    desk = gateway(desk_of(store, queue))
    slot = issue(desk, len(BODY))
    failing.append(True)
    asked = len(store.seen)
    queue.put(record("photos", slot["key"]))
    assert eventually(lambda: len(store.seen) > asked)
    time.sleep(1)
    assert queue.left() == 1
    assert desk.metric("gatehouse_store_events_total", outcome="poisoned") == 0
