#!/bin/sh
# Runs every fuzz target of the module, each for the time given:
#
#	tools/fuzz.sh 10s
#
# All targets run, whatever one of them finds.
set -eu
time=${1:?how long each target runs, such as 10s}
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# What is found interesting is made smaller in ten tries: without a limit Go takes a
# minute for each, and a target with large inputs tries nothing else.
minimize=10x

# Go before 1.27 now and then ends a run with "context deadline exceeded" at the
# moment when its time is over, without an input that failed (golang/go#75804).
# Nothing was found then, and nothing else looks like it: once more.
fuzz() {
	for attempt in 1 2 3; do
		if go test -run '^$' -fuzz "^$1\$" -fuzztime "$time" -fuzzminimizetime "$minimize" "$2" >"$log" 2>&1; then
			tail -n 1 "$log"
			if grep 'starting with empty corpus' "$log"; then return 1; fi
			return 0
		fi
		if ! grep -q '^ *context deadline exceeded$' "$log" || grep -q 'Failing input\|panic' "$log"; then
			break
		fi
		echo "   stopped by Go's own clock in attempt $attempt, nothing found"
	done
	cat "$log"
	return 1
}

found=0
failed=""
for file in $(find . -name '*_test.go' ! -path './tools/*' | sort); do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		found=$((found + 1))
		echo "== $target in $(dirname "$file")"
		fuzz "$target" "$(dirname "$file")" || failed="$failed $target"
	done
done
echo "$found fuzz targets, $time each"
if [ "$found" -eq 0 ] || [ -n "$failed" ]; then
	echo "failed:${failed:- there is no fuzz target}"
	exit 1
fi
