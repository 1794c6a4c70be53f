#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A site of a few rows of our own (or of the database that is named: site.sh DATABASE), looked at by
# Chromium. PICTURES=FOLDER keeps what it saw. Where Debian's chromium-driver or python3-selenium is
# not installed, that is said and nothing is tested.
: "${ATTEST:=build/attest}"
for program in chromium chromedriver; do
    command -v $program >/dev/null && continue
    echo "skipped: there is no $program (apt-get install chromium-driver python3-selenium)"
    exit 0
done
if ! /usr/bin/python3 -c 'import selenium' 2>/dev/null; then
    echo "skipped: Python knows no selenium (apt-get install chromium-driver python3-selenium)"
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if [ "$1" ]; then
    cp "$1" "$folder/a.db" || exit
else
    for experiment in memory count causal; do
        "$ATTEST" run experiments/flashattention/$experiment.yaml --profile smoke --quiet \
            --db "$folder/a.db" >/dev/null || exit
    done
    "$ATTEST" doctor --budget 300ms --db "$folder/a.db" >/dev/null || exit
fi
"$ATTEST" site --db "$folder/a.db" --into "$folder/site" >/dev/null || exit
/usr/bin/python3 tests/site/browser.py "$folder/site" ${PICTURES:+"$PICTURES"}
