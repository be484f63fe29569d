"""The list of cases, and what one of them shows at one place."""

from dataclasses import dataclass
from typing import Callable

from botocore.exceptions import ClientError
from minio.error import S3Error


@dataclass(frozen=True)
class Case:
    name: str
    run: Callable
    schemes: tuple


CASES = []
BOTH = ("http", "https")


def case(name, *arguments, schemes=("http",)):
    """Registers a function of (place, *arguments) that returns facts; the same facts are wanted at every place."""

    def register(function):
        CASES.append(Case(name, lambda place: function(place, *arguments), schemes))
        return function

    return register


def facts(case_, place):
    """What the case shows, or the error it ends with: nothing that depends on time or on the place."""
    try:
        return place.neutral(case_.run(place))
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return {"error": f"{error.operation_name} {status} {error.response['Error']['Code']}"}
    except S3Error as error:
        return {"error": f"minio {error.response.status} {error.code}"}
    except Exception as error:  # A client's own exception is its result too.
        return {"error": place.neutral(f"{type(error).__name__}: {error}")[:300]}
