#!/usr/bin/env python3
"""write.py PREFIX PROGRAM...: manual pages and completions for these programs, into PREFIX/share. All of it
comes from their --help and from docs/; each program is run for it."""

import pathlib
import sys

sys.dont_write_bytecode = True  # pylint: disable=wrong-import-position

import completions
import documents
import help_text
import man_pages

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
# The configuration file of each program; qdt-load reads a client's.
FILES = {"qdt-server": "server.yaml", "qdt-client": "client.yaml"}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_program(share, program):
    name = program.path[0]
    file = FILES.get(name)
    files = documents.files(DOCS, name.split("-")[1]) if file else []
    for command in program.all():
        section = man_pages.section_of(program)
        related = [("-".join(one.path), section) for one in program.all() if one is not command]
        related += [(file, 5)] if file else [("qdt-server", 8), ("qdt-client", 8)]
        page = man_pages.command_page(command, related, files if command is program else [])
        write(share / f"man/man{section}/{'-'.join(command.path)}.{section}", page)
    if file:
        write(share / f"man/man5/{file}.5", man_pages.file_page(file, DOCS, [(name, 8)]))
    write(share / f"bash-completion/completions/{name}", completions.bash(program))
    write(share / f"zsh/vendor-completions/_{name}", completions.zsh(program))
    write(share / f"fish/vendor_completions.d/{name}.fish", completions.fish(program))


def main():
    for program in sys.argv[2:]:
        write_program(pathlib.Path(sys.argv[1]) / "share", help_text.read_program(program))


main()
