#!/bin/sh
# The demonstration behind ./dev demo: an inventory of a real directory tree that is killed in the middle, reopened,
# finished, and run again on a changed copy. Exits non-zero as soon as anything acknowledged is missing.
# usage: demo.sh <folder of the built programs> [directory]
set -eu

programs=$1
tree=${2:-/usr/include}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM
store=$scratch/store

now_ms() { echo $(($(date +%s%N) / 1000000)); }
started=$(now_ms)
step() { started=$(now_ms); printf '\n== %s\n' "$1"; }
took() { printf '   (%d ms)\n' $(($(now_ms) - started)); }
fail() { printf 'demo: %s\n' "$1" >&2; exit 1; }

files=$(find "$tree" -type f | wc -l)
[ "$files" -ge 1000 ] || fail "$tree holds $files files; the demonstration wants a thousand at least"

step "inventory of $tree ($files files), killed with SIGKILL in the middle"
"$programs/inventory" --verbose "$tree" "$store" >"$scratch/out" 2>"$scratch/progress" &
process=$!
while [ "$(grep -c '^committed' "$scratch/progress" || true)" -lt $((files / 2)) ]; do
  kill -0 $process 2>/dev/null || fail "the program ended before it could be killed: $(tail -n 1 "$scratch/progress")"
done
kill -KILL $process
wait $process 2>/dev/null && fail "the program was not killed"
# The last line may have been cut short by the kill; a line without its end acknowledges nothing.
sed -n 's/^committed\t\(.*\)\tok$/\1/p' "$scratch/progress" | sort >"$scratch/acknowledged"
printf '   %d files were acknowledged before the kill\n' "$(wc -l <"$scratch/acknowledged")"
took

step "reopen: every acknowledged file is there, no commit is half there"
"$programs/inventory_report" --check "$store"
"$programs/inventory_report" --list "$store" | cut -f 3 | sort >"$scratch/recorded"
missing=$(comm -23 "$scratch/acknowledged" "$scratch/recorded" | wc -l)
[ "$missing" -eq 0 ] || fail "$missing acknowledged files are missing"
printf '   %d files recorded, 0 of %d acknowledged ones missing\n' \
  "$(wc -l <"$scratch/recorded")" "$(wc -l <"$scratch/acknowledged")"
took

step "finish the interrupted run"
"$programs/inventory" "$tree" "$store" >"$scratch/out"
recorded=$("$programs/inventory_report" --list "$store" | wc -l)
[ "$recorded" -eq "$files" ] || fail "$files files in $tree, $recorded in the store"
printf '   %d files recorded\n' "$recorded"
took

step "change a copy: one file added, one changed, one removed; run again"
cp -a "$tree" "$scratch/copy"
changed=$(sed -n 1p "$scratch/recorded")
removed=$(sed -n 2p "$scratch/recorded")
printf '// changed\n' >>"$scratch/copy/$changed"
rm "$scratch/copy/$removed"
printf 'int added();\n' >"$scratch/copy/added_by_the_demo.h"
"$programs/inventory" "$scratch/copy" "$store" | tee "$scratch/changes"
{
  printf 'added\tadded_by_the_demo.h\n'
  printf 'changed\t%s\n' "$changed"
  printf 'removed\t%s\n' "$removed"
} | sort >"$scratch/expected"
sort "$scratch/changes" | cmp -s - "$scratch/expected" || fail "the changes reported are not the changes made"
took

step "the three tiers read back"
"$programs/inventory_report" "$store"
"$programs/inventory_report" --check "$store"
took
printf '\ndemo: everything acknowledged is there\n'
