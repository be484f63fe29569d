"""A small WebM file that can be seeked in: VP8 frames, a duration, and cues (https://www.matroska.org/technical)."""

import struct


def _element(identifier, payload):
    if isinstance(payload, int):
        payload = payload.to_bytes(max(1, (payload.bit_length() + 7) // 8), "big")
    # A length of eight bytes for all: nobody counts them here.
    return bytes.fromhex(identifier) + struct.pack(">Q", len(payload) | 1 << 56) + payload


def webm(frames, width, height, rate, padding=0):
    """The file.

    `frames` are VP8 key frames, each in a cluster of its own, followed by so many bytes of nothing.
    """
    header = _element("1A45DFA3", b"".join([
        _element("4286", 1), _element("42F7", 1), _element("42F2", 4), _element("42F3", 8),
        _element("4282", b"webm"), _element("4287", 2), _element("4285", 2),
    ]))
    duration = struct.pack(">d", 1000.0 * len(frames) / rate)
    info = _element("1549A966", b"".join([
        _element("2AD7B1", 1_000_000), _element("4D80", b"test"), _element("5741", b"test"), _element("4489", duration),
    ]))
    video = _element("E0", _element("B0", width) + _element("BA", height))
    track = _element("AE", b"".join([
        _element("D7", 1), _element("73C5", 1), _element("83", 1), _element("86", b"V_VP8"), video,
    ]))
    tracks = _element("1654AE6B", track)

    def seek_head(cues_at):
        seek = _element("53AB", bytes.fromhex("1C53BB6B")) + _element("53AC", struct.pack(">Q", cues_at))
        return _element("114D9B74", _element("4DBB", seek))

    clusters, cues = [], []
    at = len(seek_head(0)) + len(info) + len(tracks)
    for index, frame in enumerate(frames):
        time = int(1000 * index / rate)
        cluster = _element("1F43B675", _element("E7", time) + _element("A3", b"\x81\x00\x00\x80" + frame))
        if padding:
            cluster += _element("EC", bytes(padding))
        position = _element("B7", _element("F7", 1) + _element("F1", at))
        cues.append(_element("BB", _element("B3", time) + position))
        clusters.append(cluster)
        at += len(cluster)
    body = seek_head(at) + info + tracks + b"".join(clusters) + _element("1C53BB6B", b"".join(cues))
    return header + _element("18538067", body)
