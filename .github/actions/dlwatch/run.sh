#!/bin/bash
# The command under `dlwatch run`: annotations on the log, a summary on the run's page, a SARIF file.
set -u
document=${RUNNER_TEMP:-/tmp}/dlwatch.$$.json
# shellcheck disable=SC2086 # words
dlwatch run --report="$DLWATCH_RUN_JOURNALS/%e.%p.jsonl" --output="sarif:$DLWATCH_RUN_SARIF" --output=github:- \
	--output="json:$document" ${DLWATCH_RUN_OPTIONS:-} -- bash -e -o pipefail -c "$DLWATCH_RUN_COMMAND"
status=$?
if [ -s "$document" ]; then
	echo "errors=$(jq .summary.errors "$document")" >>"${GITHUB_OUTPUT:-/dev/null}"
	{
		echo "### dlwatch"
		jq -r 'if .findings == [] then "Nothing found." else
			"| severity | kind | |\n|---|---|---|", (.findings[] | "| \(.severity) | `\(.kind)` | \(.message | gsub("[|`<>]"; " ")) |") end' "$document"
	} >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
	rm -f "$document"
fi
exit $status
