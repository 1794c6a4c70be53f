#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What attest takes on a large file: bench.sh BUILD POINTS prints a table, and puts it into README.md.
# The file is made by fill (one in BUILD/tests/scale is used again) and asked by the commands themselves.
build=$1 points=$2 runs=5
attest=$build/attest here=$build/tests/scale
file=$here/$points.db told=$here/$points.txt table=$here/$points.md
sessions="SELECT session FROM v_session WHERE command = 'run others' AND blocks > 100 ORDER BY started_at, session"
if [ ! -s "$told" ]; then
    rm -f "$file" "$file"-*
    "$here/fill" "$file" "$points" > "$told.new" && mv "$told.new" "$told" || exit 1
fi
value() { sed -n "s/^$1 //p" "$told"; }
clock() {   # clock NAME COMMAND...
    name=$1
    shift
    set -- $("$here/clock" $runs "$@" --db "$file") || exit 1
    echo "| $name | $1 ms | $2 ms |"
}
stored=$(value points)
{
    awk -v cpu="$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" -v cores="$(nproc)" \
        -v date="$(date -u +%Y-%m-%d)" -v load="$(cut -d ' ' -f 1 /proc/loadavg)" -v points="$stored" \
        -v bytes="$(wc -c < "$file")" -v samples="$(value samples)" -v store="$(value store_s)" \
        -v derive="$(value derive_s)" 'BEGIN {
        printf "On %s, %d cores, %s, under a load of %s: a file of %d points, %.0f bytes a point. ",
               cpu, cores, date, load, points, bytes / points
        printf "Into it, %.0f samples are stored in a second of processor time; with everything that is ", samples / store
        printf "derived from them, %.0f.\n\n", samples / (store + derive) }'
    echo "| command | least time of $runs | processor time |"
    echo "|---|---:|---:|"
    for preset in fastest crossover accuracy limits failures history claims; do
        clock "\`query --preset $preset\`" "$attest" query --preset $preset
    done
    clock "\`claims flashattention\`" "$attest" claims flashattention
    clock "\`list machines\`" "$attest" list machines
    set -- $("$attest" query --db "$file" --format csv "$sessions" | tail -n 2)
    clock "\`compare\` of two sessions" "$attest" compare "$1" "$2"
    clock "\`figures flashattention\`" "$attest" figures flashattention --into "$here/figures"
} > "$table" || exit 1
cat "$table"
awk -v table="$table" '
    /<!-- \/scale -->/ { skip = 0 }
    !skip { print }
    /<!-- scale:/ { skip = 1; while ((getline line < table) > 0) print line }
' README.md > README.md.new && mv README.md.new README.md
