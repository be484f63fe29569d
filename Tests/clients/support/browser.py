"""Chromium, as the machine has it, driven by Playwright."""

import base64
import shutil
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect, sync_playwright

from .webm import webm

PATIENCE = 120_000
"""Milliseconds: what takes so long, on however busy a machine, never comes."""
expect.set_options(timeout=PATIENCE)
needs_chromium = pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium")


@contextmanager
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"],
        )
        try:
            yield browser
        finally:
            browser.close()


def new_context(browser, **options):
    """A context of its own, whose pages wait as long for anything as expectations do."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    return context


def record_video(page, seconds=8, rate=10, padding=60_000):
    """A video of so many seconds, whose picture says which second it is, encoded by the browser that `page` is of."""
    frames = page.evaluate(
        """async ([count, rate]) => {
            const canvas = Object.assign(document.createElement("canvas"), {width: 320, height: 180});
            const context = canvas.getContext("2d");
            const frames = [];
            const encoder = new VideoEncoder({
                output: (chunk) => {
                    const bytes = new Uint8Array(chunk.byteLength);
                    chunk.copyTo(bytes);
                    frames.push(btoa(String.fromCharCode(...bytes)));
                },
                error: (error) => { throw error; },
            });
            encoder.configure({codec: "vp8", width: 320, height: 180, bitrate: 400000});
            for (let index = 0; index < count; index++) {
                context.fillStyle = `hsl(${index * 300 / count} 70% 40%)`;
                context.fillRect(0, 0, 320, 180);
                context.fillStyle = "white";
                context.font = "90px sans-serif";
                context.fillText((index / rate).toFixed(1), 90, 120);
                const frame = new VideoFrame(canvas, {timestamp: index * 1e6 / rate});
                encoder.encode(frame, {keyFrame: true});
                frame.close();
            }
            await encoder.flush();
            return frames;
        }""",
        [seconds * rate, rate],
    )
    return webm([base64.b64decode(frame) for frame in frames], 320, 180, rate, padding)
