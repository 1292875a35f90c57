#!/usr/bin/env bash
# completion.sh ILK - what bash completes by `ilk completion bash`, and that zsh can read its own.
. "$(dirname "$0")/lib.sh"

# completes WORD... WANTED: after those words, the last of them not finished, WANTED is offered.
completes()
{
	local wanted=${*: -1}

	COMP_WORDS=(ilk "${@:1:$#-1}")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMPREPLY=()
	_ilk
	[[ " ${COMPREPLY[*]} " == *" $wanted "* ]] ||
		fail "after '${COMP_WORDS[*]}' it offers '${COMPREPLY[*]}', not $wanted"
}

expect 0 completion bash
eval "$out"
# Every command, and every option that the help of each tells of.
for command in $("$ilk" help | sed -n 's/^  \([a-z-]*\) .*/\1/p') 'race run' 'race list'; do
	completes ${command% *} "${command%% *}"
	for option in $("$ilk" $command --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
		completes $command "${option:0:4}" "$option"
	done
done
expect 0 create "$prefix.there"
completes show "${prefix:0:3}" "$prefix.there"
completes lock '' "$prefix.there"
completes gc '' "$prefix.there"
completes show "/dev/shm/ilk.${prefix:0:3}" "/dev/shm/ilk.$prefix.there"
completes sem '' "$prefix.there"
completes sem there items po post
completes barrier there b '' reset
completes race run '' lost-update
completes race l list
completes completion z zsh
completes help cr create

expect 0 completion zsh
says "#compdef ilk"
if command -v zsh >/dev/null; then
	zsh -n "$scratch/out" || fail "zsh cannot read it"
fi
refuses completion
refuses completion fish
says_err "bash or zsh"

finish
