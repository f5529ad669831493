/**
 * What each shell needs to complete `overland`. The answers come from the program itself (`__complete`), so a script
 * fits every version of it.
 */
export const SHELL_SCRIPTS = {
  // COMP_WORDBREAKS cuts words at `=` and `:`; what stands before the last of them is not ours to repeat.
  bash: `# bash completion for overland
_overland() {
  local word line current kept
  local -a words=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if ((\${#words[@]} > 0)) && [[ $word == [=:]* || \${words[-1]} == *[=:] ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
  done
  current=\${words[-1]-}
  kept=\${current%"\${current##*[=:]}"}
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default 2>/dev/null
      return
    fi
    word=\${line%%$'\\t'*}
    COMPREPLY+=("\${word#"$kept"}")
  done < <("\${COMP_WORDS[0]}" __complete -- "\${words[@]}" 2>/dev/null)
}
complete -F _overland overland
`,
  zsh: `#compdef overland
_overland() {
  local line word
  local -a candidates
  for line in "\${(@f)$("\${(Q)words[1]}" __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -z $line ]] && continue
    if [[ $line == :files ]]; then
      _files
      return
    fi
    word=\${line%%$'\\t'*}
    candidates+=("\${word//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe 'overland' candidates
}
if [[ \${funcstack[1]} == _overland ]]; then
  _overland "$@"
else
  compdef _overland overland
fi
`,
  fish: `# fish completion for overland
function __overland_complete
  set -l words (commandline --tokenize --cut-at-cursor --current-process)
  set -l program $words[1]
  set -e words[1]
  for line in ($program __complete -- $words (commandline --current-token --cut-at-cursor) 2>/dev/null)
    if test "$line" = ":files"
      __fish_complete_path (commandline --current-token --cut-at-cursor)
    else
      echo $line
    end
  end
end
complete --command overland --no-files --arguments '(__overland_complete)'
`,
} as const;

export const SHELLS = Object.keys(SHELL_SCRIPTS) as readonly (keyof typeof SHELL_SCRIPTS)[];
