#!/bin/sh
# launcher.sh [--remove]: puts Market Agent into the desktop's menu of programs, for this user alone, or takes it out.
# The entry starts the program where it stands now: move the folder, and run this again.
set -eu
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$*"; }
case "$(uname -s)" in
    Linux | *BSD) ;;
    *) say "Only desktops that read .desktop files (Linux, BSD) have such a menu; start with: python main.py"; exit 1 ;;
esac
menu=${XDG_DATA_HOME:-$HOME/.local/share}/applications
entry=$menu/market-agent.desktop
case "${1:-}" in
    "") ;;
    --remove) rm -f "$entry"; say "Market Agent is no longer in the menu."; exit 0 ;;
    *) say "usage: scripts/launcher.sh [--remove]"; exit 2 ;;
esac
sh scripts/setup.sh app
sh scripts/system_libs.sh window
# An argument of Exec stands in quotes, where four characters need a backslash; the file then wants each of those twice,
# and a percent sign doubled (Desktop Entry Specification 1.5, "The Exec key").
quoted() { printf '"%s"' "$(printf '%s' "$1" | sed -e 's/[\\"`$]/\\\\&/g' -e 's/\\\\\\/\\\\\\\\/g' -e 's/%/%%/g')"; }
# Values of other keys only escape their backslashes.
plain() { printf '%s' "$1" | sed -e 's/\\/\\\\/g'; }
mkdir -p "$menu"
cat >"$entry.new" <<DESKTOP
[Desktop Entry]
Type=Application
Version=1.5
Name=Market Agent
GenericName=Trading terminal
GenericName[ru]=Торговый терминал
Comment=Charts, orders and an agent of its own; paper money until you say otherwise
Comment[ru]=Графики, заявки и собственный агент; учебные деньги, пока вы не решите иначе
Exec=$(quoted "$PWD/.venv/bin/python") $(quoted "$PWD/main.py")
Path=$(plain "$PWD")
Icon=$(plain "$PWD/resources/icons/market-agent.svg")
Terminal=false
Categories=Office;Finance;
StartupWMClass=market-agent
DESKTOP
mv "$entry.new" "$entry"
say "Market Agent is in the menu of programs now. make app ARGS=--remove takes it out."
