"""One client's socket: bytes in and out, when it is read from, and when it has to be closed."""

import asyncio
import logging
from collections.abc import Callable
from enum import Enum
from typing import cast

from cheng.protocols.mqtt_conversation import Conversation, Services
from cheng.protocols.mqtt_decoder import Decoder
from cheng.protocols.mqtt_hub import Counters, Hub, Limits, Owner
from cheng.protocols.mqtt_login import Terms, admit, refusal
from cheng.protocols.mqtt_packets import V5, ConnAck, Connect, Disconnect, Packet, encode
from cheng.protocols.mqtt_properties import NONE, Properties, ProtocolError, Reason, forbidden

_log = logging.getLogger(__name__)
_LARGEST = 0x10000005


class State(Enum):
    """Where a connection is in its life."""

    NEW = 0
    JOINING = 1
    """CONNECT has come, the hub is being asked who it is."""
    OPEN = 2
    CLOSING = 3
    GONE = 4


class Switchboard(Services):
    """What all connections share."""

    def __init__(self, hub: Hub, limits: Limits, counters: Counters, now: Callable[[], float], owner: Owner) -> None:
        super().__init__(hub, limits, counters, now, owner)
        self.connections: set[Connection] = set()
        self.held: set[Connection] = set()
        """Connections that are not read from for the moment."""
        self.stopping = False
        self._written: list[Connection] = []

    def write_soon(self, connection: "Connection") -> None:
        """Has the connection write once, after everything of this turn of the event loop."""
        if not self._written:
            asyncio.get_running_loop().call_soon(self._flush)
        self._written.append(connection)

    def _flush(self) -> None:
        written, self._written = self._written, []
        for connection in written:
            connection.flush()

    def release(self) -> None:
        """Reads again from those whose reason to wait is gone."""
        for connection in list(self.held):
            connection.regulate()


class Connection(asyncio.Protocol):
    """The socket of one client."""

    def __init__(self, board: Switchboard) -> None:
        limits = board.limits
        self.state = State.NEW
        self.version = 0
        self.send_quota = limits.inflight
        self.max_packet = _LARGEST
        self._board = board
        self._decoder = Decoder(limits.packet, limits.connect_packet)
        self._transport: asyncio.Transport | None = None
        self._conversation: Conversation | None = None
        self._task: asyncio.Task[None] | None = None
        self._rest: list[Packet] = []
        self._aliases: dict[str, int] = {}
        self._alias_limit = 0
        self._out: list[bytes] = []
        self._out_size = 0
        self._keep_alive = 0
        self._heard = board.now()
        self._deadline = self._heard + limits.connect_time
        self._stalled: float | None = None

    # --- what the event loop calls ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A socket was opened."""
        self._transport = cast(asyncio.Transport, transport)
        board = self._board
        if board.stopping or len(board.connections) >= board.limits.connections:
            board.counters.connects_refused += 1
            self.state = State.GONE
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(high=board.limits.write_buffer)
        board.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self.state in (State.CLOSING, State.GONE) or self._decoder.error is not None:
            return
        self._heard = self._board.now()
        packets = self._decoder.feed(data)
        if self.state is State.JOINING:
            self._rest += packets
        else:
            self._take(packets)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self.state = State.GONE
        self._leave()
        if self._task is not None:
            self._task.cancel()
        self._board.connections.discard(self)
        self._board.held.discard(self)

    def pause_writing(self) -> None:
        """The client does not read what we send."""
        self._stalled = self._board.now()
        self.regulate()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._stalled = None
        self._pump()
        self.regulate()

    # --- sending ----------------------------------------------------------------------------------------------------

    def writable(self) -> bool:
        """Is there room for another message?"""
        return self._stalled is None and self._out_size < self._board.limits.write_buffer

    def send(self, data: bytes) -> None:
        """Sends at the end of this turn of the event loop; nothing once the connection is being closed."""
        if self.state in (State.CLOSING, State.GONE):
            return
        if not self._out:
            self._board.write_soon(self)
        self._out.append(data)
        self._out_size += len(data)

    def flush(self) -> None:
        """Writes what was gathered."""
        if self._transport is not None and self._out and self.state is not State.GONE:
            self._transport.write(b"".join(self._out))
        self._out.clear()
        self._out_size = 0
        self._pump()

    def _pump(self) -> None:
        if self._conversation is not None:
            self._conversation.session.pump()

    def alias(self, topic: str) -> tuple[int, bool]:
        """The alias of a topic and whether the client knows it already; 0 when it has none."""
        if not self._alias_limit:
            return 0, False
        number = self._aliases.get(topic)
        if number is not None:
            return number, True
        if len(self._aliases) >= self._alias_limit:
            return 0, False
        number = self._aliases[topic] = len(self._aliases) + 1
        return number, False

    def forget_alias(self, topic: str) -> None:
        """Takes back the newest alias."""
        self._aliases.pop(topic, None)

    # --- reading or not ---------------------------------------------------------------------------------------------

    def regulate(self) -> None:
        """Stops or starts reading: nobody is read from who does not read, or who has too much unsettled."""
        board = self._board
        talk = self._conversation
        if self.state in (State.CLOSING, State.GONE):
            return
        hold = (
            board.stopping
            or self.state is State.JOINING
            or self._stalled is not None
            or (talk is not None and talk.outstanding >= board.limits.receive_maximum)
            or (talk is not None and talk.bytes >= board.limits.pending_each)
            or board.intake.bytes >= board.limits.pending
        )
        if hold == (self in board.held) or self._transport is None or self._transport.is_closing():
            return
        if hold:
            board.held.add(self)
            self._transport.pause_reading()
        else:
            board.held.discard(self)
            self._heard = board.now()
            self._transport.resume_reading()

    # --- packets ----------------------------------------------------------------------------------------------------

    def _take(self, packets: list[Packet]) -> None:
        may: dict[str, int] = {}
        try:
            for place, packet in enumerate(packets):
                if self._conversation is not None:
                    self._conversation.take(packet, may)
                elif self.state is State.NEW:
                    self._begin(packet, packets[place + 1 :])
                    return
                else:
                    return
            if self._decoder.error is not None:
                raise self._decoder.error
        except ProtocolError as error:
            self._fail(error)
        self.regulate()

    def _begin(self, packet: Packet, rest: list[Packet]) -> None:
        if type(packet) is not Connect:
            raise forbidden("The first packet has to be CONNECT.")
        self.state = State.JOINING
        self._rest = rest
        self.regulate()
        self._task = asyncio.get_running_loop().create_task(self._join(packet))

    async def _join(self, packet: Connect) -> None:
        try:
            terms = await admit(packet, self._board.hub, self._board.limits)
            if self.state is State.JOINING:
                self._open(packet, terms)
        except ProtocolError as error:
            self._refuse(error.number, error.reason)
        except Exception:
            _log.exception("the hub could not say who client %r is", packet.client_id)
            self._refuse(Reason.SERVER_UNAVAILABLE, "Who you are cannot be checked for the moment; try again.")
        rest, self._rest = self._rest, []
        if self._conversation is not None:
            self._take(rest)

    def _open(self, packet: Connect, terms: Terms) -> None:
        board = self._board
        old = board.exchange.sessions.get(terms.client_id)
        if old is not None:
            if board.exchange.owner(old.principal) != board.exchange.owner(terms.principal):
                raise ProtocolError(
                    "client-id", "This client identifier belongs to somebody else.", number=Reason.CLIENT_ID_INVALID
                )
            if old.link is not None:
                board.counters.takeovers += 1
                old.link.close(Reason.TAKEN_OVER, "Another connection uses this client identifier.")
        entered = board.exchange.enter(terms.client_id, terms.principal, packet.clean)
        if entered is None:
            raise ProtocolError("quota", "There are too many sessions.", number=Reason.QUOTA_EXCEEDED)
        session, present = entered
        session.expiry = terms.expiry
        wishes = packet.properties
        self.version = packet.version
        self._keep_alive = terms.keep_alive
        self._alias_limit = min(wishes.topic_alias_max or 0, board.limits.topic_aliases)
        self.send_quota = min(wishes.receive_max or 0xFFFF, board.limits.inflight)
        self.max_packet = wishes.max_packet or _LARGEST
        self._conversation = Conversation(session, self, board, packet.will)
        self.state = State.OPEN
        board.counters.connects += 1
        self.send(encode(ConnAck(present, 0, terms.answer), self.version))
        session.resume(self)

    # --- the end ----------------------------------------------------------------------------------------------------

    def check(self, now: float) -> None:
        """Ends the connection when its time is over."""
        overdue = self.state is not State.OPEN and now >= self._deadline
        stalled = self._stalled is not None and now - self._stalled >= self._board.limits.stall_time
        if overdue or stalled:
            self._board.counters.timeouts += self.state is not State.CLOSING
            self.abort()
        elif self._silent(now):
            self._board.counters.timeouts += 1
            self.close(Reason.KEEP_ALIVE_TIMEOUT, "Nothing was heard for one and a half times the keep-alive.")

    def _silent(self, now: float) -> bool:
        """Too long, and not because we do not listen."""
        if self.state is not State.OPEN or not self._keep_alive or self in self._board.held:
            return False
        return now - self._heard > 1.5 * self._keep_alive

    def abort(self) -> None:
        """Ends the connection at once."""
        self._leave()
        if self._transport is not None:
            self._transport.abort()

    def close(self, reason: int | None = None, text: str = "") -> None:
        """Ends the connection, in version 5 with a DISCONNECT that says why when there is a reason."""
        if self.state in (State.CLOSING, State.GONE):
            return
        if reason is not None and self.version == V5 and self.state is State.OPEN:
            self.send(encode(Disconnect(reason, Properties(reason_string=text) if text else NONE), V5))
        self.state = State.CLOSING
        self._leave()
        self.flush()
        if reason is None:
            self._deadline = self._board.now() + self._board.limits.stall_time
            if self._transport is not None:
                self._transport.close()
        else:
            self._linger()

    def _linger(self) -> None:
        """Says no more, but reads on for a moment.

        A socket closed with bytes unread takes back what was just sent, and the client would never learn why.
        """
        self._deadline = self._board.now() + self._board.limits.linger_time
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self in self._board.held:
            self._board.held.discard(self)
            transport.resume_reading()
        if not transport.can_write_eof():  # TLS
            transport.close()
            return
        try:
            transport.write_eof()
        except OSError:  # the client has reset the connection, and nobody has told us yet
            transport.abort()

    def _leave(self) -> None:
        talk, self._conversation = self._conversation, None
        if talk is not None:
            # A hub that is restarted is no news about its devices.
            will = None if self._board.stopping else talk.will
            self._board.exchange.leave(talk.session, self, will)

    def _fail(self, error: ProtocolError) -> None:
        self._board.counters.protocol_errors += 1
        if self.state is State.OPEN:
            self.close(error.number, error.reason)
        elif self._decoder.version == V5 or error.number == Reason.UNSUPPORTED_VERSION:
            self._refuse(error.number, error.reason)
        else:
            self.close(error.number)

    def _refuse(self, reason: int, text: str) -> None:
        self._board.counters.connects_refused += 1
        if self.state in (State.NEW, State.JOINING) and self._decoder.version:
            self.send(refusal(self._decoder.version, reason, text))
        self.close(reason)
