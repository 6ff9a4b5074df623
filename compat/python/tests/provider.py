"""The fake provider seen from a test: how a model shall behave, and what it received.

Not for calls through the gateway; those are made with the client under test.
"""

import json
import time
from dataclasses import dataclass
from urllib.parse import quote

import httpx


@dataclass(frozen=True)
class Received:
    """One request as the provider got it. `ending` is `open`, `complete` or `client_gone`."""

    path: str
    query: str
    headers: dict[str, str]
    body: str
    ending: str

    @property
    def json(self):
        return json.loads(self.body)


class Provider:
    def __init__(self, url: str):
        self._http = httpx.Client(base_url=url, trust_env=False)

    def script(self, model: str, **fields) -> None:
        """Sets how `model` (the upstream's name) answers; a misspelt field raises."""
        self._http.put(f"/_fake/scripts/{quote(model, safe='')}", json=fields).raise_for_status()

    def received(self, model: str) -> list[Received]:
        reply = self._http.get("/_fake/requests", params={"model": model}).raise_for_status()
        return [
            Received(row["path"], row["query"], dict(row["headers"]), row["body"], row["ending"])
            for row in reply.json()
        ]

    def last(self, model: str) -> Received:
        received = self.received(model)
        assert received, f"nothing reached the upstream for {model}"
        return received[-1]

    def await_ending(self, model: str, ending: str, seconds: float) -> None:
        """Waits until the last exchange of `model` ended like that; fails after `seconds`."""
        deadline = time.monotonic() + seconds
        while (seen := self.last(model).ending) != ending:
            assert time.monotonic() < deadline, f"the upstream still sees `{seen}` after {seconds} s"
            time.sleep(0.02)
