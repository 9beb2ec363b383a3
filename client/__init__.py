"""heed-client: ask a Heed server from Python, now or with asyncio, and look at the maps; of ours it imports nothing.

Knows nothing of models or engines; httpx is all it needs. Here the package is `client`; installed it is `heed_client`.
"""

from .clients import AsyncHeed, AsyncStream, Heed, Stream
from .errors import Broken, HeedError, Refused, Unavailable, Unreachable, Where
from .events import Done, Event, HypothesisEvent, Start, Token, TokenEvent
from .maps import Alignment, AttentionMap, GridKeys, Item, TextKeys
from .results import Answer, Candidate, Card, Comparison, Detected, Guess, Health, Result, Translation
from .retry import Retry

__version__ = "0.1.0"
__all__ = [
    "Alignment", "Answer", "AsyncHeed", "AsyncStream", "AttentionMap", "Broken", "Candidate", "Card", "Comparison",
    "Detected", "Done", "Event", "GridKeys", "Guess", "Health", "Heed", "HeedError", "HypothesisEvent", "Item",
    "Refused", "Result", "Retry", "Start", "Stream", "TextKeys", "Token", "TokenEvent", "Translation", "Unavailable",
    "Unreachable", "Where",
]  # fmt: skip
