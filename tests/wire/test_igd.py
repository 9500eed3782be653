"""UPnP's gateway device: descriptions, calls and their answers, of honest and of lying routers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.wire.igd import (
    IgdError,
    Service,
    Url,
    call_request,
    connection_services,
    read_call_reply,
    read_description,
    read_url,
)
from wirecat.wire.xml_tree import read_xml

LOCATION = Url("192.168.1.1", 5000, "/desc/root.xml")
WAN1, WAN2, PPP1, PPP2 = (
    f"urn:schemas-upnp-org:service:WAN{kind}Connection:{version}" for kind in ("IP", "PPP") for version in (1, 2)
)


def description(*services: tuple[str, str], base: str = "") -> bytes:
    listed = "".join(
        f"<service><serviceType>{kind}</serviceType><controlURL>{control}</controlURL></service>"
        for kind, control in services
    )
    url_base = f"<URLBase>{base}</URLBase>" if base else ""
    return (
        f'<root xmlns="urn:schemas-upnp-org:device-1-0">{url_base}<device><deviceList><device>'
        f"<serviceList>{listed}</serviceList></device></deviceList></device></root>"
    ).encode()


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://192.168.1.1:5000/a.xml", Url("192.168.1.1", 5000, "/a.xml")),
        ("HTTP://192.168.1.1", Url("192.168.1.1", 80, "/")),
        (" http://[fe80::1]:8080?x=1#top ", Url("fe80::1", 8080, "/?x=1")),
    ],
)
def test_urls(text: str, url: Url) -> None:
    assert read_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "", "https://192.168.1.1/", "file:///etc/passwd", "http://router.lan/", "http://a@192.168.1.1/",
        "http://192.168.1.1:0/", "http://192.168.1.1:99999/", "http://[::1/", "http://192.168.1.1/a b",
        "http://192.168.1.1/\r\nX: y", "http://0x7f.1/", "http://127.1/", "http://192.168.1.1/" + "x" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_url_here(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_url(text)


@given(some.text(max_size=60))
def test_any_url_is_read_or_refused(text: str) -> None:
    try:
        assert read_url("http://" + text).target.startswith("/")
    except ValueError:
        return


def test_the_best_service_wherever_it_stands() -> None:
    services = read_description(description((WAN1, "/one"), (WAN2, "two")), LOCATION)
    assert services == [
        Service(WAN1, Url("192.168.1.1", 5000, "/one")),
        Service(WAN2, Url("192.168.1.1", 5000, "/desc/two")),
    ]
    assert connection_services(services) == [services[1], services[0]]
    assert connection_services([]) == []


def test_every_connection_service_is_found_whatever_its_version() -> None:
    """Orange's Livebox has PPP in version 2; an ADSL router IP and PPP, a router with two ways out each of them twice."""
    kinds = [PPP1, "urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1", WAN1, PPP2, WAN1.lower(), WAN2]
    services = read_description(description(*((kind, f"/{number}") for number, kind in enumerate(kinds))), LOCATION)
    assert [service.type for service in connection_services(services)] == [WAN2, PPP2, WAN1, WAN1.lower(), PPP1]
    assert [service.version for service in connection_services(services)] == [2, 2, 1, 1, 1]


@pytest.mark.parametrize(
    ("data", "control", "oddity"),
    [
        (
            description((WAN1, "/ctl"), base="http://router.lan:49152/x/"),
            Url("192.168.1.1", 49152, "/ctl"),
            "'router.lan'",
        ),
        (description((WAN1, "http://my.router/ctl")), Url("192.168.1.1", 80, "/ctl"), "'my.router'"),
        (description((WAN1, "/ctl"), base="junk"), Url("192.168.1.1", 5000, "/ctl"), "'junk' is no URL"),
        (description((WAN1, "/ctl")) + b"\n--x--", Url("192.168.1.1", 5000, "/ctl"), "something follows"),
        (description((WAN1, "/ctl"))[:-40], Url("192.168.1.1", 5000, "/ctl"), "cut short"),
        (b"\xef\xbb\xbf" + description((WAN1, "/ctl")), Url("192.168.1.1", 5000, "/ctl"), ""),
        (description((WAN1, "/ctl")).replace(b"serviceType", b"SERVICETYPE"), Url("192.168.1.1", 5000, "/ctl"), ""),
        (description((WAN1, "/ctl")).replace(b"<service>", b"<i:service>"), Url("192.168.1.1", 5000, "/ctl"), ""),
    ],
)
def test_malformed_description_is_read(data: bytes, control: Url, oddity: str) -> None:
    oddities: list[str] = []
    assert read_description(data, LOCATION, oddities) == [Service(WAN1, control)]
    assert bool(oddities) == bool(oddity)
    assert oddity in "; ".join(oddities)


def test_a_base_and_another_port() -> None:
    (service,) = read_description(description((WAN1, "ctl"), base="http://192.168.1.1:49152/x/"), LOCATION)
    assert service.control == Url("192.168.1.1", 49152, "/x/ctl")


@pytest.mark.parametrize("control", ["http://10.0.0.1/ctl", "https://192.168.1.1/", "ftp://192.168.1.1/", "/a b"])
def test_a_service_elsewhere_is_none(control: str) -> None:
    assert read_description(description((WAN1, control)), LOCATION) == []


def test_a_base_elsewhere_leads_nowhere() -> None:
    assert read_description(description((WAN1, "/ctl"), base="http://10.0.0.1/"), LOCATION) == []


@given(some.text("ab<>&\"'é", max_size=20))
def test_arguments_arrive_as_they_are(value: str) -> None:
    service = Service(WAN2, LOCATION)
    fields, body = call_request(service, "AddPortMapping", {"NewPortMappingDescription": value})
    call = read_xml(body).find("AddPortMapping")
    assert call is not None
    assert call.child("NewPortMappingDescription") == value.strip()
    assert ("Content-Length", str(len(body))) in fields
    assert ("Host", "192.168.1.1:5000") in fields
    assert ("SOAPAction", f'"{WAN2}#AddPortMapping"') in fields


def envelope(inner: str) -> bytes:
    return f'<s:Envelope xmlns:s="x"><s:Body>{inner}</s:Body></s:Envelope>'.encode()


def test_an_answer() -> None:
    data = envelope("<u:GetXResponse xmlns:u='y'><NewA>1</NewA><NewB></NewB></u:GetXResponse>")
    assert read_call_reply(200, data, "GetX") == {"NewA": "1", "NewB": ""}


@pytest.mark.parametrize(
    ("code", "number", "words"),
    [
        ("718", 718, "taken"),
        ("-911", -911, r"No luck \(UPnP error -911\)"),
        ("x", 0, "No luck"),
        ("9" * 40, 0, "No luck"),
        ("", 0, "No luck"),
    ],
)
def test_faults(code: str, number: int, words: str) -> None:
    data = envelope(
        f"<s:Fault><detail><UPnPError><errorCode>{code}</errorCode><errorDescription>No luck</errorDescription>"
        "</UPnPError></detail></s:Fault>"
    )
    with pytest.raises(IgdError, match=words) as caught:
        read_call_reply(500, data, "GetX")
    assert caught.value.code == number


def test_answer_under_another_name_counts_if_it_has_values() -> None:
    oddities: list[str] = []
    data = envelope("<u:GetYResponse><newa>1</newa></u:GetYResponse>")
    assert read_call_reply(200, data, "GetX", oddities).value("NewA") == "1"
    assert oddities == ["its answer to GetX is called GetYResponse"]
    with pytest.raises(ValueError, match="no answer to GetX"):
        read_call_reply(200, envelope("<u:GetYResponse/>"), "GetX")


@pytest.mark.parametrize("status", [200, 400, 500, 503])
def test_fault_is_read_whatever_its_status(status: int) -> None:
    data = envelope("<s:Fault><UPnPError><errorCode>725</errorCode></UPnPError></s:Fault>")
    with pytest.raises(IgdError) as caught:
        read_call_reply(status, data, "GetX")
    assert caught.value.code == 725


@pytest.mark.parametrize(("status", "data"), [(404, b""), (302, b""), (200, b"<html/>"), (200, b""), (500, b"oops")])
def test_what_is_no_answer(status: int, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_call_reply(status, data, "GetX")
