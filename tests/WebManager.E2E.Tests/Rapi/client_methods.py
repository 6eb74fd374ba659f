#!/usr/bin/python3
"""Calls every public method of Debian's GanetiRapiClient, unmodified, and looks at what it did.

client_methods.py PORT USER PASSWORD. One line a method: "ok NAME", "later NAME" (the documented 501), or "FAIL NAME: why".
The methods come from the class itself: one without a case fails.
"""
import sys
import traceback

import cases_instances  # noqa: F401  their order is that of the instances' lives
import cases_others  # noqa: F401
from ganeti_client import CASES, Later, rapi


def main():
    methods = {name for name in dir(rapi.GanetiRapiClient) if not name.startswith("_") and callable(getattr(rapi.GanetiRapiClient, name))}
    for name in sorted(methods ^ set(CASES)):
        print(f"FAIL {name}: " + ("it has no case" if name in methods else "there is no such method"))
    results = {}
    for name, fn in CASES.items():
        if fn not in results:
            try:
                fn()
                results[fn] = "ok {}"
            except Later:
                results[fn] = "later {}"
            except Exception:  # every method is to be told of
                kind, what, trace = sys.exc_info()
                line = [at.lineno for at in traceback.extract_tb(trace) if at.name in ("_", "<lambda>")]
                results[fn] = f"FAIL {{}}: line {line}: {kind.__name__} {what}".replace("{", "(").replace("}", ")").replace("()", "{}", 1)
        print(results[fn].format(name), flush=True)


main()
