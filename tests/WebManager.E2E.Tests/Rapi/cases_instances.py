"""The cluster, and instances: web1 is a mirrored one that moves about, web2 a diskless one."""
from ganeti_client import cl, rapi, case, done, ended, eq, error, fails, later, make, status, until


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


@case("AddInstanceTags", "GetInstanceTags", "DeleteInstanceTags")
def _():
    owner = cl.GetInstanceTags("web1")
    assert all(tag.startswith("webmanager:owner:") for tag in owner), owner
    done(cl.AddInstanceTags("web1", ["rapi:a", "rapi:b"]))
    eq((sorted(cl.GetInstanceTags("web1")), sorted(cl.GetInstance("web1")["tags"])), (sorted(["rapi:a", "rapi:b"] + owner), sorted(["rapi:a", "rapi:b"] + owner)))
    fails(cl.DeleteInstanceTags("web1", ["webmanager:owner:user:admin"]), "wrong_input")
    done(cl.DeleteInstanceTags("web1", ["rapi:a", "rapi:b"]))
    eq(cl.GetInstanceTags("web1"), owner)
    error(500, cl.GetInstanceTags, "nosuch")


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
