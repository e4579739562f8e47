#!/bin/sh
# Writes a screenshot of the first screen of the picture of an invented coalition:
#
#	tools/picture.sh docs/picture.png
#
# The storybook serves it on loopback; Debian's Chromium looks at it.
set -eu
out=${1:?the file to write, such as docs/picture.png}
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
go build -o "$scratch/storybook" ./test/browser/storybook
"$scratch/storybook" >"$scratch/address" &
server=$!
trap 'kill "$server" 2>/dev/null; rm -rf "$scratch"' EXIT
for _ in $(seq 100); do
	[ -s "$scratch/address" ] && break
	sleep 0.1
done
address=$(cat "$scratch/address")
chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
	--disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$scratch/chromium" \
	--window-size=1440,900 --screenshot="$out" "${address}three-cycles/en/allies/2026/" 2>"$scratch/log" ||
	{ cat "$scratch/log" >&2; exit 1; }
echo "$out: $(wc -c <"$out") bytes"
