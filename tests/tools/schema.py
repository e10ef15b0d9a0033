#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""schema.py SCHEMA FILE...: validates configurations, comments and all.

With -f, a file must fail: to see that the schema can say no.
"""
import json
import re
import sys

import jsonschema


def without_comments(text):
    """Blanks // and # comments, but not those within quotes."""
    return re.sub(
        r'("(?:\\.|[^"\\])*")|(?://|#)[^\n]*', lambda m: m.group(1) or "", text
    )


def main():
    args = sys.argv[1:]
    fail = args[0] == "-f"
    schema = json.load(open(args[fail], encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    wrong = 0
    for path in args[fail + 1 :]:
        text = open(path, encoding="utf-8").read()
        errors = list(validator.iter_errors(json.loads(without_comments(text))))
        if bool(errors) == fail:
            continue
        wrong += 1
        if fail:
            print(f"{path}: taken, but it is wrong")
        for e in errors:
            print(f"{path}: {'/'.join(map(str, e.absolute_path))}: {e.message}")
    return 1 if wrong else 0


sys.exit(main())
