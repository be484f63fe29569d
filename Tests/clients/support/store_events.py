"""What stores say of uploads, in the forms in which they say it."""

import json


def record(bucket, key, name="ObjectCreated:Put"):
    """S3's own form."""
    return {"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": name,
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": bucket}, "object": {"key": key, "sequencer": "0A"}},
    }]}


def wrapped(message):
    """The same inside of SNS."""
    return {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t", "MessageId": "1",
            "Message": json.dumps(message), "SubscribeURL": "http://127.0.0.1:9/never"}


def bridged(message):
    """The same as EventBridge tells it."""
    s3 = message["Records"][0]["s3"]
    return {"version": "0", "source": "aws.s3", "detail-type": "Object Created",
            "detail": {"bucket": {"name": s3["bucket"]["name"]}, "object": {"key": s3["object"]["key"]}}}
