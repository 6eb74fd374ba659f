// Which operation answers which request. An operation that is not here does not exist.
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

public static class Catalog
{
    private static readonly Dictionary<Type, IOperation> All = new()
    {
        [typeof(CreateInstance)] = new CreateInstanceOperation(),
        [typeof(StartInstance)] = new StartInstanceOperation(),
        [typeof(StopInstance)] = new StopInstanceOperation(),
        [typeof(RebootInstance)] = new RebootInstanceOperation(),
        [typeof(RemoveInstance)] = new RemoveInstanceOperation(),
        [typeof(FailoverInstance)] = new FailoverInstanceOperation(),
        [typeof(MigrateInstance)] = new MigrateInstanceOperation(),
        [typeof(CleanUpMigration)] = new CleanUpMigrationOperation(),
        [typeof(RecoverInstance)] = new RecoverInstanceOperation(),
        [typeof(DegradeInstance)] = new DegradeInstanceOperation(),
        [typeof(ResyncInstance)] = new ResyncInstanceOperation(),
        [typeof(RestartInstance)] = new RestartInstanceOperation(),
        [typeof(ConfirmInstance)] = new ConfirmInstanceOperation(),
        [typeof(ReplaceSecondary)] = new ReplaceSecondaryOperation(),
        [typeof(CleanInstance)] = new CleanInstanceOperation(),
        [typeof(AddNode)] = new AddNodeOperation(),
        [typeof(RemoveNode)] = new RemoveNodeOperation(),
        [typeof(ModifyInstance)] = new ModifyInstanceOperation(),
        [typeof(ModifyNode)] = new ModifyNodeOperation(),
        [typeof(MaintainNode)] = new MaintainNodeOperation(),
        [typeof(RestartAgent)] = new RestartAgentOperation(),
        [typeof(PowerOffNode)] = new PowerOffNodeOperation(),
        [typeof(AddNodeTags)] = new NodeTagsOperation<AddNodeTags>(adds: true),
        [typeof(RemoveNodeTags)] = new NodeTagsOperation<RemoveNodeTags>(adds: false),
        [typeof(AddGroup)] = new AddGroupOperation(),
        [typeof(RemoveGroup)] = new RemoveGroupOperation(),
        [typeof(RenameGroup)] = new RenameGroupOperation(),
        [typeof(ModifyGroup)] = new ModifyGroupOperation(),
        [typeof(AssignNodes)] = new AssignNodesOperation(),
        [typeof(AddClusterTags)] = new ClusterTagsOperation<AddClusterTags>(adds: true),
        [typeof(RemoveClusterTags)] = new ClusterTagsOperation<RemoveClusterTags>(adds: false),
        [typeof(ModifyCluster)] = new ModifyClusterOperation(),
        [typeof(UnfreezeCluster)] = new UnfreezeClusterOperation(),
        [typeof(AddUserGroup)] = new AddUserGroupOperation(),
        [typeof(RenameUserGroup)] = new RenameUserGroupOperation(),
        [typeof(RemoveUserGroup)] = new RemoveUserGroupOperation(),
        [typeof(SetMember)] = new SetMemberOperation(),
        [typeof(RemoveMember)] = new RemoveMemberOperation(),
        [typeof(ForgetUser)] = new ForgetUserOperation(),
        [typeof(AskQuota)] = new AskQuotaOperation(),
        [typeof(AskMembership)] = new AskMembershipOperation(),
        [typeof(DecideRequest)] = new DecideRequestOperation(),
        [typeof(WithdrawRequest)] = new WithdrawRequestOperation(),
        [typeof(AddSshKey)] = new AddSshKeyOperation(),
        [typeof(RemoveSshKey)] = new RemoveSshKeyOperation(),
        [typeof(SetGrant)] = new SetGrantOperation(),
        [typeof(SetQuota)] = new SetQuotaOperation(),
        [typeof(RecountQuota)] = new RecountQuotaOperation(),
        [typeof(ChangeOwner)] = new ChangeOwnerOperation(),
        [typeof(AddInstanceTags)] = new InstanceTagsOperation<AddInstanceTags>(adds: true),
        [typeof(RemoveInstanceTags)] = new InstanceTagsOperation<RemoveInstanceTags>(adds: false),
        [typeof(AdoptInstance)] = new AdoptInstanceOperation(),
        [typeof(AddTemplate)] = new AddTemplateOperation(),
        [typeof(ModifyTemplate)] = new ModifyTemplateOperation(),
        [typeof(CopyTemplate)] = new CopyTemplateOperation(),
        [typeof(RemoveTemplate)] = new RemoveTemplateOperation(),
        [typeof(TemplateFromInstance)] = new TemplateFromInstanceOperation(),
        [typeof(CreateFromTemplate)] = new CreateFromTemplateOperation(),
        [typeof(CancelJob)] = new CancelJobOperation(),
        [typeof(SetJobPriority)] = new SetJobPriorityOperation(),
        [typeof(ArchiveJob)] = new ArchiveJobOperation(),
        [typeof(ArchiveJobs)] = new ArchiveJobsOperation(),
        [typeof(ModifyQueue)] = new ModifyQueueOperation(),
        [typeof(DebugDelay)] = new DebugDelayOperation(),
    };

    /// <summary>Every request type, for tests that want a row per operation.</summary>
    public static IReadOnlyDictionary<Type, IOperation> Operations => All;

    public static IOperation Of(OperationRequest request) => All[request.GetType()];
}
