"""Ganeti's Python client from Debian on the portal that the command line names (PORT USER PASSWORD), and what cases are made of."""
import sys
import time

from ganeti.rapi import client as rapi

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
cl = rapi.GanetiRapiClient("localhost", port=port, username=user, password=password)
CASES = {}


def case(*names):
    def add(fn):
        for name in names:
            CASES[name] = fn
        return fn
    return add


def eq(got, wanted):
    assert got == wanted, f"got {got!r} instead of {wanted!r}"


def ended(job):
    assert cl.WaitForJobCompletion(job, period=0.2, retries=600) is not None, f"job {job} did not end"
    return cl.GetJobStatus(job)


def done(job):
    status = ended(job)
    assert status["status"] == "success", f"job {job}: {status['status']} {status['opresult']}"
    return status["opresult"][0]


def fails(job, code):
    status = ended(job)
    eq(status["status"], "error")
    eq(status["opresult"][0][0], "OpPrereqError")
    eq(status["opresult"][0][1][1], code)


def until(what, fn, seconds=90):
    end = time.time() + seconds
    while time.time() < end:
        if fn():
            return
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {what}")


def error(code, fn, *args, **kwargs):
    try:
        got = fn(*args, **kwargs)
    except rapi.GanetiApiError as err:
        eq(err.code, code)
        return str(err)
    raise AssertionError(f"no error {code}, but {got!r}")


class Later(Exception):
    pass


def later(fn, *args, **kwargs):
    assert len(error(501, fn, *args, **kwargs)) > 40
    raise Later()


def make(name, template="drbd", **more):
    disks = [] if template == "diskless" else [{"size": 64}]
    return cl.CreateInstance("create", name, template, disks, [{}], os_type="tiny-linux", beparams={"maxmem": 96, "minmem": 96, "vcpus": 1}, **more)


def status(name):
    return cl.GetInstance(name)["status"]
