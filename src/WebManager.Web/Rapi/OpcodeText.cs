// Ganeti's opcodes as its remote API takes them: each parameter with its kind, as Ganeti 3.0.2 checks it.
namespace WebManager.Web.Rapi;

internal static class OpcodeText
{
    /// <summary>One opcode a line: NAME parameter[!]:[?]kind[=default]. !: it has to be there. ?: it may be null. {a|b}: one of these words.</summary>
    public const string All = """
        BACKUP_EXPORT instance_name!:str instance_uuid:?str+ compress:str="none" shutdown_timeout:int0=120 target_node!:any target_node_uuid:?str+ shutdown:bool=true remove_instance:bool=false ignore_remove_failures:bool=false mode:{local|remote}="local" x509_key_name:?list destination_x509_ca:?str+ zero_free_space:bool=false zeroing_timeout_fixed:?int zeroing_timeout_per_mib:?num long_sleep:bool=false
        BACKUP_PREPARE instance_name!:str instance_uuid:?str+ mode!:{local|remote}
        CLUSTER_REDIST_CONF 
        CLUSTER_SET_PARAMS force:bool=false hv_state:?dict disk_state:?dict vg_name:?str enabled_hypervisors:?list hvparams:?dict beparams:?dict os_hvp:?dict osparams:?dict osparams_private_cluster:?dict diskparams:?dict candidate_pool_size:?int1 max_running_jobs:?int1 max_tracked_jobs:?int1 uid_pool:?list add_uids:?list remove_uids:?list maintain_node_health:?bool prealloc_wipe_disks:?bool nicparams:?dict ndparams:?dict ipolicy:?dict drbd_helper:?str default_iallocator:?str default_iallocator_params:?dict mac_prefix:?str+ master_netdev:?str master_netmask:?int0 reserved_lvs:?strs hidden_os:?list blacklisted_os:?list use_external_mip_script:?bool enabled_disk_templates:?list modify_etc_hosts:?bool file_storage_dir:?str shared_file_storage_dir:?str gluster_storage_dir:?str install_image:?str instance_communication_network:?str zeroing_image:?str compression_tools:?strs enabled_user_shutdown:?bool enabled_data_collectors:?dict data_collector_interval:?dict
        GROUP_ADD group_name!:str+ alloc_policy:?{preferred|last_resort|unallocable} ndparams:?dict diskparams:?dict hv_state:?dict disk_state:?dict ipolicy:?dict
        GROUP_ASSIGN_NODES group_name!:str+ force:bool=false nodes!:strs node_uuids:?strs
        GROUP_REMOVE group_name!:str+
        GROUP_RENAME group_name!:str+ new_name!:str+
        GROUP_SET_PARAMS group_name!:str+ alloc_policy:?{preferred|last_resort|unallocable} ndparams:?dict diskparams:?dict hv_state:?dict disk_state:?dict ipolicy:?dict
        INSTANCE_ACTIVATE_DISKS instance_name!:str instance_uuid:?str+ ignore_size:bool=false wait_for_sync:bool=false
        INSTANCE_CREATE instance_name!:str force_variant:bool=false wait_for_sync:bool=true name_check:bool=true ignore_ipolicy:bool=false opportunistic_locking:bool=false beparams:dict={} disks!:dicts disk_template:?{gluster|file|plain|ext|diskless|rbd|blockdev|drbd|sharedfile} group_name:?str+ file_driver:?{loop|blktap|blktap2} file_storage_dir:?str+ hvparams:dict={} hypervisor:?{xen-hvm|lxc|chroot|xen-pvm|kvm|fake} iallocator:?str+ identify_defaults:bool=false ip_check:bool=true conflicts_check:bool=true mode!:{create|remote-import|import} nics!:dicts no_install:?bool osparams:dict={} osparams_private:?dict osparams_secret:?dict os_type:?str+ pnode:?str+ pnode_uuid:?str+ snode:?str+ snode_uuid:?str+ source_handshake:?list source_instance_name:?str+ source_shutdown_timeout:int0=120 source_x509_ca:?str+ src_node:?str+ src_node_uuid:?str+ src_path:?str+ compress:str="none" start:bool=true forthcoming:bool=false commit:bool=false tags:strs=[] instance_communication:bool=false helper_startup_timeout:?int=300 helper_shutdown_timeout:?int=7200
        INSTANCE_DEACTIVATE_DISKS instance_name!:str instance_uuid:?str+ force:bool=false
        INSTANCE_FAILOVER instance_name!:str instance_uuid:?str+ shutdown_timeout:int0=120 ignore_consistency:bool=false target_node:?str+ target_node_uuid:?str+ ignore_ipolicy:bool=false cleanup:bool=false iallocator:?str+
        INSTANCE_GROW_DISK instance_name!:str instance_uuid:?str+ wait_for_sync:bool=true disk!:disk amount!:int0 absolute:bool=false ignore_ipolicy:bool=false
        INSTANCE_MIGRATE instance_name!:str instance_uuid:?str+ mode:?{live|non-live} live:?bool target_node:?str+ target_node_uuid:?str+ allow_runtime_changes:bool=true ignore_ipolicy:bool=false cleanup:bool=false iallocator:?str+ allow_failover:bool=false ignore_hvversions:bool=false
        INSTANCE_MULTI_ALLOC opportunistic_locking:bool=false iallocator:?str+ instances:list=[]
        INSTANCE_QUERY_DATA use_locking:bool=false instances:strs=[] static:bool=false
        INSTANCE_REBOOT instance_name!:str instance_uuid:?str+ shutdown_timeout:int0=120 ignore_secondaries:bool=false reboot_type!:{soft|hard|full}
        INSTANCE_RECREATE_DISKS instance_name!:str instance_uuid:?str+ disks:list=[] nodes:strs=[] node_uuids:?strs iallocator:?str+
        INSTANCE_REINSTALL instance_name!:str instance_uuid:?str+ force_variant:bool=false os_type:?str+ osparams:?dict osparams_private:?dict osparams_secret:?dict
        INSTANCE_REMOVE instance_name!:str instance_uuid:?str+ shutdown_timeout:int0=120 ignore_failures:bool=false
        INSTANCE_RENAME instance_name!:str instance_uuid:?str+ new_name!:str+ name_check:bool=true ip_check:bool=true
        INSTANCE_REPLACE_DISKS instance_name!:str instance_uuid:?str+ early_release:bool=false ignore_ipolicy:bool=false mode!:{replace_on_secondary|replace_new_secondary|replace_on_primary|replace_auto} disks:list=[] remote_node:?str+ remote_node_uuid:?str+ iallocator:?str+
        INSTANCE_SET_PARAMS instance_name!:str instance_uuid:?str+ force:bool=false force_variant:bool=false ignore_ipolicy:bool=false nics:list=[] disks:list=[] beparams:dict={} runtime_mem:?int1 hvparams:dict={} disk_template:?{gluster|file|plain|ext|diskless|rbd|blockdev|drbd|sharedfile} ext_params:dict={} file_driver:?{loop|blktap|blktap2} file_storage_dir:?str+ pnode:?str+ pnode_uuid:?str+ remote_node:?str+ remote_node_uuid:?str+ iallocator:?str+ os_name:?str+ osparams:dict={} osparams_private:?dict wait_for_sync:bool=true offline:?bool conflicts_check:bool=true hotplug:bool=false hotplug_if_possible:bool=false instance_communication:?bool
        INSTANCE_SHUTDOWN instance_name!:str instance_uuid:?str+ force:bool=false ignore_offline_nodes:bool=false timeout:int0=120 no_remember:bool=false admin_state_source:?{admin|user}
        INSTANCE_STARTUP instance_name!:str instance_uuid:?str+ force:bool=false ignore_offline_nodes:bool=false hvparams:dict={} beparams:dict={} no_remember:bool=false startup_paused:bool=false shutdown_timeout:int0=120
        NETWORK_ADD network_name!:str+ network!:str gateway:?str network6:?str gateway6:?str mac_prefix:?str+ add_reserved_ips:?list conflicts_check:bool=true tags:strs=[]
        NETWORK_CONNECT group_name!:str+ network_name!:str+ network_mode!:{pool|routed|openvswitch|bridged} network_link!:str+ network_vlan:str="" conflicts_check:bool=true
        NETWORK_DISCONNECT group_name!:str+ network_name!:str+
        NETWORK_REMOVE network_name!:str+ force:bool=false
        NETWORK_SET_PARAMS network_name!:str+ gateway:?str network6:?str gateway6:?str mac_prefix:?str+ add_reserved_ips:?list remove_reserved_ips:?list
        NODE_EVACUATE early_release:bool=false node_name!:str+ node_uuid:?str+ remote_node:?str+ remote_node_uuid:?str+ iallocator:?str+ mode!:{all|secondary-only|primary-only} ignore_soft_errors:?bool
        NODE_MIGRATE node_name!:str+ node_uuid:?str+ mode:?{live|non-live} live:?bool target_node:?str+ target_node_uuid:?str+ allow_runtime_changes:bool=true ignore_ipolicy:bool=false iallocator:?str+
        NODE_MODIFY_STORAGE node_name!:str+ node_uuid:?str+ storage_type!:{file|lvm-pv|lvm-vg|sharedfile|diskless|blockdev|rados|ext|gluster} name:?str+ changes!:dict
        NODE_POWERCYCLE node_name!:str+ node_uuid:?str+ force:bool=false
        NODE_QUERY_STORAGE output_fields!:strs storage_type:?{file|lvm-pv|lvm-vg|sharedfile|diskless|blockdev|rados|ext|gluster} nodes:strs=[] name:?str+
        NODE_SET_PARAMS node_name!:str+ node_uuid:?str+ force:bool=false hv_state:?dict disk_state:?dict master_candidate:?bool offline:?bool drained:?bool auto_promote:bool=false master_capable:?bool vm_capable:?bool secondary_ip:?str+ ndparams:?dict powered:?bool
        REPAIR_NODE_STORAGE node_name!:str+ node_uuid:?str+ storage_type!:{file|lvm-pv|lvm-vg|sharedfile|diskless|blockdev|rados|ext|gluster} name:?str+ ignore_consistency:bool=false
        TAGS_DEL kind!:{node|network|instance|cluster|nodegroup} tags!:strs name:?str
        TAGS_SET kind!:{node|network|instance|cluster|nodegroup} tags!:strs name:?str
        """;
}
