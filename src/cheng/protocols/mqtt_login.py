"""The first packet of a connection: who is this, may they come in, and on which terms?"""

import secrets

import msgspec

from cheng.protocols.mqtt_hub import Hub, Limits, Principal
from cheng.protocols.mqtt_packets import V5, V311, ConnAck, Connect, encode
from cheng.protocols.mqtt_properties import NONE, Properties, ProtocolError, Reason

RETURN_CODES = {
    Reason.UNSUPPORTED_VERSION: 1,
    Reason.CLIENT_ID_INVALID: 2,
    Reason.SERVER_UNAVAILABLE: 3,
    Reason.NOT_AUTHORIZED: 5,
}
"""What version 3.1.1 says for a reason; 3 (server unavailable) for all others."""


class Terms(msgspec.Struct, frozen=True):
    """On which terms a client comes in."""

    client_id: str
    principal: Principal
    expiry: float
    """Seconds that the session outlives its connection."""
    keep_alive: int
    answer: Properties
    """What CONNACK says in version 5."""


async def admit(packet: Connect, hub: Hub, limits: Limits) -> Terms:
    """Asks the hub who this is. ProtocolError with the reason when the client may not come in."""
    if packet.properties.auth_method is not None:
        raise ProtocolError(
            "bad-auth-method", "Extended authentication is not offered here.", number=Reason.BAD_AUTH_METHOD
        )
    if len(packet.client_id) > limits.client_id or (
        packet.version == V311 and not packet.client_id and not packet.clean
    ):
        raise ProtocolError(
            "client-id", "The client identifier is missing or too long.", number=Reason.CLIENT_ID_INVALID
        )
    client_id = packet.client_id or f"auto-{secrets.token_hex(8)}"
    principal = await hub.authenticate(client_id, packet.username, packet.password)
    if principal is None:
        raise ProtocolError("not-authorized", "This client is not known here.", number=Reason.NOT_AUTHORIZED)
    _check_will(packet, principal, hub, limits)
    asked = packet.properties.session_expiry or 0
    if packet.version == V311:
        asked = 0 if packet.clean else limits.session_expiry
    keep_alive = packet.keep_alive
    if packet.version == V5 and limits.keep_alive and not 0 < keep_alive <= limits.keep_alive:
        keep_alive = limits.keep_alive
    answer = Properties(
        session_expiry=limits.session_expiry if asked > limits.session_expiry else None,
        assigned_client_id=None if packet.client_id else client_id,
        server_keep_alive=None if keep_alive == packet.keep_alive else keep_alive,
        receive_max=limits.receive_maximum,
        max_packet=limits.packet,
        topic_alias_max=limits.topic_aliases,
    )
    return Terms(client_id, principal, min(asked, limits.session_expiry), keep_alive, answer)


def _check_will(packet: Connect, principal: Principal, hub: Hub, limits: Limits) -> None:
    will = packet.will
    if will is None:
        return
    if len(will.topic) > limits.topic or will.topic.count("/") >= limits.topic_levels:
        raise ProtocolError("topic-invalid", "The topic of the will is too long.", number=Reason.TOPIC_INVALID)
    if not hub.may_publish(principal, will.topic):
        raise ProtocolError(
            "not-authorized", "This client may not publish to the topic of its will.", number=Reason.NOT_AUTHORIZED
        )


def refusal(version: int, reason: int, text: str) -> bytes:
    """The CONNACK that refuses a client."""
    if version != V5:
        return encode(ConnAck(False, RETURN_CODES.get(Reason(reason), 3)), V311)
    return encode(ConnAck(False, reason, Properties(reason_string=text) if text else NONE), V5)
