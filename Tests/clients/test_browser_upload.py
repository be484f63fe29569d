"""Examples/browser-upload, started as its users start it, in a real browser: three origins, and all that CORS asks."""

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect

from support.browser import chromium, needs_chromium, new_context, record_video
from support.faults import FaultProxy
from support.gatehouse import ROOT, binary
from support.ports import free_port
from support.seaweed import venv_binary

EXAMPLE = ROOT / "Examples" / "browser-upload"
MIB = 2**20
PART = 16 * MIB

pytestmark = needs_chromium


class Demo:
    """The example with its store; `public` is what the browser's connections to the store go through."""

    def __init__(self, folder, store):
        self.folder = folder
        self.page, self.port, self.admin = free_port(), free_port(), free_port()
        store_port = free_port(also_offset=10000)
        self.public = FaultProxy(store_port if store == "seaweedfs" else self.port).start()
        env = {
            **os.environ, "PAGE_PORT": str(self.page), "PORT": str(self.port), "ADMIN_PORT": str(self.admin),
            "STORE_PORT": str(store_port), "STORE_PORTS": " ".join(str(free_port(also_offset=10000)) for _ in range(3)),
            "STORE_PUBLIC": self.public.endpoint, "GATEHOUSE": str(binary()), "WEED": venv_binary("weed"),
        }
        self.output = folder / "run.log"
        self.process = subprocess.Popen([EXAMPLE / "run", store, folder], env=env, stdout=self.output.open("w"),
                                        stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 300
        while not (folder / "ready").exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(self.output.read_text())
            time.sleep(0.1)
        self.url = f"http://127.0.0.1:{self.page}/"
        self.bytes_at = self.public.endpoint if store == "seaweedfs" else f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.public.stop()


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture(scope="module", params=["seaweedfs", "folder"])
def demo(request, tmp_path_factory):
    made = Demo(tmp_path_factory.mktemp(request.param), request.param)
    made.store = request.param
    yield made
    made.stop()


@pytest.fixture
def page(browser, demo):
    context = new_context(browser, accept_downloads=True)
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.asked = []
    page.on("request", lambda request: page.asked.append((request.method, request.url)))
    page.goto(demo.url)
    expect(page.locator("#user")).to_have_text("alice")
    yield page
    assert page.complaints == []
    context.close()


@pytest.fixture(scope="module")
def video(browser, demo, tmp_path_factory):
    context = new_context(browser)
    blank = context.new_page()
    blank.goto(demo.url)
    path = tmp_path_factory.mktemp("video") / "clip.webm"
    path.write_bytes(record_video(blank))
    context.close()
    return path


def upload(page, *paths):
    page.locator("#choose").set_input_files([str(path) for path in paths])


def card(page, name):
    return page.locator("#uploads .item", has_text=name)


def row(page, name):
    return page.locator("#files .item", has_text=name)


def puts(page, demo):
    return [url for method, url in page.asked if method == "PUT" and url.startswith(demo.bytes_at)]


def test_a_file_is_uploaded_and_downloaded(page, demo, tmp_path):
    one, two = tmp_path / "notes.txt", tmp_path / "plan & more, ünïcode+.txt"
    one.write_bytes(b"from a page\n")
    two.write_bytes(b"x" * 300_000)
    upload(page, one, two)
    for path in (one, two):
        expect(card(page, path.name).locator(".state")).to_have_text("Uploaded")
        expect(row(page, path.name)).to_be_visible()
    assert len(puts(page, demo)) == 2
    with page.expect_download() as download:
        row(page, two.name).get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == two.name
    assert os.path.getsize(download.value.path()) == 300_000
    # The name is taken, and what is there stays.
    one.write_bytes(b"another text")
    upload(page, one)
    expect(card(page, one.name).first).to_have_class(re.compile("failed"))
    with page.expect_download() as download:
        row(page, one.name).get_by_role("button", name="Download").click()
    assert open(download.value.path(), "rb").read() == b"from a page\n"


def test_a_large_file_goes_on_after_a_part_has_failed(page, demo, tmp_path):
    if demo.store == "folder":
        pytest.skip("the faults are between the browser and a store of its own")
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(4 * PART - 5 * MIB))
    demo.public.behave(latency=0.004)
    upload(page, path)
    item = card(page, path.name)
    # Some parts come through, then nothing does.
    page.wait_for_function("JSON.parse(Object.values(localStorage)[0] ?? '{}').done?.length > 0", polling=20, timeout=240_000)
    demo.public.behave(refuse=True)
    demo.public.reset_connections()
    expect(item).to_have_class(re.compile("failed"), timeout=240_000)
    expect(item.locator(".state")).to_contain_text("Stopped.")
    page.screenshot(path=str(demo.folder / "stopped.png"), full_page=True)
    kept = page.evaluate("JSON.parse(localStorage.getItem(Object.keys(localStorage)[0]))")
    asked = len(page.asked)
    demo.public.behave()
    item.get_by_role("button", name="Resume").press("Enter")
    expect(item.locator(".state")).to_have_text("Uploaded", timeout=240_000)
    parts = {int(re.search(r"partNumber=(\d+)", url)[1]) for method, url in page.asked[asked:] if method == "PUT"}
    assert kept["done"] and parts == {1, 2, 3, 4} - set(kept["done"])
    fresh = [url for method, url in page.asked[asked:] if method == "GET" and "/parts?numbers=" in url]
    assert len(fresh) == len(parts)
    with page.expect_download() as download:
        row(page, path.name).get_by_role("button", name="Download").click()
    assert open(download.value.path(), "rb").read() == path.read_bytes()


def test_a_large_file_goes_on_after_a_reload(page, demo, tmp_path):
    path = tmp_path / "reloaded.bin"
    path.write_bytes(os.urandom(PART + 3 * MIB))
    os.utime(path, (1_700_000_000, 1_700_000_000))
    page.route("**/*partNumber=2*", lambda route: route.abort())
    upload(page, path)
    expect(card(page, path.name)).to_have_class(re.compile("failed"), timeout=240_000)
    page.unroute_all()
    page.reload()
    page.asked.clear()
    upload(page, path)
    expect(card(page, path.name).locator(".state")).to_have_text("Uploaded", timeout=240_000)
    assert [re.search(r"partNumber=(\d+)", url)[1] for url in puts(page, demo)] == ["2"]
    assert not [url for method, url in page.asked if method == "POST" and url.endswith("/-/v1/uploads")]


def test_a_video_plays_and_seeks(page, demo, video):
    ranges = []
    page.on("response", lambda answer: "/files/" in answer.url and ranges.append(
        (answer.status, answer.request.headers.get("range"), answer.headers.get("content-range"))))
    upload(page, video)
    expect(card(page, video.name).locator(".state")).to_have_text("Uploaded", timeout=240_000)
    # As slow as lines are, so that the video is not here before anybody seeks in it.
    slow = {"offline": False, "latency": 5, "downloadThroughput": 200_000, "uploadThroughput": -1}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)
    row(page, video.name).get_by_role("button", name="Play").press("Enter")
    player = page.locator("#stage video")
    page.wait_for_function("document.querySelector('#stage video')?.readyState >= 2", timeout=240_000)
    assert abs(player.evaluate("video => video.duration") - 8) < 0.2
    seen = player.evaluate("""async (video) => {
        video.pause();
        const seen = [];
        for (const second of [7.5, 1.2, 6.1]) {
            const done = new Promise((resolve) => video.addEventListener("seeked", resolve, {once: true}));
            video.currentTime = second;
            await done;
            seen.push(video.currentTime);
        }
        return seen;
    }""")
    assert seen == pytest.approx([7.5, 1.2, 6.1], abs=0.05)
    size = video.stat().st_size
    assert all(status == 206 for status, _, _ in ranges), ranges
    assert any(int(asked.split("=")[1].split("-")[0]) > size // 2 for _, asked, _ in ranges), ranges
    page.screenshot(path=str(demo.folder / "player.png"))
    page.keyboard.press("Escape")
    expect(page.locator("#player")).to_be_hidden()


def test_it_works_by_keyboard_and_in_the_dark(browser, demo, tmp_path):
    context = browser.new_context(color_scheme="dark", viewport={"width": 390, "height": 800})
    page = context.new_page()
    path = tmp_path / f"{demo.store}-typed.txt"
    path.write_text("by keyboard")
    # Told before there is a page: what the browser is told later may reach the page after the key.
    page.on("filechooser", lambda chooser: chooser.set_files(str(path)))
    page.goto(demo.url)
    expect(page.locator("#user")).to_have_text("alice")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#choose")).to_be_focused()
    page.keyboard.press("Space")
    expect(card(page, path.name).locator(".state")).to_have_text("Uploaded")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(part) for part in re.findall(r"\d+", background)[:3]) < 64
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=str(demo.folder / "dark.png"), full_page=True)
    context.close()


def test_the_page_asks_before_it_sends_elsewhere(demo):
    """What the browser's preflights are answered, and that another origin is answered nothing."""
    for origin, allowed in ((demo.url.rstrip("/"), True), ("http://evil.example", False)):
        ask = {"Origin": origin, "Access-Control-Request-Method": "POST",
               "Access-Control-Request-Headers": "authorization,content-type,idempotency-key"}
        request = urllib.request.Request(f"http://127.0.0.1:{demo.port}/-/v1/uploads", method="OPTIONS", headers=ask)
        try:
            answer = urllib.request.urlopen(request).headers
        except urllib.error.HTTPError as error:
            answer = error.headers
        assert (answer.get("access-control-allow-origin") == origin) is allowed


def test_a_token_is_good_for_its_owner_s_folder(demo):
    settings = json.loads((demo.folder / "site" / "settings.json").read_text())
    for key, status in (("alice/hers.txt", 201), ("bob/his.txt", 403), ("alice", 403), ("alicex/a.txt", 403)):
        body = {"bucket": "media", "key": key, "content_type": "text/plain", "size": 5}
        request = urllib.request.Request(
            f"http://127.0.0.1:{demo.port}/-/v1/uploads", data=json.dumps(body).encode(), method="POST",
            headers={"authorization": f"Bearer {settings['token']}", "content-type": "application/json"},
        )
        try:
            answered = urllib.request.urlopen(request).status
        except urllib.error.HTTPError as error:
            answered = error.code
        assert answered == status, key
