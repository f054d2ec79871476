"""Names of things. Each is a plain string with a type of its own."""

from typing import NewType

Symbol = NewType("Symbol", str)
AccountId = NewType("AccountId", str)
SuggestionId = NewType("SuggestionId", str)
DecisionId = NewType("DecisionId", str)
SourceId = NewType("SourceId", str)
OrderRef = NewType("OrderRef", str)
"""Our durable name of an order: chosen once per intent, never per attempt (reliability.md §5.1)."""
IntentId = NewType("IntentId", str)
"""One press of a key or click of a button, from the surface to the broker; repeats carry the same one."""
ExecId = NewType("ExecId", str)
