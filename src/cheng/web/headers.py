"""Headers every answer carries: what a browser may load and run, and who may put us into a frame (nobody)."""

from collections.abc import Iterable, Mapping
from typing import Any

from cheng.infrastructure.settings import Settings

CONTENT = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
POLICY = "; ".join(f"{key} {value}" for key, value in CONTENT.items())
ALWAYS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=(), browsing-topics=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
HTTPS_ONLY = "max-age=31536000; includeSubDomains"
Headers = list[tuple[bytes, bytes]]


ENCODED = [(key.encode(), value.encode()) for key, value in ALWAYS.items()]


def secure(headers: Iterable[tuple[bytes, bytes]], settings: Settings, scope: Mapping[str, Any]) -> Headers:
    """`headers` with ours added; one that a page set itself (a stricter policy for a file) stays."""
    kept = list(headers)
    there = {name.lower() for name, _ in kept}
    kept += [pair for pair in ENCODED if pair[0] not in there]
    if settings.secure_cookies or scope.get("scheme") == "https":
        kept.append((b"strict-transport-security", HTTPS_ONLY.encode()))
    return kept
