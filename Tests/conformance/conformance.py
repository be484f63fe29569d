"""A public suite of S3 cases, run at a store and at the same store through Gatehouse; what passes there must pass here.

The cases are those of moto (https://github.com/getmoto/moto, Apache-2.0), which pretends to be S3 and whose cases say what
S3 does. `Scripts/install conformance` brings their source; `real_store.py` makes them ask a real store.

    make conformance                         run both, compare with differences.toml, exit 1 where that does not hold
    make conformance ARGS='-k multipart'     some of the cases
    make conformance ARGS=--write            and rewrite docs/conformance.md
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "Tests" / "clients"))

from support.gatehouse import Gatehouse  # noqa: E402
from support.people import FULL, account, everywhere  # noqa: E402
from support.seaweed import Seaweed  # noqa: E402

SUITE = next(
    line.strip().replace("==", "-") for line in (ROOT / "Tests/clients/requirements.txt").read_text().splitlines()
    if line.startswith("moto==")
)
CASES = ROOT / ".venv" / "conformance" / SUITE
WANTED = 98.0
"""Percent of the cases that the store passes."""
LISTED = tomllib.loads((HERE / "differences.toml").read_text(encoding="utf-8"))["difference"]


def environment(endpoint, key, secret, store, results):
    """Only what the cases need: one endpoint for S3, and one where nobody listens for every other service."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))},
        "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": endpoint, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "MOTO_TEST_ALLOW_AWS_REQUEST": "true", "PYTHONPATH": f"{CASES}:{HERE}",
        "CONFORMANCE_STORE": store.endpoint, "CONFORMANCE_STORE_KEY": store.access_key,
        "CONFORMANCE_STORE_SECRET": store.secret_key, "CONFORMANCE_FILER": f"http://127.0.0.1:{store.ports['filer']}",
        "CONFORMANCE_RESULTS": str(results),
    }


def run(endpoint, key, secret, store, folder, name, cases):
    """{case: outcome} of one run."""
    results = folder / f"{name}.json"
    command = [sys.executable, "-m", "pytest", "-p", "real_store", "-p", "no:cacheprovider", "-q", "--tb=short",
               "--timeout=60", "--continue-on-collection-errors", "-c", os.devnull, f"--rootdir={CASES}", *cases]
    with (folder / f"{name}.log").open("w") as log:
        subprocess.run(command, cwd=CASES, env=environment(endpoint, key, secret, store, results), stdout=log,
                       stderr=subprocess.STDOUT, check=False)
    if not results.exists():
        sys.exit(f"conformance: the cases did not run:\n{(folder / f'{name}.log').read_text()[-3000:]}")
    return json.loads(results.read_text())


def measure(folder, cases):
    """The results at the store and through Gatehouse, one after the other at the same store."""
    store = Seaweed("conformance", folder / "store", "AKCONFORM0000EXAMPLE", "conformance-secret-c9f0f895fb98ab9159f51").start()
    gate = None
    try:
        gate = Gatehouse(folder / "gate", {
            "accounts": [account("store", store, ["*"])],
            # What overrides a retention is in no group: whoever does it is named.
            "credentials": [FULL.entry(everywhere("*", "bypass_governance"))],
        }).start()
        direct = run(store.endpoint, store.access_key, store.secret_key, store, folder, "direct", cases)
        through = run(gate.endpoint, FULL.access_key, FULL.secret_key, store, folder, "through", cases)
        return direct, through
    finally:
        if gate:
            gate.stop()
        store.stop()


def short(case):
    return case.removeprefix("tests/test_s3/")


class Comparison:
    """What the two runs show, and how that compares with the list of differences."""

    def __init__(self, direct, through):
        self.all = len(direct)
        passing = {case for case, result in direct.items() if result["outcome"] == "passed"}
        self.silent = sorted(case for case in passing if not direct[case]["asked"])
        self.passing = sorted(passing - set(self.silent))
        listed = {entry["case"]: entry for entry in LISTED}
        self.left_out = [case for case in self.passing if listed.get(short(case), {}).get("left_out")]
        self.counted = [case for case in self.passing if case not in self.left_out]
        self.through = through
        self.failing = [case for case in self.counted if through.get(case, {}).get("outcome") != "passed"]
        self.unlisted = [case for case in self.failing if short(case) not in listed]
        self.idle = [case for case in listed
                     if any(short(run) == case for run in self.counted) and not any(short(run) == case for run in self.failing)]
        self.gained = sorted(case for case, result in through.items()
                             if result["outcome"] == "passed" and result["asked"] and case not in passing)

    @property
    def share(self):
        return 100 * (1 - len(self.failing) / len(self.counted)) if self.counted else 100.0

    def text(self):
        return (
            f"{self.all} cases; {len(self.passing) + len(self.silent)} pass at the store, {len(self.silent)} of them without"
            f" asking it anything, {len(self.left_out)} left out; of the other {len(self.counted)},"
            f" {len(self.counted) - len(self.failing)} pass through Gatehouse: {self.share:.1f} %."
            f" {len(self.gained)} pass through Gatehouse only."
        )


def page(shown):
    """docs/conformance.md."""
    reasons = {entry["case"]: entry["why"] for entry in LISTED}
    lines = [
        "# A public S3 suite through Gatehouse", "",
        "Written by `make conformance ARGS=--write`. The cases are those of [moto](https://github.com/getmoto/moto)"
        f" ({SUITE.removeprefix('moto-')}), which",
        "says what S3 does; they ask SeaweedFS itself, then the same store through Gatehouse (one account with",
        '`buckets = ["*"]`, one caller with `actions = ["*", "bypass_governance"]` everywhere). What SeaweedFS does not pass is',
        "not Gatehouse's to pass; what it passes must pass through.", "",
        "| | cases |", "|---|---|",
        f"| in the suite | {shown.all} |",
        f"| pass at the store | {len(shown.passing) + len(shown.silent)} |",
        f"| of those, never ask the endpoint anything: not counted | {len(shown.silent)} |",
        f"| need the store to tell several callers apart: left out | {len(shown.left_out)} |",
        f"| counted | {len(shown.counted)} |",
        f"| **pass through Gatehouse** | **{len(shown.counted) - len(shown.failing)}, {shown.share:.1f} %** |",
        f"| pass through Gatehouse but not at the store | {len(shown.gained)} |", "",
        "## What differs, and why", "",
    ]
    for case in shown.left_out + shown.failing:
        word = "left out" if case in shown.left_out else "differs"
        lines.append(f"- `{short(case)}` ({word}): {reasons.get(short(case), 'not known yet')}.")
    if not shown.left_out + shown.failing:
        lines.append("Nothing.")
    lines += ["", "## What passes only through Gatehouse", ""]
    lines += [f"- `{short(case)}`" for case in shown.gained] or ["Nothing."]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", metavar="EXPRESSION", help="only the cases that pytest selects by this")
    parser.add_argument("--write", action="store_true", help="rewrite docs/conformance.md")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave logs and results in this folder")
    options = parser.parse_args()
    if not CASES.is_dir():
        sys.exit("conformance: the cases are not here; run `Scripts/install conformance`")
    cases = ["tests/test_s3", *(["-k", options.k] if options.k else [])]
    with tempfile.TemporaryDirectory(prefix="gatehouse-conformance-") as made:
        folder = (options.keep or Path(made)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        shown = Comparison(*measure(folder, cases))
    print(shown.text())
    for case in shown.failing:
        print(f"differs: {short(case)}{'' if case not in shown.unlisted else ', which differences.toml does not list'}")
        if case in shown.unlisted:
            print(shown.through.get(case, {}).get("says", "it did not run"))
    for case in shown.idle:
        print(f"differences.toml lists what does not differ any more: {case}")
    if options.write and not options.k:
        (ROOT / "docs" / "conformance.md").write_text(page(shown), encoding="utf-8")
    sys.exit(0 if shown.share >= WANTED and not shown.unlisted and not shown.idle else 1)


if __name__ == "__main__":
    main()
