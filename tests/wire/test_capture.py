"""Captures taken apart: either byte order, any cut into pieces, and whatever damage."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.wire import pcapng
from wirecat.wire.capture import CaptureParser
from wirecat.wire.capture_items import NO_TIME, Custom, Damage, Packet, Section

TIME = 1_700_000_000_123_456_789
PACKETS = [b"first", b"the second packet", b"", b"4" * 1000]


def capture() -> bytes:
    """A small pcapng file."""
    pieces: list[bytes | memoryview] = [pcapng.section_header("a program", "a system"), pcapng.interface()]
    for number, data in enumerate(PACKETS):
        pieces += pcapng.packet(TIME + number, (data,), f"comment {number}")
        pieces.append(pcapng.statistics(TIME, b"own %d" % number))
    return b"".join(pieces)


def items(data: bytes, step: int = 1 << 20) -> list[Section | Packet | Custom | Damage]:
    """What a parser finds in ``data`` that comes in pieces of ``step`` bytes."""
    parser = CaptureParser()
    found = [item for start in range(0, len(data), step) for item in parser.feed(data[start : start + step])]
    return found + list(parser.finish())


def packets(found: list[Section | Packet | Custom | Damage]) -> list[bytes]:
    return [item.data for item in found if isinstance(item, Packet)]


def damages(found: list[Section | Packet | Custom | Damage]) -> list[Damage]:
    return [item for item in found if isinstance(item, Damage)]


@pytest.mark.parametrize("step", [1, 7, 64, 1 << 20])
def test_ours(step: int) -> None:
    found = items(capture(), step)
    assert packets(found) == PACKETS
    assert [item.time_ns for item in found if isinstance(item, Packet)] == [TIME + each for each in range(4)]
    assert [item.data for item in found if isinstance(item, Custom)] == [b"own %d" % each for each in range(4)]
    section = found[0]
    assert isinstance(section, Section)
    assert (section.program, section.system) == ("a program", "a system")
    assert damages(found) == []


def test_what_took_several_options_is_one_again() -> None:
    own = bytes(range(256)) * 600
    found = items(pcapng.section_header("x") + pcapng.interface() + pcapng.statistics(TIME, own))
    assert [item.data for item in found if isinstance(item, Custom)] == [own]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_pcap(order: str, magic: int, unit: int) -> None:
    data = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
    data += struct.pack(order + "IIII", 5, 6, 3, 9) + b"abc"
    found = items(data, 5)
    assert len(found) == 1
    packet = found[0]
    assert isinstance(packet, Packet)
    assert (packet.time_ns, packet.link_type, packet.data, packet.size) == (5_000_000_000 + 6 * unit, 1, b"abc", 9)


def test_pcapng_of_the_other_byte_order_with_microseconds() -> None:
    def block(kind: int, body: bytes) -> bytes:
        length = struct.pack(">I", len(body) + 12)
        return struct.pack(">I", kind) + length + body + length

    data = block(pcapng.SECTION_HEADER, struct.pack(">IHHq", pcapng.BYTE_ORDER, 1, 0, -1))
    data += block(pcapng.INTERFACE, struct.pack(">HHI", 1, 0, 0))
    data += block(pcapng.PACKET, struct.pack(">IIIII", 0, 0, 7, 4, 4) + b"abcd")
    data += block(pcapng.SIMPLE_PACKET, struct.pack(">I", 4) + b"efgh")
    found = items(data)
    assert packets(found) == [b"abcd", b"efgh"]
    assert [item.time_ns for item in found if isinstance(item, Packet)] == [7000, NO_TIME]


def test_a_torn_end_is_told() -> None:
    found = items(capture()[:-9])
    assert packets(found) == PACKETS
    assert [item.torn for item in damages(found)] == [True]


def test_behind_damage_it_goes_on() -> None:
    data = bytearray(capture())
    place = bytes(data).index(b"the second") - 24
    data[place : place + 4] = b"\xff\xff\xff\xff"  # its length
    found = items(bytes(data))
    assert packets(found) == [PACKETS[0], *PACKETS[2:]]
    (damage,) = damages(found)
    assert (damage.offset, damage.torn) == (place - 4, False)


def test_a_length_that_reaches_behind_the_end_hides_nothing() -> None:
    data = bytearray(capture())
    place = bytes(data).index(b"the second") - 24
    data[place : place + 4] = struct.pack("<I", 1 << 20)
    assert packets(items(bytes(data))) == [PACKETS[0], *PACKETS[2:]]


def times(data: bytes) -> tuple[list[int], int]:
    """The times of the packets, and how many of them the parser takes for wrong."""
    parser = CaptureParser()
    found = [*parser.feed(data), *parser.finish()]
    return [item.time_ns for item in found if isinstance(item, Packet)], parser.wrong_times


def test_packet_with_an_absurd_time_is_kept_without_a_time() -> None:
    data = capture() + b"".join(pcapng.packet(1 << 63, (b"when?",)))
    assert packets(items(data)) == [*PACKETS, b"when?"]
    assert damages(items(data)) == []
    found, wrong = times(data)
    assert (found[-1], wrong) == (NO_TIME, 1)
    pcap = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    assert times(pcap + struct.pack("<IIII", 5, 1_000_000, 0, 0)) == ([NO_TIME], 1)


@pytest.mark.parametrize("seconds", [1_000_000, -3])
def test_time_offset_of_an_interface_is_added(seconds: int) -> None:
    options = pcapng.options((pcapng.RESOLUTION, b"\x09"), (pcapng.TIME_OFFSET, struct.pack("<q", seconds)))
    data = pcapng.section_header("x") + pcapng.block(pcapng.INTERFACE, struct.pack("<HHI", 1, 0, 0) + options)
    data += b"".join(pcapng.packet(TIME, (b"x",)))
    assert times(data) == ([TIME + seconds * 10**9], 0)


def test_simple_packet_is_cut_to_the_snap_length() -> None:
    data = pcapng.section_header("x") + pcapng.block(pcapng.INTERFACE, struct.pack("<HHI", 1, 0, 6))
    data += pcapng.block(pcapng.SIMPLE_PACKET, struct.pack("<I", 9) + b"abcdef")
    (packet,) = [item for item in items(data) if isinstance(item, Packet)]
    assert (packet.data, packet.size, packet.time_ns) == (b"abcdef", 9, NO_TIME)


@pytest.mark.parametrize("order", ["<", ">"])
def test_modified_pcap_has_longer_headers(order: str) -> None:
    data = struct.pack(order + "IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 65535, 1)
    for text in (b"abc", b"defg"):
        data += struct.pack(order + "IIIIIHBB", 5, 6, len(text), 9, 1, 0x800, 4, 0) + text
    assert packets(items(data, 5)) == [b"abc", b"defg"]


def test_an_unknown_kind_of_block_is_told() -> None:
    data = capture() + pcapng.block(0x12345, b"what is this") + b"".join(pcapng.packet(TIME, (b"more",)))
    found = items(data)
    assert packets(found) == [*PACKETS, b"more"]
    assert len(damages(found)) == 1


@pytest.mark.parametrize("data", [b"", b"x", b"\x7fELF" + bytes(100), bytes(1000)])
def test_what_is_no_capture(data: bytes) -> None:
    parser = CaptureParser()
    assert [*parser.feed(data), *parser.finish()] == []
    assert parser.kind == "unknown"


def test_damage_everywhere_takes_no_longer_than_the_file_is_long() -> None:
    """Each of these looks like a block whose lengths agree, and is none: all are told, one by one."""
    bad = struct.pack("<III", pcapng.PACKET, 12, 12)
    found = items(pcapng.section_header("x") + bad * 20_000)
    assert len(found) == 20_001
    assert {item.size for item in damages(found)} == {12}


@given(some.binary(max_size=300), some.booleans())
def test_nothing_is_raised_for_rubbish(data: bytes, begins_well: bool) -> None:
    items((pcapng.section_header("") if begins_well else b"") + data)


@given(some.data())
def test_nothing_is_raised_for_what_is_damaged(choose: some.DataObject) -> None:
    data = bytearray(capture())
    for _ in range(choose.draw(some.integers(0, 8))):
        data[choose.draw(some.integers(0, len(data) - 1))] ^= 1 << choose.draw(some.integers(0, 7))
    whole = bytes(data[: choose.draw(some.integers(0, len(data)))])
    found = items(whole, choose.draw(some.sampled_from([1, 100, 10_000])))
    assert sum(item.size for item in damages(found)) <= len(whole)
