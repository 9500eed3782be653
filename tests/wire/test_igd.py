"""UPnP's gateway device: descriptions, calls and their answers, of honest and of lying routers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.wire.igd import (
    CONNECTION_SERVICES,
    IgdError,
    Service,
    Url,
    call_request,
    find_service,
    read_call_reply,
    read_description,
    read_url,
)
from wirecat.wire.xml_tree import read_xml

LOCATION = Url("192.168.1.1", 5000, "/desc/root.xml")
WAN1, WAN2 = CONNECTION_SERVICES[1], CONNECTION_SERVICES[0]


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
    assert find_service(services, CONNECTION_SERVICES) == services[1]
    assert find_service([], CONNECTION_SERVICES) is None


def test_a_base_and_another_port() -> None:
    (service,) = read_description(description((WAN1, "ctl"), base="http://192.168.1.1:49152/x/"), LOCATION)
    assert service.control == Url("192.168.1.1", 49152, "/x/ctl")


@pytest.mark.parametrize("control", ["http://10.0.0.1/ctl", "https://192.168.1.1/", "http://evil.example/", "/a b"])
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
    [("718", 718, "taken"), ("x", 0, "No luck"), ("9" * 40, 0, "No luck"), ("", 0, "No luck")],
)
def test_faults(code: str, number: int, words: str) -> None:
    data = envelope(
        f"<s:Fault><detail><UPnPError><errorCode>{code}</errorCode><errorDescription>No luck</errorDescription>"
        "</UPnPError></detail></s:Fault>"
    )
    with pytest.raises(IgdError, match=words) as caught:
        read_call_reply(500, data, "GetX")
    assert caught.value.code == number


@pytest.mark.parametrize(("status", "data"), [(404, b""), (302, b""), (200, b"<html/>"), (200, b""), (500, b"oops")])
def test_what_is_no_answer(status: int, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_call_reply(status, data, "GetX")
