"""Manual pages, in the macros of man(7)."""

import datetime
import os
import re

import documents

# The daemons and what is asked of them are an administrator's; the tools are anybody's.
SECTIONS = {"qdt-server": 8, "qdt-client": 8}


def escaped(text):
    """Text that roff prints as it is: hyphens can be copied, and no line is a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def bold(text):
    return "\\fB" + escaped(text) + "\\fR"


def italic(text):
    return "\\fI" + escaped(text) + "\\fR"


def paragraphs(text):
    """Each line is a paragraph, but for what goes on without an end of a sentence; indented ones are examples."""
    page = []
    text = re.sub(r"(?<![.:\n])\n(?=[A-Za-z(])", " ", text)
    for line in text.splitlines():
        if line.startswith("  "):
            page += [".IP", ".EX", escaped(line.strip()), ".EE"]
        elif line:
            page += [".PP", escaped(line)]
    return page


def sentence(text):
    return text if text.endswith(".") else text[0].upper() + text[1:] + "."


def head(name, section, words):
    stamp = int(os.environ.get("SOURCE_DATE_EPOCH") or datetime.datetime.now().timestamp())
    date = datetime.datetime.fromtimestamp(stamp, datetime.timezone.utc).strftime("%Y-%m-%d")
    return [f'.TH {escaped(name.upper())} {section} {date} QDT "QDT, a VPN inside HTTP/3"',
            ".SH NAME", f"{escaped(name)} \\- {escaped(words)}"]


def references(pages):
    return [".SH SEE ALSO", ",\n".join(f".BR {escaped(name)} ({section})" for name, section in pages)
            .replace(",\n", " ,\n")]


def definition(option):
    text = ", ".join(bold(name) if name.startswith("-") else italic(name) for name in option.names)
    if option.value and option.names[0].startswith("-"):
        text += " " + italic(option.value)
    note = f" ({option.note})" if option.note else ""
    return [".TP", text, escaped(option.words + note) or "\\&"]


def section_of(command):
    return SECTIONS.get(command.path[0], 1)


def command_page(command, related, files):
    """A command's page. `related`: other pages, as pairs of name and section; `files`: of documents.files()."""
    name = "-".join(command.path)
    page = head(name, section_of(command), command.words)
    page += [".SH SYNOPSIS", f"{bold(' '.join(command.path))} {escaped(command.usage)}"]
    page += [".SH DESCRIPTION", *paragraphs(sentence(command.description))[1:]]
    status = [line for line in command.footer.splitlines() if line.startswith("Exit status: ")]
    page += paragraphs("\n".join(line for line in command.footer.splitlines() if line not in status))
    if command.arguments:
        page.append(".SH ARGUMENTS")
    for argument in command.arguments:
        page += definition(argument)
    page.append(".SH OPTIONS")
    for option in command.options:
        page += definition(option)
    if command.commands:
        page.append(".SH COMMANDS")
    for one in command.commands:
        page += [".TP", f"{bold(one.path[-1])} {escaped(one.usage)}", escaped(one.description)]
    if status:
        page += [".SH EXIT STATUS", escaped("\n".join(line.removeprefix("Exit status: ") for line in status))]
    if files:
        page.append(".SH FILES")
    for path, what in files:
        page += [".TP", italic(path), escaped(what)]
    return "\n".join(page + references(related)) + "\n"


def default(key):
    return key.default if key.default.startswith("required") else "Default: " + key.default


def file_page(file, docs, related):
    """The page of a configuration file: every key."""
    program = "qdt-" + file.split(".")[0]
    page = head(file, 5, f"configuration of {program}")
    page += [".SH DESCRIPTION", escaped(" ".join(documents.introduction(docs / "configuration.md").split())),
             ".SH KEYS"]
    for key in documents.keys(docs, file):
        page += [".TP", bold(key.name), escaped(key.meaning), ".RS", ".PP",
                 escaped(f"Allowed: {key.allowed}. {sentence(default(key))}"), ".RE"]
    return "\n".join(page + references(related)) + "\n"
