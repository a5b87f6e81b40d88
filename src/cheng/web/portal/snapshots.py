"""Photos of a report: checked, kept when the form comes back, and what their cameras noted about the place.

Who has no account is known by the secret of the form: a photo that is here already carries a seal made with it, so
that nobody attaches what somebody else has sent.
"""

import hashlib
import hmac
from dataclasses import dataclass, field

from cheng.infrastructure.photos import as_proof
from cheng.standards.problems import Refused
from cheng.web.guards import wanted
from cheng.web.pages import Ask, Form

MOST = 5
FIELDS = ("photos", "camera")
"""Chosen from what the phone has, or taken just now."""
Place = tuple[float, float]


@dataclass
class Snapshots:
    """The photos of a form: what was sent now, and what is here from an earlier try."""

    shas: list[str] = field(default_factory=list)
    pieces: list[dict[str, str]] = field(default_factory=list)
    """the same as evidence, with where and when each was taken"""
    kept: list[str] = field(default_factory=list)
    """sha256.seal of each, for the form that comes back"""
    place: Place | None = None
    """longitude and latitude that the first camera noted which knew where it was"""

    def add(self, ask: Ask, sha256: str, content: bytes) -> None:
        if sha256 in self.shas:
            return
        self.shas.append(sha256)
        self.kept.append(f"{sha256}.{seal(ask, sha256)}")
        piece = as_proof("photo", sha256, content, ask.local.zone, ask.local.when(ask.now))
        self.pieces.append(piece)
        if self.place is None and piece.get("place"):
            longitude, latitude = map(float, piece["place"].split(","))
            self.place = longitude, latitude


def collect(ask: Ask, form: Form, most: int = MOST) -> Snapshots:
    """The photos of the form, on the disk; a sentence beside the field for each that is none."""
    found = kept_before(ask, form)
    for name in FIELDS:
        for filename, content in form.files(name, most=most):
            try:
                ask.request.app.state.limits.count("photo", ask.address, ask.now)
                blob = ask.hub.blobs.keep(content, filename, photo=True)
            except Refused as refused:
                form.wrong("photos", refused.message, **refused.values)
                continue
            found.add(ask, blob.sha256, content)
        if name in form.errors:
            form.errors.setdefault("photos", form.errors.pop(name))
    if len(found.shas) > most:
        form.wrong("photos", "Please send at most {most} files.", most=most)
        del found.shas[most:], found.kept[most:], found.pieces[most:]
    return found


def kept_before(ask: Ask, form: Form) -> Snapshots:
    """Those of this browser that are here from an earlier try; what has no seal of ours is passed over."""
    found = Snapshots()
    for word in [str(value) for value in ask.form.getall("kept", [])][:MOST]:
        sha256, _, told = word.partition(".")
        if not hmac.compare_digest(told.encode(), seal(ask, sha256).encode()):
            continue
        try:
            found.add(ask, sha256, ask.hub.blobs.read(sha256))
        except Refused as refused:
            form.wrong("photos", refused.message, **refused.values)
    return found


def seal(ask: Ask, sha256: str) -> str:
    """What only we can say of a photo to this browser."""
    secret = wanted(ask.request) or ""
    return hmac.new(secret.encode(), f"photo {sha256}".encode(), hashlib.sha256).hexdigest()[:40]
