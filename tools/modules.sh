#!/bin/sh
# Puts what the browser tests run in Node.js into a folder, for MUSTER_BROWSER_MODULES:
#
#	tools/modules.sh DIR
set -eu
cd "$(dirname "$0")/../test/browser"
cp package.json package-lock.json .npmrc "$1"
npm ci --ignore-scripts --prefix "$1"
