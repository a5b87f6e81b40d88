"""Who gets which message: sessions, subscriptions, retained messages and wills, with no socket anywhere."""

from collections.abc import Callable, Hashable

import msgspec

from cheng.protocols.mqtt_hub import Counters, Hub, Limits, Owner, Principal, Publish
from cheng.protocols.mqtt_packets import Topic, Will
from cheng.protocols.mqtt_properties import Properties, Reason, forbidden
from cheng.protocols.mqtt_session import Delivery, Link, Message, Pool, Session
from cheng.protocols.mqtt_topics import Retained, Subscription, SubscriptionTree, split_share, valid_filter

NEVER = 0xFFFFFFFF
"""The session expiry of a session that does not expire."""


class Exchange:
    """Routes messages between sessions. `will` is called with a will that is due and the session it comes from."""

    def __init__(
        self,
        hub: Hub,
        limits: Limits,
        counters: Counters,
        now: Callable[[], float],
        will: Callable[[Publish, Session], None],
        owner: Owner,
    ) -> None:
        self.owner = owner
        self.sessions: dict[str, Session] = {}
        self.retained: Retained[Message] = Retained(limits.retained, limits.retained_size)
        self._hub = hub
        self._limits = limits
        self._counters = counters
        self._now = now
        self._will = will
        self._pool = Pool(limits, counters, now)
        self._tree: SubscriptionTree[Session] = SubscriptionTree()
        self._owned: dict[Hashable, int] = {}
        self._away: dict[str, Session] = {}

    # --- sessions ---------------------------------------------------------------------------------------------------

    def enter(self, client_id: str, principal: Principal, clean: bool) -> tuple[Session, bool] | None:
        """The session of a client that connects, and whether it was there before; None when there is no room.

        The caller has made sure that an older session belongs to the same owner and has no link any more.
        """
        old = self.sessions.get(client_id)
        if old is not None and clean:
            self._end(old)
            old = None
        if old is not None:
            old.will = None
            old.principal = principal
            self._away.pop(client_id, None)
            for topic_filter in list(old.subscriptions):
                if not self._hub.may_subscribe(principal, split_share(topic_filter)[1]):
                    self.unsubscribe(old, topic_filter)
            return old, True
        limits = self._limits
        owner = self.owner(principal)
        if len(self.sessions) >= limits.sessions or self._owned.get(owner, 0) >= limits.sessions_each:
            return None
        self._owned[owner] = self._owned.get(owner, 0) + 1
        session = self.sessions[client_id] = Session(client_id, principal, self._pool)
        return session, False

    def leave(self, session: Session, link: Link, will: Will | None) -> None:
        """A client's connection is over. `will` is None when it said good-bye."""
        if session.link is not link:
            return
        session.link = None
        now = self._now()
        session.ends = now + session.expiry
        self._away[session.client_id] = session
        if will is not None:
            session.will = will
            session.will_due = now + min(will.properties.will_delay or 0, session.expiry)
        self._look(session, now)

    def sweep(self, now: float) -> None:
        """Sends wills whose delay is over, and ends sessions whose time has come."""
        for session in list(self._away.values()):
            self._look(session, now)

    def expel(self, principal: Principal, reason: int) -> int:
        """Ends the connections and sessions of a principal's owner; how many sessions.

        Their wills are sent if they are still allowed.
        """
        owner = self.owner(principal)
        theirs = [session for session in self.sessions.values() if self.owner(session.principal) == owner]
        for session in theirs:
            session.expiry = 0
            if session.link is not None:
                session.link.close(reason, "Your rights were changed.")
            self._end(session)
        return len(theirs)

    def _look(self, session: Session, now: float) -> None:
        if session.ends is not None and session.ends <= now:
            self._end(session)
        elif session.will is not None and session.will_due <= now:
            self._send_will(session)

    def _end(self, session: Session) -> None:
        self._send_will(session)
        for topic_filter in session.subscriptions:
            self._tree.remove(session, topic_filter)
        session.subscriptions.clear()
        session.clear()
        self._away.pop(session.client_id, None)
        if self.sessions.get(session.client_id) is session:
            del self.sessions[session.client_id]
            owner = self.owner(session.principal)
            self._owned[owner] -= 1
            if not self._owned[owner]:
                del self._owned[owner]

    def _send_will(self, session: Session) -> None:
        will, session.will = session.will, None
        if will is None:
            return
        if not self._hub.may_publish(session.principal, will.topic):
            self._counters.refused += 1
            return
        properties = msgspec.structs.replace(will.properties, will_delay=None)
        self._will(
            Publish(session.principal, session.client_id, will.topic, will.payload, will.qos, will.retain, properties),
            session,
        )

    # --- subscriptions ----------------------------------------------------------------------------------------------

    def subscribe(self, session: Session, topic: Topic, number: int) -> tuple[int, bool]:
        """The granted QoS or the reason why not, and whether retained messages are to follow."""
        limits = self._limits
        text = topic.filter
        group, inner = split_share(text)
        if not valid_filter(text) or len(text) > limits.topic or text.count("/") >= limits.topic_levels:
            return Reason.FILTER_INVALID, False
        if group is not None and topic.no_local:
            raise forbidden("A shared subscription cannot leave out one's own messages (no local).")
        if not self._hub.may_subscribe(session.principal, inner):
            self._counters.refused += 1
            return Reason.NOT_AUTHORIZED, False
        old = session.subscriptions.get(text)
        if old is None and len(session.subscriptions) >= limits.subscriptions:
            return Reason.QUOTA_EXCEEDED, False
        new = Subscription(text, topic.qos, topic.no_local, topic.retain_as_published, number)
        if new != old:
            session.subscriptions[text] = new
            self._tree.add(session, new)
        wanted = topic.retain_handling == 0 or (topic.retain_handling == 1 and old is None)
        return topic.qos, wanted and group is None

    def unsubscribe(self, session: Session, topic_filter: str) -> bool:
        """Takes a subscription away; False when there is none."""
        if session.subscriptions.pop(topic_filter, None) is None:
            return False
        self._tree.remove(session, topic_filter)
        return True

    def send_retained(self, session: Session, topic_filter: str) -> None:
        """Sends what topics under a filter retain to the one who just subscribed."""
        subscription = session.subscriptions.get(topic_filter)
        extra = len(self.retained)
        if subscription is None or not extra or session.waiting > self._limits.queue + extra:
            return
        numbers = (subscription.number,) if subscription.number else ()
        now = self._now()
        for message in self.retained.find(topic_filter):
            if message.expires is not None and message.expires <= now:
                self.retained.keep(Message(message.topic, b"", 0, True))
                continue
            session.deliver(Delivery(message, min(message.qos, subscription.qos), True, numbers), extra)

    # --- messages ---------------------------------------------------------------------------------------------------

    def route(
        self,
        publish: Publish,
        sender: Session | None = None,
        expires: float | None = None,
        taken: Callable[[], None] | None = None,
    ) -> int:
        """Gives a message to all who subscribed to its topic, and retains it if it says so; how many clients get it.

        `expires` is seconds from now; it stands in for the message expiry of version 5. `taken` is called when the
        first of them has acknowledged it.
        """
        match = self._tree.match(publish.topic)
        if not (match.plain or match.shared or publish.retain):
            return 0
        message = self._message(publish, expires)
        message.taken = taken
        if publish.retain and not self.retained.keep(message):
            self._counters.dropped += 1
        count = 0
        for session, subscriptions in match.plain:
            several = subscriptions
            if session is sender:
                several = tuple(one for one in subscriptions if not one.no_local)
            if several:
                session.deliver(_delivery(message, several))
                count += 1
        for shared in match.shared:
            session, subscription = shared.pick(_present)
            session.deliver(_delivery(message, (subscription,)))
            count += 1
        return count

    def _message(self, publish: Publish, expires: float | None) -> Message:
        properties: Properties | None = publish.properties
        if properties is not None:
            if properties.message_expiry is not None:
                expires = properties.message_expiry
            if properties.message_expiry is not None or properties.topic_alias:
                properties = msgspec.structs.replace(properties, message_expiry=None, topic_alias=None)
        end = None if expires is None else self._now() + expires
        return Message(publish.topic, publish.payload, publish.qos, publish.retain, properties, end)


def _present(session: Session) -> bool:
    return session.link is not None


def _delivery(message: Message, several: tuple[Subscription, ...]) -> Delivery:
    if len(several) == 1:
        one = several[0]
        numbers = (one.number,) if one.number else ()
        return Delivery(message, min(message.qos, one.qos), message.retain and one.retain_as_published, numbers)
    return Delivery(
        message,
        min(message.qos, max(one.qos for one in several)),
        message.retain and any(one.retain_as_published for one in several),
        tuple(one.number for one in several if one.number),
    )
