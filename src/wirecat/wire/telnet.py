"""Telnet's negotiation, refused: what ``ncat -t`` does (RFC 854, RFC 855), with the state kept from piece to piece.

A telnet server opens with commands in the stream: IAC (255), a command, mostly an option. Whoever only wants the text
takes them out and answers each offer with a no: DO with WONT, WILL with DONT. A WONT or DONT needs no answer, because a
no is what holds already; answering it is how two programs get into a loop that never ends (RFC 854: "acknowledgments of
a request to enter a mode which is already in effect must not be sent").
"""

from __future__ import annotations

SE, SB, WILL, WONT, DO, DONT, IAC = 240, 250, 251, 252, 253, 254, 255

_IAC = bytes([IAC])

# Where in a command the last piece ended.
_DATA = 0  # in none: text
_COMMAND = 1  # after IAC
_OPTION = 2  # after IAC and WILL, WONT, DO or DONT
_PARAMETERS = 3  # in a subnegotiation: after IAC SB
_PARAMETERS_COMMAND = 4  # after an IAC in there


class TelnetRefuser:
    """Takes the telnet commands out of a stream and says no to every option.

    >>> TelnetRefuser().receive(bytes([255, 253, 1]) + b"login: ")
    (b'login: ', b'\\xff\\xfc\\x01')
    """

    __slots__ = ("_command", "_state")

    def __init__(self) -> None:
        self._state = _DATA
        self._command = 0

    def receive(self, data: bytes) -> tuple[bytes, bytes]:
        """The text in the next piece, and the answer to send, which may be empty.

        IAC IAC stands for one byte 255 of text. An answer is never longer than what asked for it.
        """
        if self._state == _DATA and IAC not in data:
            return bytes(data), b""
        text = bytearray()
        answer = bytearray()
        place = 0
        while place < len(data):
            if self._state in (_DATA, _PARAMETERS):
                found = data.find(_IAC, place)
                end = len(data) if found < 0 else found
                if self._state == _DATA:
                    text += data[place:end]
                if found < 0:
                    break
                self._state = _COMMAND if self._state == _DATA else _PARAMETERS_COMMAND
                place = end + 1
            else:
                self._step(data[place], text, answer)
                place += 1
        return bytes(text), bytes(answer)

    def _step(self, byte: int, text: bytearray, answer: bytearray) -> None:
        """One byte that is not text."""
        if self._state == _OPTION:
            self._state = _DATA
            if self._command in (DO, WILL):
                answer += bytes([IAC, WONT if self._command == DO else DONT, byte])
        elif self._state == _PARAMETERS_COMMAND and byte == IAC:
            self._state = _PARAMETERS  # a parameter of 255
        elif byte == IAC:
            self._state = _DATA
            text += _IAC
        elif byte == SB:
            self._state = _PARAMETERS  # its first byte is the option's, and goes with the rest
        elif byte in (WILL, WONT, DO, DONT):
            # In a subnegotiation too, where nothing but IAC IAC and IAC SE can be: its end was lost.
            self._state, self._command = _OPTION, byte
        else:
            self._state = _DATA  # SE, and the commands that stand alone: NOP, GA, AYT, …
