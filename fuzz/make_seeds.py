#!/usr/bin/env python3
"""Writes the programs that fuzzing of server and client begins with, into fuzz/corpus/{server,client}:
what honest peers do, and each kind of step once or more. player.h has the steps, program.h the form."""

import pathlib

STEPS = """wait open select session hello request frames stream http datagram direct payload replay initial
handshake retry forward keys mode move target honest repeat terms ask capsules""".split()


def step(kind, *arguments):
    """A step; arguments are numbers below 256, texts or bytes."""
    flat = b"".join(
        a if isinstance(a, bytes) else a.encode() if isinstance(a, str) else bytes([a]) for a in arguments
    )
    assert len(flat) < 255
    return bytes([STEPS.index(kind), len(flat)]) + flat


def block(data):
    data = data.encode() if isinstance(data, str) else data
    return bytes([len(data)]) + data


MS20, SECOND, MINUTE, HOUR = (19, 6), (99, 7), (59, 9), (35, 11)
# The forms of frames.cc, by their place in the table.
(PING, ACK, ACK_ECN, RESET, STOP, CRYPTO, NEW_TOKEN, STREAM_END, STREAM_LEN, STREAM, STREAM_FIN, MAX_DATA,
 MAX_STREAM_DATA, MAX_BIDI, MAX_UNI, DATA_BLOCKED, STREAM_BLOCKED, BIDI_BLOCKED, UNI_BLOCKED, NEW_ID, RETIRE,
 CHALLENGE, RESPONSE, CLOSE, CLOSE_APP, DONE, DATAGRAM_END, DATAGRAM, ON_STREAM, PADDING, UNKNOWN,
 RAW) = range(32)
MANY = 0xE0


def common():
    """Programs that mean something in both directions; `session` comes before."""
    frames = {
        "ack_all": (ACK, 0, 1, 0, 0),
        "ack_unsent": (ACK, 0xFE, 0x40, 0, 0, 0, 0),
        "ack_ranges": (ACK, 0, 0, 3, 0, 1, 1, 0, 0),
        "ack_ecn": (ACK_ECN, 0, 0, 0, 0, 1, 0, 0),
        "reset_session": (RESET, 0, 0, 0),
        "reset_control": (RESET, 2, 0, 0),
        "stop_session": (STOP, 0, 1),
        "stop_many": (STOP | MANY, 0, 1),
        "crypto_gap": (CRYPTO, 0xC6, 4) + (1, 2, 3, 4),
        "new_token": (NEW_TOKEN, 4, 1, 2, 3, 4),
        "stream_gaps": (STREAM | MANY, 4, 0xC6, 2, 0, 0),
        "stream_beyond": (STREAM, 0, 0xFF) + (0x3F,) + (0xFF,) * 7 + (1, 0),
        "streams_many": (STREAM_LEN | MANY, 4, 2, 0, 1),
        "max_data": (MAX_DATA, 0, MAX_STREAM_DATA, 0, 0, MAX_BIDI, 1, MAX_UNI, 0xE0),
        "blocked": (DATA_BLOCKED, 1, STREAM_BLOCKED, 0, 1, BIDI_BLOCKED, 1, UNI_BLOCKED, 1),
        "new_ids": (NEW_ID | MANY, 1, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 9),
        "new_ids_retire": (NEW_ID | MANY, 1, 20, 8, 1, 2, 3, 4, 5, 6, 7, 8, 9),
        "retire_all": (RETIRE | MANY, 0),
        "challenges": (CHALLENGE | MANY, 7),
        "response": (RESPONSE, 7),
        "close": (CLOSE, 1, 0, 3, 65, 66, 67),
        "close_app": (CLOSE_APP, 1, 3, 10, 27, 67),
        "done": (DONE,),
        "datagrams": (DATAGRAM | MANY, 3, 0, 1, 2),
        "datagram_empty": (DATAGRAM, 0),
        "padding": (PADDING, 40),
        "unknown": (UNKNOWN, 0x21),
        "raw": (RAW, 3, 0x40, 0x01, 0x00),
    }
    for name, what in frames.items():
        yield "frame_" + name, step("frames", *what)
    yield "pings", step("frames", PING | MANY, 0)
    for kind in range(8):
        yield f"datagram_{kind}", step("datagram", 0, kind, 60)
    yield "datagram_packets", step("datagram", 0, 0, 100) + step("repeat", 0, 40)
    yield "datagram_large", step("datagram", 0, 0, 0xDB)
    yield "datagram_ping_raw", step("datagram", 4, 2, "ping")
    yield "datagram_close_raw", step("datagram", 4, 4, 1)
    yield "datagram_forged", step("datagram", 16, 0, 60, 0, 30, 1)
    yield "datagram_old", step("datagram", 8, 0, 60)
    yield "datagram_skip", step("datagram", 2, 0, 0xFF, *(0xFF,) * 8, 60)
    yield "datagram_nowhere", step("datagram", 1, 0, 9, 60)
    yield "fragments", b"".join(step("datagram", 0, 1, 5, off, 90, "x" * 30) for off in (0, 60, 30))
    yield "fragments_many", step("datagram", 0, 1, 5, 0, 0xE5, "x") + step("repeat", 0, 63)
    yield "fragment_overlap", step("datagram", 0, 1, 5, 0, 90, "abc") + step("datagram", 0, 1, 5, 1, 90, "xyz")
    yield "direct_packets", step("direct", 0, 0, 1, 60) + step("wait", *MS20) + step("repeat", 1, 30)
    yield "direct_feedback", step("direct", 0, 5) + step("wait", *MS20) + step("forward", 9, 100)
    yield "direct_lies", step("direct", 0, 1, 9, 9, 9, 9, 9, 9) + step("repeat", 0, 20)
    yield "direct_pings", step("direct", 0, 2, 1, 2, 2, 3, 3) + step("repeat", 0, 20)
    yield "direct_fragment", step("direct", 0, 4, 1, 0, 40, 20, "z" * 20) + step("direct", 0, 4, 1, 20, 40, 20, "z" * 20)
    yield "direct_bundle", step("direct", 0, *(0, 1, 20) * 33)
    yield "direct_unknown", step("direct", 0, 7, 9) + step("direct", 1, 6, 3, 1, 2, 3)
    yield "direct_jump", step("direct", 4, 0xF0, 2, 1) + step("direct", 8, 2, 1)
    yield "direct_keys", (step("direct", 0x30, 2, 1) + step("direct", 0, 2, 1)) * 3
    yield "direct_moves", b"".join(step("move", i, 0) + step("direct", i, 0, 1, 60) for i in range(12))
    yield "direct_marked", step("direct", 0xC0, 0, 1, 60) + step("repeat", 0, 40)
    yield "forward", step("forward", 31, 200) + step("wait", *MS20) + step("repeat", 1, 10)
    yield "forward_silent", step("mode", 1) + step("forward", 31, 0xDB) + step("repeat", 0, 10) + step("wait", *SECOND)
    for kind in range(8):
        yield f"packet_{kind}", step("datagram", 0, 0, kind, 0xD7) + step("forward", 3, kind, 0xDB, 5) + step("direct", 0, 0, 2, kind, 90)
    yield "path_queue", b"".join(step("forward", 15, 0, 0xD8) + step("mode", 0, min(250, 3 * i)) + step("wait", 9, 7) for i in range(60))
    yield "path_queue_goes", b"".join(step("forward", 31, 0, 0xD8) + step("mode", 0, abs(100 - 5 * i)) + step("wait", 3, 7) for i in range(60))
    yield "keys", (step("keys", 0) + step("frames", PING, PADDING, 20) + step("wait", *SECOND)) * 3
    yield "numbers", step("keys", 0x41, 0xD0) + step("frames", PING)
    yield "moves", b"".join(step("move", i, i) + step("frames", PING, PADDING, 30) for i in range(8))
    yield "moves_v6", step("move", 12, 1) + step("frames", PING) + step("wait", *SECOND)
    yield "mute", step("mode", 6) + step("forward", 20, 200) + step("wait", *MINUTE)
    yield "silent_hour", step("mode", 1) + step("wait", *HOUR)
    yield "replays", b"".join(step("replay", 0, i) for i in range(20))
    yield "replay_elsewhere", b"".join(step("replay", 2, i, i) for i in range(10))
    yield "replay_joined", step("replay", 1, 0, 3) + step("replay", 0, 0, 6, 30)
    yield "payload_short", b"".join(step("payload", 1, 3, 0x40, "x" * n) for n in (0, 1, 10, 12, 13, 14, 30))
    yield "payload_sizes", b"".join(step("payload", 2, 3, n, 0x41) for n in (20, 21, 22, 40, 0xD5, 0xDB, 0xDE, 0xE1, 0xE7))
    yield "payload_long", step("payload", 0, 3, 0xC0, 0, 0, 0, 1, 20, "d" * 20, 20, "s" * 20, 0, 4, 1, 1, 1, 1)
    yield "payload_version", step("payload", 0, 3, 0xC0, 0x1A, 0x2A, 0x3A, 0x4A, 8, "d" * 8, 0) + step("repeat", 0, 5)
    yield "initials", b"".join(step("initial", 0, i, 8, i, 8, 20, "hello" * 4) for i in range(8))
    yield "initial_ids", b"".join(step("initial", 0, 1, n, 1, n, 5, "hello") for n in (0, 7, 8, 20, 21))
    yield "initial_token", step("initial", 8, 1, 8, 1, 8, 40, 0xB6, 5, "hello")
    yield "initial_version", step("initial", 16, 1, 8, 1, 8, 9, 5, "hello")
    yield "handshake_late", step("handshake", 0, PING) + step("handshake", 1, CRYPTO, 0, 3, "abc")
    yield "handshake_close", step("handshake", 1, CLOSE, 1, 0, 1, 65)
    yield "retry", step("retry", 0, 5, "token")
    yield "versions", step("retry", 1, 1, 2, 9)
    yield "resets", step("retry", 2, 1, 30) + step("retry", 0x82, 1, 30)
    yield "http_goaway", step("http", 2, 7, 1, 0)
    yield "http_settings_again", step("http", 2, 4, 2, 0x33, 1)
    yield "http_max_push", step("http", 2, 13, 1, 9) + step("http", 2, 3, 1, 0)
    yield "http_reserved", step("http", 2, 33, 3, "abc")
    yield "http_data_first", step("http", 4, 0, 5, "hello")
    yield "http_headers_bad", step("http", 4, 1, 4, 0, 0, 0xFF, 0xFF)
    yield "http_trailers", step("http", 0, 1, 5, 0, 0, 0x21, "ab")
    yield "http_lies", step("http", 0, 0, 3, "abc", 0, 1, 0x80)
    yield "qpack_encoder", step("stream", 6, 0, 0x3F, 0xE1, 0x1F, 0xC0, 4, "abcd")
    yield "qpack_decoder", step("stream", 10, 0, 0x80, 0x40, 0x01)
    yield "stream_unknown", step("stream", 14, 7, 0x21, "abc") + step("stream", 18, 0, 1, 0)
    yield "control_ends", step("stream", 2, 7)
    yield "control_resets", step("frames", RESET, 6, 1, 1)
    yield "peers_stream", step("stream", 3, 0, "x") + step("stream", 1, 0, "x")
    yield "replays_joined", step("replay", 1, 0) + step("repeat", 0, 40)


def requests():
    """A client's, without a session before."""
    opened = step("open", 0, 1) + step("hello")
    yield "wrong_token", opened + step("request", 2, 1, 0)
    yield "wrong_tokens", opened + step("request", 2, 1, 0) + step("repeat", 0, 20)
    yield "paths", opened + b"".join(step("request", 1, 12 + i, i, 0) for i in range(8))
    yield "methods", opened + b"".join(step("request", 1, i, i, 0) for i in range(6))
    yield "two_sessions", opened + step("request", 0, 0, 0) + step("request", 1, 0, 1, 0)
    yield "body_changed", opened + step("request", 4, 0, 0, 0, 20, 34)
    yield "body_words", opened + b"".join(step("request", 5, 0, i, 0, 3, 10, i) for i in range(24))
    yield "body_long", opened + step("request", 4, 0, 0, 4, 9, 97, 13)
    yield "body_drips", opened + step("request", 64, 0, 0) + step("http", 0, 0, 5, '{"a":') + step("repeat", 0, 60)
    yield "headers_many", opened + step("request", 16, 0, 5, 0xCB, 1, "x", 100)
    yield "headers_long", opened + step("request", 16, 0, 5, 1, 1, "x", 0xDB)
    yield "headers_changed", opened + step("request", 32, 0, 3, 0, 9, 0xFF)
    yield "length_too", opened + step("request", 8, 0, 0)
    yield "ends", opened + step("request", 128, 0, 0)
    yield "request_before_settings", step("open", 0, 1) + step("request", 0, 0, 0) + step("hello")
    yield "no_datagrams", step("open", 0, 1, 0x20, 0) + step("hello") + step("request", 0, 0, 0)
    yield "settings_without", step("open", 0, 1) + step("hello", 6, 0xCC) + step("request", 0, 0, 0)
    yield "settings_odd", step("open", 0, 1) + step("hello", 0x33, 2)
    yield "open_only", b"".join(step("open", 1, i) for i in range(12)) + step("wait", *SECOND)
    yield "open_many", b"".join(step("open", 0, i) for i in range(12)) + step("wait", *MINUTE)
    yield "resumes", step("session", 1) + step("open", 0, 2) + step("session", 2, 1) + step("open", 0, 3) + step("session", 3, 1)
    yield "resumes_later", step("session", 1) + step("frames", CLOSE_APP, 0, 0) + step("wait", *SECOND) + step("session", 2, 1)
    yield "resumes_too_late", step("session", 1) + step("frames", CLOSE_APP, 0, 0) + step("wait", *HOUR) + step("session", 2, 1)
    yield "sessions_many", b"".join(step("session", i) + step("open", 0, i) for i in range(6))
    yield "silent_after_handshake", step("open", 0, 1) + step("mode", 1) + step("wait", *MINUTE)


def parameters():
    """Transport parameters, whatever they are worth."""
    for name, what in {
        "none": (0x0F, 0),
        "ids_wrong": (0x0F, 1, 2, 1, 2),
        "small": (3, 2, 5, 4, 2, 0, 5, 2, 0, 8, 2, 0),
        "datagram_small": (0x20, 2, 60),
        "datagram_zero": (0x20, 2, 0),
        "ack_delay": (10, 2, 20, 11, 2, 0xDB),
        "ids_limit": (14, 2, 0xEF),
        "ids_limit_one": (14, 2, 1),
        "twice": (1, 1, 1, 5, 0x41, 2, 0xC0, 1),
        "unknown": (0xFE, 2, 0xAB, 0xCD, 9),
        "preferred": (13, 1, 61, *(10, 0, 0, 9, 1, 187), *(0,) * 18, 8, *(7,) * 8, *(9,) * 16),
        "no_migration": (12, 1, 0),
        "streams_none": (8, 2, 0, 9, 2, 0),
        "idle_short": (1, 2, 1),
    }.items():
        yield "parameters_" + name, step("open", 0, 1, *what)


# By whom a client is known (keys.h).
VERSION1, TOKEN, DEVICE, SEALED_DEVICE, BASIC, BEARER, NOBODY = range(7)
FLAWS = ("none", "signature", "verification", "key_id", "key", "content", "missing")


def session(who):
    """Of a client, by version 2 unless it is VERSION1."""
    return step("session", 1, 2 * who)


def capsules():
    """What one end may say to the other within a session of version 2."""
    # A length of 0 is the longest, N is N - 1; addresses are by their place in frames.cc.
    lease, lease6, any4, last4, any6, last6, other = range(7)
    every = (2, 0, any4, last4, 0)
    for name, what in {
        "assign": (0, 0, 0, lease, 0),
        "assign_both": (0, 1, 0, lease, 0, 0, lease6, 0),
        "assign_other": (0, 0, 0, other, 0),
        "assign_prefix": (0, 0, 0, other, 25),
        "assign_host_bits": (0, 0, 0, last4, 9),
        "assign_nothing": (4, 1, 0, 0),
        "assign_too_long": (0, 0, 0, lease, 34),
        "refusals": (0, 1, 1, any4, 0, 2, any6, 0),
        "request": (1, 0, 1, any4, 0),
        "request_both": (1, 1, 1, any4, 0, 2, any6, 0),
        "request_zero": (1, 0, 0, any4, 0),
        "request_twice": (1, 0, 1, any4, 0, 1, 0, 1, any4, 0),
        "requests_many": (6 + 8 * 20, 1),
        "requests_more": (6 + 8 * 9, 1, 6 + 8 * 9, 100),
        "routes": every,
        "routes_none": (4, 3, 0, 0),
        "routes_sorted": (2, 1, other, 14, 0, last4, last4, 0),
        "routes_unsorted": (2, 1, last4, last4, 0, any4, any4, 0),
        "routes_down": (2, 0, last4, any4, 0),
        "routes_over": (2, 1, any4, last4, 0, any4, any4, 6),
        "routes_v6": (2, 0, any6, last6, 17),
        "routes_mixed": (2, 0, any4, any6, 0),
        "datagram": (3, 0, 3, 0, 60, 0),
        "datagram_empty": (3 + 0x80, 0, 0),
        "datagram_ping": (3 + 0x80, 2, 4, "ping"),
        "datagram_close": (3 + 0x80, 4, 1, 0),
        "datagram_context": (3 + 0x80, 6, 3, "abc"),
        "cut": (4, 1, 40, 7, 0, 4, 10, 8),
        "lies": (4, 1, 7, 7, 0, 4, 10, 8, 0, 9, 31),
        "long": (5, 1, 0xE1),
        "longest": (5, 1, 0xFE, 0x40, 0x00),
        "too_long": (5, 1, 0xFE, 0x40, 0x01),
        "endless": (4, 0x21, 0xFF, *(0x3F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), 2, 1, 2),
        "unknown": (5, 0x21, 100) + every,
        "long_form": (7, 12, 0x40, 0x01, 0x40, 0x07, 0, 4, 10, 8, 0, 2, 32, 0),
    }.items():
        yield name, step("capsules", 0, *what)
    yield "in_pieces", step("capsules", 8, *every)
    yield "ends_inside", step("capsules", 4, 4, 1, 40, 7, 0, 4, 10, 8)
    yield "ends_between", step("capsules", 4, *every)
    yield "changed", step("capsules", 2, 3, 0, 2, 9, *every)
    yield "many", step("capsules", 0, *every) + step("repeat", 0, 40)
    yield "elsewhere", step("capsules", 1, 1, *every)
    yield "packets_many", step("capsules", 0, 3, 0, 3, 0, 60, 0) + step("repeat", 0, 40)


def asked():
    """Requests and answers of version 2, but for their second byte, that are not as they should be."""
    pieces = {
        "two_lines": (1, 3),
        "versions": (0, 1, 0),
        "version_missing": (2, 1, 3),
        "nonce_missing": (0, 1, 3),
        "caps_all": (0, 1, 2, 1, 3, 1, 5),
        "caps_none": (0, 1, 2, 1, 14),
        "direct_without": (0, 1, 2, 1, 5),
        "direct_missing": (0, 1, 2, 1, 3),
        "mtu_small": (0, 1, 2, 1, 16, 17),
        "mtu_large": (0, 1, 2, 1, 16, 18),
        "mtu_negative": (0, 1, 2, 1, 16, 19),
        "mtu_decimal": (0, 1, 2, 1, 16, 20),
        "addresses": (0, 1, 2, 1, 8, 1, 9, 1, 10, 1, 11),
        "parameters": (0, 21, 22, 1, 2, 23),
        "list_open": (0, 1, 2, 1, 33, 29, 24),
        "string_open": (0, 1, 2, 1, 7, 26),
        "long": (0, 1, 2, 1, 32, 0xFB),
        "number_long": (0, 1, 2, 1, 32, 29, 33, 33),
        "key_wrong": (0, 1, 2, 1, 12, 1, 13),
        "commas": (0, 30, 30, 1, 2, 30),
    }
    for name, what in pieces.items():
        yield "field_" + name, lambda choice, what=what: step("ask", 2 + 4, choice, block(bytes(what)))
    yield "field_missing", lambda choice: step("ask", 2, choice)
    yield "field_again", lambda choice: step("ask", 4, choice, block(bytes((0, 1, 2))))
    yield "field_cut", lambda choice: step("ask", 8, choice, block(bytes((2, 20, 255))))
    yield "field_byte", lambda choice: step("ask", 8, choice, block(bytes((0, 6, 58))))
    for index in range(8):
        yield f"head_changed_{index}", lambda choice, index=index: step("ask", 16, choice, 4 * index, block(bytes((0, 2, 65))))
        yield f"head_again_{index}", lambda choice, index=index: step("ask", 16, choice, 4 * index + 2)
        yield f"head_without_{index}", lambda choice, index=index: step("ask", 16, choice, 4 * index + 3)
    yield "head_bytes", lambda choice: step("ask", 32, choice, block(bytes((0, 9, 255))))
    yield "capsules_with", lambda choice: step("ask", 64, choice, 2, 0, 2, 3, 0)
    yield "ends", lambda choice: step("ask", 128, choice)
    yield "elsewhere", lambda choice: step("ask", 1, choice, 1)


def of_version2():
    """Programs for both folders: a name, the folder, what it is made of."""
    end = step("wait", *MS20) + step("frames", PING)
    later = step("wait", *SECOND)
    begun = step("open", 0, 1) + step("hello")
    # A client's terms: proof alone (1), either (2), the latter without a known certificate (3); and by which of its keys.
    of_client = {TOKEN: 1, DEVICE: 5, SEALED_DEVICE: 9}
    # Everything that programs of version 1 do, within sessions of version 2.
    for index, (name, what) in enumerate(common()):
        who = (TOKEN, DEVICE, SEALED_DEVICE, BASIC)[index % 4]
        yield name, "server", step("terms", (4, 8, 12, 0)[index % 4]) + session(who) + what + end
        of = of_client.get(who, 2)
        yield name, "client", step("terms", of) + step("session") + what + end
    for index, (name, what) in enumerate(capsules()):
        who = (TOKEN, DEVICE, SEALED_DEVICE)[index % 3]
        yield "capsules_" + name, "server", session(who) + what + later + end
        yield "capsules_" + name, "client", step("terms", of_client[who]) + step("session") + what + later + end
    for index, (name, ask) in enumerate(asked()):
        who = (DEVICE, TOKEN, SEALED_DEVICE, BEARER)[index % 4]
        yield "ask_" + name, "server", begun + ask(who) + later
        yield "ask_" + name, "client", step("terms", of_client.get(who, 2)) + step("hello") + later + ask(0) + later
    for flaw, name in enumerate(FLAWS):
        for who in (TOKEN, DEVICE, SEALED_DEVICE):
            yield f"flaw_{name}_{who}", "server", begun + step("ask", 0, 8 * flaw + who) + later
            yield f"flaw_{name}_{who}", "client", step("terms", of_client[who]) + step("hello") + later + step("ask", 0, 8 * flaw) + later
    for who in (VERSION1, BASIC, BEARER, NOBODY):
        yield f"who_{who}", "server", begun + step("ask", 0, who) + later
    yield "proof_of_another", "server", session(DEVICE) + begun + step("ask", 0, 0x80 + DEVICE) + later
    yield "resumes", "server", session(DEVICE) + step("open", 0, 2) + step("session", 2, 2 * DEVICE + 1) + later
    yield "resumes_of_another", "server", session(DEVICE) + step("open", 0, 2) + step("session", 2, 2 * TOKEN + 1) + later
    yield "guesses", "server", begun + step("ask", 0, 8 + DEVICE) + step("open", 0, 1) + step("hello") + step("repeat", 2, 30)
    yield "two_requests", "server", session(DEVICE) + step("ask", 1, DEVICE, 1) + later
    yield "both_versions", "server", session(DEVICE) + step("request", 1, 0, 1, 0) + later
    yield "stranger", "server", step("terms", 16) + session(DEVICE) + step("honest") + later
    yield "stranger_of_1", "server", step("terms", 16 + 4) + session(VERSION1) + later
    yield "proof_alone", "server", step("terms", 1) + session(VERSION1) + begun + session(TOKEN)
    yield "token_alone", "server", step("terms", 2) + session(TOKEN) + begun + session(VERSION1)
    yield "stranger", "client", step("terms", 16 + 5) + step("session") + later
    yield "stranger_of_1", "client", step("terms", 16 + 3) + step("hello", 0x33, 1) + step("session") + later
    yield "old", "client", step("terms", 2) + step("hello", 0x33, 1) + later + step("session") + later
    yield "pretends", "client", step("terms", 2) + step("hello") + later + step("ask", 2, 5) + later + step("session") + later
    for status in range(8):
        yield f"status_{status}", "client", step("terms", 5) + step("hello") + later + step("ask", 0, status) + later
    for number, settings in enumerate(((8, 0), (8, 2), (8, 1, 8, 1), (8, 0xFF, *(255,) * 8), (0x33, 0, 8, 1))):
        yield f"settings_{number}", "client", step("terms", 2) + step("hello", *settings) + later
    yield "changes_address", "client", step("terms", 5) + step("session") + step("capsules", 0, 0, 0, 0, 6 + 8 * 9, 0) + later
    yield "assigns_late", "client", step("terms", 5) + step("hello") + later + step("ask", 64, 0, 4, 0x21, 0) + step("wait", 19, 8) + step("capsules", 0, 0, 0, 1, 0, 0) + step("wait", 29, 8)


def write(folder, name, settings, program):
    (folder / name).write_bytes(bytes([settings]) + program)


def main():
    corpus = pathlib.Path(__file__).parent / "corpus"
    server = corpus / "server"
    client = corpus / "client"
    for folder in (server, client):
        folder.mkdir(exist_ok=True)
    for index, (name, program) in enumerate(common()):
        settings = (0, 1, 2, 0x80, 0x40)[index % 5]
        write(server, name, settings, step("session", 1) + program + step("wait", *MS20) + step("frames", PING))
        write(client, name, settings & 0x0F, step("session") + program + step("wait", *MS20) + step("frames", PING))
    for index, (name, program) in enumerate(requests()):
        write(server, name, (0, 8, 16, 0x40, 0x84)[index % 5], program)
    for name, program in parameters():
        write(server, name, 0, program + step("session", 1) + step("forward", 9, 100) + step("wait", *SECOND))
        write(client, name, 1, program + step("target", 0) + step("session") + step("forward", 9, 100) + step("wait", *SECOND))
    for path in range(6):
        write(server, f"site_{path}", 0x20, step("open", 0, 1) + step("hello") + step("request", 2, 6 * path + path, 0) + step("wait", *SECOND))
    write(server, "target", 0x80, step("session", 1) + b"".join(step("target", i) + step("honest") for i in range(8)))
    write(server, "session_timeout", 4, step("session", 1) + step("wait", *MINUTE) + step("wait", *MINUTE))
    answers = {
        "refusals": b"".join(step("request", 2, i, 1, 9) + step("wait", *SECOND) + step("target", 0) for i in range(12)),
        "answer_changed": step("hello") + step("request", 4, 0, 0, 0, 30, 50),
        "answer_words": b"".join(step("hello") + step("request", 4, 0, 0, 3, 9, i) + step("target", 0) for i in range(24)),
        "answer_long": step("hello") + step("request", 4, 0, 0, 4, 9, 97, 13),
        "answer_headers": step("hello") + step("request", 16, 0, 5, 0xCB, 1, "x", 100),
        "answer_twice": step("session") + step("request", 0, 0, 0),
        "answer_ends": step("session") + step("stream", 0, 7),
        "answer_interim": step("hello") + step("request", 0, 3, 0) + step("request", 0, 0, 0),
        "answer_elsewhere": step("hello") + step("request", 1, 0, 1, 0),
        "retry_first": step("open", 1, 0) + step("target", 0) + step("session"),
        "silent_server": step("open", 2, 0) + step("target", 0) + step("wait", *MINUTE),
        "settings_without": step("hello", 6, 0xCC),
        "migrations": step("session") + b"".join(step("target", 1, i) + step("wait", *SECOND) for i in range(10)),
        "attempts": b"".join(step("target", 0) for _ in range(6)) + step("session"),
        "set_aside": step("session") + step("target", 2) + step("target", 0) + step("session") + step("target", 3),
        "abandoned": step("session") + step("target", 4) + step("frames", PING),
    }
    for index, (name, program) in enumerate(answers.items()):
        write(client, name, index % 3, program)
    for index, (name, folder, program) in enumerate(of_version2()):
        settings = (0, 1, 2, 0x80, 0x40) if folder == "server" else (0, 1, 2)
        write(corpus / folder, "v2_" + name, settings[index % len(settings)], program)


if __name__ == "__main__":
    main()
