#!/usr/bin/python3
"""Calls every public method of Debian's GanetiRapiClient, unmodified, and looks at what it did.

client_methods.py PORT USER PASSWORD. One line a method: "ok NAME", "later NAME" (the documented 501), or "FAIL NAME: why".
The methods come from the class itself: one without a case fails.
"""
import sys
import time
import traceback

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


@case("GetVersion")
def _():
    eq(cl.GetVersion(), 2)


@case("GetFeatures")
def _():
    eq(sorted(cl.GetFeatures()), ["instance-create-reqv1", "instance-reinstall-reqv1", "node-evac-res1", "node-migrate-reqv1"])


@case("GetOperatingSystems")
def _():
    assert "tiny-linux" in cl.GetOperatingSystems()


@case("GetInfo")
def _():
    info = cl.GetInfo()
    eq(info["software_version"], "3.0.2")
    assert "drbd" in info["enabled_disk_templates"]


@case("RedistributeConfig")
def _():
    eq(done(cl.RedistributeConfig()), None)


@case("ModifyCluster")
def _():
    error(403, cl.ModifyCluster, compression_tools=["gzip"])
    error(400, cl.ModifyCluster, candidate_pool_size=0)
    later(cl.ModifyCluster, candidate_pool_size=3)


@case("AddClusterTags", "GetClusterTags", "DeleteClusterTags")
def _():
    done(cl.AddClusterTags(["rapi:a", "rapi:b"]))
    eq(cl.GetClusterTags(), ["rapi:a", "rapi:b"])
    fails(cl.DeleteClusterTags(["nosuch"]), "unknown_entity")
    done(cl.DeleteClusterTags(["rapi:a", "rapi:b"], dry_run=True))
    eq(cl.GetClusterTags(), ["rapi:a", "rapi:b"])
    done(cl.DeleteClusterTags(["rapi:a", "rapi:b"]))
    eq(cl.GetClusterTags(), [])


@case("CreateInstance")
def _():
    done(make("web1", pnode="n1", snode="n2", dry_run=True))
    error(404, cl.GetInstance, "web1")
    eq(done(make("web1", pnode="n1", snode="n2")), ["n1", "n2"])
    until("web1 runs", lambda: status("web1") == "running")
    fails(make("web1", pnode="n1"), "already_exists")
    error(400, make, "web3", bogus=1)
    error(501, make, "web3", "plain")
    done(make("web2", "diskless", pnode="n1"))


@case("InstanceAllocation", "InstancesMultiAlloc")
def _():
    many = [cl.InstanceAllocation("create", f"many{n}", "diskless", [], [{}], os_type="tiny-linux", beparams={"maxmem": 96}, start=False) for n in (1, 2)]
    result = done(cl.InstancesMultiAlloc(many))
    eq((result["allocatable"], result["failed"]), (["many1", "many2"], []))
    for ok, job in result["jobs"]:
        assert ok
        done(job)
    eq(status("many2"), "ADMIN_down")


@case("DeleteInstance")
def _():
    done(cl.DeleteInstance("many1", dry_run=True))
    assert "many1" in cl.GetInstances()
    done(cl.DeleteInstance("many1"))
    done(cl.DeleteInstance("many2"))
    error(404, cl.GetInstance, "many1")
    fails(cl.DeleteInstance("many1"), "unknown_entity")


@case("GetInstances", "GetInstance")
def _():
    eq(cl.GetInstances(), ["web1", "web2"])
    web1 = cl.GetInstances(bulk=True)[0]
    eq((web1["name"], web1["disk_template"], web1["pnode"], web1["snodes"], web1["disk.sizes"], web1["oper_ram"]), ("web1", "drbd", "n1", ["n2"], [64], 96))
    eq(cl.GetInstance("web1"), web1)
    error(404, cl.GetInstance, "nosuch")


@case("GetInstanceInfo")
def _():
    eq(done(cl.GetInstanceInfo("web1"))["web1"]["run_state"], "up")
    eq(done(cl.GetInstanceInfo("web1", static=True))["web1"]["pnode"], "n1")


@case("GetInstanceConsole")
def _():
    eq(cl.GetInstanceConsole("web1")["kind"], "msg")


@case("GetInstanceTags")
def _():
    eq(cl.GetInstanceTags("web1"), [])
    error(500, cl.GetInstanceTags, "nosuch")


@case("AddInstanceTags")
def _():
    later(cl.AddInstanceTags, "web1", ["a"])


@case("DeleteInstanceTags")
def _():
    later(cl.DeleteInstanceTags, "web1", ["a"])


@case("ModifyInstance")
def _():
    done(cl.ModifyInstance("web1", beparams={"auto_balance": False}))
    eq(cl.GetInstance("web1")["beparams"]["auto_balance"], False)
    done(cl.ModifyInstance("web1", beparams={"auto_balance": True}))
    error(400, cl.ModifyInstance, "web1", bogus=1)
    error(501, cl.ModifyInstance, "web1", beparams={"maxmem": 128})


@case("ShutdownInstance", "StartupInstance")
def _():
    done(cl.ShutdownInstance("web1", timeout=0))
    until("web1 is down", lambda: status("web1") == "ADMIN_down")
    error(503, cl.GetInstanceConsole, "web1")
    done(cl.StartupInstance("web1", dry_run=True))
    eq(status("web1"), "ADMIN_down")
    done(cl.StartupInstance("web1"))
    until("web1 runs", lambda: status("web1") == "running")
    error(501, cl.StartupInstance, "web1", no_remember=True)
    fails(cl.StartupInstance("nosuch"), "unknown_entity")


@case("RebootInstance")
def _():
    done(cl.RebootInstance("web1", reboot_type="hard"))
    until("web1 runs again", lambda: status("web1") == "running")
    error(400, cl.RebootInstance, "web1", reboot_type="bogus")


@case("MigrateInstance")
def _():
    until("it can move", lambda: ended(cl.MigrateInstance("web1", mode="live", target_node="n2"))["status"] == "success")
    eq((cl.GetInstance("web1")["pnode"], cl.GetInstance("web1")["snodes"]), ("n2", ["n1"]))
    fails(cl.MigrateInstance("web1", target_node="n3"), "wrong_input")


@case("FailoverInstance")
def _():
    fails(cl.FailoverInstance("web1", target_node="n3"), "wrong_input")
    until("it can fail over", lambda: ended(cl.FailoverInstance("web1"))["status"] == "success")
    eq(cl.GetInstance("web1")["pnode"], "n1")
    error(400, cl.FailoverInstance, "web1", target_node=7)


@case("ReplaceInstanceDisks")
def _():
    until("it can change its secondary", lambda: ended(cl.ReplaceInstanceDisks("web1", mode=rapi.REPLACE_DISK_CHG, remote_node="n3"))["status"] == "success")
    eq(cl.GetInstance("web1")["snodes"], ["n3"])
    error(501, cl.ReplaceInstanceDisks, "web1", mode=rapi.REPLACE_DISK_PRI)


@case("RenameInstance")
def _():
    later(cl.RenameInstance, "web1", "web9")


@case("ReinstallInstance")
def _():
    later(cl.ReinstallInstance, "web1")


@case("GrowInstanceDisk")
def _():
    later(cl.GrowInstanceDisk, "web1", 0, 64)


@case("RecreateInstanceDisks")
def _():
    later(cl.RecreateInstanceDisks, "web1")


@case("ActivateInstanceDisks")
def _():
    later(cl.ActivateInstanceDisks, "web1")


@case("DeactivateInstanceDisks")
def _():
    later(cl.DeactivateInstanceDisks, "web1")


@case("PrepareExport")
def _():
    later(cl.PrepareExport, "web1", "local")


@case("ExportInstance")
def _():
    later(cl.ExportInstance, "web1", "local", "n2")


@case("GetJobs", "GetJobStatus", "WaitForJobCompletion")
def _():
    job = cl.ShutdownInstance("web2", timeout=0)
    assert cl.WaitForJobCompletion(job, period=0.2, retries=600)
    shown = cl.GetJobStatus(job)
    eq((shown["id"], shown["summary"], shown["opstatus"], shown["ops"][0]["OP_ID"]), (job, ["INSTANCE_SHUTDOWN(web2)"], ["success"], "OP_INSTANCE_SHUTDOWN"))
    assert job in cl.GetJobs()
    assert any(j["id"] == job for j in cl.GetJobs(bulk=True))
    eq(cl.GetJobStatus(999999)["status"], None)


@case("WaitForJobChange")
def _():
    job = cl.StartupInstance("web2")
    seen, info, serial = [], None, 0
    while not seen or seen[-1] not in ("success", "error"):
        change = cl.WaitForJobChange(job, ["status"], info, serial)
        if change:
            info, serial = change["job_info"], max([serial] + [line[0] for line in change["log_entries"]])
            seen.append(info[0])
    eq(seen[-1], "success")
    assert serial > 0
    error(500, cl.WaitForJobChange, 999999, ["status"], None, None)


@case("CancelJob")
def _():
    eq(list(cl.CancelJob(999999)), [False, "Job 999999 not found in queue"])


@case("GetNodes", "GetNode")
def _():
    eq(cl.GetNodes(), ["n1", "n2", "n3"])
    n1 = cl.GetNodes(bulk=True)[0]
    eq((n1["name"], n1["role"], n1["pinst_list"], n1["offline"]), ("n1", "R", ["web1", "web2"], False))
    assert n1["mtotal"] > n1["mfree"] > 0
    eq(cl.GetNode("n1")["secondary_ip"], n1["sip"])
    error(404, cl.GetNode, "nosuch")


@case("SetNodeRole", "GetNodeRole")
def _():
    done(cl.SetNodeRole("n2", "drained"))
    eq((cl.GetNodeRole("n2"), cl.GetNode("n2")["drained"]), ("drained", True))
    done(cl.SetNodeRole("n2", "regular"))
    eq(cl.GetNodeRole("n2"), "regular")
    error(400, cl.SetNodeRole, "n2", "bogus")
    error(501, cl.SetNodeRole, "n2", "master-candidate")
    error(500, cl.GetNodeRole, "nosuch")


@case("ModifyNode")
def _():
    done(cl.ModifyNode("n2", drained=True))
    eq(cl.GetNode("n2")["role"], "D")
    done(cl.ModifyNode("n2", drained=False))
    eq(cl.GetNode("n2")["role"], "R")
    error(501, cl.ModifyNode, "n2", vm_capable=False)


@case("EvacuateNode")
def _():
    done(cl.EvacuateNode("n3", mode=rapi.NODE_EVAC_SEC, dry_run=True))
    eq(cl.GetInstance("web1")["snodes"], ["n3"])
    moved = []

    def evacuated():
        job = ended(cl.EvacuateNode("n3", mode=rapi.NODE_EVAC_SEC, remote_node="n2"))
        if job["status"] != "success":
            return False
        moved.extend(job["opresult"][0]["jobs"])
        return True
    until("the secondary can leave n3", evacuated)
    for ok, job in moved:
        assert ok
        done(job)
    eq((cl.GetInstance("web1")["snodes"], cl.GetNode("n3")["sinst_cnt"]), (["n2"], 0))


@case("MigrateNode")
def _():
    done(cl.DeleteInstance("web2"))
    jobs = []

    def begun():
        job = ended(cl.MigrateNode("n1", mode="live"))
        if job["status"] == "success":
            jobs.extend(job["opresult"][0]["jobs"])
        return bool(jobs)
    until("n1's instances can move", begun)
    for ok, job in jobs:
        assert ok
        done(job)
    eq((cl.GetInstance("web1")["pnode"], cl.GetNode("n1")["pinst_cnt"]), ("n2", 0))


@case("PowercycleNode")
def _():
    later(cl.PowercycleNode, "n3")


@case("GetNodeStorageUnits")
def _():
    (name, size, free, allocatable), = done(cl.GetNodeStorageUnits("n1", "file", "name,size,free,allocatable"))
    assert size >= free > 0 and allocatable is True
    error(400, cl.GetNodeStorageUnits, "n1", "bogus", "name")
    error(501, cl.GetNodeStorageUnits, "n1", "lvm-vg", "name")


@case("ModifyNodeStorageUnits")
def _():
    later(cl.ModifyNodeStorageUnits, "n1", "lvm-pv", "x", allocatable=True)


@case("RepairNodeStorageUnits")
def _():
    later(cl.RepairNodeStorageUnits, "n1", "lvm-vg", "x")


@case("AddNodeTags", "GetNodeTags", "DeleteNodeTags")
def _():
    done(cl.AddNodeTags("n3", ["rack:1"]))
    eq((cl.GetNodeTags("n3"), cl.GetNode("n3")["tags"]), (["rack:1"], ["rack:1"]))
    done(cl.DeleteNodeTags("n3", ["rack:1"]))
    eq(cl.GetNodeTags("n3"), [])


@case("CreateGroup", "GetGroups", "GetGroup", "RenameGroup", "ModifyGroup", "AssignGroupNodes", "DeleteGroup")
def _():
    done(cl.CreateGroup("spare"))
    fails(cl.CreateGroup("spare"), "already_exists")
    eq(cl.GetGroups(), ["default", "spare"])
    done(cl.RenameGroup("spare", "depot"))
    done(cl.AssignGroupNodes("depot", ["n3"]))
    eq((cl.GetGroup("depot")["node_list"], [g["node_cnt"] for g in cl.GetGroups(bulk=True)]), (["n3"], [2, 1]))
    done(cl.ModifyGroup("depot", alloc_policy="preferred"))
    error(501, cl.ModifyGroup, "depot", alloc_policy="unallocable")
    eq(ended(cl.DeleteGroup("depot"))["status"], "error")
    done(cl.AssignGroupNodes("default", ["n3"]))
    done(cl.DeleteGroup("depot", dry_run=True))
    done(cl.DeleteGroup("depot"))
    eq(cl.GetGroups(), ["default"])
    error(404, cl.GetGroup, "depot")


@case("GetGroupTags")
def _():
    eq(cl.GetGroupTags("default"), [])


@case("AddGroupTags")
def _():
    later(cl.AddGroupTags, "default", ["a"])


@case("DeleteGroupTags")
def _():
    later(cl.DeleteGroupTags, "default", ["a"])


@case("Query")
def _():
    got = cl.Query("node", ["name", "offline", "nosuch"], ["&", ["=", "name", "n1"], ["!", ["?", "offline"]]])
    eq(got["data"], [[[0, "n1"], [0, False], [1, None]]])
    eq([f["kind"] for f in got["fields"]], ["text", "bool", "unknown"])
    eq(cl.Query("instance", ["name"], ["=~", "name", "^web"])["data"], [[[0, "web1"]]])
    eq(cl.Query("group", ["name", "node_cnt"], ["=[]", "node_list", "n2"])["data"], [[[0, "default"], [0, 3]]])
    assert cl.Query("job", ["id", "status"], ["<=", "id", 2])["data"]
    error(502, cl.Query, "node", ["name"], ["bogus", "name", 1])
    error(502, cl.Query, "bogus", ["name"])


@case("QueryFields")
def _():
    fields = {f["name"]: f for f in cl.QueryFields("instance")["fields"]}
    eq(fields["pnode"]["title"], "Primary_node")
    error(502, cl.QueryFields, "bogus")


@case("GetNetworks")
def _():
    eq((cl.GetNetworks(), cl.GetNetworks(bulk=True)), ([], []))


@case("GetNetwork")
def _():
    error(404, cl.GetNetwork, "net1")


@case("CreateNetwork")
def _():
    later(cl.CreateNetwork, "net1", "10.9.0.0/24", tags=[])


@case("GetFilters")
def _():
    eq((cl.GetFilters(), cl.GetFilters(bulk=True)), ([], []))


@case("GetFilter")
def _():
    error(404, cl.GetFilter, "0e84e24c-0c80-45cf-8712-6fcccca51236")


@case("AddFilter")
def _():
    later(cl.AddFilter, 1, [["jobid", ["<", "id", 1]]], "CONTINUE")


@case("ReplaceFilter")
def _():
    later(cl.ReplaceFilter, "0e84e24c-0c80-45cf-8712-6fcccca51236", 1, [["jobid", ["<", "id", 1]]], "CONTINUE")


@case("DeleteFilter")
def _():
    later(cl.DeleteFilter, "0e84e24c-0c80-45cf-8712-6fcccca51236")


def network(name, *args, **kwargs):
    CASES[name] = lambda: later(getattr(cl, name), "net1", *args, **kwargs)


network("ConnectNetwork", "default", "bridged", "br0")
network("DisconnectNetwork", "default")
network("ModifyNetwork", gateway="10.9.0.1")
network("DeleteNetwork")
network("GetNetworkTags")
network("AddNetworkTags", ["a"])
network("DeleteNetworkTags", ["a"])


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
                line = [at.lineno for at in traceback.extract_tb(trace) if at.filename == __file__ and at.name in ("_", "<lambda>")]
                results[fn] = f"FAIL {{}}: line {line}: {kind.__name__} {what}".replace("{", "(").replace("}", ")").replace("()", "{}", 1)
        print(results[fn].format(name), flush=True)


main()
