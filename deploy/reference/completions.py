"""Completion for bash, zsh and fish. Each script finds the subcommand that is being written, as a path such
as /status, and offers what belongs there."""


def identifier(program):
    return program.replace("-", "_")


def place(command):
    """`/status` for `qdt-server status`, empty for the program itself."""
    return "".join("/" + name for name in command.path[1:])


def quoted(text):
    """A word for each of the shells."""
    return "'" + text.replace("'", "'\\''") + "'"


def fish_quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def option_names(command, takes=lambda option: True):
    return [name for option in command.options if takes(option) for name in option.names]


def values_of(program, kind):
    """Every option of the program, on any level, after which a file or a TUN device follows, or another value."""
    takes = {"file": lambda option: option.takes_file,
             "device": lambda option: "--tun" in option.names,
             "other": lambda option: option.value and not option.takes_file and "--tun" not in option.names}[kind]
    names = {name for command in program.all() for name in option_names(command, takes)}
    return sorted(names)


def places(program):
    return "|".join(place(command) for command in program.all() if len(command.path) > 1)


def case(names, action):
    return [f"    {'|'.join(names)}) {action} ;;"] if names else []


def walk(program, words):
    """Shell lines of bash and zsh alike: $place becomes where the words lead."""
    if not places(program):
        return ["  local place="]
    return ["  local word place=", f"  for word in {words}; do",
            f"    case $place/$word in {places(program)}) place=$place/$word ;; esac", "  done"]


def bash(program):
    name = program.path[0]
    lines = [f"# Completion of {name} for bash.", f"_{identifier(name)}() {{",
             "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} choices="]
    lines += walk(program, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"')
    lines.append("  case $previous in")
    lines += case(values_of(program, "file"),
                  'mapfile -t COMPREPLY < <(compgen -f -- "$current"); compopt -o filenames 2>/dev/null; return')
    lines += case(values_of(program, "device"),
                  'mapfile -t COMPREPLY < <(cd /sys/class/net && compgen -f -- "$current"); return')
    lines += case(values_of(program, "other"), "COMPREPLY=(); return")
    lines += ["  esac", "  case $place in"]
    for command in program.all():
        choices = [one.path[-1] for one in command.commands] + option_names(command)
        lines.append(f"    {place(command) or quoted('')}) choices={quoted(' '.join(choices))} ;;")
    lines += ["  esac", '  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$current")', "}",
              f"complete -F _{identifier(name)} {name}"]
    return "\n".join(lines) + "\n"


def described(name, words):
    return quoted(name.replace(":", "\\:") + ":" + words)


def zsh(program):
    name = program.path[0]
    lines = [f"#compdef {name}", f"_{identifier(name)}() {{", "  local -a commands options"]
    lines += walk(program, '"${(@)words[2,CURRENT-1]}"')
    lines.append("  case $words[CURRENT-1] in")
    lines += case(values_of(program, "file"), "_files; return")
    lines += case(values_of(program, "device"), "_net_interfaces; return")
    lines += case(values_of(program, "other"), "return")
    lines += ["  esac", "  case $place in"]
    for command in program.all():
        commands = " ".join(described(one.path[-1], one.words) for one in command.commands)
        options = " ".join(described(one, option.words) for option in command.options for one in option.names)
        lines.append(f"    {place(command) or quoted('')}) commands=({commands}) options=({options}) ;;")
    lines += ["  esac", "  if [[ $words[CURRENT] != -* && $#commands -gt 0 ]]; then",
              "    _describe -t commands command commands", "  else",
              "    _describe -t options option options", "  fi", "}", f'_{identifier(name)} "$@"']
    return "\n".join(lines) + "\n"


def fish_option(option):
    """The names as fish's own options."""
    return " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)


def fish_value(option):
    if option.takes_file:
        return " -r -F"
    if "--tun" in option.names:
        return " -x -a '(__fish_print_interfaces)'"
    return " -x" if option.value else ""


def fish(program):
    name = program.path[0]
    at = f"__{identifier(name)}_at"
    cases = " ".join(place(command) for command in program.all() if len(command.path) > 1)
    lines = [f"# Completion of {name} for fish.", f"function {at}", "  set -l place ''"]
    if cases:
        lines += ["  for word in (commandline -opc)[2..]", '    switch "$place/$word"', f"      case {cases}",
                  '        set place "$place/$word"', "    end", "  end"]
    lines += ['  test "$place" = "$argv[1]"', "end", f"complete -c {name} -f"]
    for command in program.all():
        here = f"complete -c {name} -n {fish_quoted(f'{at} {quoted(place(command))}')}"
        for one in command.commands:
            lines.append(f"{here} -a {one.path[-1]} -d {fish_quoted(one.words)}")
        for option in command.options:
            lines.append(f"{here} {fish_option(option)}{fish_value(option)} -d {fish_quoted(option.words)}")
    return "\n".join(lines) + "\n"
