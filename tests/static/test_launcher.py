"""The entry in the desktop's menu: whatever the folder is called, it starts this program."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "launcher.sh"
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only such desktops have .desktop files")


def arguments(line: str) -> list[str]:
    """Read an Exec line as the Desktop Entry Specification says: string escapes first, then quotes."""
    text = line.replace("\\\\", "\\")
    found = re.findall(r'"((?:[^"\\]|\\.)*)"', text)
    return [re.sub(r"\\(.)", r"\1", part).replace("%%", "%") for part in found]


@pytest.mark.parametrize("name", ["plain", "two words", 'odd $HOME `x` "q" 5% \\ end'])
def test_the_entry_names_this_folder_and_goes_when_asked(tmp_path, name):
    folder = tmp_path / name
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(SCRIPT, folder / "scripts")
    for other in ("setup.sh", "system_libs.sh"):
        (folder / "scripts" / other).write_text("exit 0\n")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    command = ["sh", str(folder / "scripts" / "launcher.sh")]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    entry = tmp_path / "data" / "applications" / "market-agent.desktop"
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(entry, encoding="utf-8")
    found = parser["Desktop Entry"]
    assert arguments(found["Exec"]) == [str(folder / ".venv/bin/python"), str(folder / "main.py")]
    assert found["Icon"].replace("\\\\", "\\") == str(folder / "resources/icons/market-agent.svg")
    assert found["StartupWMClass"] == "market-agent"
    subprocess.run([*command, "--remove"], check=True, env=environment, capture_output=True)
    assert not entry.exists()


def test_the_sign_of_the_entry_is_there():
    assert (ROOT / "resources" / "icons" / "market-agent.svg").read_text(encoding="utf-8").startswith("<svg")
