"""The error tree. Each class names its consequence; refusals are values with codes, never exceptions.

MarketAgentError
├── SettingsError        the program does not start: fix the named line
├── UserError            shown to the person as it is; nothing else happens
├── ProviderError        one data source is down; it is retried, the rest goes on
│   └── ProviderRefused  the source said no (key, plan, argument); not retried until settings change
├── BrokerError          the broker link is down or refused; in-flight orders become UNKNOWN
├── JournalError         an order could not be made durable: it is not sent
├── IntegrityError       what we hold contradicts itself: trading halts
└── DeciderFailed        a decider's handler raised: trading halts first, then this is reported
"""


class MarketAgentError(Exception):
    """Root of all errors of this program."""


class SettingsError(MarketAgentError):
    """The program does not start; the message names file, key and line."""


class UserError(MarketAgentError):
    """Shown to the person as it is."""


class ProviderError(MarketAgentError):
    """A data source is down; it is retried with back-off."""


class ProviderRefused(ProviderError):
    """The source said no; it is not asked again until settings change."""


class BrokerError(MarketAgentError):
    """The broker link is down or refused."""


class JournalError(MarketAgentError):
    """Nothing was made durable, so nothing is sent."""


class IntegrityError(MarketAgentError):
    """State contradicts itself; trading halts."""


class DeciderFailed(MarketAgentError):
    """A handler of risk, approval, execution or portfolio raised; trading has been halted."""
