#!/usr/bin/env python3
"""What scripts/test.sh prints at its end, from the results in a folder: how long each step and the
slowest tests took, which tests failed, and how many there are. A GoogleTest program counts as many
tests as it ran. Fails when a test did, or a step, or when nothing ran."""
import pathlib
import re
import sys
import xml.etree.ElementTree

PASSED = re.compile(r"^\[  PASSED  \] (\d+) tests?", re.MULTILINE)
FAILED = re.compile(r"^\[  FAILED  \] (\d+) tests?, listed below", re.MULTILINE)


def count(case):
    """Passed and failed tests of one of ctest's."""
    output = case.findtext("system-out") or ""
    is_ok = case.get("status") == "run"
    passed = sum(map(int, PASSED.findall(output)))
    failed = sum(map(int, FAILED.findall(output)))
    if is_ok:
        return max(passed, 1), failed
    return passed, max(failed, 1)


def main():
    folder = pathlib.Path(sys.argv[1])
    steps = (folder / "steps").read_text().splitlines() if (folder / "steps").exists() else []
    passed = failed = 0
    slowest, failures = [], []
    for path in sorted(folder.glob("*.xml")):
        for case in xml.etree.ElementTree.parse(path).iter("testcase"):
            if case.get("status") == "disabled":
                continue
            good, bad = count(case)
            passed += good
            failed += bad
            name = f"{path.stem}: {case.get('name')}"
            slowest.append((float(case.get("time") or 0), name))
            if bad:
                failures.append(name)
    # A step whose tests failed is counted by them; one that did not get so far, by itself.
    broken = [line for line in steps if line.endswith("FAILED")]
    failed = max(failed, len(broken))

    print("\nThe slowest tests:")
    for seconds, name in sorted(slowest, reverse=True)[:15]:
        print(f"  {seconds:6.1f} s  {name}")
    print("Each step, and what it used of the processors:")
    for line in steps:
        print(f"  {line}")
    for name in failures:
        print(f"FAILED: {name}")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


sys.exit(main())
