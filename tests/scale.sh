#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Views that look rows up must say what grouping and joining everything says (scale/naive.sql), on a file
# of ten thousand points. Nothing is timed.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export ATTEST_DB="$folder/scale.db"
"$BUILD/tests/scale/fill" "$ATTEST_DB" 10000 > "$folder/told" || exit 1
ask() { "$ATTEST" query --format csv "$1" | tail -n 1; }
failed=0
for view in $(sed -n 's/^-- view //p' tests/scale/naive.sql); do
    naive=$(awk -v view="$view" '/^-- view /{ on = $3 == view; next } on' tests/scale/naive.sql | sed 's/;$//')
    lost=$(ask "SELECT count(*) FROM (SELECT * FROM ($naive) EXCEPT SELECT * FROM $view)")
    new=$(ask "SELECT count(*) FROM (SELECT * FROM $view EXCEPT SELECT * FROM ($naive))")
    rows=$(ask "SELECT (SELECT count(*) FROM $view) - (SELECT count(*) FROM ($naive))")
    [ "$lost $new $rows" = "0 0 0" ] ||
        { echo "$view: $lost rows too few, $new that should not be, $rows more than the naive query's"; failed=1; }
    n=$(ask "SELECT count(*) FROM $view")
    [ "$n" -gt 0 ] || { echo "$view: no rows"; failed=1; }
done
exit $failed
