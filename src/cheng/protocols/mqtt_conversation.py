"""What an admitted client's packets mean: one small function for each kind of packet, with no socket anywhere."""

from collections.abc import Callable
from typing import Any

from cheng.protocols.mqtt_exchange import Exchange
from cheng.protocols.mqtt_hub import ACCEPTED, QUOTA_EXCEEDED, Counters, Hub, Limits, Owner, Publish
from cheng.protocols.mqtt_intake import OVERHEAD, Intake, Pending
from cheng.protocols.mqtt_packets import (
    V5,
    V311,
    Ack,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
    Will,
    encode,
)
from cheng.protocols.mqtt_packets import Publish as PublishPacket
from cheng.protocols.mqtt_properties import NONE, Kind, ProtocolError, Reason, forbidden
from cheng.protocols.mqtt_session import Link, Session

_PINGRESP = encode(PingResp(), V311)
_NOT_KEPT = (QUOTA_EXCEEDED, Reason.NOT_AUTHORIZED, Reason.TOPIC_INVALID)
"""Verdicts on publishes that are nowhere: version 3.1.1, which cannot be told, is disconnected instead."""


class Services:
    """What all conversations share."""

    def __init__(self, hub: Hub, limits: Limits, counters: Counters, now: Callable[[], float], owner: Owner) -> None:
        self.hub = hub
        self.limits = limits
        self.counters = counters
        self.now = now
        self.exchange = Exchange(hub, limits, counters, now, self._will, owner)
        self.intake = Intake(hub, counters, self.exchange.route, self.release)

    def release(self) -> None:
        """The hub has answered: some who had to wait may go on."""

    def _will(self, publish: Publish, session: Session) -> None:
        self.intake.add(Pending(publish, 0, session))


class Conversation:
    """One client from its CONNACK to its end. Raises ProtocolError when the client breaks the rules."""

    def __init__(self, session: Session, link: Link, services: Services, will: Will | None) -> None:
        self.session = session
        self.will = will
        """What is to be published when the client goes without a good-bye."""
        self.outstanding = 0
        """Publishes that the hub has not answered yet."""
        self.bytes = 0
        """What they take."""
        self._link = link
        self._version = link.version
        self._services = services
        self._unacknowledged = 0
        self._aliases: dict[int, str] = {}

    def take(self, packet: Packet, may: dict[str, int]) -> None:
        """One packet from the client. `may` remembers verdicts on topics for packets that came together."""
        if type(packet) is PublishPacket:
            self._publish(packet, may)
            return
        handler = _HANDLERS.get(type(packet))
        if handler is None:
            raise forbidden(f"A client may not send {type(packet).__name__} here.")
        handler(self, packet)

    # --- publishes from the client ----------------------------------------------------------------------------------

    def _publish(self, packet: PublishPacket, may: dict[str, int]) -> None:
        session = self.session
        topic = packet.topic
        if packet.properties is not None or not topic:
            topic = self._resolve(packet)
        if packet.qos:
            if packet.qos == 2 and self._repeated(packet.packet_id):
                return
            self._unacknowledged += 1
            if self._unacknowledged > self._services.limits.receive_maximum and self._version == V5:
                raise _too_many()
        verdict = may.get(topic)
        if verdict is None:
            verdict = may[topic] = self._may_publish(topic)
        publish = Publish(
            session.principal, session.client_id, topic, packet.payload, packet.qos, packet.retain, packet.properties
        )
        self.outstanding += 1
        self.bytes += len(packet.payload) + OVERHEAD
        self._services.intake.add(Pending(publish, packet.packet_id, session, self, verdict))

    def _may_publish(self, topic: str) -> int:
        limits = self._services.limits
        if len(topic) > limits.topic or topic.count("/") >= limits.topic_levels:
            return Reason.TOPIC_INVALID
        return ACCEPTED if self._services.hub.may_publish(self.session.principal, topic) else Reason.NOT_AUTHORIZED

    def _resolve(self, packet: PublishPacket) -> str:
        """The topic behind an alias."""
        properties = packet.properties or NONE
        if properties.subscription_ids:
            raise forbidden("A client may not send subscription identifiers with PUBLISH.")
        alias = properties.topic_alias
        if alias is None:
            if not packet.topic:
                raise forbidden("The topic is empty and there is no topic alias.")
            return packet.topic
        known = alias <= self._services.limits.topic_aliases
        if packet.topic and known:
            self._aliases[alias] = packet.topic
        if not known or alias not in self._aliases:
            raise ProtocolError(
                "topic-alias", f"The topic alias {alias} is not known here.", number=Reason.TOPIC_ALIAS_INVALID
            )
        return self._aliases[alias]

    def _repeated(self, packet_id: int) -> bool:
        """Was this QoS 2 publish here before? Then it is not taken again, only answered again."""
        durable = self.session.incoming.get(packet_id)
        if durable is None:
            if len(self.session.incoming) >= self._services.limits.receive_maximum:
                raise _too_many()
            self.session.incoming[packet_id] = False
            return False
        if durable:
            self._say(Ack(Kind.PUBREC, packet_id))
        return True

    def settled(self, publish: Publish, packet_id: int, verdict: int) -> None:
        """The hub has made a publish durable, or refused it: now it is acknowledged."""
        self.outstanding -= 1
        self.bytes -= len(publish.payload) + OVERHEAD
        if publish.qos == 0:
            return
        if verdict != ACCEPTED and self._version != V5:
            if verdict in _NOT_KEPT:
                self.session.incoming.pop(packet_id, None)
                self._link.close(verdict)
                return
            verdict = ACCEPTED
        if publish.qos == 2:
            self._record(packet_id, verdict)
            return
        self._unacknowledged -= 1
        if verdict == ACCEPTED:
            self._link.send(b"\x40\x02" + packet_id.to_bytes(2, "big"))
        else:
            self._say(Ack(Kind.PUBACK, packet_id, verdict))

    def _record(self, packet_id: int, verdict: int) -> None:
        if verdict == ACCEPTED:
            self.session.incoming[packet_id] = True
        else:
            self.session.incoming.pop(packet_id, None)
            self._unacknowledged -= 1
        # The client may have come back on another connection meanwhile, and waits for the answer there.
        link = self.session.link
        if link is not None:
            link.send(encode(Ack(Kind.PUBREC, packet_id, verdict), link.version))

    def unsettled(self, publish: Publish, packet_id: int) -> None:
        """The hub could not make a publish durable: no acknowledgement, and the client has to send it again."""
        self.outstanding -= 1
        self.bytes -= len(publish.payload) + OVERHEAD
        if publish.qos == 2:
            self.session.incoming.pop(packet_id, None)
        if publish.qos:
            self._link.close(Reason.IMPLEMENTATION_ERROR, "Your publish could not be stored; send it again.")

    def _released(self, packet: Ack) -> None:
        durable = self.session.incoming.pop(packet.packet_id, None)
        if durable is False:
            raise forbidden("PUBREL came before its PUBREC.")
        if durable:
            self._unacknowledged = max(0, self._unacknowledged - 1)
        self._say(Ack(Kind.PUBCOMP, packet.packet_id, 0 if durable else Reason.PACKET_ID_NOT_FOUND))

    # --- the client's other packets ---------------------------------------------------------------------------------

    def _acknowledged(self, packet: Ack) -> None:
        if packet.kind == Kind.PUBREL:
            self._released(packet)
            return
        failed = packet.reason >= Reason.UNSPECIFIED
        known = self.session.acknowledged(packet.packet_id, packet.kind, failed)
        if packet.kind == Kind.PUBREC and not failed:
            self._say(Ack(Kind.PUBREL, packet.packet_id, 0 if known else Reason.PACKET_ID_NOT_FOUND))

    def _subscribe(self, packet: Subscribe) -> None:
        exchange = self._services.exchange
        numbers = packet.properties.subscription_ids
        number = numbers[0] if numbers else 0
        answers = [exchange.subscribe(self.session, topic, number) for topic in packet.topics]
        v5 = self._version == V5
        self._say(SubAck(packet.packet_id, tuple(code if v5 else min(code, 0x80) for code, _ in answers)))
        for topic, (code, wanted) in zip(packet.topics, answers, strict=True):
            if wanted and code < Reason.UNSPECIFIED:
                exchange.send_retained(self.session, topic.filter)

    def _unsubscribe(self, packet: Unsubscribe) -> None:
        exchange = self._services.exchange
        reasons = tuple(
            Reason.SUCCESS if exchange.unsubscribe(self.session, text) else Reason.NO_SUBSCRIPTION_EXISTED
            for text in packet.filters
        )
        self._say(UnsubAck(packet.packet_id, reasons if self._version == V5 else ()))

    def _ping(self, _packet: PingReq) -> None:
        self._link.send(_PINGRESP)

    def _disconnect(self, packet: Disconnect) -> None:
        expiry = packet.properties.session_expiry
        if expiry is not None:
            if expiry and not self.session.expiry:
                raise forbidden("A session that ends with its connection cannot be kept by DISCONNECT.")
            self.session.expiry = min(expiry, self._services.limits.session_expiry)
        if packet.reason == Reason.SUCCESS:
            self.will = None
        self._link.close()

    def _say(self, packet: Packet) -> None:
        self._link.send(encode(packet, self._version))


def _too_many() -> ProtocolError:
    return ProtocolError(
        "receive-maximum",
        "More publishes are unacknowledged than the receive maximum allows.",
        number=Reason.RECEIVE_MAXIMUM_EXCEEDED,
    )


_HANDLERS: dict[type, Callable[[Conversation, Any], None]] = {
    Ack: Conversation._acknowledged,
    Subscribe: Conversation._subscribe,
    Unsubscribe: Conversation._unsubscribe,
    PingReq: Conversation._ping,
    Disconnect: Conversation._disconnect,
}
