"""Every limit on the panel can be changed by its key."""

from engine.risk.limits import flat
from engine.risk.settings import RiskSettings
from engine.risk.uses import _KEYS


def test_every_key_of_the_panel_is_a_limit():
    assert set(_KEYS.values()) - set(flat(RiskSettings())) == set()
