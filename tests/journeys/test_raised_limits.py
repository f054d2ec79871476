"""Real money: a limit raised in the settings file while the program was off holds after a person's PIN, not before."""

import msgspec

from cli.trade import _show_status
from engine.api.commands import GetStatus, Rearm, Receipt
from engine.model.decision import Book
from engine.risk.settings import RiskSettings
from tests.engine.operations.rig import Rig, spec_in

KEY = "auto.gross_percent"
HIGHER = msgspec.json.decode(RiskSettings().model_dump_json())
HIGHER["auto"]["gross_percent"] = 90.0


async def test_a_limit_raised_in_the_file_is_told_by_banner_strip_and_status_until_the_pin_confirms_it(
    tmp_path, capsys
) -> None:
    first = await Rig.open(spec_in(tmp_path / "p", book=Book.LIVE), auto=False)
    first.engine.parts.trading.pin.set("2468")
    assert first.said("RAISED") is None
    await first.close()
    rig = await Rig.open(spec_in(tmp_path / "p", book=Book.LIVE, risk=RiskSettings.model_validate(HIGHER)), auto=False)
    try:
        limits, handle = rig.engine.parts.trading.limits, rig.engine.parts.handler.handle
        assert limits.active.auto.gross_percent == 80
        assert rig.said("RAISED").severity == "amber"
        status = await handle(GetStatus(by="cli"))
        text = "raised in the settings file from 80 to 90; it waits for your PIN"
        assert status.data["latches"] == [{"code": "RAISED", "scope": KEY, "text": text}]
        _show_status(Receipt(ok=True, data=status.data))
        assert f"  RAISED {KEY}: {text}\n" in capsys.readouterr().out
        asked = Rearm(code="RAISED", scope=KEY, reason="looked at it", by="window")
        assert (await handle(asked)).code == "PIN"
        assert (await handle(msgspec.structs.replace(asked, pin="2468"))).ok
        await rig.run(11)
        assert rig.said("RAISED").cleared
        assert limits.held() == {}
        assert limits.pending()[KEY][0] == "90.0"
    finally:
        await rig.close()
