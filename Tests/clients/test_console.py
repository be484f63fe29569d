"""The console in a browser: how far uploads came, and taking grants and links back."""

import json

import pytest
from playwright.sync_api import expect

from support.browser import chromium, needs_chromium, new_context
from support.gatehouse import Gatehouse, eventually
from support.people import ALICE, ROOT, User
from support.slots import age, complete, issue, use

BOB = User("bob", "bob-api-key-98f13708210194c475687be6106a")
BODY = b"0123456789"

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("console")
    (folder / "files").mkdir()
    made = Gatehouse(folder, {
        "buckets": [{"name": "photos", "backend_type": "file", "backend_options": {"path": str(folder / "files")}}],
        "users": [ALICE.entry("user", ["photos"]), BOB.entry("user", []), ROOT.entry("admin", [])],
    }).start()
    for _ in range(6):
        slot = issue(made, len(BODY))
        assert use(slot, BODY) == 200 and complete(made, slot).status == 200
    for key in ("taken/1.png", "taken/2.png"):
        first, second = issue(made, len(BODY), key=key, mode="post"), issue(made, len(BODY), key=key, mode="post")
        for slot, body, status in ((first, BODY, 200), (second, BODY[::-1], 409)):
            assert use(slot, body) == 204 and complete(made, slot).status == status
    age(made, issue(made, 5))
    issue(made, 20 << 20, mode="multipart")
    assert eventually(lambda: made.metric("gatehouse_uploads_total", state="expired", cause="timeout") == 1)
    yield made
    made.stop()


def give(gate, **changes):
    body = {"subject": "user:bob", "bucket": "photos", "prefix": "slots/", "actions": ["get_object"],
            "expires_at": "2099-01-01T00:00:00Z", **changes}
    headers = {**ALICE.headers, "content-type": "application/json"}
    answer = gate.request("POST", "/-/v1/grants", headers, json.dumps(body).encode())
    assert answer.status == 201, answer
    return answer.json()


def log_in(page, gate):
    page.goto(f"http://127.0.0.1:{gate.admin_port}/")
    page.get_by_label("API key of an admin").fill(ROOT.api_key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Uploads")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_funnel_is_told_with_its_causes(gate, scheme):
    with chromium() as browser:
        page = new_context(browser, color_scheme=scheme).new_page()
        log_in(page, gate)
        rows = {
            tuple(row.locator("td").all_inner_texts()[:2]): row.locator("td").nth(2).inner_text()
            for row in page.locator(".funnel tbody tr").all()
        }
        assert rows[("issued", "")] == "12" and rows[("completed", "")] == "8"
        assert rows[("rejected", "occupied")] == "2" and rows[("expired", "timeout")] == "1"
        bars = page.locator(".funnel .bar rect").evaluate_all("all => all.map(bar => bar.getBoundingClientRect().width)")
        assert max(bars) == bars[0] > 100
        page.screenshot(path=str(gate.folder / f"funnel-{scheme}.png"), full_page=True)


def test_grants_and_links_are_listed_and_taken_back_by_keyboard(gate):
    grant = give(gate, note="for <b>the</b> fair", source_cidr="127.0.0.0/8", max_uses=3)
    link = give(gate, subject="link")
    assert gate.request("GET", "/photos/slots/missing", BOB.headers).status == 404
    with chromium() as browser:
        page = new_context(browser).new_page()
        log_in(page, gate)
        page.get_by_role("link", name="Grants").press("Enter")
        row = page.locator(f'[id="{grant["id"]}"]')
        expect(row).to_contain_text("for <b>the</b> fair")
        expect(row).to_contain_text("from 127.0.0.0/8")
        expect(page.locator(f'[id="{link["id"]}"]')).to_contain_text("anybody with the link")
        assert link["link"].split("/-/l/")[1].split("/")[0] not in page.content()
        page.get_by_label("For", exact=True).fill("user:bob")
        page.keyboard.press("Enter")
        expect(page.locator("tbody tr")).to_have_count(1)
        row.locator("summary").press("Enter")
        page.screenshot(path=str(gate.folder / "grants.png"), full_page=True)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator(f'[id="{grant["id"]}"]')).to_contain_text("taken back")
        assert gate.request("GET", "/photos/slots/missing", BOB.headers).status == 403
        lines = [line for line in gate.audit_log() if line.get("action") == "revoke_grant"]
        assert [(line["who"], line["issued"]["id"]) for line in lines] == [("user:root", grant["id"])]
