"""Jobs, nodes, groups, queries, and what is not there yet; after cases_instances."""
from ganeti_client import CASES, cl, rapi, case, done, ended, eq, error, fails, later, make, status, until


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
    first = make("slow")
    second = make("never", "diskless", depends=[[first, ["error"]]], priority=10)
    told = list(cl.CancelJob(second))
    if told[0]:
        eq((told[1], ended(second)["status"]), (f"Job {second} canceled", "canceled"))
    else:  # the first had ended, and with it the second, which wanted it to fail
        eq((told[1], ended(second)["status"]), (f"Job {second} not found in queue", "error"))
    done(first)
    assert "never" not in cl.GetInstances()
    done(cl.DeleteInstance("slow"))


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
