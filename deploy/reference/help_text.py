"""What a program says of itself: its `--help`, read into commands and options."""

import dataclasses
import pathlib
import re
import subprocess

# Where CLI11 begins its explanations.
COLUMN = 30


@dataclasses.dataclass
class Option:
    """An option, or (without a dash) an argument that its place tells."""
    names: list
    value: str  # what it takes, such as FILE; empty: nothing
    note: str  # what is taken, and without it: "1 - 100, default 10"
    words: str

    @property
    def takes_file(self):
        return self.value.split("=")[0] == "FILE"


@dataclasses.dataclass
class Command:
    """A program (`qdt-server`), or a subcommand of it (`qdt-server`, `status`)."""
    path: list
    description: str
    usage: str
    arguments: list
    options: list
    commands: list
    footer: str

    @property
    def words(self):
        """The description in one line, as an entry of a list: no capital, no full stop."""
        line = " ".join(self.description.split())
        line = re.split(r": |\. ", line)[0].rstrip(".")
        return line[0].lower() + line[1:]

    def all(self):
        """This command, and all below it."""
        yield self
        for command in self.commands:
            yield from command.all()


def parse_option(left, words):
    names, _, rest = left.partition(" ")
    notes = []
    if " REQUIRED" in rest:
        rest = rest.replace(" REQUIRED", "")
    needs = re.search(r"(^| )Needs: (.*)", rest)
    if needs:
        rest = rest[:needs.start()]
        notes.append("only with " + needs[2])
    rest, _, default = rest.partition("=")
    bounds = re.search(r":\w+ in \[(.*)\]", rest)
    if bounds:
        rest = rest[:bounds.start()]
        notes.append(bounds[1])
    # A number with a unit, which its explanation names.
    rest = re.sub(r"^\w+:\w+ ", "", rest)
    if default:
        notes.append("default " + default)
    return Option(names.split(","), rest, ", ".join(notes), words)


def items(lines):
    """Pairs of what stands at the left and its explanation."""
    found = []
    for line in lines:
        if line.startswith(" " * COLUMN):
            left, words = found[-1]
            found[-1] = (left, (words + " " + line.strip()).strip())
            continue
        parts = re.match(r"(\S.*?)(?: {2,}(\S.*))?$", line[2:])
        found.append((parts[1], parts[2] or ""))
    return found


def sections(lines):
    """What is left of the usage on: {heading: lines}, and the footer's lines."""
    found, heading, footer = {}, None, []
    for line in lines:
        if not footer and re.fullmatch(r"[A-Z]\w+:", line):
            heading = line[:-1].lower()
            found[heading] = []
        elif heading and line.startswith("  "):
            found[heading].append(line)
        elif line or footer:
            heading = None
            footer.append(line)
    return found, footer


def read_help(program, path, parent_footer=""):
    """The Command of `path` by what `program` prints; its subcommands included."""
    text = subprocess.run([program, *path[1:], "--help"], check=True, capture_output=True, text=True).stdout
    before, usage, after = re.split(r"^Usage: (.*)\n", text, maxsplit=1, flags=re.MULTILINE)
    found, footer_lines = sections(after.splitlines())
    footer = "\n".join(footer_lines).strip()
    options = [parse_option(*item) for item in items(found.get("options", []))]
    if not options:
        raise ValueError(f"{' '.join(path)} --help: no options in it: {text}")
    return Command(
        path=path,
        description=before.strip(),
        usage=usage.split(" ", len(path))[len(path)],
        arguments=[parse_option(*item) for item in items(found.get("positionals", []))],
        options=options,
        commands=[read_help(program, path + [name], footer)
                  for name, _ in items(found.get("subcommands", []))],
        # A subcommand has its program's footer, unless it has one of its own.
        footer="" if footer == parent_footer else footer)


def read_benchmarks(program, path):
    """As read_help, of a program of Google Benchmark's: lines of [--name=VALUE], and no explanations."""
    result = subprocess.run([program, "--help"], check=True, capture_output=True, text=True)
    found = re.findall(r"\[(--\w+)=(.*)\]", result.stdout + result.stderr)
    return Command(
        path=path, description="What the parts of a packet's way cost on this machine.", usage="[OPTIONS]",
        arguments=[], options=[Option([name], value, "", "") for name, value in found], commands=[],
        footer="The options are those of Google Benchmark.")


def read_program(program):
    path = [pathlib.Path(program).name.replace("_", "-")]
    return read_benchmarks(program, path) if path == ["qdt-bench"] else read_help(program, path)
