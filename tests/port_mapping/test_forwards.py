"""The router's table of forwards: what is shown, what is hidden, and where it ends."""

from __future__ import annotations

import pytest

from wirecat.deadline import Deadline
from wirecat.port_mapping.forwards import Forward, ForwardTable, HiddenTable
from wirecat.port_mapping.igd_client import Igd
from wirecat.wire.igd import IgdError, Service, Url, Values

SOON = Deadline(20)
SPECIFIC, GENERIC = "GetSpecificPortMappingEntry", "GetGenericPortMappingEntry"
CONTROL = Url("192.168.1.1", 80, "/ctl")


def entry(port: int, protocol: str = "TCP") -> dict[str, str]:
    return {"NewExternalPort": str(port), "newinternalclient": "192.168.1.9", "NewInternalPort": "80",
            "NewProtocol": protocol, "NewEnabled": "1", "NewLeaseDuration": "0"}  # fmt: skip


class Shown(Igd):
    """A router whose table is a list; a number in place of the list, or at its end, is the error that it answers."""

    def __init__(self, specific: int | None, table: list[dict[str, str]], end: int) -> None:
        super().__init__(CONTROL, "", [])
        self.calls: list[tuple[str, dict[str, str]]] = []
        self._specific, self._table, self._end = specific, table, end

    def call(self, service: Service, action: str, arguments: dict[str, str], deadline: Deadline) -> Values:
        self.calls.append((action, arguments))
        if action == SPECIFIC and self._specific is not None:
            raise IgdError(self._specific, "")
        if action == SPECIFIC:
            return Values(self._table[0])
        if action == GENERIC and int(arguments["NewPortMappingIndex"]) < len(self._table):
            return Values(self._table[int(arguments["NewPortMappingIndex"])])
        raise IgdError(self._end, "")


def table(specific: int | None, *entries: dict[str, str], end: int = 713) -> tuple[ForwardTable, Shown]:
    igd = Shown(specific, list(entries), end)
    return ForwardTable(igd, Service("urn:schemas-upnp-org:service:WANIPConnection:1", CONTROL)), igd


def test_forward_is_found_by_its_port() -> None:
    found = table(None, entry(12345))[0].find(12345, SOON)
    assert found is not None
    assert (found.client, found.port, found.lease) == ("192.168.1.9", 80, 0)
    assert str(found) == "to 192.168.1.9:80, without an end"
    assert table(714, entry(12345))[0].find(12345, SOON) is None


@pytest.mark.parametrize("refusal", [401, 402, 501, 606, -911])
def test_whole_table_is_read_where_one_entry_is_not_shown(refusal: int) -> None:
    shown = table(refusal, entry(1), entry(12345, "UDP"), entry(12345))[0]
    assert shown.find(12345, SOON) is not None
    assert shown.find(12346, SOON) is None
    assert table(refusal, entry(1), end=402)[0].find(12345, SOON) is None
    with pytest.raises(HiddenTable):
        table(refusal, end=refusal)[0].find(12345, SOON)
    with pytest.raises(HiddenTable):
        table(refusal, *[entry(1)] * 100)[0].find(12345, SOON)


def test_port_that_is_none_is_not_reserved() -> None:
    shown, igd = table(714)
    with pytest.raises(IgdError):
        shown.add_any(Forward(12345, "192.168.1.9", 80), SOON)
    assert list(igd.calls[0][1])[:4] == ["NewRemoteHost", "NewExternalPort", "NewProtocol", "NewInternalPort"]
