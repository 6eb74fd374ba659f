#!/usr/bin/env bash
# Builds everything and runs the tests: ./test.sh [fast] [FILTER]...
# fast leaves out [Trait("Speed", "Slow")]. Of several FILTERs one has to fit: each is a part of a test's full name, or an expression of dotnet test (Name~Kill).
# The last line is "N passed, N failed, N skipped"; the exit code is 0 only when nothing failed and something ran.
set -uo pipefail
root=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cd "$root"
export PATH=$PATH:/usr/sbin:/sbin DOTNET_CLI_TELEMETRY_OPTOUT=1

speed= names=
for word in "$@"; do
  case $word in
    fast) speed='Speed!=Slow' ;;
    *[=~]*) names="${names:+$names|}($word)" ;;
    *) names="${names:+$names|}FullyQualifiedName~$word" ;;
  esac
done
filter=$speed${speed:+${names:+&}}${names:+($names)}

# All that the tests make lies in one folder and carries one mark, so that nothing stays behind.
TMPDIR=$(mktemp -d /tmp/wmt.XXXXXX)
export TMPDIR
results=$root/artifacts/TestResults
cleanup() {
  scripts/clean-up-tests.sh "$TMPDIR"
  rm -rf "$TMPDIR"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

scripts/install.sh test || exit 1
echo "Building ..."
if ! scripts/build.sh WebManager.sln; then
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi

rm -rf "$results"
export WM_TEST_RUN=$TMPDIR
# Two at a time; the end-to-end tests wait until they are alone (tests/TestTurn.cs).
dotnet test WebManager.sln --no-build -c Release -m:2 --nologo -v minimal --results-directory "$results" --logger "console;verbosity=minimal" \
  --logger "trx;LogFilePrefix=run" --blame-hang-timeout 10m --blame-hang-dump-type none ${filter:+--filter "$filter"} 2>&1 |
  grep -vE '^(Test run for|A total of|No test matches|Starting test execution|VSTest version|Results File:|Data collector |Attachments:|  /.*Sequence.*xml)|^\s*$'
code=${PIPESTATUS[0]}

count() { local n=0 i; for i in $(grep -hoE '<Counters [^>]*' "$results"/*.trx 2>/dev/null | grep -oE " $1=\"[0-9]+" | grep -oE '[0-9]+$'); do n=$((n + i)); done; echo $n; }
passed=$(count passed) failed=$(($(count failed) + $(count error) + $(count timeout) + $(count aborted))) total=$(count total)
skipped=$((total - passed - failed))
if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then
  echo "A test process ended without telling its results."
  failed=1
fi
[ "$passed" -gt 0 ] || { echo "No test ran."; [ "$failed" -gt 0 ] || code=1; }
# Said again where a long output is read first.
if [ "$failed" -gt 0 ]; then
  awk 'BEGIN { RS = "<UnitTestResult " } substr($0, 1, index($0, ">")) ~ / outcome="(Failed|Error|Timeout|Aborted)"/ {
    match($0, /testName="[^"]*"/); name = substr($0, RSTART + 10, RLENGTH - 11)
    said = ""; if (match($0, /<Message>[^<]*/)) { said = substr($0, RSTART + 9, RLENGTH - 9); gsub(/[ \t\r\n]+/, " ", said) }
    print "FAILED " name ": " substr(said, 1, 400) }' "$results"/*.trx 2>/dev/null
fi
trap - EXIT
cleanup
echo "$passed passed, $failed failed, $skipped skipped"
[ "$code" -eq 0 ] && [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
