"""Stores' events through a queue: moto's SQS, read by long polling."""

import json
import sys

import boto3
import pytest
from support.gatehouse import eventually
from support.people import ALICE, account
from support.ports import free_port
from support.slots import issue, state, use
from support.process import Process
from test_uploads import BODY, record, wrapped

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

    assert eventually(ready, timeout=30, step=0.2)
    yield client, port
    process.stop()


def test_a_queue_s_messages_complete_slots_and_are_removed(gateway, north, queue_service):
    client, port = queue_service
    url = client.create_queue(QueueName="uploads", Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
    desk = gateway({
        "accounts": [account("north", north, ["photos"])],
        "users": [ALICE.entry("user", ["photos"])],
        "uploads": {
            "sqs_queue_url": url, "sqs_endpoint": f"http://127.0.0.1:{port}", "sqs_region": "us-east-1",
            "sqs_access_key_id": KEY["aws_access_key_id"], "sqs_secret_access_key": KEY["aws_secret_access_key"],
        },
    })
    plain, inside = issue(desk, len(BODY)), issue(desk, len(BODY))
    assert use(plain, BODY) == use(inside, BODY) == 200
    client.send_message(QueueUrl=url, MessageBody=json.dumps(record("photos", plain["key"])))
    client.send_message(QueueUrl=url, MessageBody=json.dumps(wrapped(record("photos", inside["key"]))))
    client.send_message(QueueUrl=url, MessageBody=json.dumps({"Event": "s3:TestEvent"}))
    assert eventually(lambda: state(desk, plain) == state(desk, inside) == "completed", timeout=20)

    def left():
        counts = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(counts["ApproximateNumberOfMessages"]) + int(counts["ApproximateNumberOfMessagesNotVisible"])

    assert eventually(lambda: left() == 0, timeout=10)
