#!/bin/bash
# completion.sh SHARE: the completions installed below SHARE, as bash, zsh and fish ask for them. A shell
# that is not there is skipped.
set -u
share=$(cd "$1" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail() {
	echo "completion: $*"
	exit 1
}
mkdir "$tmp/folder" && : >"$tmp/folder/a file"

# bash makes three words of --option=value.
cat >"$tmp/bash" <<'END'
source "$1"
check() {
	local want=$1
	shift
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_dlwatch
	[[ " ${COMPREPLY[*]} " == $want ]] || { echo "completion of '$*': ${COMPREPLY[*]}"; exit 1; }
}
cd "$2" || exit
check ' report ' dlwatch rep
check '* run *attach*--version *' dlwatch ''
check ' --on_deadlock= ' dlwatch run --on
check ' abort ' dlwatch run --on_deadlock = ab
check ' stderr ' dlwatch run --log = std
check ' a file ' dlwatch run --log = a
check '  ' dlwatch run --stall_after = a
check ' sarif: ' dlwatch run --output = sar
check ' sarif ' dlwatch report --format = sar
check '  ' dlwatch core --format = sar
check ' unused-suppressions ' dlwatch report --show = un
check ' --stop-all ' dlwatch attach --sto
check ' a file ' dlwatch report 'a f'
check ' a file ' dlwatch report --baseline = a
check ' a file ' dlwatch run --output = sarif : a
check ' json ' dlwatch diff --format = js
check ' a file ' dlwatch run -- cat a
check '  ' dlwatch run ./program --on
check "* $$ *" dlwatch attach "$$"
check "* $(cat /proc/$$/comm) *" dlwatch attach ""
END
bash --norc "$tmp/bash" "$share/bash-completion/completions/dlwatch" "$tmp/folder" || fail bash

# fish prints what it would offer: a word and its description a line.
fish_offers() { # fish_offers LINE WORD
	fish --no-config -c "source '$share/fish/vendor_completions.d/dlwatch.fish'; cd '$tmp/folder'; complete -C '$1'" >"$tmp/out" 2>&1
	cut -f 1 "$tmp/out" | grep -qxF -e "$2" || fail "fish: '$1' has no '$2': $(head -n 5 "$tmp/out")"
}
if command -v fish >/dev/null; then
	fish_offers 'dlwatch rep' report
	fish_offers 'dlwatch run --on' --on_deadlock
	fish_offers 'dlwatch run --on_deadlock=ab' --on_deadlock=abort
	fish_offers 'dlwatch report --format=sar' --format=sarif
	fish_offers 'dlwatch report --show=un' --show=unused-suppressions
	fish_offers 'dlwatch attach --sto' --stop-all
	fish_offers 'dlwatch report a' 'a file'
	fish_offers 'dlwatch run -- cat a' 'a file'
	! fish --no-config -c "source '$share/fish/vendor_completions.d/dlwatch.fish'; complete -C 'dlwatch core --format=sar'" | grep -q sarif ||
		fail "fish: core has no sarif"
else
	echo "completion: no fish, skipped"
fi

# zsh completes on a terminal only: one is made, and what stands on the line after a tab is asked for.
cat >"$tmp/zsh" <<'END'
zmodload zsh/zpty || exit 77
zpty shell "zsh -f -i" || exit 77
zpty -w shell "cd $2; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; PS1=; unsetopt zle_bracketed_paste; line() { print -r -- \"=\$BUFFER=\"; BUFFER=; }; zle -N line; bindkey '^X' line; print rea''dy"
zpty -r -m shell said '*ready*' || exit 1
check() { # check LINE WANTED
	zpty -n -w shell "$1"$'\t\x18'
	zpty -r -m shell said "*=$2=*" || { print "completion of '$1' is not '$2': $said"; exit 1; }
}
check 'dlwatch rep' 'dlwatch report '
check 'dlwatch run --on_d' 'dlwatch run --on_deadlock='
check 'dlwatch run --on_deadlock=ab' 'dlwatch run --on_deadlock=abort '
check 'dlwatch report --format=sar' 'dlwatch report --format=sarif '
check 'dlwatch run --output=sar' 'dlwatch run --output=sarif:'
check 'dlwatch attach --sto' 'dlwatch attach --stop-all '
check 'dlwatch report a' 'dlwatch report a\\ file '
check 'dlwatch run cat a' 'dlwatch run cat a\\ file '
zpty -d shell
END
if command -v zsh >/dev/null; then
	zsh -n "$share/zsh/site-functions/_dlwatch" || fail zsh
	TERM=vt100 timeout 60 zsh -f "$tmp/zsh" "$share/zsh/site-functions" "$tmp/folder"
	case $? in
	0) ;;
	77) echo "completion: no terminal to be had for zsh, skipped" ;;
	*) fail zsh ;;
	esac
else
	echo "completion: no zsh, skipped"
fi
echo "completion: as the shells ask for it"
