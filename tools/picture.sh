#!/bin/sh
# Writes a screenshot of the first screen of the picture that the demonstration
# serves:
#
#	tools/picture.sh docs/picture.png
#
# It needs bin/muster and Debian's Chromium. The years are invented, and end with
# the current one.
set -eu
out=${1:?the file to write, such as docs/picture.png}
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
bin/muster demo --in-process --listen 127.0.0.1:0 >"$scratch/address" &
demo=$!
trap 'kill "$demo" 2>/dev/null; rm -rf "$scratch"' EXIT
for _ in $(seq 300); do
	[ -s "$scratch/address" ] && break
	kill -0 "$demo" # it has not ended
	sleep 1
done
chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
	--disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$scratch/chromium" \
	--window-size=1440,900 --screenshot="$out" "$(cat "$scratch/address")" 2>"$scratch/log" ||
	{ cat "$scratch/log" >&2; exit 1; }
echo "$out: $(wc -c <"$out") bytes"
